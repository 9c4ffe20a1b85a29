"""Arrays of bytes from MATLAB 5 files, read by their structure: a bit in one can kill a process inside scipy.

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


def _unpacked(element: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(element, LIMIT)
    except zlib.error as error:
        raise ValueError(f"a compressed element is damaged: {error}") from None
    if not unpacker.eof:
        raise ValueError("a compressed element is cut short, or unpacks to over 256 MB")
    return content
