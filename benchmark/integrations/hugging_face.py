"""Images, factors and codes as a Hugging Face dataset: written to Arrow files once, or streamed when asked for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer, Num, UInt8
from numpy import ndarray

from benchmark.codes import Codes
from benchmark.datasets._dataset import Data, Dataset
from benchmark.datasets._files import find
from benchmark.errors import UsageError
from benchmark.integrations.package import needed
from benchmark.metrics._boundary import as_array
from benchmark.reading.encoded import Encoded
from benchmark.reading.read_codes import digest as arrays_digest
from benchmark.spec import digest

WHO = "huggingface_dataset"
VERSION = 1
"""Of what is written. Raise it when the same data would become other columns: what is in the cache is then left alone.
"""
BLOCK = 1024
"""Rows that are read, unpacked or drawn together, and what workers share when data are streamed."""


@dataclass(frozen=True)
class Column:
    """A column's feature, and its values at some positions."""

    feature: Any
    at: Callable[[ndarray], Sequence[Any]]


class Examples:
    """The rows of a dataset, of codes, or of both side by side: what a dataset of Hugging Face is generated from.

    Pickled, for workers or to be told from others, it is what the data are made of and not the data.
    """

    def __init__(
        self, data: Dataset | Data | None, codes: Codes | None, *, training: bool, data_dir: Path | None
    ) -> None:
        needed("datasets", WHO)
        self._data, self._codes, self._training, self._data_dir = data, codes, training, data_dir

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "columns"}

    def __call__(self, starts: list[int]) -> Iterator[dict[str, Any]]:
        """The rows of the blocks that begin at these positions."""
        n = len(self)
        for start in starts:
            places = np.arange(start, min(start + BLOCK, n))
            for values in zip(*(column.at(places) for column in self.columns.values()), strict=True):
                yield dict(zip(self.columns, values, strict=True))

    def __len__(self) -> int:
        return self._size

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Raises `UsageError` where codes and data are of different points, or two columns have one name."""
        found: list[tuple[str, Column]] = []
        if self._data is not None:
            found += self._of_data()
        if self._codes is not None:
            found += self._of_codes()
        names = [name for name, _ in found]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f'{WHO}: two columns would be called "{twice}": rename that factor')
        return dict(found)

    def fingerprint(self) -> str:
        """What stands for all of it: a dataset with its files, and codes; something new of data in memory."""
        if not (self._data is None or isinstance(self._data, Dataset)):
            return uuid.uuid4().hex
        codes = None if self._codes is None else arrays_digest(self._codes)
        return digest([VERSION, self._identity(), self._training, codes], 32)

    def _identity(self) -> list[Any]:
        """A dataset's code, its settings, and the files that it is read from."""
        if self._data is None:
            return []
        assert isinstance(self._data, Dataset)
        settings = self._data.settings
        settings = settings.resolved() if hasattr(settings, "resolved") else settings
        files = [path for file in self._data.wanted() if (path := find(file, self._data_dir))]
        stamps = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
        return [type(self._data).__module__, self._data.version, settings.plain(), stamps]

    def _of_data(self) -> list[tuple[str, Column]]:
        from datasets import Image, Value

        data = self._data.load(self._data_dir) if isinstance(self._data, Dataset) else self._data
        assert data is not None
        rows = data.training_rows if self._training else data.evaluation_rows
        self._size = len(rows)
        if len(data.shape) == 3:
            first = ("image", Column(Image(), lambda places: _pictures(data.images[rows[places]], data.maximum)))
        else:
            first = ("point", _vectors(data.images, rows))
        found = [first, *_factors(data.factors, data.factor_names, data.factor_sizes, rows)]
        if self._training and (weights := data.training_weights) is not None:
            found += [("weight", Column(Value("float64"), lambda places: weights[places].tolist()))]
        return found

    def _of_codes(self) -> list[tuple[str, Column]]:
        codes = self._codes
        assert codes is not None
        n = len(codes.means)
        if self._data is None:
            self._size = n
        elif n != len(self):
            which = "training" if self._training else "evaluation"
            raise UsageError(f"{WHO}: {n:,} codes do not fit the {len(self):,} {which} points of the data")
        arrays = {"codes": codes.means, "variances": codes.variances, "samples": codes.samples}
        rows = np.arange(n)
        found = [(name, _vectors(array, rows)) for name, array in arrays.items() if array is not None]
        beside = self._data is not None  # the data have the factors already
        return found if beside else found + _factors(codes.factors, codes.factor_names, codes.factor_sizes, rows)


