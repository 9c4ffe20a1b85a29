"""Which factors of codes from outside are discrete: by their values, unless the user or the file says otherwise."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Num
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.kinds import MOST_CLASSES, kinds
from benchmark.metrics._check import is_discrete
from benchmark.reading.read_tables import numbers_the_rows
from benchmark.spec import suggest

MOST_FACTORS = 200
"""That one label may become."""


@dataclass(frozen=True)
class Wishes:
    """What the user says of a file: names of factors, and arrays or columns under other names.

    `drop` leaves factors or columns out. `rename` maps a file's name to the one that is read: `z` to `codes` in an
    archive, `h*` to `code_*` in a table, * standing for the same text in both. `classes` are labels each class of which
    becomes a factor. `groups` are the codes' columns that belong together: how many of them each, or the group of every
    column. `typed`: whether they are flags of the command line, or else arguments of a function, where a note
    says what would be another wish.
    """

    discrete: Collection[str] = ()
    continuous: Collection[str] = ()
    drop: Collection[str] = ()
    rename: tuple[tuple[str, str], ...] = ()
    classes: Collection[str] = ()
    groups: int | tuple[str, ...] | None = None
    typed: bool = True

    def asked(self, kind: str, name: str) -> str:
        """How one wishes for this: `--drop NAME`, or drop=["NAME"]."""
        return f"--{kind} {name}" if self.typed else f'{kind}=["{name}"]'

    def with_declared(self, discrete: Collection[str], continuous: Collection[str]) -> Wishes:
        """These and what the data say of their own factors, which the user's words outrank."""
        return replace(
            self,
            discrete=[*self.discrete, *(name for name in discrete if name not in {*self.continuous, *self.drop})],
            continuous=[*self.continuous, *(name for name in continuous if name not in {*self.discrete, *self.drop})],
        )

    def words(self) -> list[str]:
        """These wishes as flags of the command line."""
        found = []
        for flag, names in (
            ("--discrete", self.discrete),
            ("--continuous", self.continuous),
            ("--drop", self.drop),
            ("--classes-as-factors", self.classes),
        ):
            found += [word for name in names for word in (flag, name)]
        if self.groups is not None:
            found += ["--groups", str(self.groups) if isinstance(self.groups, int) else ",".join(self.groups)]
        return found + [word for old, new in self.rename for word in ("--rename", f"{old}={new}")]


def classes_as_factors(
    where: str, factors: Num[ndarray, "n k"], names: tuple[str, ...], wishes: Wishes
) -> tuple[Num[ndarray, "n c"], tuple[str, ...], Wishes]:
    """A column for each class of the labels that the user names, 1 on its rows and 0 elsewhere, in the label's place.

    The columns are called by the label and the class, cell_type_3; the wishes that come back say no more of the labels.
    Raises `UsageError` on a name that is no factor, on measurements, and on fewer than three classes or too many.
    """
    for name in wishes.classes:
        if name not in names:
            raise UsageError(f"{where}: no factor is called {name!r} (classes as factors){suggest(name, list(names))}")
    columns: list[ndarray] = []
    found: list[str] = []
    for column, name in zip(factors.T, names, strict=True):
        if name not in wishes.classes:
            columns, found = [*columns, column], [*found, name]
            continue
        values = np.unique(column)
        if name in wishes.continuous or not is_discrete(column):
            raise UsageError(f"{where}: factor {name} holds measurements, which have no classes to be factors")
        if not 2 < len(values) <= MOST_FACTORS:
            raise UsageError(
                f"{where}: factor {name} has {len(values):,} classes; as factors of their own they are at least 3, as"
                f" two tell the same, and at most {MOST_FACTORS}"
            )
        columns += [(column == value).astype(factors.dtype) for value in values]
        found += [f"{name}_{value:g}" for value in values]
    if len(set(found)) < len(found):
        raise UsageError(f"{where}: a class of {', '.join(wishes.classes)} would have another factor's name; rename it")
    said = replace(wishes, discrete=[name for name in wishes.discrete if name not in wishes.classes])
    return np.stack(columns, axis=1) if columns else factors, tuple(found), said


def sizes(
    where: str, factors: Num[ndarray, "n k"], names: tuple[str, ...], wishes: Wishes, notes: list[str]
) -> tuple[int, ...]:
    """How many values each discrete factor takes, 0 for a continuous one; notes what the type does not say.

    Raises `UsageError` on names that are no factors, and on a factor asked to be discrete that has too many values.
    """
    for flag, wanted in (("discrete", wishes.discrete), ("continuous", wishes.continuous)):
        for name in wanted:
            if name not in names:
                raise UsageError(f"{where}: no factor is called {name!r} ({flag}){suggest(name, list(names))}")
    both = sorted(set(wishes.discrete) & set(wishes.continuous))
    if both:
        raise UsageError(f"{where}: factor {both[0]} cannot be both discrete and continuous")
    seem = kinds(factors) if factors.size else []
    columns = zip(factors.T, names, seem, strict=True)
    return tuple(_size(where, column, name, discrete, wishes, notes) for column, name, discrete in columns)


def kinds_differ(factors: Num[ndarray, "n k"], sizes: tuple[int, ...]) -> list[bool] | None:
    """Which factors are discrete, where that is not what their numbers say: whole ones discrete, others not."""
    found = [size > 0 for size in sizes]
    return None if found == [is_discrete(column) for column in factors.T] else found


def _size(where: str, column: Num[ndarray, " n"], name: str, discrete: bool, wishes: Wishes, notes: list[str]) -> int:
    n, values = len(column), len(np.unique(column))
    if name in wishes.continuous:
        return 0
    if name in wishes.discrete:
        if values > MOST_CLASSES:
            raise UsageError(
                f"{where}: factor {name} takes {values:,} values, a discrete one at most {MOST_CLASSES:,}:"
                " some measures fit a model a value; group them, or leave it out"
            )
        return values
    whole, other = is_discrete(column), wishes.asked("continuous" if discrete else "discrete", name)
    if numbers_the_rows(column) and not discrete:
        notes.append(f"factor {name} numbers the rows: if it is an index, leave it out by {wishes.asked('drop', name)}")
    elif discrete and not whole:
        notes.append(f"factor {name} has {values} values in {n:,} rows: discrete, unless {other}")
    elif whole and not discrete:
        notes.append(f"factor {name} has {values:,} values in {n:,} rows: continuous, unless {other}")
    return values if discrete else 0
