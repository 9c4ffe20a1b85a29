"""MNIST, Fashion-MNIST and their file format; scikit-learn's digits."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets import _mnist
from benchmark.datasets._idx import read_idx
from benchmark.datasets._mnist import MnistLike
from benchmark.datasets.digits import Digits
from benchmark.datasets.fashion_mnist import FashionMnist
from benchmark.datasets.mnist import Mnist
from benchmark.errors import UsageError


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def settings(**values: object) -> MnistLike.Settings:
    return MnistLike.Settings.read(values, "dataset.mnist")


@pytest.fixture
def small(cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Four small files in place of the published ones; returns their 20 images, of labels 0 … 9, 0 … 9."""
    images = np.random.default_rng(0).integers(0, 256, size=(20, 28, 28), dtype=np.uint8)
    labels = np.arange(20) % 10
    contents = [gzip.compress(idx(array)) for array in (images[:15], labels[:15], images[15:], labels[15:])]
    for name, content in zip(_mnist.NAMES, contents, strict=True):
        (tmp_path / name).write_bytes(content)
    digests = tuple(hashlib.sha256(content).hexdigest() for content in contents)
    monkeypatch.setattr(Mnist, "files", _mnist.idx_files("mnist", "http://unused/", digests))
    return images


def test_idx_gives_the_array_that_was_written(tmp_path: Path) -> None:
    array = np.arange(24).reshape(2, 3, 4)
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(array)))
    read = read_idx(tmp_path / "a.gz")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(idx(np.arange(50)))[:-9], "truncated or damaged"),
        (idx(np.arange(50)), "truncated or damaged"),
        (gzip.compress(idx(np.arange(50), kind=13)), "no idx file of unsigned bytes"),
        (gzip.compress(b"\0\0"), "no idx file of unsigned bytes"),
        (gzip.compress(idx(np.arange(50))[:-1]), "holds 49 bytes, its header says 50"),
        (gzip.compress(b""), "no idx file of unsigned bytes"),
    ],
)
def test_wrong_idx_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=f"{path}.*{message}"):
        read_idx(path)


def test_training_rows_come_first_and_labels_are_the_factor(small: np.ndarray, tmp_path: Path) -> None:
    data = Mnist().load(tmp_path)
    np.testing.assert_array_equal(data.images[:], small[:, None])
    np.testing.assert_array_equal(data.factors[:, 0], np.arange(20) % 10)
    assert (data.factor_names, data.factor_sizes, data.maximum, data.grid) == (("label",), (10,), 255, False)
    np.testing.assert_array_equal(data.training_rows, np.arange(15))
    np.testing.assert_array_equal(data.evaluation_rows, np.arange(15, 20))


def test_selected_classes_are_counted_from_zero(small: np.ndarray, tmp_path: Path) -> None:
    data = Mnist(settings(classes=[7, 2])).load(tmp_path)
    np.testing.assert_array_equal(data.images[:][:, 0], small[[2, 7, 12, 17]])
    np.testing.assert_array_equal(data.factors, [[0], [1], [0], [1]])
    assert data.factor_sizes == (2,)
    np.testing.assert_array_equal(data.training_rows, [0, 1, 2])
    np.testing.assert_array_equal(data.evaluation_rows, [3])


def test_classes_in_any_order_are_one_configuration() -> None:
    assert settings(classes=[7, 2]) == settings(classes=[2, 7])


@pytest.mark.parametrize("classes", [[10], [-1], [3, 3], ["3"], 3])
def test_wrong_classes_are_refused(classes: object) -> None:
    with pytest.raises(UsageError, match=r"dataset\.mnist\.classes"):
        settings(classes=classes)


def test_resolutions_pad_and_double(small: np.ndarray, tmp_path: Path) -> None:
    padded = Mnist(settings(resolution=32)).load(tmp_path).images[:]
    assert padded.shape == (20, 1, 32, 32)
    np.testing.assert_array_equal(padded[:, 0, 2:-2, 2:-2], small)
    assert padded.sum(dtype=int) == small.sum(dtype=int)

    doubled = Mnist(settings(resolution=64)).load(tmp_path).images[:]
    assert doubled.shape == (20, 1, 64, 64)
    for row in (0, 1):
        for column in (0, 1):
            np.testing.assert_array_equal(doubled[:, 0, 4 + row : 60 : 2, 4 + column : 60 : 2], small)
    assert doubled.sum(dtype=int) == 4 * small.sum(dtype=int)


