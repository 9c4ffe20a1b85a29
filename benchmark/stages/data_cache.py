"""Which datasets a process holds: those it used last, up to a number of bytes."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from benchmark import registry
from benchmark.datasets._dataset import Data
from benchmark.datasets._files import find
from benchmark.spec import Component, canonical_json
from benchmark.suite import settings_of

KEPT = 1_000_000_000
"""Bytes of memory of its own that a process keeps datasets in; the one in use stays, however large."""

Key = tuple[str, str, Path | None]


class DataCache:
    """Datasets by name, settings and place; where they take more than `kept` bytes, the least recently used go."""

    def __init__(self, read: Callable[[Key], Data], kept: int = KEPT) -> None:
        self._read = read
        self._kept = kept
        self._found: OrderedDict[Key, Data] = OrderedDict()

    def get(self, key: Key) -> Data:
        """The data, read unless it is held."""
        if key not in self._found:
            self._make_room()
            self._found[key] = self._read(key)
        self._found.move_to_end(key)
        self._make_room()
        return self._found[key]

    def _make_room(self) -> None:
        while len(self._found) > 1 and sum(own_bytes(data) for data in self._found.values()) > self._kept:
            self._found.popitem(last=False)

    def clear(self) -> None:
        self._found.clear()

    def __len__(self) -> int:
        return len(self._found)


def own_bytes(value: Any) -> int:
    """The memory that a dataset's arrays take in this process alone: nothing for files that are mapped into memory."""
    return sum(array.nbytes for array in _arrays(value) if not is_mapped(array))


def mapped_bytes(value: Any) -> int:
    """The size of the files that a dataset maps into memory: all processes share what is read of them, and the system
    takes it back where memory is short."""
    return sum(array.nbytes for array in _arrays(value) if is_mapped(array))


def is_mapped(array: Any) -> bool:
    """Whether an array is a view of a file, or stands for one that is not here: one value, broadcast."""
    if isinstance(array, ndarray) and array.size > 1 and not any(array.strides):
        return True
    while isinstance(array, ndarray):
        if isinstance(array, np.memmap):
            return True
        array = array.base
    return False


def _arrays(value: Any) -> list[ndarray]:
    """The arrays of nested dataclasses, each once."""
    found: dict[int, ndarray] = {}
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, ndarray):
            found[id(each)] = each
        elif is_dataclass(each) and not isinstance(each, type):
            waiting += [getattr(each, field.name) for field in fields(each)]
    return list(found.values())


def _read(key: Key) -> Data:
    name, settings, data_dir = key
    dataset_class = registry.load("dataset", name)
    data: Data = dataset_class(dataset_class.Settings.read(json.loads(settings), name)).load(data_dir)
    return data


_held = DataCache(_read)
_blank: dict[Key, Data | None] = {}


def outlined_data(dataset: Component, data_dir: Path | None) -> Data:
    """A run's data for an estimate: without its content where it would have to be downloaded or drawn first."""
    key = (dataset.name, canonical_json({**dataset.settings, **dataset.locations}), data_dir)
    dataset_class = registry.load("dataset", dataset.name)
    made = dataset_class(settings_of(dataset, dataset_class.Settings))
    absent = any(find(file, data_dir) is None for file in made.wanted())
    if absent and key not in _blank:
        _blank[key] = made.blank()
    return (_blank[key] if absent else None) or load_data(dataset, data_dir)


def load_data(dataset: Component, data_dir: Path | None) -> Data:
    """A run's data, from what this process holds where it can be."""
    return _held.get((dataset.name, canonical_json({**dataset.settings, **dataset.locations}), data_dir))


def forget_data() -> None:
    """Free the memory of what was loaded."""
    _held.clear()
