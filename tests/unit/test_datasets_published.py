"""The field's other sets, read from small files in their authors' formats."""

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from benchmark.datasets._alignment import alike
from benchmark.datasets._dataset import Data
from benchmark.datasets._files import RemoteFile, fetch
from benchmark.datasets._published import PublishedGrid, resized
from benchmark.datasets.cars3d import Cars3d
from benchmark.datasets.dsprites import Dsprites
from benchmark.datasets.falcor3d import Falcor3d
from benchmark.datasets.isaac3d import Isaac3d
from benchmark.datasets.mpi3d import Mpi3d
from benchmark.datasets.mpi3d_complex import Mpi3dComplex
from benchmark.datasets.shapes3d import Shapes3d
from benchmark.datasets.smallnorb import PARTS, Smallnorb, read_matrix
from benchmark.errors import UsageError

RNG = np.random.default_rng(0)
PUBLISHED = {
    Cars3d: (17_568, (3, 64, 64)),
    Smallnorb: (48_600, (1, 64, 64)),
    Shapes3d: (480_000, (3, 64, 64)),
    Mpi3d: (1_036_800, (3, 64, 64)),
    Mpi3dComplex: (460_800, (3, 64, 64)),
}

BY_HAND = {Isaac3d: (737_280, (3, 64, 64)), Falcor3d: (233_280, (3, 64, 64))}


def load(dataset: type[PublishedGrid], folder: Path, **values: object) -> Data:
    return dataset(dataset.Settings.read(values, "dataset")).load(folder)


def shrink(monkeypatch: pytest.MonkeyPatch, dataset: type[PublishedGrid], *sizes: int) -> np.ndarray:
    """Cut a set down to a few values of each factor, unpinned and in small blocks; returns its grid of factors."""
    monkeypatch.setattr(dataset, "factor_sizes", sizes)
    unpinned = tuple(RemoteFile(file.folder, file.name, "http://unused", None) for file in dataset.files)
    monkeypatch.setattr(dataset, "files", unpinned)
    for module in ("_published", "smallnorb", "shapes3d"):
        monkeypatch.setattr(f"benchmark.datasets.{module}.BLOCK", 7)
    return np.indices(sizes).reshape(len(sizes), -1).T


def pictures(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, np.uint8)


def assert_grid(data: Data, expected: np.ndarray, factors: np.ndarray) -> None:
    np.testing.assert_array_equal(data.images[:], expected)
    np.testing.assert_array_equal(data.factors, factors)
    assert (data.grid, data.maximum) == (True, 255)
    np.testing.assert_array_equal(data.training_rows, np.arange(len(factors)))
    np.testing.assert_array_equal(data.evaluation_rows, np.arange(len(factors)))
    rows = np.array([4, 1, 1])
    np.testing.assert_array_equal(data.images[rows], expected[rows])


# What all share.


@pytest.mark.parametrize("dataset", PUBLISHED | BY_HAND)
def test_names_and_sizes(dataset: type[PublishedGrid]) -> None:
    count, shape = (PUBLISHED | BY_HAND)[dataset]
    assert prod(dataset.factor_sizes) == count
    assert len(dataset.factor_names) == len(dataset.factor_sizes) == len(set(dataset.factor_names))
    assert dataset().image_shape == shape
    for file in dataset.files:
        assert file.folder == dataset.name
        assert file.by_hand or all(url.endswith(file.name) for url in (file.url, *file.mirrors))