def given_codes(codes: Any) -> Codes:
    """Codes of a run, of `encode`, or an array (n d). Raises `UsageError` on anything else."""
    if isinstance(codes, Codes):
        return codes
    if isinstance(codes, Encoded):
        kinds = zip(codes.factor_names, codes.factors.T, strict=True)
        sizes = tuple(_size(column) if name in codes.discrete else 0 for name, column in kinds)
        return Codes(codes.codes, codes.factors, codes.factor_names, sizes, codes.variances)
    array = as_array(f"{WHO}: codes", codes)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise UsageError(f"{WHO}: codes are {array.dtype} of shape {array.shape}, not numbers (n d)")
    return Codes(array.astype(np.float32), np.zeros((len(array), 0)), (), ())


def made(examples: Examples, *, streaming: bool, cache_dir: Path | None) -> Any:
    """A `datasets.Dataset`, or with `streaming` a `datasets.IterableDataset`."""
    import datasets

    features = datasets.Features({name: column.feature for name, column in examples.columns.items()})
    kwargs = {"starts": list(range(0, len(examples), BLOCK))}
    if streaming:
        return datasets.IterableDataset.from_generator(examples, features, kwargs)
    folder, mark = None if cache_dir is None else str(cache_dir), examples.fingerprint()
    return datasets.Dataset.from_generator(examples, features, folder, gen_kwargs=kwargs, fingerprint=mark)


def _factors(factors: ndarray, names: Sequence[str], sizes: Sequence[int], rows: ndarray) -> list[tuple[str, Column]]:
    """A class label of as many classes as a discrete factor has values, a number of a continuous one."""
    from datasets import ClassLabel, Value

    def column(k: int) -> Column:
        if sizes[k]:
            own = classes(factors[:, k], sizes[k])
            return Column(ClassLabel(sizes[k]), lambda places: own[rows[places]].tolist())
        return Column(Value("float64"), lambda places: factors[rows[places], k].astype(np.float64).tolist())

    return [(name, column(k)) for k, name in enumerate(names)]


def classes(values: Num[ndarray, " n"], size: int) -> Integer[ndarray, " n"]:
    """The class of each value of a discrete factor: the value itself where these are 0, …, size − 1, else its place
    among all in ascending order, as of 0.5, 1 and 2, or of 1, 2 and 3."""
    if _counts(values) and (not len(values) or values.max() < size):
        return values.astype(np.int64)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _size(values: Num[ndarray, " n"]) -> int:
    return int(values.max()) + 1 if len(values) and _counts(values) else len(np.unique(values))


def _counts(values: Num[ndarray, " n"]) -> bool:
    """Whether values are whole numbers from 0 on."""
    return bool(((values >= 0) & (values == np.floor(values))).all())


def _vectors(array: Any, rows: ndarray) -> Column:
    from datasets import List, Value

    feature = List(Value("float32"), length=int(array.shape[1]))
    return Column(feature, lambda places: list(np.asarray(array[rows[places]], np.float32)))


def _pictures(images: UInt8[ndarray, "n c h w"], maximum: int) -> list[UInt8[ndarray, "h w *rgb"]]:
    """Grey (h w) or colour (h w 3) with white at 255, as pictures are everywhere."""
    white = images if maximum == 255 else (images.astype(np.uint16) * 255 // maximum).astype(np.uint8)
    return list(white[:, 0] if images.shape[1] == 1 else np.moveaxis(white, 1, 3))
