"""What stands in an archive's tables and records: what strangers hand in is looked at before anything is made of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from benchmark.errors import UsageError

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Kind = Literal["text", "whole", "number", "flag", "text?", "whole?", "number?"]
"""What the values of a column are; with ? they may be absent."""
WORDS = {"text": "text", "whole": "whole numbers", "number": "numbers", "flag": "yes or no"}


def with_kinds(frame: DataFrame, kinds: Mapping[str, Kind], where: str) -> DataFrame:
    """The table itself. Raises `UsageError` naming the first of these columns that it lacks, or that holds something
    else."""
    for name, kind in kinds.items():
        if name not in frame:
            raise UsageError(f"{where} lacks the column {name}")
        if not _holds(frame[name], kind):
            raise UsageError(f"{where}: the column {name} is of {WORDS[kind.rstrip('?')]}, and holds something else")
    return frame


def _holds(values: Series, kind: Kind) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    there = values.dropna()
    if len(there) < len(values) and not kind.endswith("?"):
        return False
    if not len(there):
        return True
    if kind.startswith("text"):
        return all(isinstance(value, str) for value in there)
    if kind == "flag":
        return bool(is_bool_dtype(there.dtype))
    if not is_numeric_dtype(there.dtype) or is_bool_dtype(there.dtype) or there.isin([math.inf, -math.inf]).any():
        return False
    return not kind.startswith("whole") or bool((there % 1 == 0).all())


def read_public(text: str, where: str) -> dict[str, Any]:
    """What is public of a run.json, with all that a page says of a run. Raises `UsageError` on any other text."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(f"{where}: its record is no JSON") from None
    if not isinstance(record, dict):
        raise UsageError(f"{where}: its record is no table of names and values")
    origin, seconds = record.get("provenance"), record.get("seconds")
    if not isinstance(origin, dict) or not isinstance(seconds, dict):
        raise UsageError(f"{where} does not say where it was made, and in how many seconds")
    versions = origin.get("versions")
    if not isinstance(versions, dict) or not all(isinstance(of, str | None) for of in versions.values()):
        raise UsageError(f"{where} does not say of which versions it is")
    texts = {name: origin.get(name) for name in ("finished", "device", "cpu")} | {"command": record.get("command", "")}
    if wrong := next((name for name, value in texts.items() if not isinstance(value, str)), None):
        raise UsageError(f"{where}: its {wrong} is {texts[wrong]!r:.60}, and no text")
    if not isinstance(commit := origin.get("commit"), str | None) or "commit" not in origin:
        raise UsageError(f"{where}: its commit is {commit!r:.60}, and no text")
    marks = record.get("marks", [])
    if not isinstance(marks, list) or not all(isinstance(mark, str) for mark in marks):
        raise UsageError(f"{where}: its marks are {marks!r:.60}, and no texts")
    numbers = {"seconds of training": seconds.get("training"), "parameters": record.get("parameters") or 0}
    numbers |= {"seconds of encoding": seconds.get("encoding", 0)}
    if wrong := next((name for name, value in numbers.items() if not _is_amount(value)), None):
        raise UsageError(f"{where}: its {wrong} are {numbers[wrong]!r:.60}, and no number")
    return record


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
