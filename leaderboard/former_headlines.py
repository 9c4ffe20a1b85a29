"""Scores that stood for their measure when a table was saved and do not today, as its headline has another name now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import headline_rows

GROUP = ["config_id", "metric", "protocol", "representation"]
"""What has one headline score, or one at each label budget."""


def former_headlines(
    reference: pd.DataFrame, new: pd.DataFrame, declarations: Mapping[str, Metric]
) -> pd.DataFrame | None:
    """Their rows of the reference, described as `headline_rows` does; None where there are none.

    They are of what has numbers in the reference and none under today's headline. What has none in the new table either
    is left out: some measures lack theirs for some configurations. It is the first score that the new table does not
    have that is taken for the headline of then, or the first where it has them all.
    """
    lacking = _without_headline(reference, declarations)
    lacking = lacking[~_groups(lacking).isin(_groups(_without_headline(new, declarations)))]
    ok = new[new["status"] == "ok"]
    there = set(zip(ok["metric"], ok["score"], strict=True))
    kept = [score in there for score in zip(lacking["metric"], lacking["score"], strict=True)]
    chosen = lacking.assign(kept=kept).sort_values("kept", kind="stable").drop_duplicates(GROUP)
    found = []
    for (metric, score), own in chosen.groupby(["metric", "score"]):
        then = {str(metric): replace(declarations[str(metric)], headline=str(score))}
        rows = headline_rows(reference, {**declarations, **then})
        found.append(rows[(rows["status"] == "ok") & _groups(rows).isin(_groups(own))])
    return pd.concat(found) if found else None


def _without_headline(table: pd.DataFrame, declarations: Mapping[str, Metric]) -> pd.DataFrame:
    """The numbers of what has no headline score among them."""
    rows = headline_rows(table, declarations)
    numbers = table[(table["status"] == "ok") & table["factor"].isna()]
    return numbers[~_groups(numbers).isin(_groups(rows[rows["status"] == "ok"]))]


def _groups(rows: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[GROUP])
