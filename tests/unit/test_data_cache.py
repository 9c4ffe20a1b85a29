"""What a process holds of datasets is bounded, and the estimate of a run's memory knows what is shared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy import ndarray
from small import small_run

from benchmark.datasets._dataset import Data
from benchmark.datasets._packed import PackedImages
from benchmark.stages.data_cache import DataCache, Key, mapped_bytes, own_bytes
from benchmark.stages.estimate import PROCESS_GIGABYTES, worker_gigabytes
from benchmark.training.fleet import Fleet

ROWS = np.arange(2)


def data(images: ndarray | PackedImages) -> Data:
    return Data(images, np.zeros((len(images), 0)), (), (), ROWS, ROWS)


def key(name: str) -> Key:
    return (name, "{}", None)


def reader(read: list[str]) -> Callable[[Key], Data]:
    def given(key: Key) -> Data:
        read.append(key[0])
        return data(np.zeros((250, 1, 2, 2), np.uint8))

    return given


def test_the_datasets_used_last_are_held_and_others_leave() -> None:
    read: list[str] = []
    cache = DataCache(reader(read), kept=2_100)
    for name in "ababcac":
        cache.get(key(name))
    # c takes the place of a, which was used before b, and then a that of b.
    assert read == ["a", "b", "c", "a"]
    assert len(cache) == 2
    cache.clear()
    assert len(cache) == 0


def test_a_dataset_larger_than_the_bound_is_held_alone() -> None:
    read: list[str] = []
    cache = DataCache(reader(read), kept=10)
    for name in "aabba":
        cache.get(key(name))
    assert read == ["a", "b", "a"]
    assert len(cache) == 1


def test_mapped_files_are_no_memory_of_a_process(tmp_path: Path) -> None:
    packed = np.zeros((100, 8), np.uint8)
    np.save(tmp_path / "images.npy", packed)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    own = data(PackedImages(packed, 8))
    shared = data(PackedImages(mapped[:], 8))
    assert (mapped_bytes(own), mapped_bytes(shared)) == (0, 800)
    assert own_bytes(own) - own_bytes(shared) == 800
    # One array in two places counts once.
    assert own_bytes(own) == 800 + ROWS.nbytes


def test_a_larger_fleet_or_dataset_is_expected_to_take_more() -> None:
    run = small_run("vae")
    small, large = data(np.zeros((100, 3), np.float32)), data(np.zeros((10_000_000, 3), np.float32))
    alone = worker_gigabytes(Fleet("stacked", (run,)), small)
    assert PROCESS_GIGABYTES < alone < PROCESS_GIGABYTES + 0.1
    assert worker_gigabytes(Fleet("stacked", (run,) * 400), small) > alone
    assert worker_gigabytes(Fleet("stacked", (run,)), large) > alone + 0.1
