"""dSprites on noise and in colour: what is random belongs to the image, and the sprite is dSprites'."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets import dsprites
from benchmark.datasets._packed import PackedImages
from benchmark.datasets._variants import DspritesVariant, Painted
from benchmark.datasets.color_dsprites import ColorDsprites
from benchmark.datasets.dsprites import Dsprites
from benchmark.datasets.noisy_dsprites import NoisyDsprites
from benchmark.errors import UsageError

STRIDE = [1, 5, 20, 8, 8]
both = pytest.mark.parametrize("variant", [NoisyDsprites, ColorDsprites])


def load(variant: type[DspritesVariant], **values: object) -> dsprites.Data:
    return variant(variant.Settings.read({"stride": STRIDE, **values}, "dataset")).load()


def sprites(**values: object) -> dsprites.Data:
    return Dsprites(Dsprites.Settings.read({"stride": STRIDE, **values}, "dataset")).load()


@both
def test_factors_rows_and_grid_are_those_of_dsprites(variant: type[DspritesVariant], cache_folder: Path) -> None:
    data, plain = load(variant), sprites()
    assert data.images.shape == (len(plain.images), 3, 64, 64) == (192, 3, 64, 64)
    assert (data.shape, len(data.images), data.maximum, data.grid) == ((3, 64, 64), 192, 255, True)
    assert (data.factor_names, data.factor_sizes) == (plain.factor_names, plain.factor_sizes)
    np.testing.assert_array_equal(data.factors, plain.factors)
    np.testing.assert_array_equal(data.evaluation_rows, plain.evaluation_rows)
    assert data.images[:].dtype == np.uint8


def test_noise_is_uniform_around_a_white_sprite(cache_folder: Path) -> None:
    images, on = load(NoisyDsprites).images[:], sprites().images[:] == 1
    assert (images[np.repeat(on, 3, axis=1)] == 255).all()
    background = images[np.repeat(~on, 3, axis=1)]
    # 2.2 million values of 256 levels, each drawn with the same probability.
    expected = len(background) / 256
    assert abs(np.bincount(background, minlength=256) / expected - 1).max() < 0.06
    assert background.mean() == pytest.approx(127.5, abs=0.3)
    # Neighbours, channels and images are independent. No sprite reaches the first row of pixels.
    first = images[:, :, 0].astype(float)
    pairs = [(first[..., 1:], first[..., :-1]), (first[:, 1:], first[:, :-1]), (first[1:], first[:-1])]
    assert all(abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.03 for a, b in pairs)


def test_colour_is_one_light_colour_a_sprite_on_black(cache_folder: Path) -> None:
    images, on = load(ColorDsprites).images[:], sprites().images[:] == 1
    assert (images[np.repeat(~on, 3, axis=1)] == 0).all()
    colours = images.max(axis=(2, 3))
    np.testing.assert_array_equal(images, on * colours[:, :, None, None])
    # 576 uniform values of 128 … 255: mean 191.5, deviation 36.9.
    assert (colours.min() >= 128) and (colours.max() <= 255)
    assert colours.mean() == pytest.approx(191.5, abs=5)
    assert colours.std() == pytest.approx(36.9, abs=3)
    assert len(np.unique(colours, axis=0)) == 192


@both
def test_an_image_is_the_same_however_it_is_read(variant: type[DspritesVariant], cache_folder: Path) -> None:
    images = load(variant).images
    rows = np.array([7, 3, 3, 150])
    np.testing.assert_array_equal(images[rows], images[:][rows])
    np.testing.assert_array_equal(images[5:20:3], images[:][5:20:3])
    np.testing.assert_array_equal(load(variant).images[rows], images[rows])
    assert images[np.empty(0, int)].shape == (0, 3, 64, 64)


@both
def test_an_image_is_the_same_whatever_the_stride(variant: type[DspritesVariant], cache_folder: Path) -> None:
    coarse, fine = load(variant, stride=[2, 5, 40, 16, 8]), load(variant)
    kept = (fine.factors % [2, 1, 2, 2, 1] == 0).all(axis=1)
    assert kept.sum() == len(coarse.images) == 32
    np.testing.assert_array_equal(coarse.images[:], fine.images[np.flatnonzero(kept)])


@both
def test_seed_and_resolution_are_settings(variant: type[DspritesVariant], cache_folder: Path) -> None:
    first, other = load(variant).images[:], load(variant, seed=1).images[:]
    lit = sprites().images[:].any(axis=(1, 2, 3))
    assert (first != other).any(axis=(1, 2, 3))[lit].all()
    assert load(variant, resolution=32).images.shape == (192, 3, 32, 32)
    with pytest.raises(UsageError, match=r"dataset\.stride"):
        load(variant, stride=[0, 1, 1, 1, 1])


def test_only_bits_are_kept_of_a_large_set(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load(NoisyDsprites).images[:]
    monkeypatch.setattr(dsprites, "IN_MEMORY", 10)
    images = load(NoisyDsprites).images
    assert isinstance(images, Painted) and isinstance(images.sprites, PackedImages)
    tracemalloc.start()
    batch = images[np.arange(64)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * batch.nbytes
    np.testing.assert_array_equal(batch, expected[:64])


def test_values_are_pinned(cache_folder: Path) -> None:
    """The noise and the colours are part of every score: a change of them is a new version of the dataset."""
    (noisy,) = load(NoisyDsprites).images[np.array([100])]
    assert noisy[:, 0, :3].tolist() == [[149, 177, 94], [224, 17, 216], [190, 83, 199]]
    assert load(ColorDsprites).images[np.array([100])].max(axis=(2, 3)).tolist() == [[169, 243, 172]]
