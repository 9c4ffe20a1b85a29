"""MATLAB 5 files read by their structure are those of scipy; what is damaged is a sentence, never a dead process."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from benchmark.datasets._matlab import read_bytes
from benchmark.datasets.cars3d import _images, _matlab_files
from benchmark.errors import UsageError

PIXELS = np.random.default_rng(0).integers(256, size=(4, 5, 3, 2, 2), dtype=np.uint8)


def matlab(compressed: bool, **arrays: np.ndarray) -> bytes:
    savemat(file := io.BytesIO(), arrays, do_compression=compressed)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("pixels", [PIXELS, PIXELS[:1, :1, 0, 0, 0], PIXELS[:0, :, 0, 0, 0]])
def test_the_same_numbers_as_scipy(compressed, pixels):
    content = matlab(compressed, first=np.eye(3), text="a word", im=pixels)
    np.testing.assert_array_equal(read_bytes(content, "im"), loadmat(io.BytesIO(content))["im"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"MATLAB", "no MATLAB 5 file"),
        (matlab(False, other=PIXELS), "no array im"),
        (matlab(False, im=PIXELS.astype(float)), "no unsigned bytes"),
        (matlab(False, im=PIXELS)[:-1], "beyond the end"),
        (matlab(True, im=PIXELS)[:-5], "beyond the end"),
    ],
)
def test_what_is_none(content, said):
    with pytest.raises(ValueError, match=said):
        read_bytes(content, "im")


def test_every_bit_of_the_structure():
    """Each bit outside the pixels, flipped: the same numbers, others of as many, or a sentence."""
    content = matlab(False, im=PIXELS)
    start = content.index(PIXELS.tobytes(order="F"))
    ends = set()
    for bit in range(128 * 8, start * 8):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            ends.add(read_bytes(bytes(changed), "im").size)
        except ValueError:
            ends.add(-1)
    assert ends == {-1, PIXELS.size}


def test_an_altered_archive_of_cars_is_seen(tmp_path: Path):
    """A bit of the pixels unpacks to other pixels: only the checksum at the very end tells."""
    with tarfile.open(fileobj=(packed := io.BytesIO()), mode="w") as archive:
        for number in range(2):
            content = matlab(False, im=PIXELS + np.uint8(number))
            entry = tarfile.TarInfo(f"data/cars/{number}.mat")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    whole = gzip.compress(packed.getvalue(), compresslevel=0)
    path = tmp_path / "cars.tar.gz"
    path.write_bytes(whole)
    cars = [_images(path, name, content) for name, content in _matlab_files(path)]
    np.testing.assert_array_equal(cars[1], PIXELS + np.uint8(1))
    start = whole.index((PIXELS + np.uint8(1)).tobytes(order="F"))
    for at in range(start, start + PIXELS.size, 7):
        changed = bytearray(whole)
        changed[at] ^= 4
        path.write_bytes(changed)
        with pytest.raises(UsageError, match="CRC check failed"):
            list(_matlab_files(path))
