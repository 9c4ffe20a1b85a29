"""The sha256 of files: what a run's record and a suite's seal say of the files beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

Digests = dict[str, str]
"""The sha256 of files by their paths relative to a folder, with forward slashes."""

_known: dict[tuple[str, int, int, int, int], str] = {}


def file_digest(path: Path) -> str:
    """The sha256 of a file; read once in a process while its size, times and place on the disk stay the same."""
    state = path.stat()
    key = (str(path), state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
    if key not in _known:
        with path.open("rb") as file:
            _known[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _known[key]


def forget() -> None:
    """Read every file again from now on."""
    _known.clear()


def digests_of(folder: Path, paths: Iterable[Path]) -> Digests:
    """The digests of files in a folder."""
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in sorted(paths)}


def differing(folder: Path, expected: Mapping[str, object]) -> list[tuple[str, str]]:
    """The files that are not what their digests say, each with how they differ."""
    found = []
    for name, digest in expected.items():
        path = folder / name
        if not path.is_file():
            found.append((name, "is missing"))
        elif file_digest(path) != digest:
            found.append((name, "is not what it was when it was written: its sha256 is another"))
    return found


def is_inside(name: object) -> bool:
    """Whether a name of a file stays inside the folder that it is relative to."""
    return isinstance(name, str) and not name.startswith("/") and ".." not in name.split("/")
