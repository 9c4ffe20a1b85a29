"""A user's own .npz: what is read, and one clear error for each thing that can be wrong with it."""

import hashlib
import itertools
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets._dataset import Data
from benchmark.datasets.npz import Npz
from benchmark.errors import UsageError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, size=(12, 8, 8), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, size=(12, 3, 8, 8), dtype=np.uint8)


@pytest.fixture(autouse=True)
def own_cache(cache_folder: Path) -> None:
    pass


def settings(path: Path, **values: object) -> Npz.Settings:
    return Npz.Settings.read({"path": str(path), **values}, "dataset.npz")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.npz"


def load(path: Path, **arrays: object) -> Data:
    np.savez_compressed(path, **arrays)
    return Npz(settings(path)).load()


def test_images_without_factors(path: Path) -> None:
    data = load(path, images=GREY)
    np.testing.assert_array_equal(data.images[:], GREY[:, None])
    assert (data.factors.shape, data.factor_names, data.factor_sizes) == ((12, 0), (), ())
    assert (data.maximum, data.grid) == (255, False)
    np.testing.assert_array_equal(data.training_rows, np.arange(12))
    np.testing.assert_array_equal(data.evaluation_rows, np.arange(12))


@pytest.mark.parametrize("images", [COLOUR, COLOUR.transpose(0, 2, 3, 1), np.asfortranarray(COLOUR)])
def test_channels_first_or_last(path: Path, images: np.ndarray) -> None:
    np.testing.assert_array_equal(load(path, images=images).images[:], COLOUR)


def test_binary_images_have_white_1(path: Path) -> None:
    for images in (GREY > 128, (GREY > 128).astype(np.uint8)):
        data = load(path, images=images)
        assert (data.maximum, data.images[:].dtype) == (1, np.uint8)
        np.testing.assert_array_equal(data.images[:][:, 0], GREY > 128)


def test_floats_are_rounded_to_255_levels(path: Path) -> None:
    data = load(path, images=GREY / 255)
    np.testing.assert_array_equal(data.images[:][:, 0], GREY)
    assert data.maximum == 255


def test_points_are_gaussian(path: Path) -> None:
    points = RNG.normal(size=(12, 5))
    data = load(path, images=points)
    np.testing.assert_array_equal(data.images[:], points.astype(np.float32))
    assert Npz(settings(path)).likelihood == "gaussian"
    load(path, images=GREY)
    assert Npz(settings(path)).likelihood == "bernoulli"


def test_factors_and_names(path: Path) -> None:
    factors = np.array([[7, -1], [5, 2], [7, 2]] * 4)
    data = load(path, images=GREY, factors=factors, factor_names=["a", "b"])
    np.testing.assert_array_equal(data.factors, [[1, 0], [0, 1], [1, 1]] * 4)
    assert (data.factor_names, data.factor_sizes, data.grid) == (("a", "b"), (2, 2), False)


def test_continuous_factors(path: Path) -> None:
    factors = RNG.random(12)
    data = load(path, images=GREY, factors=factors)
    np.testing.assert_array_equal(data.factors, factors[:, None])
    assert (data.factor_names, data.factor_sizes) == (("factor_0",), (0,))


def test_complete_grid_is_put_into_c_order(path: Path) -> None:
    grid = np.array(list(itertools.product([10, 20], [0, 1, 5], [3, 4])))
    order = RNG.permutation(12)
    data = load(path, images=GREY[order], factors=grid[order])
    assert data.grid
    assert data.factor_sizes == (2, 3, 2)
    np.testing.assert_array_equal(data.factors, list(np.ndindex(2, 3, 2)))
    np.testing.assert_array_equal(data.images[:][:, 0], GREY)


