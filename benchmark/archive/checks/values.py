"""Scores lie within the bounds that their measures declare, and none is better than perfect codes of its data."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from benchmark.archive.checks.content import Check, Content
from benchmark.stages.aggregate import headline_rows
from benchmark.stages.configurations import REFERENCE_MODELS

ROUNDING = 1e-6
"""By how much a score may leave its bounds, as a share of what they are."""
SLACK = 0.01
"""How much better than perfect codes a score may be: both are estimated from samples."""
TOLD = 0.05
"""How much better perfect codes are than rotated ones, at least, where they are a measure's ceiling: one that reads
factors off codes by a machine takes both alike, and other codes may be easier for it."""
SAME = ["dataset_label", "representation", "protocol", "score", "budget"]


def check_values(content: Content) -> Check:
    rows = _headlines(content)
    own = rows[rows["mine"]]
    ceilings = _ceilings(rows)
    holds = (
        f"{len(own):,} headline scores are within the bounds of their measures, and none is better than perfect codes"
        f" where those are a ceiling ({len(ceilings):,} columns)"
    )
    return Check("bounds and ceilings", holds, (*_beyond(content, own), *_better(own, ceilings)))


def _headlines(content: Content) -> pd.DataFrame:
    """Headline scores with a number; those of the leaderboard that a submission is to come with them as references."""
    tables = [content.scores.assign(mine=True)]
    measures = content.measures
    if content.leaderboard is not None:
        others = content.leaderboard.scores
        tables.append(others[others["model"].isin(REFERENCE_MODELS)].assign(mine=False))
        measures = content.leaderboard.measures | measures
    table = pd.concat(tables, ignore_index=True)
    table = table[table["metric"].isin(measures)]
    rows = headline_rows(table, measures)
    return rows[rows["status"] == "ok"]


def _beyond(content: Content, rows: pd.DataFrame) -> Iterator[str]:
    bounds = {name: metric.bounds for name, metric in content.measures.items()}
    low, high = (rows["metric"].map({name: each[end] for name, each in bounds.items()}) for end in (0, 1))
    room = ROUNDING * (1 + sum(end.abs().where(end.abs() < float("inf"), 0) for end in (low, high)))
    for row in rows[(rows["value"] < low - room) | (rows["value"] > high + room)].to_dict("records"):
        least, most = bounds[row["metric"]]
        yield f"{_name(row)}: {row['value']:.6g} is beyond its bounds, {least:g} to {most:g}"


def _ceilings(rows: pd.DataFrame) -> dict[tuple[object, ...], float]:
    """What perfect codes score, by what makes scores comparable; only where that is a ceiling.

    Of a submission to a leaderboard it is the leaderboard's that count: its own may be anybody's.
    """
    rows = rows if rows["mine"].all() else rows[~rows["mine"]]
    known = rows[rows["supervised"] & (rows["direction"] == "higher")].assign(budget=rows["budget"].fillna(-1))
    perfect = known[known["model"] == "perfect"].groupby(SAME)["value"].max()
    rotated = known[known["model"] == "rotated"].groupby(SAME)["value"].max()
    both = pd.concat({"perfect": perfect, "rotated": rotated}, axis=1).dropna()
    told = both[both["perfect"] > both["rotated"] + TOLD]
    return dict(zip(told.index, told["perfect"], strict=True))


def _better(rows: pd.DataFrame, ceilings: dict[tuple[object, ...], float]) -> Iterator[str]:
    for row in rows[~rows["reference"]].assign(budget=rows["budget"].fillna(-1)).to_dict("records"):
        ceiling = ceilings.get(tuple(row[name] for name in SAME))
        if ceiling is not None and row["value"] > ceiling + SLACK:
            yield f"{_name(row)}: {row['value']:.6g} is better than perfect codes, which score {ceiling:.6g} there"


def _name(row: dict[object, object]) -> str:
    return f"{row['column']} of run {row['run_id']} ({row['label']}, {row['protocol']})"
