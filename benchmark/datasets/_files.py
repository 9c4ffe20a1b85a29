"""Published data files: where they are looked for, how they are checked, how they are fetched.

Only fetching imports pooch: training and encoding also run where it is not installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmark.errors import UsageError

Status = Literal["ok", "absent", "altered", "not pinned"]


@dataclass(frozen=True)
class RemoteFile:
    """A file as its authors publish it. Where no trusted digest is known, `sha256` is None: its reader checks it.

    `mirrors` are other addresses of the same content, tried in order after `url`; the digest decides, not the address.
    `by_hand`: `url` is a page that a person has to answer, so that it is never fetched from here.
    """

    folder: str
    name: str
    url: str
    sha256: str | None
    mirrors: tuple[str, ...] = ()
    by_hand: bool = False


def cache_dir() -> Path:
    """Where downloads and drawn images are kept: $BENCHMARK_CACHE, else `benchmark` in the system's cache folder."""
    if chosen := os.environ.get("BENCHMARK_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "benchmark"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "benchmark"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "benchmark"


def places(file: RemoteFile, data_dir: Path | None = None) -> list[Path]:
    """Where a file is looked for, in order: `data_dir`, $BENCHMARK_DATA, the cache; in its folder or outside."""
    roots = [Path(data_dir)] if data_dir else []
    if named := os.environ.get("BENCHMARK_DATA"):
        roots.append(Path(named).expanduser())
    roots.append(cache_dir())
    return [path for root in roots for path in (root / file.folder / file.name, root / file.name)]


def find(file: RemoteFile, data_dir: Path | None = None) -> Path | None:
    """The first of a file's places that holds it, unchecked."""
    return next((path for path in places(file, data_dir) if path.is_file()), None)


def obtain(
    dataset: str, files: Iterable[RemoteFile], data_dir: Path | None = None, words: str | None = None
) -> list[Path]:
    """The checked paths of a dataset's files, downloaded where they are absent; `words` are what fetches them.

    Raises `UsageError` for an altered file, and for one that is absent and cannot be downloaded.
    """
    paths = []
    for file in files:
        path = find(file, data_dir)
        if path is None:
            try:
                path = _download(file)
            except UsageError as error:
                looked = "\n  ".join(str(place) for place in places(file, data_dir))
                fetches = f"Run `benchmark data fetch {words or dataset}` where there is a network, or put"
                raise UsageError(
                    f"{dataset} needs {file.name}, which is in none of these places:\n  {looked}\n{error}\n"
                    f"{'Put' if file.by_hand else fetches} the file in one of them."
                ) from None
        _check(file, path)
        paths.append(path)
    return paths


def fetch(files: Iterable[RemoteFile], data_dir: Path | None = None) -> list[Path]:
    """Download those of some files that are absent into the user's cache; the checked paths of all."""
    paths = []
    for file in files:
        path = find(file, data_dir) or _download(file)
        _check(file, path)
        paths.append(path)
    return paths


def verify(files: Iterable[RemoteFile], data_dir: Path | None = None) -> list[tuple[RemoteFile, Status]]:
    """Read files anew and compare each with its pinned digest."""
    return [(file, _status(file, find(file, data_dir))) for file in files]


def _status(file: RemoteFile, path: Path | None) -> Status:
    if path is None:
        return "absent"
    if file.sha256 is None:
        return "not pinned"
    return "ok" if _sha256(path) == file.sha256 else "altered"


def remembered_sha256(path: Path) -> str:
    """The sha256 of a file's content, read once and then remembered by its path, size and time of modification."""
    memory = cache_dir() / "sha256.json"
    stat = path.stat()
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    known = _remembered(memory)
    if key not in known:
        known[key] = _sha256(path)
        # Where the cache cannot be written, the file is only hashed again next time.
        with contextlib.suppress(OSError):
            publish(memory, [json.dumps(known, indent=1).encode()])
    return known[key]


def publish(path: Path, blocks: Iterable[bytes | memoryview]) -> None:
    """Write a file whole or not at all: a scratch neighbour, then one rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with scratch.open("wb") as file:
            for block in blocks:
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def put_in_place(scratch: Path, path: Path) -> None:
    """Give a finished file its name."""
    try:
        scratch.replace(path)
    except PermissionError:
        # Windows keeps a file that another process has mapped into memory: that one published it first.
        if not path.exists():
            raise


def _remembered(memory: Path) -> dict[str, str]:
    try:
        return dict(json.loads(memory.read_bytes()))
    except (OSError, ValueError):
        return {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(file: RemoteFile, path: Path) -> None:
    if file.sha256 is None:
        return
    found = remembered_sha256(path)
    if found != file.sha256:
        raise UsageError(
            f"{path} is not the published file: expected sha256 {file.sha256}, found {found};"
            f" delete it, and it is downloaded again from {file.url}"
        )


def _download(file: RemoteFile) -> Path:
    """Fetch a file from the first of its addresses that has it. Raises `UsageError`, which says what each answered."""
    if file.by_hand:
        raise UsageError(
            f"{file.name} is offered by a page that a person has to answer: open {file.url}, and save it as"
            f" {cache_dir() / file.folder / file.name}"
        )
    failures = []
    for url in (file.url, *file.mirrors):
        try:
            return _retrieve(file, url)
        except UsageError as error:
            failures.append(str(error))
    raise UsageError("\n".join(failures))


def _retrieve(file: RemoteFile, url: str) -> Path:
    try:
        import pooch
    except ImportError:
        raise UsageError(f"{url} cannot be downloaded: pooch is not installed") from None
    progress = _Progress(file.name)
    try:
        path = Path(
            pooch.retrieve(
                url,
                known_hash=file.sha256 and f"sha256:{file.sha256}",
                fname=file.name,
                path=cache_dir() / file.folder,
                downloader=pooch.HTTPDownloader(progressbar=progress, chunk_size=1 << 16),
            )
        )
    # Every network error of requests, and a full disk, is an OSError; another content is a ValueError.
    except (OSError, ValueError) as error:
        raise UsageError(f"{url} could not be downloaded: {_first_cause(error)}") from None
    if file.sha256 is None and _is_page(path):
        path.unlink()
        raise UsageError(f"{url} could not be downloaded: it answers with a web page, not with {file.name}")
    return path


def _first_cause(error: BaseException) -> BaseException:
    """What an error began with: "Name or service not known" under three layers of connection pools."""
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    return error


def _is_page(path: Path) -> bool:
    """Whether a file is a web page: what servers send in place of a file that they lack, or give only to who asks."""
    with path.open("rb") as file:
        start = file.read(512).lstrip().lower()
    return start.startswith((b"<!doctype", b"<html"))


class _Progress:
    """A percentage on stderr, in the form that pooch asks for; silent where stderr is no terminal."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.total = 0
        self.done = 0
        self.shown = -1

    def update(self, size: int) -> None:
        self.done += size
        percent = min(100, 100 * self.done // max(self.total, 1))
        if percent != self.shown and sys.stderr.isatty():
            print(f"\r{self.name} {percent} %", end="", file=sys.stderr, flush=True)
        self.shown = percent

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)
