"""The idx format of the MNIST files: a magic number, the sizes, then bytes (yann.lecun.com/exdb/mnist)."""

from __future__ import annotations

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from benchmark.errors import UsageError


def read_idx(path: Path) -> UInt8[ndarray, ...]:
    """Read a gzipped idx file of unsigned bytes. Raises `UsageError` where it is truncated or of another format."""
    try:
        with gzip.open(path) as file:
            content = file.read()
    except (EOFError, OSError, zlib.error) as error:
        raise UsageError(f"{path} is truncated or damaged ({error}); delete it and fetch it again") from None
    # Two zero bytes, 8 for unsigned bytes, the number of dimensions; then each size, high byte first.
    if len(content) < 4 or content[:3] != b"\0\0\x08" or content[3] > 32 or len(content) < 4 + 4 * content[3]:
        raise UsageError(f"{path} is no idx file of unsigned bytes; delete it and fetch it again")
    shape = struct.unpack_from(f">{content[3]}I", content, 4)
    start = 4 + 4 * len(shape)
    if len(content) - start != prod(shape):
        raise UsageError(f"{path} holds {len(content) - start} bytes, its header says {prod(shape)}; fetch it again")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
