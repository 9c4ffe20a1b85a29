"""The summary is that of these scores: a row that was changed or taken out since is told by it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmark.archive.checks.content import Check, Content
from benchmark.archive.columns import Kind, with_kinds

SUMMARY = "summaries/summary.parquet"
KEY = ["config_id", "representation", "protocol", "score", "factor", "budget"]
ROUNDING = 1e-9
KINDS: dict[str, Kind] = {
    **dict.fromkeys(KEY, "text"), "factor": "text?", "budget": "whole?", "runs": "whole", "mean": "number?",
    "median": "number?",
}  # fmt: skip


def check_summaries(content: Content) -> Check:
    if not content.archive.holds(SUMMARY):
        return Check("summaries", "", (f"it holds no {SUMMARY}",))
    said = with_kinds(content.archive.frame(SUMMARY), KINDS, f"{content.archive.place.where}: {SUMMARY}")
    holds = f"{len(said):,} rows of the summary are what these scores give"
    return Check("summaries", holds, tuple(_wrong(content, said)))


def _wrong(content: Content, said: pd.DataFrame) -> Iterator[str]:
    rows = pd.concat([content.scores, content.single], ignore_index=True)
    ok = rows[rows["status"] == "ok"]
    found = ok.groupby(KEY, dropna=False)["value"].agg(["size", "mean", "median"]).reset_index()
    told = said[said["runs"] > 0]
    both = _keyed(told).merge(_keyed(found), on=KEY, how="outer", suffixes=("_said", ""), indicator=True)
    for row in both[both["_merge"] != "both"].to_dict("records"):
        where = "the summary and no score" if row["_merge"] == "left_only" else "scores and no summary"
        yield f"{_name(row)} has {where}"
    both = both[both["_merge"] == "both"]
    for row in both[both["runs"] != both["size"]].to_dict("records"):
        yield f"{_name(row)} is of {row['runs']} runs by the summary, and there are scores of {row['size']}"
    same = both[both["runs"] == both["size"]]
    for name in ("mean", "median"):
        near = np.isclose(same[f"{name}_said"], same[name], rtol=ROUNDING, atol=ROUNDING)
        for row in same[~near].to_dict("records"):
            said_there = f"{row[f'{name}_said']:.6g}"
            yield f"{_name(row)} has the {name} {said_there} by the summary, and its scores give {row[name]:.6g}"


def _keyed(frame: pd.DataFrame) -> pd.DataFrame:
    """Keys without missing values, which do not compare."""
    filled = {name: frame[name].astype("object").where(frame[name].notna(), "") for name in ("factor", "budget")}
    return frame.assign(**filled).astype(dict.fromkeys(KEY, "str"))


def _name(row: dict[object, object]) -> str:
    factor = f" of factor {row['factor']}" if row["factor"] else ""
    return f"{row['score']}{factor} of {row['config_id']} ({row['protocol']})"
