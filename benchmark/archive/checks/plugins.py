"""What is not part of this package is named by its content: components, measures, and codes from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from benchmark import registry
from benchmark.archive.checks.content import Check, Content
from benchmark.spec import SHA256, Component, Run

LOOSE = re.compile(r"/v\d+-(?P<digits>[0-9a-f]{8})")
"""How the protocol of a measure in a loose file ends: eight digits of the sha256 of its content."""


def check_plugins(content: Content) -> Check:
    listed = content.archive.manifest.plugins or {}
    names = f" ({', '.join(f'{name} {digest[:12]}' for name, digest in listed.items())})" if listed else ""
    holds = f"{len(listed):,} plug-ins are named by their content{names}, and so are codes from elsewhere"
    return Check("plug-ins", holds, tuple(dict.fromkeys([*_components(content), *_measures(content)])))


def _components(content: Content) -> Iterator[str]:
    listed = content.archive.manifest.plugins or {}
    for run_id, run in content.described.items():
        if _from_elsewhere(run):
            record = content.records[run_id]
            source = record["provenance"].get("source")
            codes = source.get("codes") if isinstance(source, dict) else None
            if not (_digest(record.get("arrays")) and isinstance(codes, dict) and _digest(codes.get("sha256"))):
                yield f"run {run_id} is of codes from elsewhere, and does not name their content by its sha256"
            continue
        for kind, part in (("dataset", run.dataset), ("model", run.model), ("network", run.network)):
            if part is not None and (reason := _unknown(kind, part, listed)):
                yield f"{kind} {part.name} of run {run_id} {reason}"


def _from_elsewhere(run: Run) -> bool:
    return run.model.settings.get("codes") == "external"


def _unknown(kind: str, part: Component, listed: Any) -> str | None:
    """Why a component is not known by its name or its content; None where it is."""
    if part.source is not None:
        said = listed.get(f"{kind} {part.name}")
        return None if said == part.source else "is of a loose file whose sha256 archive.json does not list"
    known = next((each for each in get_args(registry.Kind) if each == kind), None)
    assert known is not None
    if part.name not in registry.names(known):
        return "is no part of this package and names no file's content"
    here = registry.load(known, part.name).version
    return f"is of version {part.version}, here is {here}: update, or it is made up" if part.version > here else None


def _digest(value: object) -> bool:
    return isinstance(value, str) and bool(SHA256.fullmatch(value))


def _measures(content: Content) -> Iterator[str]:
    listed = content.archive.manifest.plugins or {}
    rows = content.scores[["metric", "protocol"]].drop_duplicates()
    for metric, protocol in rows.itertuples(index=False, name=None):
        found = LOOSE.search(protocol)
        if found is None and metric not in registry.names("metric"):
            yield f"metric {metric} is no part of this package, and {protocol} names no file's content"
        full = listed.get(f"metric {metric}")
        if found is not None and full is not None and not full.startswith(found["digits"]):
            yield f"{protocol} is of another file than the one with the sha256 {full[:12]}… that archive.json lists"
