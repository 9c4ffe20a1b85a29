"""Where an archive's files are read from: a folder, a zip file, or an address; each no further than it should reach."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from benchmark.archive.manifest import LARGEST_IN_ALL, MANIFEST, MOST_FILES, is_plain
from benchmark.errors import UsageError
from benchmark.naming import printable

SECONDS = 60
"""How long a server may be silent."""


class Place(Protocol):
    """Where files lie. `read` gives at most `limit` bytes of one and raises `UsageError` where there are more."""

    where: str

    def read(self, name: str, limit: int) -> bytes: ...

    def names(self) -> list[str] | None:
        """All files that are there; None where that cannot be told."""


class Folder:
    """A folder of files. Links are not followed: they would show what lies elsewhere as the archive's."""

    def __init__(self, path: Path) -> None:
        self.path, self.where = path, str(path)

    def read(self, name: str, limit: int) -> bytes:
        path = self.path / name
        if any(part.is_symlink() for part in (path, path.parent) if part != self.path) or not path.is_file():
            raise UsageError(f"{printable(str(path))} is not there, or no plain file: the archive is not complete")
        with path.open("rb") as file:
            return _bounded(file.read(limit + 1), limit, str(path))

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if not path.is_dir())


class Zip:
    """A zip file, which is never unpacked to the disk. Raises `UsageError` on one that is none, names a file twice or
    one outside of it, or says that it unpacks to more than an archive may hold."""

    def __init__(self, path: Path) -> None:
        self.path, self.where = path, str(path)
        with self._opened() as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
        if len(infos) > MOST_FILES:
            raise UsageError(f"{path} holds {len(infos):,} files; an archive has at most {MOST_FILES:,}")
        for info in infos:
            if not is_plain(info.filename):
                raise UsageError(
                    f"{path} names the file {info.filename!a:.80}, which would lie outside it; do not use it"
                )
        large = sum(info.file_size for info in infos)
        if large > LARGEST_IN_ALL:
            raise UsageError(
                f"{path} unpacks to {large / 2**30:.2f} GiB; an archive has at most {LARGEST_IN_ALL >> 20} MiB"
            )
        self._names = sorted(info.filename for info in infos)
        twice = next((name for name, after in zip(self._names, self._names[1:], strict=False) if name == after), None)
        if twice:
            raise UsageError(f"{path} holds {twice} twice: which of them is meant cannot be told; pack it anew")

    def read(self, name: str, limit: int) -> bytes:
        with self._opened() as archive:
            if name not in self._names:
                raise UsageError(f"{self.path} holds no {name}: it is no archive, or not complete")
            info = archive.getinfo(name)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
                raise UsageError(f"{self.path}: {name} is encrypted or packed in an unusual way; pack it anew")
            with archive.open(info) as file:
                return _bounded(file.read(limit + 1), limit, f"{self.path}: {name}")

    def names(self) -> list[str]:
        return self._names

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                yield archive
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
            raise UsageError(f"{self.path} is no zip file, or damaged ({error})") from None
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read ({error.strerror or error})") from None


class Web:
    """The files below an address, by http or https."""

    def __init__(self, address: str) -> None:
        try:
            scheme = urlsplit(address).scheme
        except ValueError as error:
            raise UsageError(f"{printable(address)} is no address ({error})") from None
        if scheme not in ("http", "https"):
            raise UsageError(
                f"{printable(address)}: archives are read by http and https, from folders and from zip files"
            )
        self.where = address.rstrip("/").removesuffix(f"/{MANIFEST}")

    def read(self, name: str, limit: int) -> bytes:
        address = f"{self.where}/{quote(name)}"
        try:
            with urlopen(
                Request(address, headers={"User-Agent": "disentanglement-benchmark"}), timeout=SECONDS
            ) as answer:
                return _bounded(answer.read(limit + 1), limit, address)
        except HTTPError as error:
            hint = "; give the address of one version, such as …/quickstart/1" if name == MANIFEST else ""
            raise UsageError(f"{address} answers {error.code} ({error.reason}){hint}") from None
        except (URLError, OSError, ValueError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise UsageError(f"{address} could not be fetched ({printable(str(reason))})") from None

    def names(self) -> None:
        return None


def _bounded(content: bytes, limit: int, where: str) -> bytes:
    if len(content) > limit:
        raise UsageError(
            f"{printable(where)} has more than the {limit:,} bytes that are expected of it; nothing was read"
        )
    return content
