"""The arrays that an archive keeps to draw its runs: small, whole, and nothing that unpacks to more or runs code."""

import io
import re
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from benchmark.archive.manifest import LARGEST
from benchmark.archive.weights import arrays_of, compressed
from benchmark.errors import UsageError


def holding(content: bytes) -> SimpleNamespace:
    """An archive whose one configuration is drawn from this file."""
    return SimpleNamespace(place=SimpleNamespace(where="here"), holds=lambda name: True, read=lambda name: content)


def test_arrays_come_back_and_empty_pictures_take_no_room():
    pictures = np.zeros((10, 10, 1, 64, 64), np.uint8)
    pictures[..., 20:40, 20:40] = 255
    arrays = {"picture_traversals": pictures, "explorer_range": np.float32([[-1, 1]]), "alone": np.array(3.5)}
    content = compressed(arrays)
    assert len(content) < pictures.nbytes / 50 and compressed(dict(reversed(arrays.items()))) == content
    found = arrays_of(holding(content), "abc")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)
    assert arrays_of(SimpleNamespace(holds=lambda name: False), "abc") == {}


def bomb() -> bytes:
    """70 kB that unpack to more than a file of an archive may hold."""
    return compressed({"codes": np.zeros(LARGEST + 1, np.uint8)})


def pickled() -> bytes:
    file = io.BytesIO()
    np.savez(file, codes=np.array([{"any": "thing"}], dtype=object))
    return file.getvalue()


def boundless() -> bytes:
    """An array that says that it has 10¹⁶ numbers."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**16,)})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("codes.npy", header.getvalue())
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bomb(), "unpacked they would be more than 64 MiB)"),
        (pickled(), "Object arrays cannot be loaded"),
        (boundless(), ""),
        (compressed({"codes": np.arange(1000)})[:-200], "File is not a zip file"),
        (b"no arrays at all", "File is not a zip file"),
    ],
    ids=["bomb", "pickled", "boundless", "cut", "text"],
)
def test_a_file_that_holds_no_arrays_is_refused_by_name(content, reason):
    with pytest.raises(UsageError, match=re.escape("here: explorers/abc.npz cannot be read as arrays (" + reason)):
        arrays_of(holding(content), "abc")