@pytest.mark.parametrize(("dataset", "mean"), [(Mnist, 0.1307), (FashionMnist, 0.2860)])
def test_published_files(dataset: type[MnistLike], mean: float, data_dir: Path, cache_folder: Path) -> None:
    # The means of the 60,000 training images, as everyone normalises by them.
    data = dataset().load(data_dir)
    assert data.images.shape == (70_000, 1, 28, 28)
    assert (len(data.training_rows), len(data.evaluation_rows)) == (60_000, 10_000)
    assert data.images[:60_000].mean() / 255 == pytest.approx(mean, abs=5e-5)
    assert data.factors[:5, 0].tolist() == {Mnist: [5, 0, 4, 1, 9], FashionMnist: [9, 0, 0, 3, 0]}[dataset]


def test_boots_alone(data_dir: Path, cache_folder: Path) -> None:
    data = FashionMnist(settings(classes=[9])).load(data_dir)
    assert (len(data.training_rows), len(data.evaluation_rows)) == (6_000, 1_000)
    assert data.factor_sizes == (1,)


def test_digits_are_split_once() -> None:
    first, second = Digits().load(), Digits().load()
    assert first.images.shape == (1797, 1, 8, 8)
    assert (first.images[:].max(), first.maximum) == (16, 16)
    assert first.factors[:12, 0].tolist() == [*range(10), 0, 1]
    assert (len(first.training_rows), len(first.evaluation_rows)) == (1437, 360)
    np.testing.assert_array_equal(np.sort(np.r_[first.training_rows, first.evaluation_rows]), np.arange(1797))
    assert set(first.factors[first.evaluation_rows, 0]) == set(range(10))
    np.testing.assert_array_equal(first.training_rows, second.training_rows)
    # The split is part of every score: these are its first rows, and a change of them is a new version of the dataset.
    assert first.evaluation_rows[:5].tolist() == [5, 9, 10, 15, 16]


def test_noise_is_on_training_images_alone_and_grows_with_its_ratio(small: np.ndarray, tmp_path: Path) -> None:
    clean, some, more, all_ = (Mnist(settings(noise=noise)).load(tmp_path).images[:] for noise in (0, 0.2, 0.6, 1))
    np.testing.assert_array_equal(clean, small[:, None])
    for images in (some, more, all_):
        np.testing.assert_array_equal(images[15:], clean[15:])
    differ = [(images[:15] != clean[:15]) for images in (some, more, all_)]
    # A replaced pixel keeps its value once in 256.
    assert [each.mean() for each in differ] == pytest.approx([0.2, 0.6, 1], abs=0.02)
    np.testing.assert_array_equal(more[:15][differ[0]], some[:15][differ[0]])
    again = Mnist(settings(noise=0.2)).load(tmp_path).images[:]
    np.testing.assert_array_equal(again, some)


def test_noise_on_digits_stays_within_their_greys() -> None:
    clean, noisy = Digits().load(), Digits(Digits.Settings(noise=0.5)).load()
    rows = clean.evaluation_rows
    np.testing.assert_array_equal(noisy.images[rows], clean.images[rows])
    changed = noisy.images[clean.training_rows] != clean.images[clean.training_rows]
    # A replaced pixel keeps its value once in 17.
    assert changed.mean() == pytest.approx(0.5 * 16 / 17, abs=0.01)
    assert noisy.images[:].max() == 16


@pytest.mark.parametrize("dataset", [Mnist, FashionMnist, Digits])
def test_without_noise_a_dataset_is_what_it_was(dataset: type[MnistLike] | type[Digits]) -> None:
    assert "noise" not in dataset().settings.identity()
    assert dataset(dataset.Settings(noise=0.25)).settings.identity()["noise"] == 0.25


@pytest.mark.parametrize("noise", [-0.1, 1.1, "0.5"])
def test_noise_is_a_probability(noise: object) -> None:
    with pytest.raises(UsageError, match=r"dataset\.mnist\.noise"):
        settings(noise=noise)
