"""What is known of the measures that a results table holds: of those that are here, and of those whose code is not."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark import registry
from benchmark.choice import SETS, read_choice
from benchmark.errors import Note
from benchmark.metrics._declare import Metric
from benchmark.stages.score_task import declarations
from benchmark.store import read_json


def measures_of(table: pd.DataFrame, folders: Iterable[Path]) -> dict[str, Metric]:
    """The declarations of all measures here, and of others that the table has scores of, with a `Note` on these.

    A number is readable without the code that made it. Those others are described by their score files in the runs'
    `folders`, or, where none says anything, by the table: neither direction is better then.
    """
    known = declarations()
    absent = sorted(set(table["metric"]) - set(known))
    if not absent:
        return known
    described = _recorded(absent, folders)
    warnings.warn(
        f"the code of {', '.join(absent)} is not here: stored scores are shown, new ones need its file by --plugin",
        Note,
        stacklevel=2,
    )
    return known | {name: Metric.absent(name, described.get(name) or _read_off(table, name)) for name in absent}


def scorable(texts: Sequence[str], folders: Iterable[Path]) -> tuple[str, ...]:
    """The measures that a suite names, without those whose code is not here and whose scores are: they stay."""
    known, places = {*registry.names("metric"), *SETS, "all"}, list(folders)
    return tuple(
        text
        for text in texts
        if (name := read_choice(text).name) in known or not any(_scores(place, name) for place in places)
    )


def _scores(folder: Path, name: str) -> list[Path]:
    return sorted((folder / "scores").glob(f"{name}-*.json"))


def _recorded(names: Iterable[str], folders: Iterable[Path]) -> dict[str, Mapping[str, Any]]:
    """What score files say of each of these measures: the first that says it."""
    wanted = set(names)
    found: dict[str, Mapping[str, Any]] = {}
    for folder in folders:
        if not wanted:
            break
        for name in sorted(wanted):
            records = map(read_json, _scores(folder, name))
            said = next((record["measure"] for record in records if "measure" in record), None)
            if said:
                found[name] = said
                wanted.discard(name)
    return found


def _read_off(table: pd.DataFrame, name: str) -> dict[str, Any]:
    """A measure as its rows tell of it: its headline is the score of its name, or the first."""
    own = table[(table["metric"] == name) & (table["status"] == "ok") & table["factor"].isna()]
    scores = list(own["score"])
    headline = name if name in scores or not scores else scores[0]
    return {
        "about": "Its code is not here, and says nothing.",
        "headline": headline,
        "higher_is_better": None,
        "bounds": ["-inf", "inf"],
        "supervised": False,
    }
