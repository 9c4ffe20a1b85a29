"""Open an archive by its name, folder, zip file or address, and read its files, each compared with its digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark import published
from benchmark.archive.manifest import MANIFEST, File, Manifest, read_manifest
from benchmark.archive.parquet import from_parquet
from benchmark.archive.places import Folder, Place, Web, Zip
from benchmark.atomic import write_atomically
from benchmark.datasets._files import cache_dir
from benchmark.errors import BenchmarkError, UsageError
from benchmark.spec import suggest

if TYPE_CHECKING:
    from pandas import DataFrame

LARGEST_MANIFEST = 4 * 2**20
VERSION = re.compile(r"[1-9]\d{0,8}", re.ASCII)
"""The name of a version's folder."""


@dataclass(frozen=True)
class Archive:
    """An archive whose archive.json was read; its files are read when they are asked for."""

    place: Place
    manifest: Manifest

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises `UsageError` where it is not listed or not there, `BenchmarkError` where it was
        altered."""
        file = self.manifest.files.get(name)
        if file is None:
            raise UsageError(f"{self.place.where} ({self.manifest.title}) holds no {name}")
        if isinstance(self.place, Web) and (kept := _kept(file)) is not None:
            return kept
        content = self.place.read(name, file.size)
        if not _is(content, file):
            raise BenchmarkError(
                f"{self.place.where}: {name} is not what it was when it was written: its sha256 is another; get the"
                " archive again"
            )
        if isinstance(self.place, Web):
            _keep(file, content)
        return content

    def frame(self, name: str, needed: Iterable[str] = ()) -> DataFrame:
        """A table of it. Raises as `read` does, and `UsageError` where it is no table with the `needed` columns."""
        return from_parquet(self.read(name), f"{self.place.where}: {name}", needed)

    def holds(self, name: str) -> bool:
        return name in self.manifest.files

    @cached_property
    def unlisted(self) -> list[str]:
        """Files that lie there and that no digest names."""
        return [name for name in self.place.names() or [] if name not in self.manifest.files and name != MANIFEST]


def _cached(file: File) -> Path:
    return cache_dir() / "archives" / file.sha256


def _kept(file: File) -> bytes | None:
    """A file's bytes as they were fetched before; None where the cache has no such ones, or cannot be read."""
    with suppress(OSError, RuntimeError):  # the latter where the user has no home
        path = _cached(file)
        if path.stat().st_size == file.size and _is(content := path.read_bytes(), file):
            return content
    return None


def _keep(file: File, content: bytes) -> None:
    """Keep what was fetched. Where the cache cannot be written, it is only fetched again next time."""
    with suppress(OSError, RuntimeError, BenchmarkError):
        write_atomically(_cached(file), lambda scratch: scratch.write_bytes(content))


def _is(content: bytes, file: File) -> bool:
    return len(content) == file.size and hashlib.sha256(content).hexdigest() == file.sha256


def open_archive(where: str | Path) -> Archive:
    """The archive of a name such as quickstart or quickstart/1, in a folder or zip file, or at an address.

    Raises `UsageError` where there is none, `BenchmarkError` where its archive.json was altered.
    """
    found = place(where)
    if found is None:
        known = names()
        raise UsageError(
            f"{where}: no archive is published under this name, and no such file or folder{suggest(str(where), known)}"
        )
    manifest = read_manifest(found.read(MANIFEST, LARGEST_MANIFEST), f"{found.where}: {MANIFEST}")
    return Archive(found, manifest)


def place(where: str | Path) -> Place | None:
    """Where an archive lies; None where this is no archive's name, folder, file or address."""
    text, path = str(where), Path(where)
    if "://" in text:
        return Web(text)
    # A published name comes before a folder that happens to be called so; ./NAME is always the folder.
    if text == path.as_posix() and (shipped := _latest(published.folder() / text)) and published_name(text):
        return Folder(shipped)
    if path.is_file() and path.suffix != ".toml":
        return Folder(path.parent) if path.name == MANIFEST else Zip(path)
    folder = _latest(path)
    return Folder(folder) if folder else None


def names() -> list[str]:
    """The archives that ship with this package, as NAME/VERSION."""
    found = published.folder().glob(f"*/*/{MANIFEST}")
    return sorted(f"{path.parent.parent.name}/{path.parent.name}" for path in found)


def published_name(text: str) -> bool:
    """Whether an archive ships with this package under a name such as quickstart or quickstart/1."""
    return text in names() or any(name.startswith(f"{text}/") for name in names())


def _latest(folder: Path) -> Path | None:
    """The folder itself where it is an archive, else that of its highest version."""
    if (folder / MANIFEST).is_file():
        return folder
    newest = newest_version(folder)
    return folder / str(newest) if newest else None


def newest_version(folder: Path) -> int:
    """The highest version of a leaderboard in its folder; 0 where it has none."""
    places = (path.parent for path in folder.glob(f"*/{MANIFEST}"))
    return max((int(place.name) for place in places if VERSION.fullmatch(place.name)), default=0)
