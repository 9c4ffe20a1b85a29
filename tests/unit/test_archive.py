"""Archives and arrays that were altered, cut, filled up or declare more than they hold: one sentence each."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets import _archive
from benchmark.datasets._archive import read_npy, read_npz
from benchmark.errors import UsageError

ARRAY = np.arange(600.0).reshape(100, 6)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.npz"


def npy(shape: str = "(100, 6)", descr: str = "'<f8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + ARRAY.tobytes()


def zipped(path: Path, content: bytes, method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("codes.npy", content)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "array", [ARRAY, np.asfortranarray(ARRAY), np.array(5), np.zeros((0, 3)), np.array(["a", "bcd"]), ARRAY > 3]
)
def test_arrays_are_those_of_numpy(path, save, array):
    save(path, codes=array)
    found = read_npz(path, ["codes"])["codes"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    np.save(path.with_suffix(".npy"), array)
    np.testing.assert_array_equal(read_npy(path.with_suffix(".npy")), array)


def test_a_changed_checksum_or_content_is_seen(path):
    np.savez(path, codes=ARRAY)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("codes.npy")
    place = content.rindex(struct.pack("<I", info.CRC))
    for at in (place, content.index(ARRAY.tobytes()[80:160])):
        changed = content.copy()
        changed[at] ^= 1
        path.write_bytes(changed)
        with pytest.raises(UsageError, match="damaged: Bad CRC-32"):
            read_npz(path, ["codes"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (npy() + b"more", "is damaged: its header says 4,800 bytes"),
        (npy()[:-1], "is damaged: its header says 4,800 bytes"),
        (npy("(10**9,)"), "header"),
        (npy("(1000000, 1000000)"), "its header says 8,000,000,000,000 bytes"),
        (npy("(-100, -6)"), "header is damaged"),
        (npy("(100, 6"), "header is damaged"),  # its brackets never close: a TokenError of Python's
        (npy(descr="'|O'"), "cannot be read without unpickling"),
        (npy(descr="('<f8', (6,))", shape="(100,)"), "header is damaged"),
        (b"\x93NUMPY\x07\x00" + npy()[8:], "unknown version"),
        (b"", "damaged"),
    ],
)
def test_an_array_that_is_not_what_its_header_says(path, content, said):
    zipped(path, content)
    (alone := path.with_suffix(".npy")).write_bytes(content)
    for read in (lambda: read_npz(path, ["codes"]), lambda: read_npy(alone)):
        with pytest.raises(UsageError, match=said) as caught:
            read()
        assert "\n" not in str(caught.value)


def test_an_archive_that_unpacks_to_gigabytes_is_not_unpacked(path, monkeypatch):
    monkeypatch.setattr(_archive, "LIMIT", 2**20)
    np.savez_compressed(path, codes=np.zeros((2**18, 1)))
    assert path.stat().st_size < 10_000
    with pytest.raises(UsageError, match=r"`codes` takes 0\.0 GiB; arrays up to"):
        read_npz(path, ["codes"])


def test_compressed_or_encrypted_as_numpy_does_not(path):
    zipped(path, npy(), zipfile.ZIP_LZMA)
    with pytest.raises(UsageError, match="encrypted or compressed as numpy does not"):
        read_npz(path, ["codes"])
    zipped(path, npy())
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag in both headers
        content[content.index(mark) + at] |= 1
    path.write_bytes(content)
    with pytest.raises(UsageError, match="encrypted"):
        read_npz(path, ["codes"])
    zipped(path, npy())
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 99  # the version needed to unpack it
    path.write_bytes(content)
    with pytest.raises(UsageError, match="version"):
        read_npz(path, ["codes"])


def test_a_damaged_archive_of_arrays_is_named(path):
    np.savez(file := io.BytesIO(), codes=ARRAY)
    path.write_bytes(file.getvalue()[:-30])
    with pytest.raises(UsageError, match=r"a\.npz is no \.npz archive, or is truncated or damaged"):
        read_npz(path, ["codes"])


@pytest.mark.parametrize("point", [0x110000, 0xFFFFFFFF, 0xD800])
@pytest.mark.parametrize("order", ["<", ">"])
def test_text_that_is_none(path, point, order):
    names = np.array(["ab", "c"]).astype(f"{order}U2")
    np.savez(path, names=names)
    np.testing.assert_array_equal(read_npz(path, ["names"])["names"], names)
    names.view(f"{order}u4")[1] = point
    np.savez(path, names=names)
    with pytest.raises(UsageError, match="holds what is no text"):
        read_npz(path, ["names"])