def test_product_of_sizes_alone_makes_no_grid(path: Path) -> None:
    factors = np.array([[0, 0], [0, 1], [1, 0], [0, 0]])
    assert not load(path, images=GREY[:4], factors=factors).grid


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": GREY}, "must hold an array `images`; it holds pictures"),
        ({"images": np.array([GREY, None], dtype=object)}, "unpickling"),
        ({"images": GREY, "factors": np.array([{}] * 12)}, "unpickling"),
        ({"images": GREY, "factors": np.zeros((11, 2), int)}, r"`factors` of shape \(11, 2\) does not fit 12 images"),
        ({"images": GREY, "factors": np.zeros((12, 1, 1), int)}, "does not fit"),
        ({"images": GREY, "factors": np.full((12, 2), np.nan)}, "`factors` holds NaN"),
        ({"images": GREY, "factors": np.full(12, "red")}, "`factors` must be integers, booleans or floats"),
        ({"images": GREY, "factors": np.zeros((12, 2), int), "factor_names": ["a"]}, "must be 2 different strings"),
        (
            {"images": GREY, "factors": np.zeros((12, 2), int), "factor_names": ["a", "a"]},
            "must be 2 different strings",
        ),
        ({"images": np.full((3, 8, 8), np.nan)}, "`images` holds NaN"),
        ({"images": np.full((3, 8), np.inf)}, "`images` holds NaN or infinite"),
        ({"images": GREY.astype(float)}, r"must lie in \[0, 1\], not \[0.0, 255.0\]"),
        ({"images": GREY.astype(np.int64)}, "must be uint8, booleans or floats"),
        ({"images": GREY.reshape(12, 64)}, "points .* must be floats, not uint8"),
        ({"images": np.zeros((3, 2, 8, 8), np.uint8)}, "no axis of 1 or 3 channels"),
        ({"images": np.zeros(5)}, r"not \(5,\)"),
        ({"images": np.zeros((0, 8, 8), np.uint8)}, r"not \(0, 8, 8\)"),
    ],
)
def test_wrong_content(path: Path, arrays: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        load(path, **arrays)
    assert str(path) in str(raised.value)


def test_absent_file(path: Path) -> None:
    with pytest.raises(UsageError, match=r"mine\.npz cannot be opened: No such file"):
        Npz(settings(path))


def test_truncated_file(path: Path) -> None:
    np.savez(path, images=GREY)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UsageError, match="truncated or damaged"):
        Npz(settings(path))


def test_damaged_file(path: Path) -> None:
    np.savez_compressed(path, images=GREY)
    content = bytearray(path.read_bytes())
    content[300:400] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(UsageError, match="damaged"):
        Npz(settings(path)).load()


def test_other_formats(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, GREY)
    with pytest.raises(UsageError, match=r"no \.npz archive"):
        Npz(settings(path))
    path.write_bytes(b"")
    with pytest.raises(UsageError, match=r"no \.npz archive"):
        Npz(settings(path))


def test_identity_is_the_content(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(path, images=GREY)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.chdir(tmp_path)
    resolved = settings(Path("mine.npz")).resolved()
    assert (resolved.path, resolved.sha256) == (str(path), digest)
    assert resolved.identity() == {"sha256": digest}
    assert resolved.resolved() == resolved
    path.rename(tmp_path / "moved.npz")
    assert settings(tmp_path / "moved.npz").resolved().identity() == resolved.identity()


def test_changed_content_is_refused(path: Path) -> None:
    np.savez(path, images=GREY)
    resolved = settings(path).resolved()
    np.savez(path, images=255 - GREY)
    changed = hashlib.sha256(path.read_bytes()).hexdigest()
    for use in (resolved.resolved, lambda: Npz(resolved)):
        with pytest.raises(UsageError, match=f"has changed: expected sha256 {resolved.sha256}, found {changed}"):
            use()


def test_dark_bytes_are_said(path: Path) -> None:
    """scikit-learn's digits are 0 … 16, which of 255 is black to the eye and to a model."""
    with pytest.warns(UserWarning, match="the brightest pixel of `images` is 16, and white is 255"):
        assert load(path, images=GREY // 16 + 1).maximum == 255
    load(path, images=np.maximum(GREY, 64))


def test_archives_of_others_are_told_what_to_call_their_arrays(path: Path) -> None:
    np.savez(path, x_train=GREY, y_train=np.arange(12), x_test=GREY)
    with pytest.raises(UsageError, match=r"images=file\['x_train'\], factors=file\['y_train'\]"):
        Npz(settings(path))


def test_the_file_says_which_factors_are_discrete(path: Path) -> None:
    """By type alone levels as floats are continuous, and a row's number is a class each: both are warned of."""
    images = np.repeat(GREY, 10, axis=0)
    factors = np.stack([np.arange(120) % 3 / 7, np.arange(120) * 1.5], axis=1)
    names = np.array(["scale", "time"])
    with pytest.warns(UserWarning, match="factor scale takes 3 values in 120 rows and is continuous by its type"):
        assert load(path, images=images, factors=factors, factor_names=names).factor_sizes == (0, 0)
    data = load(path, images=images, factors=factors, factor_names=names, discrete_factors=names[:1])
    assert data.factor_sizes == (3, 0)
    np.testing.assert_array_equal(data.factors, np.stack([np.arange(120) % 3, factors[:, 1]], axis=1))
    with pytest.warns(UserWarning, match="factor factor_0 takes 120 values in 120 rows and is discrete by its type"):
        assert load(path, images=images, factors=np.arange(120)).factor_sizes == (120,)
    data = load(path, images=images, factors=np.arange(120), continuous_factors=np.array(["factor_0"]))
    assert data.factor_sizes == (0,)
    with pytest.raises(UsageError, match=r"no factor is called 'scal'; did you mean \"scale\""):
        load(path, images=images, factors=factors, factor_names=names, discrete_factors=np.array(["scal"]))
    with pytest.raises(UsageError, match="each of one kind"):
        load(path, images=images, factors=factors, factor_names=names, discrete_factors=names, continuous_factors=names)
