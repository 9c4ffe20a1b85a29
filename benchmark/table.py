"""The results table: one number a row. Compile it from score files, write, read and merge it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.atomic import write_atomically
from benchmark.errors import BenchmarkError, UsageError
from benchmark.integrity.run_seal import MEND, MEND_SCORE, RECORD, read_score
from benchmark.integrity.sealed import read_json
from benchmark.spec import Run, canonical_json

PARTS = ("dataset", "model", "network", "training")
"""The components of a run whose settings a row holds."""
COLUMNS = {
    "run_id": "str",
    "config_id": "str",
    "suite": "str",
    "dataset": "str",
    "dataset_version": "Int64",
    "model": "str",
    "model_version": "Int64",
    "network": "str",
    "settings": "str",
    "seed": "Int64",
    "metric": "str",
    "metric_version": "Int64",
    "protocol": "str",
    "score": "str",
    "factor": "str",
    "budget": "Int64",
    "representation": "str",
    "value": "float64",
    "status": "str",
    "reason": "str",
    "n": "Int64",
    "evaluation_seed": "Int64",
    "seconds": "float64",
}
"""Every column and its pandas type. Absent: `network` of a closed form, `factor`, `budget`, `reason`, `value`."""

KEY = ["suite", "run_id", "protocol", "representation", "score", "factor", "budget"]
"""What makes a row unique. The evaluation's seed is not in it: a run counts once."""

STATUSES = ("ok", "not_applicable", "failed")
SCORE_FIELDS = (
    "metric",
    "metric_version",
    "protocol",
    "representation",
    "n",
    "evaluation_seed",
    "status",
    "reason",
    "values",
    "seconds",
)
FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""How text begins that spreadsheets take for a formula, or that stands for such text."""
SUFFIXES = re.compile(r"(?P<score>.+?)(?:_at_(?P<budget>\d+))?(?:_factor_(?P<factor>\d+))?")


def split_key(key: str) -> tuple[str, int | None, int | None]:
    """A measure's key as (score, label budget, factor index): `accuracy_at_100_factor_3` is accuracy, 100, 3."""
    match = SUFFIXES.fullmatch(key)
    if match is None:
        raise BenchmarkError(f"{key!r} cannot be the name of a score")
    budget, factor = match["budget"], match["factor"]
    return match["score"], None if budget is None else int(budget), None if factor is None else int(factor)


def compile_table(suite: str, runs: Iterable[tuple[Run, Path]]) -> pd.DataFrame:
    """The results table of a suite's runs, each with the folder that holds its `scores/`.

    A score that is not applicable or failed is one row without a value, named like its metric.
    Raises `BenchmarkError` on a damaged or newer score file, a number that is not finite, or two rows of one key.
    """
    rows: list[dict[str, Any]] = []
    for run, folder in runs:
        described, record = described_run(suite, run), read_json(folder / RECORD, MEND)
        for path in sorted((folder / "scores").glob("*.json")):
            rows += [described | row for row in _read_scores(path, record, run.seed)]
    return checked(_typed(pd.DataFrame(rows, columns=list(COLUMNS))), f"suite {suite}")


def described(suite: str, runs: Iterable[Run]) -> pd.DataFrame:
    """The columns of a results table that are known before a run is scored, a row a run."""
    return pd.DataFrame([described_run(suite, run) for run in runs])


def described_run(suite: str, run: Run) -> dict[str, Any]:
    """What every row of a suite's table says of its run."""
    parts = {name: getattr(run, name) for name in PARTS}
    return {
        "run_id": run.run_id,
        "config_id": run.config_id,
        "suite": suite,
        "dataset": run.dataset.name,
        "dataset_version": run.dataset.version,
        "model": run.model.name,
        "model_version": run.model.version,
        "network": run.network.name if run.network else None,
        "settings": canonical_json({key: part.settings if part else None for key, part in parts.items()}),
        "seed": run.seed,
    }


