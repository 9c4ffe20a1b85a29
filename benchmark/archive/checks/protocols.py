"""Every protocol is one that this version computes, or that of a measure from outside, which is then named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from benchmark import registry
from benchmark.archive.checks.content import Check, Content
from benchmark.archive.manifest import MEASURES
from benchmark.archive.results import described_measures
from benchmark.archive.seeds_apart import scored_apart
from benchmark.errors import BenchmarkError
from benchmark.spec import canonical_json

SEEDS = re.compile(r"(-seeds\d+(?:to\d+|(?:x\d+)*))-n\d+/")
"""How the protocol of a measure over the runs of a configuration names their seeds."""


def check_protocols(content: Content) -> Check:
    found = _Protocols(content)
    holds = f"{len(found.used):,} protocols: what a measure here computes under the settings that it is said to have"
    return Check("protocols", holds, tuple(found.wrong()), tuple(found.notes()))


class _Protocols:
    """The protocols of an archive's scores, each with the metric, version, representation and n of its rows."""

    def __init__(self, content: Content) -> None:
        self.content = content

    @cached_property
    def used(self) -> list[dict[str, Any]]:
        names = ["protocol", "metric", "metric_version", "representation", "n"]
        rows = self.content.every[names]
        found: list[dict[str, Any]] = rows.drop_duplicates(names[:-1]).to_dict("records")  # type: ignore[assignment]
        return found

    def wrong(self) -> Iterator[str]:
        for name, said in described_measures(self.content.archive).items():
            known = self.content.known[name].described() if registry.is_builtin("metric", name) else said
            if canonical_json(said) != canonical_json(known):
                yield f"metric {name} is part of this package, and {MEASURES} describes another one under its name"
        for row in self.used:
            protocol, metric = row["protocol"], row["metric"]
            said = self.content.protocols.get(protocol)
            named = (said.get("metric"), said.get("version")) if isinstance(said, dict) else None
            if said is None or named != (metric, row["metric_version"]):
                yield f"protocol {protocol} of {metric} is not among those whose settings are said"
            elif metric not in self.content.measures:
                yield f"protocol {protocol} is of {metric}, which is not here and which the archive does not describe"
            elif metric in self.content.known and (reason := self._not_computed(row, said)):
                yield f"protocol {protocol} {reason}"

    def _not_computed(self, row: Mapping[str, Any], said: Mapping[str, Any]) -> str | None:
        """Why a measure here does not compute a protocol; None where it does, or did in an earlier version."""
        known = self.content.known[row["metric"]]
        if row["metric_version"] > known.version:
            said_there = f"is of version {row['metric_version']} of {known.name}"
            return f"{said_there}, here is {known.version}: update, or it is made up"
        own = said.get("settings") or {}
        if not isinstance(own, Mapping):
            return "has settings that are no names with their values"
        try:
            settings = known.settings.read(own, row["metric"])
        except BenchmarkError as error:
            # What an earlier version could be told, this one need not know.
            return None if row["metric_version"] < known.version else f"has settings that its measure refuses: {error}"
        points = row["protocol"].rpartition("/")[0].rpartition("-n")[2]
        if not points.isdecimal():
            return "does not say of how many points it is"
        versioned = replace(known, version=int(row["metric_version"]))
        seeds = SEEDS.search(row["protocol"])
        of = row["representation"] + (seeds[1] if seeds and known.scope == "configuration" else "")
        expected = versioned.protocol(settings, of, int(points))
        if expected == row["protocol"] or row["metric_version"] < known.version:
            return None
        return f"is none that this version computes: under these settings it is {expected}"

    def notes(self) -> Iterator[str]:
        yield from scored_apart(self.content.scores, self.content.known)
        for row in self.used:
            known = self.content.known.get(row["metric"])
            if known is None and row["metric"] in self.content.foreign:
                yield f"protocol {row['protocol']} is of {row['metric']}, a measure from outside: its code is not here"
            elif known is not None and row["metric_version"] < known.version:
                yield f"protocol {row['protocol']} is of an earlier version of {known.name}, here is {known.version}"
