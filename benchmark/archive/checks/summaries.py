"""Summaries are those of these scores: a row that was changed or taken out since is told by them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy import ndarray

from benchmark.archive.checks.content import Check, Content
from benchmark.archive.columns import Kind, with_kinds
from benchmark.archive.parquet import from_parquet
from benchmark.archive.writing import summary_files
from benchmark.stages.aggregate import aggregate

SUMMARY = "summaries/summary.parquet"
KEY = ["config_id", "representation", "protocol", "score", "factor", "budget"]
ROUNDING = 1e-9
MACHINES = 1e-6
"""By how much machines may differ in what is resampled, ranked and correlated."""
KINDS: dict[str, Kind] = {
    **dict.fromkeys(KEY, "text"), "factor": "text?", "budget": "whole?", "runs": "whole", "mean": "number?",
    "median": "number?",
}  # fmt: skip


def check_summaries(content: Content) -> Check:
    """The summary's means by their scores, whoever wrote it; and all tables that this very program made, once more."""
    if not content.archive.holds(SUMMARY):
        return Check("summaries", "", (f"it holds no {SUMMARY}",))
    said = with_kinds(content.archive.frame(SUMMARY), KINDS, f"{content.archive.place.where}: {SUMMARY}")
    holds = f"{len(said):,} rows of the summary are what these scores give"
    if wrong := tuple(_wrong(content, said)):
        return Check("summaries", holds, wrong)
    if (program := content.archive.manifest.program) != content.program:
        note = f"intervals and ranks were computed by {program or 'another program'}, and not again by this one"
        return Check("summaries", holds, notes=(note,))
    return Check("summaries", f"{holds}, and so are intervals, ranks and correlations", tuple(_unlike(content)))


def _wrong(content: Content, said: pd.DataFrame) -> Iterator[str]:
    rows = content.every
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


def _unlike(content: Content) -> Iterator[str]:
    """Where a table of summaries is another than these scores give, the first difference of each column."""
    archive = content.archive
    for name, again in summary_files(aggregate(content.every, content.measures)).items():
        if not archive.holds(name):
            yield f"it holds no {name}"
        elif archive.read(name) != again:
            said, found = archive.frame(name), from_parquet(again, name)
            if (list(said), len(said)) != (list(found), len(found)):
                yield f"{name} has {_size(said)}, and these scores give {_size(found)}"
                continue
            for column in map(str, found):
                for row in np.flatnonzero(~_same(said[column], found[column]))[:1]:
                    of = " ".join(str(value) for value in found.iloc[row, :4].dropna())
                    there, here = said[column].iloc[row], found[column].iloc[row]
                    yield f"{name}: {column} of {of} is {there}, and these scores give {here}"


def _size(frame: pd.DataFrame) -> str:
    return f"{len(frame):,} rows of {', '.join(map(str, frame))}"


def _same(said: pd.Series, found: pd.Series) -> ndarray:
    """Which values are the same, numbers up to how machines round."""
    both_missing = (said.isna() & found.isna()).to_numpy()
    if pd.api.types.is_numeric_dtype(said) and pd.api.types.is_numeric_dtype(found):
        a, b = (column.to_numpy(dtype=np.float64, na_value=np.nan) for column in (said, found))
        return both_missing | np.isclose(a, b, rtol=MACHINES, atol=MACHINES)
    return both_missing | (said.astype("object") == found.astype("object")).to_numpy()


def _keyed(frame: pd.DataFrame) -> pd.DataFrame:
    """Keys without missing values, which do not compare."""
    filled = {name: frame[name].astype("object").where(frame[name].notna(), "") for name in ("factor", "budget")}
    return frame.assign(**filled).astype(dict.fromkeys(KEY, "str"))


def _name(row: dict[object, object]) -> str:
    factor = f" of factor {row['factor']}" if row["factor"] else ""
    return f"{row['score']}{factor} of {row['config_id']} ({row['protocol']})"