def _read_scores(path: Path, record: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """The rows of one score file, beside the run whose record and seed are given."""
    scores = read_score(path, record, seed)
    missing = [name for name in SCORE_FIELDS if name not in scores]
    if missing or scores["status"] not in STATUSES:
        what = f"lacks {', '.join(missing)}" if missing else f"has the unknown status {scores['status']!r}"
        raise BenchmarkError(f"{path} {what}; {MEND_SCORE}")
    if not isinstance(scores["values"], dict):
        raise BenchmarkError(f"{path} is damaged: its values are no table of names and numbers; {MEND_SCORE}")
    common = {name: scores[name] for name in SCORE_FIELDS if name != "values"}
    if scores["status"] != "ok":
        return [common | {"score": scores["metric"]}]
    if not scores["values"]:
        raise BenchmarkError(f"{path} is marked ok and holds no score; delete it and evaluate again")
    return [common | _row(key, value, scores, path) for key, value in scores["values"].items()]


def _row(key: str, value: object, scores: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BenchmarkError(f"{path} says that {key} is {value}: a score is a number, or has a status and a reason")
    score, budget, index = split_key(key)
    names = scores.get("factor_names", [])
    factor = None if index is None else names[index] if index < len(names) else str(index)
    return {"score": score, "budget": budget, "factor": factor, "value": value}


def checked(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The table itself, or a `BenchmarkError` that names the first row that breaks its rules."""
    twice = frame[frame.duplicated(KEY)]
    if len(twice):
        raise BenchmarkError(f"{where} holds {_name(twice.iloc[0])} twice; each score of a run may stand once")
    ok = frame["status"] == "ok"
    wrong = frame[~frame["status"].isin(STATUSES) | (ok & frame["value"].isin([math.nan, math.inf, -math.inf]))]
    if len(wrong):
        raise BenchmarkError(f"{where}: {_name(wrong.iloc[0])} is marked {wrong.iloc[0]['status']} without a number")
    silent = frame[~ok & (frame["value"].notna() | frame["reason"].isna())]
    if len(silent):
        status = silent.iloc[0]["status"]
        raise BenchmarkError(f"{where}: {_name(silent.iloc[0])} is {status} and must have a reason and no number")
    odd = frame[~frame["settings"].map({text: _are_settings(text) for text in frame["settings"].unique()})]
    if len(odd):
        name = _name(odd.iloc[0])
        raise UsageError(f"{where}: the settings of {name} are no JSON object of {', '.join(PARTS)}")
    return frame


def _are_settings(text: str) -> bool:
    try:
        settings = json.loads(text)
    except (ValueError, TypeError):
        return False
    return isinstance(settings, dict) and all(isinstance(settings.get(name, 0), dict | None) for name in PARTS)


def _name(row: pd.Series) -> str:
    budget = "" if pd.isna(row["budget"]) else f" at {row['budget']}"
    factor = "" if pd.isna(row["factor"]) else f" of factor {row['factor']}"
    return f"{row['score']}{budget}{factor} ({row['protocol']}, {row['representation']}) of run {row['run_id']}"


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(COLUMNS).reset_index(drop=True)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write the table twice, as `path` with the endings .parquet and .csv, each in one step."""
    write_atomically(path.with_suffix(".parquet"), lambda scratch: frame.to_parquet(scratch, index=False))
    write_csv(frame, path.with_suffix(".csv"))


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV file in one step. Text that a spreadsheet would run as a formula gets a leading apostrophe there."""
    text = [name for name in frame if frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype)]
    plain = frame.assign(**{str(name): frame[name].map(_as_text, na_action="ignore") for name in text})
    write_atomically(path, lambda scratch: plain.to_csv(scratch, index=False))


def _as_text(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


def _from_text(cell: str) -> str:
    """What `_as_text` was given."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell[1:]) else cell


def read_table(path: Path) -> pd.DataFrame:
    """Read a results table from .parquet or .csv. Raises `UsageError` on a file that is not one."""
    if not path.is_file():
        raise UsageError(f"{path} is not there; a results table is the results.parquet or results.csv of a suite")
    try:
        if path.suffix == ".csv":
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
            text = [name for name, kind in COLUMNS.items() if kind == "str" and name in frame]
            frame = frame.assign(**{name: frame[name].map(_from_text, na_action="ignore") for name in text})
        elif path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            raise UsageError(f"{path} ends in {path.suffix!r}; a results table ends in .parquet or .csv")
    except UsageError:
        raise
    except Exception as error:  # pandas' and pyarrow's parsers raise whatever they meet in a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{path} cannot be read as a results table ({reason})") from None
    return as_results(frame, str(path))


def as_results(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """A table that was read from `where` as a results table. Raises `UsageError` where it is none, or a newer one."""
    missing, unknown = [c for c in COLUMNS if c not in frame], [c for c in frame if c not in COLUMNS]
    if missing:
        raise UsageError(f"{where} is not a results table: it lacks the columns {', '.join(missing)}")
    if unknown:
        raise UsageError(f"{where} has columns of a newer version ({', '.join(map(str, unknown))}); update")
    try:
        frame = _typed(frame[list(COLUMNS)])
    except (ValueError, TypeError) as error:
        raise UsageError(f"{where} is not a results table: {error}") from None
    return checked(frame, where)


def merge_tables(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """One table of all rows; rows that agree in all but `seconds` are kept once.

    Raises `BenchmarkError` where two tables give different values for one key.
    """
    together = _typed(pd.concat(list(frames), ignore_index=True))
    same = [name for name in COLUMNS if name != "seconds"]
    return checked(_typed(together.drop_duplicates(same)), "the merged table")
