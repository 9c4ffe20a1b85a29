"""Two configurations of one results table score by score, with a test of each difference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.stages.aggregate import headline_rows
from benchmark.stages.measures import measures_of
from benchmark.statistics import MINIMUM_TESTED, holm, welch_p
from benchmark.table import read_table

KEY = ["metric", "protocol", "representation", "column"]
KIN = ["metric", "kin", "representation"]
"""What a score has in common with the rows that say why it has no number: all of KEY but the number of points."""
LEAST = 2
"""Seeds that a model needs for a test: one says nothing of how far seeds scatter."""


def side_by_side(path: Path, a: Sequence[str], b: Sequence[str]) -> list[dict[str, Any]]:
    """A record for each headline score of either side's runs, given by their ids.

    `difference` is b − a in the score's unit, `better` the side ("a" or "b") that the score's direction favours.
    `p` is Welch's two-sided p that the means over seeds are equal, adjusted by Holm over all records that have one;
    None where a side has fewer than LEAST seeds, or its seeds share the score (`shared`: UDR is of their
    agreement). Each side says how many `of` its seeds have a number (`runs`), and in `reason` why others have none:
    the seeds that are left are chosen by what they scored, so there is neither `better` nor `p`. A record's
    `reason` is that of its first side that has one.
    """
    table = read_table(path.with_suffix(".parquet"))
    table = table[table["run_id"].isin([*a, *b])]
    rows = headline_rows(table, measures_of(table, ()))
    # A score that seeds share names them in its protocol, and here the two sides' are beside each other.
    shared = rows["shared"]
    rows.loc[shared, "protocol"] = rows.loc[shared, "protocol"].str.replace(r"-seeds[^-/]+", "", regex=True)
    rows.loc[shared, "column"] = rows.loc[shared, "column"].str.replace(r" \(.*", "", regex=True)
    # A score that failed, or could not be computed, may say another number of points than the others, such as n0.
    rows = rows.assign(kin=rows["protocol"].str.replace(r"-n\d+(?=/)", "", regex=True))
    scored, others = rows[rows["status"] == "ok"], rows[rows["status"] != "ok"]
    kin = dict(iter(others.groupby(KIN, sort=False)))
    found, seen = [], set()
    for _, group in scored.groupby(KEY, sort=False):
        key = tuple(group[KIN].iloc[0])
        seen.add(key)
        found.append(_record(group, kin.get(key, others[:0]), a, b))
    found += [_record(others[:0], group, a, b) for key, group in kin.items() if key not in seen]
    tested = [record for record in found if record["p"] is not None]
    for record, p in zip(tested, holm(np.array([record["p"] for record in tested])), strict=True):
        record["p"] = float(p)
    return sorted(found, key=lambda record: (record["difference"] is None, record["metric"], record["representation"]))


def _record(scored: pd.DataFrame, others: pd.DataFrame, a: Sequence[str], b: Sequence[str]) -> dict[str, Any]:
    """A score of both sides: the rows with its numbers, and those that say why there is none."""
    first = (scored if len(scored) else others).iloc[0]
    record: dict[str, Any] = {"score": str(first["column"]), "direction": str(first["direction"])}
    record["shared"] = bool(first["shared"])
    record |= {name: str(first[name]) for name in ("metric", "protocol", "representation")}
    values = {}
    for side, runs in (("a", a), ("b", b)):
        own = scored[scored["run_id"].isin(runs)]
        missing = set(runs) - set(own["run_id"])
        reasons = others.loc[others["run_id"].isin(missing), "reason"]
        values[side] = numbers = own["value"].to_numpy(dtype=float)
        record[side] = {
            "runs": len(numbers),
            "of": len(runs),
            "mean": float(numbers.mean()) if len(numbers) else None,
            "std": float(numbers.std(ddof=1)) if len(numbers) > 1 else None,
            "reason": str(reasons.iloc[0]) if len(reasons) else "it was not scored" if missing else None,
        }
    record["reason"] = record["a"]["reason"] or record["b"]["reason"]
    both, whole = all(map(len, values.values())), record["reason"] is None
    record["difference"] = difference = float(values["b"].mean() - values["a"].mean()) if both else None
    record["better"] = _better(difference, record["direction"]) if whole else None
    record["p"] = _p(*values.values()) if whole and not record["shared"] else None
    return record


def _better(difference: float | None, direction: str) -> str | None:
    if not difference or direction == "none":
        return None
    return "b" if (difference > 0) == (direction == "higher") else "a"


def _p(x: np.ndarray, y: np.ndarray) -> float | None:
    """Two-sided; None where a side has too few seeds, or neither has any spread among fewer than MINIMUM_TESTED: p
    would be 0 of two seeds that tie by chance."""
    fewest = min(len(x), len(y))
    if fewest < LEAST or (fewest < MINIMUM_TESTED and np.ptp(x) == np.ptp(y) == 0):
        return None
    return min(1.0, 2 * min(welch_p(x, y), welch_p(y, x)))
