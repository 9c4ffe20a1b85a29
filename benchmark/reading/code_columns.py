"""Which columns of a table, or arrays of an archive, are codes, factors and what stands beside them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Num
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.reading.factor_kinds import Wishes
from benchmark.reading.read_tables import factor_column, number_column, without_index

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("code_", "variance_", "sample_", "factor_")
"""How the columns of a table begin."""
NUMBERED = re.compile(r"((?:z|latents?|codes?|dims?|mu|means?|emb|embeddings?)[_.\- ]?)(\d+)", re.IGNORECASE)
"""How others call a table's codes: z0, z_1, latent_2, …"""
NUMERAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
LABELS = ("label", "labels", "class", "target", "category", "y")
"""How a table's one factor is called."""


def renamed(path: Path, held: Sequence[str], wishes: Wishes) -> dict[str, str]:
    """The name under which each of a file's arrays or columns is read. Raises `UsageError` where two become one."""
    names = {old: old for old in held}
    for old, new in wishes.rename:
        for name in held:
            if match := is_meant(old, name):
                names[name] = new.replace("*", match[1]) if "*" in old else new
    taken = list(names.values())
    if twice := sorted({name for name in taken if taken.count(name) > 1}):
        raise UsageError(f"{path}: --rename gives two of its names to {twice[0]!r}")
    return names


def is_meant(old: str, name: str) -> re.Match[str] | None:
    """Whether a wish to rename `old` means this name: * stands for any text, all else for itself."""
    return re.fullmatch(re.escape(old).replace(r"\*", "(.*)"), name)


def split_table(
    path: Path, frame: pd.DataFrame, wishes: Wishes, notes: list[str]
) -> tuple[dict[str, ndarray], tuple[str, ...] | None]:
    """The arrays of a table of codes, and the factors' names."""
    frame = _taken(path, frame, wishes, notes)
    frame = frame.rename(columns=_recognised(path, frame.columns.tolist(), notes))
    _check_apart(path, frame.columns.tolist())
    kinds: dict[str, dict[str, Any]] = {prefix: {} for prefix in COLUMNS}
    other = []
    for name in frame.columns.tolist():
        prefix = next((prefix for prefix in COLUMNS if name.startswith(prefix) and name != prefix), None)
        if prefix:
            kinds[prefix][name.removeprefix(prefix)] = frame[name]
        else:
            other.append(name)
    codes = kinds["code_"]
    if other or not codes:
        raise UsageError(_misnamed(path, frame.columns.tolist(), other))
    found = {"codes": _stacked(path, "code_", codes, list(codes))}
    for prefix, name in (("variance_", "variances"), ("sample_", "samples")):
        columns = kinds[prefix]
        if columns and set(columns) != set(codes):
            wanted = ", ".join(prefix + key for key in codes)
            raise UsageError(
                f"{path}: to these codes belong {wanted}; found {', '.join(prefix + key for key in columns)}"
            )
        if columns:
            found[name] = _stacked(path, prefix, columns, list(codes))
    factors = kinds["factor_"]
    if factors:
        found["factors"] = _factors(path, factors, notes)
    return found, tuple(factors) if factors else None


def factor_table(
    path: Path, frame: pd.DataFrame, wishes: Wishes, notes: list[str]
) -> tuple[Num[ndarray, "n k"], tuple[str, ...]]:
    """The factors of a table that holds nothing else, and their names."""
    frame = _taken(path, frame, wishes, notes)
    _check_apart(path, [name.removeprefix("factor_") for name in frame.columns.tolist()])
    columns = {name.removeprefix("factor_"): frame[name] for name in frame.columns.tolist()}
    if not columns:
        raise UsageError(f"{path} holds no factors")
    return _factors(path, columns, notes), tuple(columns)


def _check_apart(path: Path, names: Sequence[str]) -> None:
    if twice := next((name for name, times in Counter(names).items() if times > 1), None):
        raise UsageError(f"{path}: two of its columns become {twice!r}; give one of them another name by --rename")


def _taken(path: Path, frame: pd.DataFrame, wishes: Wishes, notes: list[str]) -> pd.DataFrame:
    """Without dropped columns and those that number the rows, under new names."""
    unwanted = [name for name in frame.columns.tolist() if {name, name.removeprefix("factor_")} & set(wishes.drop)]
    frame = without_index(frame.drop(columns=unwanted), notes)
    return frame.rename(columns=renamed(path, frame.columns.tolist(), wishes))


def _recognised(path: Path, names: list[str], notes: list[str]) -> dict[str, str]:
    """New names for codes and a label that are called as others call them; nothing where codes are named as here."""
    if any(name.startswith("code_") for name in names):
        return {}
    stems: dict[str, list[int]] = {}
    for name in names:
        if match := NUMBERED.fullmatch(name):
            stems.setdefault(match[1], []).append(int(match[2]))
    if len(stems) > 1:
        raise UsageError(
            f"{path}: columns {', '.join(f'{stem}…' for stem in stems)} may all be codes; say which by --rename"
            f" '{next(iter(stems))}*=code_*', and leave others out by --drop"
        )
    new = {}
    for stem, numbers in stems.items():
        if sorted(numbers) in (list(range(len(numbers))), list(range(1, len(numbers) + 1))):
            new = {name: f"code_{name.removeprefix(stem)}" for name in names if NUMBERED.fullmatch(name)}
            notes.append(f"columns {stem}{min(numbers)} … {stem}{max(numbers)} are the codes")
    labels = [name for name in names if name.lower() in LABELS] if new else []
    if len(labels) == 1:
        new[labels[0]] = f"factor_{labels[0]}"
        notes.append(f"column {labels[0]} is a factor")
    return new


def _misnamed(path: Path, names: list[str], other: list[str]) -> str:
    wrong = f"{', '.join(other)} {'is' if len(other) == 1 else 'are'} none of these" if other else "no code is there"
    told = f"; {_advice(names, other)}" if other else ""
    return (
        f"{path}: columns are code_0, code_1, … and, where there are such, variance_0, …, sample_0, …, factor_NAME;"
        f" {wrong} (found: {', '.join(names) or 'none'}){told}"
    )


def _advice(names: Sequence[str], other: Sequence[str]) -> str:
    """What a column that is called otherwise probably is, as it is told here."""
    name = other[0]
    if all(NUMERAL.fullmatch(each) for each in names):
        return "its first row is numbers: where there is no header, give it one"
    if (plain := name.lstrip("#%!/ \t")) != name and plain.startswith(COLUMNS):
        return f"--rename '{name}={plain}' calls it so"
    stem = name.rstrip("0123456789")
    series = [each for each in other if re.fullmatch(re.escape(stem) + r"\d+", each)]
    if stem and len(series) > 1 and series == [each for each in names if each.startswith(stem)]:
        return f"--rename '{stem}*=code_*' makes them codes"
    return f"--rename '{name}=factor_{name}' or --drop '{name}' says what it is"


def _stacked(path: Path, prefix: str, columns: Mapping[str, pd.Series], keys: list[str]) -> ndarray:
    return np.stack([number_column(path, prefix + key, columns[key]) for key in keys], axis=1)


def _factors(path: Path, columns: Mapping[str, pd.Series], notes: list[str]) -> Num[ndarray, "n k"]:
    return np.stack([factor_column(path, name, column, notes) for name, column in columns.items()], axis=1)
