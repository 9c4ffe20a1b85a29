"""Codes and factors of other people's making, read from files of arrays and of tables."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray

from benchmark.codes import FACTORS_BESIDE, Codes
from benchmark.datasets._archive import read_npy
from benchmark.errors import UsageError
from benchmark.naming import LONGEST
from benchmark.reading import array_files
from benchmark.reading.array_files import open_arrays
from benchmark.reading.checked_arrays import (
    Where,
    check_jacobian,
    checked_array,
    checked_factors,
    checked_names,
    checked_table,
    numbered,
)
from benchmark.reading.code_columns import factor_table, is_meant, renamed, split_table
from benchmark.reading.code_groups import group_of_columns, groups_in_file
from benchmark.reading.factor_kinds import Wishes, classes_as_factors, kinds_differ, sizes
from benchmark.reading.read_tables import in_another_order, numbers_the_rows, read_table
from benchmark.spec import suggest

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".npz", ".npy", ".csv", ".parquet", *array_files.MODULES, ".h5ad")
DECLARED = ("discrete_factors", "continuous_factors")
"""Names of factors, in an archive."""
OWN = ("codes", "means", "factors", "factor_names", "variances", "logvar", "samples", "groups", *DECLARED)
"""The arrays of an archive that every file may hold; `means` is another name for `codes`."""
JACOBIANS = ("v", "v_logits")
"""The arrays of singular vectors, a matrix (d d) for each of some points."""
MISSPELT = 0.85
"""A name so near to one that is read is refused rather than left alone."""
SINGLE = 9
"""Significant digits that tell numbers of single precision apart, and that files of text hold of them."""


@dataclass(frozen=True)
class Reading:
    """What a file says: its codes, and sentences about what was done to them.

    `order`: which row of the file each row of the codes is, where they were put into order.
    """

    codes: Codes
    notes: tuple[str, ...] = ()
    order: Integer[ndarray, " n"] | None = None


@dataclass
class Found:
    """A file's arrays by name, its factors' names where it gives them, what it and the user say of them, and notes.

    `held`: what its arrays or columns are called in the file. `index`: the labels that pandas stored of its rows.
    """

    arrays: dict[str, ndarray]
    names: tuple[str, ...] | None
    wishes: Wishes
    notes: list[str]
    held: set[str]
    index: pd.Index | None = None


def read_codes(
    path: Path | str, factors: Path | str | None = None, arrays: Collection[str] = (), wishes: Wishes | None = None
) -> Reading:
    """Read codes (n d) with what stands beside them, their factors perhaps from a file of their own.

    .npz, .h5, .mat, .pt: `codes` (or `means`), and optionally `factors` (n k), `factor_names` (k), `discrete_factors`
    and `continuous_factors` (names), `variances` or `logvar` (n d), `samples` (n d), and any of `arrays`, the names of
    what else measures read, such as `v` (m d d), the right singular vectors of the Jacobian of the decoder's mean image
    (after a sigmoid, where there is one), and `v_logits`, those of its logits: each is scored as what it is; others are
    left alone, which is noted; and `groups`, the group of each column in whole numbers or words, or how many columns
    each group has, where `wishes` say none. .h5ad: an embedding of `obsm` and the
    columns of `obs`, as `read_annotated` says. .npy: codes alone.
    .csv, .parquet: columns `code_*` in their order (or z0, z1, …; latent_0, …), and optionally `variance_*`,
    `sample_*` with the endings of the codes, and `factor_NAME`; a column that numbers the rows is left out.
    `factors`: .npy or .npz (`factors`, `factor_names`), or a table whose columns are all factors, named with or
    without `factor_`.

    Which factors are discrete is decided by their values (`benchmark.kinds`) unless `wishes` or the file say so;
    names become 0, 1, … in alphabetical order. Rows that are every combination of discrete values once are put into C
    order. Integers become floats; nothing else is changed.
    Raises `UsageError` on what is missing, damaged, pickled, misshapen, not finite, or none of the above.
    """
    wishes, path = wishes or Wishes(), Path(path)
    found = _read(path, arrays, wishes)
    source = path
    if factors is not None:
        if "factors" in found.arrays:
            raise UsageError(f"{path} holds factors already; leave out --factors {factors}")
        factors = Path(factors)
        beside = _read_factors(factors, wishes)
        if found.index is not None and beside.index is not None and in_another_order(found.index, beside.index):
            raise UsageError(
                f"{factors}: its index has the labels of that of {path} in another order: reindex one to the other, or"
                " save both with index=False where rows belong together as they stand"
            )
        source, found.names, found.wishes = factors, beside.names, beside.wishes
        found.arrays["factors"] = beside.arrays["factors"]
        found.notes += beside.notes
        found.held |= beside.held
    return _checked(path, source, found)


def codes_of(
    where: str, arrays: Mapping[str, ndarray], names: Sequence[str] | None, wishes: Wishes, notes: Sequence[str] = ()
) -> Reading:
    """Codes of arrays that are in memory, checked and read as those of an archive are.

    `arrays`: `codes` (n d), and maybe `factors` (n k), `variances` (n d), `samples` (n d). `where` begins what is said
    of them, `names` are the factors', `notes` what is known of them already. Raises `UsageError` as `read_codes` does.
    """
    own = (
        None
        if names is None
        else checked_names(where, "factor_names", np.array([str(name) for name in names], dtype=str))
    )
    return _checked(where, where, Found(dict(arrays), own, wishes, list(notes), set()))


def digest(codes: Codes) -> str:
    """The sha256 of all arrays with their names and shapes: what makes two files the same codes.

    It is of the values, whatever type a file keeps them in: of single precision where that holds them all, or where
    nine digits do, which is what text keeps of single precision; factors in whole numbers are integers.
    """
    return _digest(codes, _canonical)


def digests(codes: Codes) -> set[str]:
    """The digest, and those under which earlier versions knew the same arrays: of the types that files had."""
    return {digest(codes), _digest(codes, lambda _, array: array), _digest(codes, _doubled)}


def _digest(codes: Codes, form: Callable[[str, ndarray], ndarray]) -> str:
    known = hashlib.sha256(repr(codes.factor_names).encode())
    parts = {field.name: getattr(codes, field.name) for field in fields(codes)} | codes.arrays
    for name, array in sorted(parts.items()):
        if isinstance(array, ndarray):
            array = form(name, array)
            known.update(f"{name} {array.dtype.str} {array.shape} ".encode())
            known.update(np.ascontiguousarray(array).data)
    if kinds := kinds_differ(codes.factors, codes.factor_sizes):
        known.update(f"discrete {kinds}".encode())
    return known.hexdigest()


def _canonical(name: str, array: ndarray) -> ndarray:
    if array.dtype != np.float64 or not array.size:
        return array
    if name == "factors":
        whole = (array == np.floor(array)).all() and np.abs(array).max() < 2**53
        return array.astype(np.int64) if whole else array
    with np.errstate(over="ignore", under="ignore"):
        single = array.astype(np.float32)
    return single if np.isfinite(single).all() and ((single == array).all() or _is_short(array)) else array


def _is_short(array: Float[ndarray, ...]) -> bool:
    """Whether nine digits say each value exactly, as far as double precision goes."""
    size = np.abs(array[array != 0])
    if not size.size or size.min() < 1e-30 or size.max() > 1e30:
        return False
    scaled = size * 10.0 ** (SINGLE - 1 - np.floor(np.log10(size)))
    return bool((np.abs(scaled - np.rint(scaled)) <= 4e-16 * scaled).all())


def _doubled(_: str, array: ndarray) -> ndarray:
    return array.astype(np.float64) if array.dtype == np.float32 else array


def _read(path: Path, arrays: Collection[str], wishes: Wishes) -> Found:
    ending = _ending(path)
    if ending == ".npy":
        return Found({"codes": read_npy(path)}, None, wishes, [], set())
    if ending == ".h5ad":
        return _read_annotated(path, wishes)
    if ending not in array_files.ENDINGS:
        frame, index = read_table(path)
        notes = _index_noted(path, index)
        columns, names = split_table(path, frame, wishes, notes)
        return Found(columns, names, wishes, notes, set(map(str, frame)), index)
    found = _read_archive(path, (*OWN, *arrays), wishes)
    for one, other in (("codes", "means"), ("variances", "logvar")):
        if one in found.arrays and other in found.arrays:
            raise UsageError(f"{path} holds both `{one}` and `{other}`; keep one of them")
    if "means" in found.arrays:
        found.arrays["codes"] = found.arrays.pop("means")
    if "codes" not in found.arrays:
        held = open_arrays(path).told()
        told = "; say which are the codes by --rename NAME=codes" if held else ""
        raise UsageError(f"{path} must hold an array `codes`; it holds {', '.join(held.values()) or 'nothing'}{told}")
    if "logvar" in found.arrays:
        found.arrays["variances"] = variances_of(path, checked_table(path, "logvar", found.arrays.pop("logvar")))
    return found


def variances_of(path: Where, logvar: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    """exp(logvar), in double precision where single precision holds it not."""
    for kind in (logvar.dtype, np.dtype(np.float64)):
        with np.errstate(over="ignore", under="ignore"):
            variances = np.exp(logvar.astype(kind))
        if np.isfinite(variances).all() and variances.min() > 0:
            return variances
    raise UsageError(
        f"{path}: `logvar` from {logvar.min():.6g} to {logvar.max():.6g} holds log variances whose exponentials are no"
        " positive numbers; is it something else, or did training diverge?"
    )


def _read_factors(path: Path, wishes: Wishes) -> Found:
    ending = _ending(path)
    if ending == ".npy":
        return Found({"factors": read_npy(path)}, None, wishes, [], set())
    if ending == ".h5ad":
        return _read_annotated(path, wishes)
    if ending in array_files.ENDINGS:
        found = _read_archive(path, ("factors", "factor_names", *DECLARED), wishes)
        if "factors" not in found.arrays:
            held = open_arrays(path).told()
            told = "; say which are the factors by --rename NAME=factors" if held else ""
            raise UsageError(
                f"{path} must hold an array `factors`; it holds {', '.join(held.values()) or 'nothing'}{told}"
            )
        return found
    frame, index = read_table(path)
    notes = _index_noted(path, index)
    factors, names = factor_table(path, frame, wishes, notes)
    return Found({"factors": factors}, names, wishes, notes, set(map(str, frame)), index)


def _index_noted(path: Path, index: pd.Index | None) -> list[str]:
    """What is said of an index that may mean another order of the rows than they stand in."""
    if index is None or len(index) < 2 or numbers_the_rows(index):
        return []
    return [f"the index of {path.name} does not number the rows and is left out: rows are taken as they stand"]


def _read_annotated(path: Path, wishes: Wishes) -> Found:
    from benchmark.reading.read_anndata import read_annotated

    notes: list[str] = []
    arrays, names, held = read_annotated(path, wishes, notes)
    return Found(arrays, names, wishes, notes, held)


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        what = "is a folder" if Path(path).is_dir() else f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        raise UsageError(f"{path} {what}; codes and factors are read from {', '.join(ENDINGS)}")
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    return ending


def _read_archive(path: Path, known: Collection[str], wishes: Wishes) -> Found:
    """The known arrays of an archive, under their new names; others are noted, and not read."""
    archive = open_arrays(path)
    held = archive.names
    names = renamed(path, held, wishes)
    taken = {new: old for old, new in names.items() if new in known}
    others = [(old, new) for old, new in names.items() if new not in known and old not in wishes.drop]
    for old, new in others:
        if near := difflib.get_close_matches(new, known, n=1, cutoff=MISSPELT):
            raise UsageError(
                f'{path}: no measure reads an array `{old}`; did you mean "{near[0]}"? Say --rename {old}={near[0]} or'
                f" --drop {old}"
            )
    notes = [f"array `{old}` is read by no measure and left alone" for old, _ in others]
    read = archive.read(list(taken.values()))
    arrays = {new: read[old] for new, old in taken.items()}
    discrete, continuous = (checked_names(path, name, arrays.pop(name, None)) or () for name in DECLARED)
    own = wishes.with_declared(discrete, continuous)
    return Found(arrays, checked_names(path, "factor_names", arrays.pop("factor_names", None)), own, notes, set(held))


def _checked(path: Where, source: Where, found: Found) -> Reading:
    """Codes from the arrays of `path`, the factors from `source`."""
    arrays, notes = found.arrays, found.notes
    means = checked_table(path, "codes", arrays.pop("codes"))
    groups = _groups(path, arrays.pop("groups", None), found.wishes, means.shape[1])
    beside = {name: checked_table(path, name, arrays.pop(name)) for name in ("variances", "samples") if name in arrays}
    for name, table in beside.items():
        if table.shape != means.shape:
            raise UsageError(f"{path}: `{name}` of shape {table.shape} do not fit codes of shape {means.shape}")
    if "variances" in beside and beside["variances"].min() <= 0:
        raise UsageError(f"{path}: `variances` hold values that are not positive")
    factors = checked_factors(source, arrays.pop("factors", np.zeros((len(means), 0), np.int64)), len(means))
    names = found.names or tuple(f"factor_{k}" for k in range(factors.shape[1]))
    if len(names) != factors.shape[1]:
        raise UsageError(f"{source}: {len(names)} `factor_names` do not fit {factors.shape[1]} factors")
    for called in names:
        if not called.strip() or len(called.encode()) > LONGEST:
            raise UsageError(
                f"{source}: a factor is called {called[:40]!r}, {len(called):,} letters:"
                f" a name has 1 to {LONGEST} bytes"
            )
    for vectors in JACOBIANS:
        if vectors in arrays:
            check_jacobian(path, vectors, arrays[vectors], means, has_factors=bool(names))
    _check_used(source, found, names)
    kept = [k for k, name in enumerate(names) if name not in found.wishes.drop]
    names = tuple(names[k] for k in kept)
    for corrupted in FACTORS_BESIDE & arrays.keys():
        if arrays[corrupted].ndim == 2 and arrays[corrupted].shape[1] == factors.shape[1]:
            arrays[corrupted] = arrays[corrupted][:, kept]
    factors = numbered(source, np.ascontiguousarray(factors[:, kept]), names, notes)
    factors, names, wishes = classes_as_factors(str(source), factors, names, found.wishes)
    levels = sizes(str(source), factors, names, wishes, notes)
    grid, order = _is_grid(factors, levels), None
    if grid and ((placed := np.lexsort(factors.T[::-1])) != np.arange(len(means))).any():
        order = placed
        notes.append("the rows are every combination of the factors once, and were put into order")
        means, factors = means[order], factors[order]
        beside = {name: table[order] for name, table in beside.items()}
    others = {name: checked_array(path, name, array) for name, array in arrays.items()}
    if groups is not None:
        others["groups"] = groups
    codes = Codes(
        means, factors, names, levels, beside.get("variances"), beside.get("samples"), grid=grid, arrays=others
    )
    return Reading(codes, tuple(notes), order)


def _groups(path: Where, held: ndarray | None, wishes: Wishes, d: int) -> Integer[ndarray, " d"] | None:
    """The group of each column, as the user says it or else the file."""
    asked = wishes.groups if wishes.groups is not None or held is None else groups_in_file(path, held, d)
    return group_of_columns(path, asked, d)


def _check_used(source: Where, found: Found, names: tuple[str, ...]) -> None:
    """Raise `UsageError` where the user names what is not there."""
    held = found.held | {name.removeprefix("factor_") for name in found.held} | set(names)
    for name in found.wishes.drop:
        if name not in held:
            raise UsageError(f"{source} holds no {name!r} to drop{suggest(name, sorted(held))}")
    for old, _ in found.wishes.rename:
        if not any(is_meant(old, name) for name in held):
            raise UsageError(f"{source} holds no {old!r} to rename{suggest(old, sorted(held))}")


def _is_grid(factors: Num[ndarray, "n k"], sizes: tuple[int, ...]) -> bool:
    """Whether the rows are every combination of the factors' values once."""
    return bool(sizes) and 0 not in sizes and prod(sizes) == len(factors) == len(np.unique(factors, axis=0))
