"""The renderer against the published images: the file where it is present, and its committed checksums everywhere."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from benchmark.datasets.dsprites import render
from benchmark.datasets.dsprites_real import DspritesReal


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    path = Path(__file__).parent / "make_dsprites_checksums.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_drawn_images_have_the_checksums_of_the_real_ones(maker: ModuleType) -> None:
    checksums = np.load(maker.CHECKSUMS, allow_pickle=False)
    drawn = maker.digests(render(maker.factors()))
    np.testing.assert_array_equal(np.flatnonzero(drawn != checksums["digests"]), checksums["different"])
    assert len(checksums["digests"]) == 46_080
    assert len(checksums["different"]) == 4


def test_drawn_images_are_the_real_ones(data_dir: Path, maker: ModuleType) -> None:
    real = DspritesReal().load(data_dir)
    np.testing.assert_array_equal(real.factors * maker.STRIDE, maker.factors())
    wrong_pixels = (render(maker.factors()) != real.images[:][:, 0]).sum(axis=(1, 2))
    assert (wrong_pixels == 0).mean() >= 0.9998
    assert wrong_pixels.max() == 1


def test_committed_checksums_are_those_of_the_file(data_dir: Path, maker: ModuleType) -> None:
    real = DspritesReal().load(data_dir)
    digests = np.load(maker.CHECKSUMS, allow_pickle=False)["digests"]
    np.testing.assert_array_equal(maker.digests(real.images[:][:, 0]), digests)
