"""dSprites: properties of the drawn images, strides, resolutions, packing, and the published archive."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets import _packed, _sprites, dsprites
from benchmark.datasets._packed import PackedImages
from benchmark.datasets.dsprites import ARCHIVE, Dsprites, render
from benchmark.errors import UsageError

CENTRED = np.array([[0, 5, 0, 15, 15]])


def settings(**values: object) -> Dsprites.Settings:
    return Dsprites.Settings.read(values, "dataset.dsprites")


def test_largest_square_covers_the_pixels_whose_centres_are_inside() -> None:
    # Side 2 · 9.6 around 16 + 32 · 15/31 = 31.484: centres c + ½ in [21.884, 41.084) are c = 22 … 40.
    expected = np.zeros((64, 64), np.uint8)
    expected[22:41, 22:41] = 1
    np.testing.assert_array_equal(render(CENTRED)[0], expected)


def test_area_is_that_of_the_outlines() -> None:
    # Square 4R², ellipse 50 sin(2π/100) R² (a 100-gon; stretching by 1.33 and 1/1.33 keeps it), R = 9.6 · scale.
    grid = np.indices((2, 6, 1, 32, 32)).reshape(5, -1).T
    areas = render(grid).sum(axis=(1, 2)).reshape(2, 6, -1).mean(axis=-1)
    radius = 9.6 * np.linspace(0.5, 1, 6)
    factor = np.array([4, 50 * np.sin(2 * np.pi / 100)])
    np.testing.assert_allclose(areas, factor[:, None] * radius**2, rtol=0.01)


def test_orientations_0_and_39_are_one_picture_and_no_others_are() -> None:
    turned = np.array([[2, 3, k, 10, 20] for k in range(40)])
    images = render(turned)
    np.testing.assert_array_equal(images[0], images[39])
    assert len(np.unique(images.reshape(40, -1), axis=0)) == 39


def test_heart_points_down_and_x_moves_right_and_y_down() -> None:
    heart = render(np.array([[2, 5, 0, 15, 15], [2, 5, 0, 25, 15], [2, 5, 0, 15, 25]]))
    rows, columns = np.stack([np.argwhere(image).mean(axis=0) for image in heart]).T
    widths = heart[0].sum(axis=1)
    assert widths[widths > 0][-1] <= 3
    np.testing.assert_allclose(columns - columns[0], [0, 320 / 31, 0], atol=0.2)
    np.testing.assert_allclose(rows - rows[0], [0, 0, 320 / 31], atol=0.2)


def test_any_selection_in_any_order_is_drawn_as_in_the_grid() -> None:
    rows = np.random.default_rng(0).integers(0, _sprites.SIZES, size=(200, 5))
    together = render(rows)
    alone = np.concatenate([render(row[None]) for row in rows])
    np.testing.assert_array_equal(together, alone)
    assert render(np.empty((0, 5), int)).shape == (0, 64, 64)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([3, 0, 0, 0, 0], "shape is an index from 0 to 2, not 3"),
        ([0, -1, 0, 0, 0], "scale is an index from 0 to 5, not -1"),
        ([0, 0, 40, 0, 0], "orientation is an index from 0 to 39, not 40"),
        ([0, 0, 0, 0, 32], "posY is an index from 0 to 31, not 32"),
        ([0, 0, 0, 0], r"not from int64 of shape \(1, 4\)"),
        ([0.0, 0.0, 0.0, 0.0, 0.0], "not from float64"),
    ],
)
def test_wrong_indices_are_named(row: list[float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        render(np.array([row]))


def test_stride_keeps_every_nth_value(cache_folder: Path) -> None:
    data = Dsprites(settings(stride=[1, 5, 20, 16, 8])).load()
    assert data.factor_names == ("shape", "scale", "orientation", "posX", "posY")
    assert data.factor_sizes == (3, 2, 2, 2, 4)
    assert data.grid
    assert data.shape == (1, 64, 64)
    np.testing.assert_array_equal(data.factors, np.indices((3, 2, 2, 2, 4)).reshape(5, -1).T)
    np.testing.assert_array_equal(data.images[:][:, 0], render(data.factors * [1, 5, 20, 16, 8]))
    np.testing.assert_array_equal(data.training_rows, np.arange(96))
    np.testing.assert_array_equal(data.evaluation_rows, np.arange(96))
    assert not cache_folder.exists()


def test_stride_that_does_not_divide_rounds_the_size_up() -> None:
    assert Dsprites(settings(stride=[2, 4, 40, 32, 32])).load().factor_sizes == (2, 2, 1, 1, 1)


@pytest.mark.parametrize("stride", [[0, 1, 1, 1, 1], [4, 1, 1, 1, 1], [1, 1, 1, 1, 33], [1, 1], [1, 1, 1, 1, "2"]])
def test_wrong_strides_are_refused(stride: list[object]) -> None:
    with pytest.raises(UsageError, match=r"dataset\.dsprites\.stride"):
        settings(stride=stride)


def test_resolution_32_samples_the_same_outlines_at_the_centres_of_larger_pixels() -> None:
    # Where a coarse pixel's centre, a corner of four fine ones, is inside by a pixel or more, all four are on.
    rows = np.random.default_rng(1).integers(0, _sprites.SIZES, size=(300, 5))
    fine = render(rows, 64).reshape(-1, 32, 2, 32, 2).sum(axis=(2, 4))
    coarse = render(rows, 32)
    assert coarse.shape == (300, 32, 32)
    assert (coarse[fine == 4] == 1).mean() > 0.999
    assert (coarse[fine == 0] == 0).mean() > 0.999
    np.testing.assert_allclose(4 * coarse.sum(axis=(1, 2)).mean(), fine.sum(axis=(1, 2)).mean(), rtol=0.01)


def test_resolution_32_of_the_largest_square() -> None:
    # In coarse pixels its side is 9.6 around 15.742: centres in [10.942, 20.542) are c = 11 … 20.
    expected = np.zeros((32, 32), np.uint8)
    expected[11:21, 11:21] = 1
    np.testing.assert_array_equal(render(CENTRED, 32)[0], expected)


@pytest.mark.parametrize("resolution", [32, 64])
def test_packed_file_gives_the_images_drawn_in_memory(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch, resolution: int
) -> None:
    chosen = settings(stride=[1, 3, 8, 8, 8], resolution=resolution)
    direct = Dsprites(chosen).load()
    monkeypatch.setattr(dsprites, "IN_MEMORY", 10)
    packed = Dsprites(chosen).load()
    assert isinstance(packed.images, PackedImages)
    assert isinstance(packed.images.packed, np.memmap)
    assert packed.images.shape == direct.images.shape
    assert len(packed.images) == len(direct.images)
    np.testing.assert_array_equal(packed.images[:], direct.images[:])
    rows = np.array([7, 3, 3, 40])
    np.testing.assert_array_equal(packed.images[rows], direct.images[rows])
    np.testing.assert_array_equal(packed.images[5:20:3], direct.images[5:20:3])

    (file,) = (cache_folder / "dsprites").iterdir()
    written = file.stat().st_mtime_ns
    np.testing.assert_array_equal(Dsprites(chosen).load().images[:], direct.images[:])
    assert file.stat().st_mtime_ns == written


def test_damaged_packed_file_is_named(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dsprites, "IN_MEMORY", 10)
    chosen = settings(stride=[1, 3, 8, 8, 8])
    Dsprites(chosen).load()
    (file,) = (cache_folder / "dsprites").iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UsageError, match=rf"{file.name} is damaged.*delete it"):
        Dsprites(chosen).load()


def test_interrupted_writing_leaves_nothing(tmp_path: Path) -> None:
    def blocks() -> Iterator[np.ndarray]:
        yield np.zeros((2, 8), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _packed.write(tmp_path / "images.npy", (4, 8), blocks())
    assert list(tmp_path.iterdir()) == []


def test_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BENCHMARK_CACHE", str(tmp_path / "file"))
    monkeypatch.delenv("BENCHMARK_DATA", raising=False)
    monkeypatch.setattr(dsprites, "IN_MEMORY", 10)
    with pytest.raises(UsageError, match=r"cannot be written.*set BENCHMARK_CACHE"):
        Dsprites(settings(stride=[1, 3, 8, 8, 8])).load()


@pytest.fixture
def small_grid(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """dSprites cut down to 6,144 images, so that an archive of them is quick to write."""
    monkeypatch.setattr(_sprites, "SIZES", (3, 1, 2, 32, 32))
    return render(np.indices(_sprites.SIZES).reshape(5, -1).T)


def test_published_archive_is_used_where_it_is_found(
    cache_folder: Path, tmp_path: Path, small_grid: np.ndarray
) -> None:
    published = small_grid.copy()
    published[100, 0, 0] = 1
    np.savez_compressed(tmp_path / ARCHIVE.name, imgs=published, metadata=np.array({"pickled": 1}, dtype=object))
    np.testing.assert_array_equal(Dsprites().load(tmp_path).images[:][:, 0], published)
    np.testing.assert_array_equal(Dsprites().load().images[:][:, 0], small_grid)

    strided = Dsprites(settings(stride=[2, 1, 2, 4, 16])).load(tmp_path)
    expected = published.reshape(3, 1, 2, 32, 32, 64, 64)[::2, :, ::2, ::4, ::16].reshape(-1, 1, 64, 64)
    np.testing.assert_array_equal(strided.images[:], expected)

    coarse = Dsprites(settings(resolution=32, stride=[2, 1, 2, 4, 16])).load(tmp_path)
    np.testing.assert_array_equal(coarse.images[:][:, 0], render(coarse.factors * [2, 1, 2, 4, 16], 32))


def test_archive_of_other_images_is_refused(cache_folder: Path, tmp_path: Path, small_grid: np.ndarray) -> None:
    other = small_grid.copy()
    other[:50] = other[50:100]
    np.savez_compressed(tmp_path / ARCHIVE.name, imgs=other)
    with pytest.raises(UsageError, match="not the published dSprites archive: 50 of its 6,144 images differ"):
        Dsprites().load(tmp_path)
    assert list((cache_folder / "dsprites").iterdir()) == []


def test_archive_of_another_shape_is_refused(cache_folder: Path, tmp_path: Path, small_grid: np.ndarray) -> None:
    np.savez_compressed(tmp_path / ARCHIVE.name, imgs=small_grid[:-1])
    with pytest.raises(UsageError, match=r"imgs is uint8 \(6143, 64, 64\), expected uint8 \(6144, 64, 64\)"):
        Dsprites().load(tmp_path)


def test_damaged_archive_is_refused(cache_folder: Path, tmp_path: Path, small_grid: np.ndarray) -> None:
    path = tmp_path / ARCHIVE.name
    np.savez_compressed(path, imgs=small_grid)
    content = bytearray(path.read_bytes())
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UsageError, match="truncated or damaged"):
        Dsprites().load(tmp_path)
    middle = len(content) // 2
    content[middle : middle + 100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"damaged|not the published"):
        Dsprites().load(tmp_path)


def test_nothing_is_downloaded(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pooch

    monkeypatch.setattr(pooch, "retrieve", lambda *_, **__: pytest.fail("dsprites downloaded something"))
    Dsprites(settings(stride=[1, 3, 8, 8, 8])).load()
