"""No run stands twice: by its id, by its codes, or by scores that are equal to the last bit under two ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmark.archive.checks.content import Check, Content
from benchmark.integrity.run_seal import CODES
from benchmark.stages.configurations import REFERENCE_MODELS

FEWEST = 3
"""Numbers that are neither 0 nor 1 without which equal scores are no sign of equal runs."""


def check_twice(content: Content) -> Check:
    published = content.leaderboard
    beside = f", nor in {published.archive.manifest.title}" if published else ""
    return Check("no run twice", f"no run stands here under two ids{beside}", tuple(_wrong(content, published)))


def _wrong(content: Content, published: Content | None) -> Iterator[str]:
    ids = content.runs["run_id"]
    for run_id in sorted(set(ids[ids.duplicated()])):
        yield f"run {run_id} stands twice"
    for run_id in sorted(set(content.described) & set(published.described if published else ())):
        yield f"run {run_id} is published already"
    told_by: dict[str, Callable[[Content], Mapping[str, Any]]] = {"the same codes": _codes, "the same scores": _scores}
    for name, told_in in told_by.items():
        first: dict[Any, str] = {}
        of_run = told_in(content)
        for run_id, told in of_run.items():
            if told in first:
                yield f"run {run_id} has {name} as {first[told]}: one of them is the other under another name"
            first.setdefault(told, run_id)
        known = {told: run_id for run_id, told in told_in(published).items()} if published else {}
        for run_id, told in of_run.items():
            if told in known:
                yield f"run {run_id} has {name} as {known[told]}, which is published already"


def _codes(content: Content) -> dict[str, str]:
    """The sha256 of each run's codes, as far as its record says it; closed forms may give the same for every seed."""
    found = {}
    for run_id, record in content.records.items():
        told = record.get("arrays") or _listed(record).get(CODES)
        if told and not _closed(content, run_id):
            found[run_id] = str(told)
    return found


def _listed(record: Mapping[str, Any]) -> Mapping[str, Any]:
    files = record.get("files")
    return files if isinstance(files, Mapping) else {}


def _scores(content: Content) -> dict[str, tuple[Any, ...]]:
    """Each run's numbers with what they are of, where there are enough to tell a run."""
    rows = content.scores[content.scores["status"] == "ok"]
    names = ["protocol", "representation", "score", "budget", "value"]
    found = {}
    for run_id, own in rows.groupby("run_id", sort=False):
        if (~own["value"].isin([0.0, 1.0])).sum() >= FEWEST and not _closed(content, str(run_id)):
            told = own[names].assign(budget=own["budget"].fillna(-1)).sort_values(names)
            found[str(run_id)] = tuple(told.itertuples(index=False, name=None))
    return found


def _closed(content: Content, run_id: str) -> bool:
    """Whether a run may be like another of its configuration: references and closed forms that draw nothing."""
    run = content.described.get(run_id)
    outside = run is not None and run.model.settings.get("codes") == "external"
    return run is None or (not outside and (run.model.name in REFERENCE_MODELS or run.training is None))
