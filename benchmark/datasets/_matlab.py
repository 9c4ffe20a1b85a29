"""Arrays from MATLAB 5 files, read by their structure: a bit in one can kill a process inside scipy.

The format is MathWorks' "MAT-File Format" (level 5): a header of 128 bytes, then elements, each a type, a size and so
many bytes, filled up to a multiple of eight; a small one keeps its content in its tag. An array is an element of
elements: flags, sizes, name and numbers, perhaps compressed as a whole.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from math import prod

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

HEADER = 128
BYTES, MATRIX, COMPRESSED = 2, 14, 15
"""Types of elements: unsigned bytes, an array, a compressed element."""
UINT8 = 9
"""The class of an array of unsigned bytes."""
LIMIT = 2**28
"""Bytes of the largest array that is unpacked."""
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""How the numbers of an element are written, by its type: the smallest that holds them."""
NUMBERS = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
"""What the numbers of an array are, by its class."""
CELL, CHARACTERS = 1, 4
OTHERS = {2: "a struct", 3: "an object", 5: "a sparse matrix"}
"""Classes of arrays that are not read."""
COMPLEX = 0x0800
MOST = 2**30
"""Bytes of all arrays of a file together."""
MOST_NAMES = 10_000
"""Of a cell."""
TEXT = {**{kind: STORED[kind] for kind in (2, 4)}, 16: "utf-8", 17: "u2", 18: "u4"}
"""How characters are written, by an element's type."""


def read_bytes(content: bytes, name: str) -> UInt8[ndarray, ...]:
    """The named array of a file. Raises `ValueError` where there is none of bytes, and where the file is damaged."""
    if len(content) < HEADER or content[126:128] not in (b"IM", b"MI"):
        raise ValueError("no MATLAB 5 file")
    order = "<" if content[126:128] == b"IM" else ">"
    for kind, element in _elements(content[HEADER:], order):
        if kind == COMPRESSED:
            kind, element = next(_elements(_unpacked(element), order), (0, b""))
        if kind == MATRIX:
            parts = list(_elements(element, order))
            if len(parts) >= 4 and parts[2][1] == name.encode():
                return _array(parts, order)
    raise ValueError(f"no array {name}")


def read_variables(content: bytes) -> dict[str, ndarray | str]:
    """All arrays of a file under their names: numbers as they were, characters and cells of them as strings (m).

    What is neither is said in words in its place, such as "a struct". Raises `ValueError` where the file is damaged.
    """
    if len(content) < HEADER or content[126:128] not in (b"IM", b"MI"):
        raise ValueError("it does not begin as one")
    order = "<" if content[126:128] == b"IM" else ">"
    found: dict[str, ndarray | str] = {}
    left = MOST
    for kind, element in _elements(content[HEADER:], order):
        if kind == COMPRESSED:
            kind, element = next(_elements(_unpacked(element, MOST), order), (0, b""))
        if kind != MATRIX:
            continue
        left -= len(element)
        if left < 0:
            raise ValueError(f"its arrays take over {MOST >> 30} GiB")
        parts = list(_elements(element, order))
        if len(parts) >= 3:
            name = parts[2][1].decode("ascii", "replace")
            if name:  # without one it is what functions and objects leave behind
                found[name] = _value(parts, order)
    return found


def _value(parts: list[tuple[int, bytes]], order: str) -> ndarray | str:
    """An array from its flags, sizes, name and content."""
    (_, flags), (_, sizes) = parts[:2]
    if len(flags) != 8 or len(sizes) % 4 or not 8 <= len(sizes) <= 128:
        raise ValueError("an array has no flags or sizes")
    (flag,) = struct.unpack(f"{order}I", flags[:4])
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    if min(shape) < 0:
        raise ValueError(f"an array has the sizes {shape[:8]}")
    kind = flag & 0xFF
    if kind == CELL:
        return _words(parts[3:], prod(shape), order)
    if flag & COMPLEX:
        return "complex numbers"
    if kind in OTHERS or (kind not in NUMBERS and kind != CHARACTERS):
        return OTHERS.get(kind, f"an array of class {kind}")
    stored, numbers = parts[3] if len(parts) > 3 else (0, b"")
    if kind == CHARACTERS:
        return _text(stored, numbers, shape, order)
    if stored not in STORED or prod(shape) * int(STORED[stored][1]) != len(numbers):
        raise ValueError(f"its sizes {shape[:8]} are not those of {len(numbers):,} bytes of type {stored}")
    array = np.frombuffer(numbers, order + STORED[stored]).reshape(shape, order="F")
    return array.astype(NUMBERS[kind])


def _words(elements: list[tuple[int, bytes]], count: int, order: str) -> ndarray | str:
    """A cell of names, or what it is instead."""
    if len(elements) != count or count > MOST_NAMES:
        return f"a cell of {count:,}"
    words = []
    for kind, element in elements:
        parts = list(_elements(element, order)) if kind == MATRIX else []
        value = _value(parts, order) if len(parts) >= 3 else None
        if not isinstance(value, ndarray) or value.dtype.kind != "U" or len(value) > 1:
            return f"a cell of {count:,} that are not all names"
        words.append(str(value[0]) if len(value) else "")
    return np.array(words, dtype=str)


def _text(stored: int, content: bytes, shape: tuple[int, ...], order: str) -> ndarray:
    """The rows of a matrix of characters, without the spaces that fill them."""
    if stored not in TEXT or len(shape) != 2:
        raise ValueError(f"characters of type {stored} and sizes {shape[:8]}")
    if TEXT[stored] == "utf-8":
        letters = list(content.decode("utf-8", "replace"))
    else:
        if len(content) % int(TEXT[stored][1]):
            raise ValueError("characters are cut short")
        points = np.frombuffer(content, order + TEXT[stored]).tolist()
        letters = [chr(point) if point < 0xD800 or 0xDFFF < point < 0x110000 else "\ufffd" for point in points]
    if len(letters) != prod(shape):
        raise ValueError(f"{len(letters):,} characters for sizes {shape}")
    rows = range(shape[0])
    return np.array(["".join(letters[row :: shape[0]]).rstrip() for row in rows], dtype=str)


def _array(parts: list[tuple[int, bytes]], order: str) -> UInt8[ndarray, ...]:
    (_, flags), (_, sizes), _, (kind, numbers) = parts[:4]
    if len(flags) != 8 or struct.unpack(f"{order}I", flags[:4])[0] & 0xFF != UINT8 or kind != BYTES or len(sizes) % 4:
        raise ValueError("its numbers are no unsigned bytes")
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    if min(shape, default=-1) < 0 or len(shape) > 32 or prod(shape) != len(numbers):
        raise ValueError(f"its sizes {shape[:8]} are not those of {len(numbers):,} bytes")
    return np.frombuffer(numbers, np.uint8).reshape(shape, order="F")


def _elements(content: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type and content of each element. Raises `ValueError` where one goes beyond the end."""
    at = 0
    while at + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}II", content, at)
        small = kind >> 16
        start, size, kind = (at + 4, small, kind & 0xFFFF) if small else (at + 8, size, kind)
        if start + size > len(content) or (small and size > 4):
            raise ValueError(f"an element of {size:,} bytes goes beyond the end")
        yield kind, content[start : start + size]
        at = at + 8 if small else start + size + (0 if kind == COMPRESSED else -size % 8)


def _unpacked(element: bytes, limit: int = LIMIT) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(element, limit)
    except zlib.error as error:
        raise ValueError(f"a compressed element is damaged: {error}") from None
    if not unpacker.eof:
        raise ValueError(f"a compressed element is cut short, or unpacks to over {limit >> 20:,} MB")
    return content
