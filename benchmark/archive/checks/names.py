"""A public file names no user, no host and no folder of the machine that it was made on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from benchmark.archive.checks.content import Check, Content
from benchmark.archive.manifest import FAILURES, MANIFEST, MATRICES, MEASURES, RUNS, SUITE
from benchmark.archive.public import PROVENANCE, RECORD, places_in

TEXT = (SUITE, MEASURES, MATRICES, FAILURES)


def check_names(content: Content) -> Check:
    holds = "no text names a folder from the root or a home on, or a host"
    return Check("nobody's folders", holds, tuple(_wrong(content)))


def _wrong(content: Content) -> Iterator[str]:
    for where, text in _texts(content):
        if found := places_in(text):
            yield f"{where} names the folder {found[0]!r:.80}"
    for run_id, record in content.records.items():
        unknown = [*(set(record) - set(RECORD)), *(set(record["provenance"]) - set(PROVENANCE))]
        if unknown:
            yield f"the record of run {run_id} says its {sorted(unknown)[0]!r:.60}, which is not public"


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    """Every text of an archive, with where it stands."""
    manifest = content.archive.manifest
    told = {**(manifest.left_out or {}), **(manifest.plugins or {})}
    for said in (manifest.description, manifest.corrects, manifest.adds, manifest.program, *told, *told.values()):
        yield MANIFEST, said
    for name in filter(content.archive.holds, TEXT):
        yield name, content.archive.read(name).decode(errors="replace")
    for name in content.archive.manifest.files:
        if name.endswith(".parquet"):
            yield from _cells(name, content.archive.frame(name))
    for run_id, record in content.records.items():
        for text in _leaves(record):
            yield f"the record of run {run_id}", text


def _cells(name: str, frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """The names and the texts of a table's columns. Records are looked at as what they describe."""
    for column in frame:
        yield f"{name}: the name of a column", str(column)
        if (name, column) != (RUNS, "record") and not is_numeric_dtype(frame[column].dtype):
            for text in sorted(set(map(str, frame[column].dropna()))):
                yield f"{name}: the {column} of a row", text


def _leaves(value: Any) -> Iterator[str]:
    """The texts in a JSON value: a path within its JSON would have its backslashes twice."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
