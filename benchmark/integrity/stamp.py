"""Safetensors files that carry the sha256 of themselves: the digest of all their bytes with zeros in its own place."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from benchmark.errors import BenchmarkError

KEY = "sha256"
BLANK = "0" * 64
"""What the header's metadata hold under KEY before the digest is known."""
PLACE = re.compile(rb'"sha256":"([0-9a-f]{64})"')
PIECE = 2**20


def stamp(path: Path) -> None:
    """Write a file's digest over the zeros that its metadata hold under KEY."""
    start = _place(path)
    with path.open("r+b") as file:
        file.seek(start)
        file.write(_digest(path, start).encode())


def check_stamp(path: Path) -> None:
    """Raise `BenchmarkError` where a file is not what its own digest says, or has none."""
    start = _place(path)
    with path.open("rb") as file:
        file.seek(start)
        said = file.read(len(BLANK)).decode(errors="replace")
    if said != _digest(path, start):
        raise BenchmarkError(f"{path} was altered or cut short: its sha256 is not what it says itself")


def _place(path: Path) -> int:
    """Where in a file its digest begins."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        found = PLACE.search(file.read(min(length, path.stat().st_size)))
    if found is None:
        raise BenchmarkError(f"{path} was altered or is of an older version: it does not say its own sha256")
    return 8 + found.start(1)


def _digest(path: Path, start: int) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        head = bytearray(file.read(start + len(BLANK)))
        head[start : start + len(BLANK)] = BLANK.encode()
        found.update(head)
        while piece := file.read(PIECE):
            found.update(piece)
    return found.hexdigest()