@pytest.mark.parametrize("dataset", PUBLISHED)
def test_absent_and_no_network_says_what_to_do(
    dataset: type[PublishedGrid], cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    def refuse(*_: object, **__: object) -> None:
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(requests.Session, "request", refuse)
    wanted = dataset().wanted()[0]
    with pytest.raises(UsageError) as raised:
        load(dataset, tmp_path / "given")
    message = str(raised.value)
    assert message.startswith(f"{dataset.name} needs {wanted.name}, which is in none of these places:")
    for root in (tmp_path / "given", cache_folder):
        assert str(root / dataset.name / wanted.name) in message
    for url in (wanted.url, *wanted.mirrors):
        assert f"{url} could not be downloaded: no route to host" in message
    assert f"`benchmark data fetch {dataset.name}`" in message


def test_a_kind_needs_its_own_file_and_says_how_to_fetch_it(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    def refuse(*_: object, **__: object) -> None:
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(requests.Session, "request", refuse)
    toy = Mpi3d(Mpi3d.Settings(kind="toy"))
    assert [file.name for file in toy.wanted()] == ["mpi3d_toy.npz"]
    with pytest.raises(UsageError, match="`benchmark data fetch mpi3d --set kind=toy`"):
        toy.load(tmp_path)


@pytest.mark.parametrize("dataset", [Smallnorb, Shapes3d])
def test_pinned_files_of_other_content_are_refused(
    dataset: type[PublishedGrid], cache_folder: Path, tmp_path: Path
) -> None:
    for file in dataset.files:
        assert file.sha256 is not None and len(file.sha256) == 64
        (tmp_path / file.name).write_bytes(b"another")
    with pytest.raises(UsageError, match=r"is not the published file: expected sha256"):
        load(dataset, tmp_path)


def test_smaller_images_are_averages_over_area() -> None:
    # From three pixels to two: each new one is a whole old one and half of the middle, over 1½.
    image = np.array([[0, 30, 60], [90, 120, 150], [180, 210, 240]], np.uint8)
    expected = [[(0 + 15 + 45 + 30) / 2.25, (60 + 15 + 75 + 30) / 2.25], [150 + 10, 150 + 50]]
    np.testing.assert_array_equal(resized(image[None, None], 2)[0, 0], expected)
    blocks = pictures(5, 3, 8, 8)
    means = blocks.reshape(5, 3, 4, 2, 4, 2).mean(axis=(3, 5))
    assert abs(resized(blocks, 4) - means).max() <= 0.5
    np.testing.assert_array_equal(resized(blocks, 8), blocks)
    assert (resized(np.full((2, 1, 96, 96), 255, np.uint8), 64) == 255).all()


# cars3d


def car(images: np.ndarray, name: str = "im") -> bytes:
    """One car's file; `images` (elevation azimuth 3 128 128)."""
    content = io.BytesIO()
    mask = np.zeros((128, 128, images.shape[1], images.shape[0]), np.uint8)
    savemat(content, {name: images.transpose(3, 4, 2, 1, 0), "mask": mask}, do_compression=True)
    return content.getvalue()


def tar(path: Path, contents: Mapping[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.fixture
def cars(cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, np.ndarray, Path]:
    """Two elevations, three azimuths and two cars: images (2 3 2 3 128 128), their factors, and the archive."""
    factors = shrink(monkeypatch, Cars3d, 2, 3, 2)
    images = pictures(2, 3, 2, 3, 128, 128)
    path = tmp_path / Cars3d.files[0].name
    others = {"data/cars/list.txt": b"car_002_mesh\ncar_001_mesh\n", "data/sprites/sprites_1.mat": b"not read"}
    tar(path, {f"data/cars/car_00{k + 1}_mesh.mat": car(images[:, :, k]) for k in (1, 0)} | others)
    return images, factors, path


def test_cars3d_in_c_order(cars: tuple[np.ndarray, np.ndarray, Path], tmp_path: Path) -> None:
    images, factors, _ = cars
    data = load(Cars3d, tmp_path, resolution=128)
    assert_grid(data, images.reshape(-1, 3, 128, 128), factors)
    assert (data.factor_names, data.shape) == (("elevation", "azimuth", "object_type"), (3, 128, 128))
    halves = images.reshape(-1, 3, 64, 2, 64, 2).mean(axis=(3, 5))
    assert abs(load(Cars3d, tmp_path).images[:] - halves).max() <= 0.5
    assert load(Cars3d, tmp_path, resolution=32).shape == (3, 32, 32)


def test_unpacked_once_and_again_for_another_archive(
    cars: tuple[np.ndarray, np.ndarray, Path], cache_folder: Path, tmp_path: Path
) -> None:
    images, _, path = cars
    first = load(Cars3d, tmp_path).images
    assert isinstance(first, np.memmap)
    (unpacked,) = (cache_folder / "cars3d").iterdir()
    written = unpacked.stat().st_mtime_ns
    np.testing.assert_array_equal(load(Cars3d, tmp_path).images[:], first[:])
    assert unpacked.stat().st_mtime_ns == written
    tar(path, {f"data/cars/car_00{k}_mesh.mat": car(255 - images[:, :, k]) for k in (0, 1)})
    assert abs(load(Cars3d, tmp_path).images[:].astype(int) - (255 - first[:].astype(int))).max() <= 1
    assert len(list((cache_folder / "cars3d").iterdir())) == 2


def test_wrong_archives_of_cars_are_named(
    cars: tuple[np.ndarray, np.ndarray, Path], cache_folder: Path, tmp_path: Path
) -> None:
    images, _, path = cars
    one = car(images[:, :, 0])
    content = path.read_bytes()
    wrong: list[tuple[bytes | dict[str, bytes], str]] = [
        (content[: len(content) // 2], r"truncated or damaged|holds \d cars"),
        (b"", "truncated or damaged"),
        (b"no archive at all", "truncated or damaged"),
        ({"data/cars/a.mat": one}, "holds 1 cars in data/cars, not 2"),
        ({"data/cars/a.mat": car(images[:1, :, 0])}, r"im of a.mat is uint8 \(128, 128, 3, 3, 1\)"),
        ({"data/cars/a.mat": car(images[:, :, 0], name="other")}, "a.mat is no MATLAB file with an array `im`"),
        ({"data/cars/a.mat": b"x" * 200}, "a.mat is no MATLAB file"),
        ({"data/cars/a.mat": b""}, "a.mat is no MATLAB file"),
        ({"data/cars/a.mat": one[: len(one) // 2]}, "a.mat is no MATLAB file"),
    ]
    for archive, message in wrong:
        if isinstance(archive, bytes):
            path.write_bytes(archive)
        else:
            tar(path, archive)
        with pytest.raises(UsageError, match=message) as raised:
            load(Cars3d, tmp_path)
        assert str(path) in str(raised.value)
        assert not list(cache_folder.glob("cars3d/*"))


# smallnorb


def matrix(array: np.ndarray) -> bytes:
    """The NORB format; arrays of fewer than three dimensions are padded with sizes of 1."""
    magic = {"uint8": 0x1E3D4C55, "int32": 0x1E3D4C54}[array.dtype.name]
    sizes = (*array.shape, 1, 1)[: max(3, array.ndim)]
    return struct.pack(f"<II{len(sizes)}I", magic, array.ndim, *sizes) + array.astype(array.dtype, order="C").tobytes()


def write_norb(folder: Path, part: str, images: np.ndarray, factors: np.ndarray) -> None:
    """One part's three files; `factors` (n 5) are indices, azimuths are written as even numbers."""
    pairs = np.stack([images, 255 - images], axis=1)
    info = (factors[:, 1:] * [1, 1, 2, 1]).astype(np.int32)
    for kind, array in (("dat", pairs), ("cat", factors[:, 0].astype(np.int32)), ("info", info)):
        (folder / f"{part}-{kind}.mat.gz").write_bytes(gzip.compress(matrix(array)))


@pytest.fixture
def norb(cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, np.ndarray]:
    """Two categories of three instances, seen 2 × 3 × 2 times: images (72 96 96) and factors (72 5)."""
    factors = shrink(monkeypatch, Smallnorb, 2, 3, 2, 3, 2)
    images = pictures(72, 96, 96)
    training = factors[:, 1] == 1
    for part, chosen in zip(PARTS, (training, ~training), strict=True):
        rows = RNG.permutation(np.flatnonzero(chosen))
        write_norb(tmp_path, part, images[rows], factors[rows])
    return images, factors


def test_smallnorb_is_both_parts_in_c_order(norb: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    images, factors = norb
    data = load(Smallnorb, tmp_path, resolution=96)
    assert_grid(data, images[:, None], factors)
    assert data.factor_names == ("category", "instance", "elevation", "azimuth", "lighting")
    smaller = load(Smallnorb, tmp_path).images[:]
    np.testing.assert_array_equal(smaller, resized(images[:, None], 64))
    assert smaller.shape == (72, 1, 64, 64)


@pytest.mark.parametrize("array", [pictures(7), pictures(2, 5), pictures(2, 3, 2, 2), np.arange(-3, 3, dtype=np.int32)])
def test_norb_matrix_gives_the_array_that_was_written(tmp_path: Path, array: np.ndarray) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(matrix(array)))
    read = read_matrix(tmp_path / "a.gz")
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(matrix(pictures(50)))[:-9], "truncated or damaged"),
        (matrix(pictures(50)), "truncated or damaged"),
        (gzip.compress(b""), "no NORB matrix"),
        (gzip.compress(struct.pack("<IIIII", 0x1E3D4C52, 1, 3, 1, 1) + b"abc"), "no NORB matrix"),
        (gzip.compress(matrix(pictures(50))[:18]), "no NORB matrix"),
        (gzip.compress(matrix(pictures(50))[:-1]), r"holds 49 bytes, its header says \(50,\) uint8"),
    ],
)
def test_wrong_norb_matrices_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=f"{path}.*{message}"):
        read_matrix(path)


def test_wrong_factors_of_norb_are_named(norb: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    images, factors = norb
    chosen = factors[:, 1] == 1
    part = next(iter(PARTS))
    twice = factors[chosen].copy()
    twice[0] = twice[1]
    for wrong, message in (
        (twice, "do not name every combination of factors once"),
        (factors[chosen] + [0, 0, 0, 0, 1], "factors out of range"),
        (factors[chosen][:-1], r"hold \(24, 2, 96, 96\), \(23,\) and \(23, 4\)"),
    ):
        write_norb(tmp_path, part, images[chosen], wrong)
        with pytest.raises(UsageError, match=message):
            load(Smallnorb, tmp_path)


# shapes3d


def test_shapes3d_without_h5py_says_what_to_install(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, Shapes3d, 2, 1, 2, 2, 1, 3)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    (tmp_path / "3dshapes.h5").write_bytes(b"not opened")
    with pytest.raises(UsageError, match="pip install h5py"):
        load(Shapes3d, tmp_path)


def write_shapes(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=images, compression="gzip")
        file.create_dataset("labels", data=labels)


@pytest.fixture
def shapes(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """24 images as published (24 64 64 3), their labels (24 6) as values, and the same as indices."""
    pytest.importorskip("h5py")
    factors = shrink(monkeypatch, Shapes3d, 2, 1, 2, 2, 1, 3)
    steps, starts = [0.1, 0.1, 0.1, 0.5 / 7, 1, 60 / 14], [0, 0, 0, 0.75, 0, -30]
    return pictures(24, 64, 64, 3), starts + factors * steps, factors


def test_shapes3d(shapes: tuple[np.ndarray, np.ndarray, np.ndarray], tmp_path: Path) -> None:
    images, labels, factors = shapes
    write_shapes(tmp_path / "3dshapes.h5", images, labels)
    data = load(Shapes3d, tmp_path)
    assert_grid(data, images.transpose(0, 3, 1, 2), factors)
    assert data.factor_names == ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")


def test_wrong_shapes3d_is_named(shapes: tuple[np.ndarray, np.ndarray, np.ndarray], tmp_path: Path) -> None:
    images, labels, _ = shapes
    path = tmp_path / "3dshapes.h5"
    for wrong, values in ((images, labels[::-1]), (images, labels[:, :5]), (images[1:], labels), (images / 2, labels)):
        write_shapes(path, wrong, values)
        with pytest.raises(UsageError, match=r"images is .*, or labels are in another order") as raised:
            load(Shapes3d, tmp_path)
        assert str(path) in str(raised.value)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"something else"):
        path.write_bytes(damaged)
        with pytest.raises(UsageError, match=r"3dshapes\.h5 is damaged, or is not the published file"):
            load(Shapes3d, tmp_path)


# mpi3d

MPI_SIZES = (2, 1, 2, 1, 2, 2, 3)


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_mpi3d(cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flat: bool, save: object) -> None:
    factors = shrink(monkeypatch, Mpi3d, *MPI_SIZES)
    kinds = {kind: pictures(48, 64, 64, 3) for kind in ("toy", "realistic", "real")}
    for kind, images in kinds.items():
        given = images if flat else images.reshape(*MPI_SIZES, 64, 64, 3)
        save(tmp_path / f"mpi3d_{kind}.npz", images=given)  # type: ignore[operator]
    for kind, images in kinds.items():
        assert_grid(load(Mpi3d, tmp_path, kind=kind), images.transpose(0, 3, 1, 2), factors)
    np.testing.assert_array_equal(load(Mpi3d, tmp_path).images[:], kinds["real"].transpose(0, 3, 1, 2))


def test_mpi3d_needs_the_file_of_its_kind_alone(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, Mpi3d, *MPI_SIZES)
    np.savez(tmp_path / "mpi3d_toy.npz", images=pictures(48, 64, 64, 3))
    assert load(Mpi3d, tmp_path, kind="toy").shape == (3, 64, 64)
    with pytest.raises(UsageError, match=r"mpi3d needs mpi3d_real\.npz"):
        load(Mpi3d, tmp_path)
    with pytest.raises(UsageError, match=r"dataset\.kind"):
        load(Mpi3d, tmp_path, kind="complex")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": pictures(48, 64, 64, 3)}, "must hold an array `images`; it holds pictures"),
        ({"images": pictures(47, 64, 64, 3)}, r"images is uint8 \(47, 64, 64, 3\), expected uint8 \(48, 64, 64, 3\)"),
        ({"images": pictures(48, 3, 64, 64)}, r"images is uint8 \(48, 3, 64, 64\)"),
        ({"images": np.zeros((48, 64, 64, 3), np.float32)}, "images is float32"),
        ({"images": np.array([{}] * 48)}, "images is object"),
    ],
)
def test_wrong_mpi3d_is_named(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrays: dict[str, np.ndarray], message: str
) -> None:
    shrink(monkeypatch, Mpi3d, *MPI_SIZES)
    path = tmp_path / "mpi3d_real.npz"
    np.savez(path, **arrays)
    with pytest.raises(UsageError, match=message) as raised:
        load(Mpi3d, tmp_path)
    assert str(path) in str(raised.value)


def test_truncated_mpi3d_is_named_and_leaves_nothing(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, Mpi3d, *MPI_SIZES)
    path = tmp_path / "mpi3d_real.npz"
    np.savez(path, images=pictures(48, 64, 64, 3))
    content = bytearray(path.read_bytes())
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UsageError, match="truncated or damaged"):
        load(Mpi3d, tmp_path)
    content[5_000:5_100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(UsageError, match="damaged"):
        load(Mpi3d, tmp_path)
    assert not list(cache_folder.glob("mpi3d/*"))


def test_mpi3d_complex(cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    factors = shrink(monkeypatch, Mpi3dComplex, *MPI_SIZES)
    images = pictures(48, 64, 64, 3)
    np.savez(tmp_path / "real3d_complicated_shapes_ordered.npz", images=images)
    data = load(Mpi3dComplex, tmp_path)
    assert_grid(data, images.transpose(0, 3, 1, 2), factors)
    assert data.factor_names == Mpi3d.factor_names


def scene(factors: np.ndarray, side: int = 64) -> np.ndarray:
    """A background of one colour, a square of another size and place, brighter or darker: images (N h w 3)."""
    images = np.zeros((len(factors), side, side, 3), np.uint8)
    for image, (colour, ground, size, x, y) in zip(images, factors[:, [0, 4, 2, 5, 6]], strict=True):
        image[:] = (40 + 60 * ground, 90, 60)
        image[5 + 4 * y : 13 + 4 * y + 3 * size, 5 + 4 * x : 13 + 4 * x + 3 * size] = (200, 60 * colour, 200)
    return images


def test_a_shuffled_or_turned_archive_is_noticed(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The images of an archive in another order than its factors are refused at the first use, and nothing is left."""
    sizes = (3, 1, 2, 1, 3, 10, 8)
    factors = shrink(monkeypatch, Mpi3dComplex, *sizes)
    monkeypatch.setattr("benchmark.datasets._published.BLOCK", 500)
    images, path = scene(factors), tmp_path / "real3d_complicated_shapes_ordered.npz"
    rng = np.random.default_rng(0)
    half = np.arange(len(images))
    half[::2] = rng.permutation(half[::2])
    turned = np.arange(len(images)).reshape(sizes).T.reshape(-1)
    for order in (rng.permutation(len(images)), half, turned):
        np.savez(path, images=images[order])
        with pytest.raises(UsageError, match="they are in another order than the factors") as raised:
            load(Mpi3dComplex, tmp_path)
        assert str(path) in str(raised.value)
        assert not list(cache_folder.glob("mpi3d_complex/*"))
    np.savez(path, images=images)
    assert_grid(load(Mpi3dComplex, tmp_path), images.transpose(0, 3, 1, 2), factors)


def test_alignment_by_hand() -> None:
    """One pixel of 0 or 1 for each of ten factors: one that changes is 1 in squares, all that change are 10."""
    levels = np.indices((2,) * 10).reshape(10, -1).T
    np.testing.assert_array_equal(alike(levels[:, None, None], (2,) * 10), np.ones(10))
    rng = np.random.default_rng(0)
    assert abs(alike(rng.permutation(levels)[:, None, None], (2,) * 10).mean() - 0.5) < 0.05
    np.testing.assert_array_equal(alike(np.zeros((1_024, 1)), (2,) * 10), 0.5 * np.ones(10))


def test_dsprites_is_aligned_and_shuffled_is_not() -> None:
    data = Dsprites(Dsprites.Settings(resolution=32, stride=(1, 1, 4, 4, 4))).load()
    images = data.images[np.arange(len(data.images))]
    shares = alike(images, data.factor_sizes)
    assert shares.mean() > 0.95
    shuffled = images[np.random.default_rng(0).permutation(len(images))]
    assert alike(shuffled, data.factor_sizes).mean() < 0.55


# isaac3d and falcor3d

ROOMS = {Isaac3d: ("Isaac3D_down128", "labels.npy"), Falcor3d: ("Falcor3D_down128", "train-rec.labels")}
ROOM_SIZES = {Isaac3d: (2, 2, 1, 1, 1, 1, 1, 1, 3), Falcor3d: (2, 1, 1, 1, 2, 1, 3)}


def write_rooms(dataset: type[PublishedGrid], folder: Path, images: np.ndarray, labels: np.ndarray | None) -> Path:
    """The authors' archive: images/000000.png, … of 128 × 128 pixels, and the factors' values from 0 to 1."""
    inside, called = ROOMS[dataset]
    path = folder / dataset.files[0].name
    with zipfile.ZipFile(path, "w") as archive:
        for index in RNG.permutation(len(images)):
            content = io.BytesIO()
            Image.fromarray(images[index]).save(content, "PNG")
            archive.writestr(f"{inside}/images/{index:06}.png", content.getvalue())
        if labels is not None:
            content = io.BytesIO()
            np.save(content, labels)
            archive.writestr(f"{inside}/{called}", content.getvalue())
    return path


@pytest.mark.parametrize("dataset", ROOMS)
def test_rooms_in_their_authors_format(
    dataset: type[PublishedGrid], cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    factors = shrink(monkeypatch, dataset, *ROOM_SIZES[dataset])
    images = pictures(12, 128, 128, 3)
    labels = factors / np.maximum(np.array(ROOM_SIZES[dataset]) - 1, 1)
    path = write_rooms(dataset, tmp_path, images, labels)
    assert_grid(load(dataset, tmp_path, resolution=128), images.transpose(0, 3, 1, 2), factors)
    smaller = resized(images.transpose(0, 3, 1, 2), 64)
    np.testing.assert_array_equal(load(dataset, tmp_path).images[:], smaller)
    path.unlink()
    write_rooms(dataset, tmp_path, images, None)
    np.testing.assert_array_equal(load(dataset, tmp_path).images[:], smaller)


def test_wrong_rooms_are_named(cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    factors = shrink(monkeypatch, Isaac3d, *ROOM_SIZES[Isaac3d])
    images, path = pictures(12, 128, 128, 3), tmp_path / "Isaac3D_down128.zip"
    order = [0, *range(2, 9), 1]  # the order of another text
    for kind, labels, message in [
        (images, factors[:, order], r"labels.npy \(12, 9\) does not run through object_shape, robot_x.* in C order"),
        (images, factors[:, :8], r"labels.npy \(12, 8\) does not run"),
        (images[:11], factors, "holds 11 numbered pictures images/.*, not 12 from 0 on"),
        (images[:, :64], factors, r"000000.png is RGB of \(128, 64\) pixels"),
        (images, np.array([{}]), "labels.npy is no array"),
    ]:
        write_rooms(Isaac3d, tmp_path, kind, labels)
        with pytest.raises(UsageError, match=message) as raised:
            load(Isaac3d, tmp_path)
        assert str(path) in str(raised.value)
    whole = write_rooms(Isaac3d, tmp_path, images, None).read_bytes()
    damaged = bytearray(whole)
    damaged[60:90] = bytes(30)
    for content in (whole[: len(whole) // 2], b"", b"<html>sign in</html>", bytes(damaged)):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"is truncated or damaged|is no picture, or is damaged"):
            load(Isaac3d, tmp_path)
    assert not list(cache_folder.glob("isaac3d/*"))


def test_what_a_person_has_to_fetch_is_never_asked_for(cache_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        load(Falcor3d, tmp_path / "given")
    message = str(raised.value)
    assert "is offered by a page that a person has to answer: open https://drive.google.com/uc?" in message
    assert f"save it as {cache_folder / 'falcor3d' / 'Falcor3D_down128.zip'}" in message
    with pytest.raises(UsageError, match="and save it as"):
        fetch(Falcor3d.files)
    assert str(tmp_path / "given" / "falcor3d" / "Falcor3D_down128.zip") in message
    assert message.endswith("Put the file in one of them.") and "data fetch" not in message


def test_data_list_shows_every_set(cache_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmark.cli.files import data_list

    data_list()
    shown = capsys.readouterr().out
    for dataset in PUBLISHED:
        assert f"{dataset.name:<20}absent; benchmark data fetch {dataset.name}\n" in shown
    for dataset in BY_HAND:
        assert f"{dataset.name:<20}absent; open {dataset.files[0].url}\n" in shown
    for name in ("noisy_dsprites", "color_dsprites"):
        assert f"{name:<20}absent, drawn instead\n" in shown
    for name in ("swiss_roll", "s_curve", "triangle_disk", "synth_outliers"):
        assert f"{name:<20}no files needed\n" in shown
