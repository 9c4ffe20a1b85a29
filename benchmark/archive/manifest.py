"""What an archive says of itself: archive.json, with the digest and the size of each of its files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from benchmark.errors import UsageError
from benchmark.integrity.digests import is_inside
from benchmark.integrity.sealed import parse_json, render, sealed
from benchmark.naming import check_name
from benchmark.spec import SHA256

FORMAT = 2
"""Of archives. Raise it when a reader of before would misread one."""
MANIFEST = "archive.json"
SCORES, SINGLE, RUNS, HISTORIES = "scores.parquet", "single_scores.parquet", "runs.parquet", "histories.parquet"
FLOAT16, MEASURES, SUITE, MATRICES = "float16.parquet", "measures.json", "suite.toml", "matrices.json"
FAILURES = "failures.json"
NEEDED = (SCORES, RUNS, MEASURES, SUITE)
"""Files without which nothing is an archive."""
KNOWN = re.compile(r"summaries/\w+\.parquet|weights/[0-9a-f]{12}\.safetensors|explorers/[0-9a-f]{12}\.npz")
"""The names of those of its files of which there are several."""
LARGEST = 64 * 2**20
"""Bytes of one file of an archive at most, and of what a table takes in memory four times as much."""
LARGEST_IN_ALL = 256 * 2**20
MOST_FILES = 2_000
MEND = "publish it anew, or get it again"

Kind = Literal["leaderboard", "submission"]


@dataclass(frozen=True)
class File:
    """One file of an archive: its sha256 and its size in bytes."""

    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> File:
        return cls(hashlib.sha256(content).hexdigest(), len(content))


@dataclass(frozen=True)
class Manifest:
    """An archive's name, version and files. What enters a version is fixed; a correction is the next version.

    version: from 1 on; 0 of a submission, which is of no version yet. corrects: what the version before got wrong.
    adds: which runs of a submission stand beside those of the version before.
    left_out: what is not published, with the reason. plugins: the sha256 of loose files, by kind and name.
    """

    name: str
    version: int
    kind: Kind
    description: str
    files: Mapping[str, File]
    corrects: str = ""
    left_out: Mapping[str, str] | None = None
    program: str = ""
    plugins: Mapping[str, str] | None = None
    adds: str = ""

    @property
    def title(self) -> str:
        """Such as quickstart/1."""
        return f"{self.name}/{self.version}" if self.version else f"a submission to {self.name}"

    def render(self) -> bytes:
        """The text of archive.json, which holds its own digest."""
        record = {
            "archive": FORMAT,
            "name": self.name,
            "version": self.version,
            "kind": self.kind,
            "description": self.description,
            "corrects": self.corrects,
            **({"adds": self.adds} if self.adds else {}),
            "left_out": dict(self.left_out or {}),
            "program": self.program,
            "plugins": dict(self.plugins or {}),
            "files": {name: {"sha256": file.sha256, "bytes": file.size} for name, file in sorted(self.files.items())},
        }
        return render(sealed(record)).encode()


def read_manifest(content: bytes, where: str) -> Manifest:
    """Read archive.json from `where`. Raises `BenchmarkError` where it was altered, `UsageError` where it is none or
    of a newer version."""
    record = parse_json(content, where, MEND)
    if "archive" not in record:
        raise UsageError(f"{where} is no archive's: it names no format; {MEND}")
    if record["archive"] != FORMAT:
        older = record["archive"] in range(1, FORMAT)
        what = "it is older: publish it anew" if older else "update"
        raise UsageError(
            f"{where} has the archive format {record['archive']!r:.40}, this version reads {FORMAT}; {what}"
        )
    missing = sorted({"name", "version", "kind", "files", "digest"} - record.keys())
    if missing:
        raise UsageError(f"{where} is no archive's: it lacks {missing[0]}; {MEND}")
    name, version, kind = check_name(record["name"], f"{where}: name"), record["version"], record["kind"]
    if type(version) is not int or version < 0 or kind not in ("leaderboard", "submission"):
        raise UsageError(f"{where}: version {version!r:.40} and kind {kind!r:.40} are none of an archive's; {MEND}")
    files = _files(record["files"], where)
    texts = {key: str(record.get(key, "")) for key in ("description", "corrects", "adds", "program")}
    left_out, plugins = (
        {str(key): str(text) for key, text in _table(record.get(part, {}), where).items()}
        for part in ("left_out", "plugins")
    )
    if wrong := next((key for key, digest in plugins.items() if not SHA256.fullmatch(digest)), None):
        raise UsageError(f"{where} says no sha256 of the plug-in {wrong!a:.80}; {MEND}")
    return Manifest(name, version, kind, files=files, left_out=left_out, plugins=plugins, **texts)


def _files(value: object, where: str) -> dict[str, File]:
    found = {}
    for name, said in _table(value, where).items():
        if not is_plain(name):
            raise UsageError(f"{where} names the file {name!a:.80}, which would lie outside the archive; do not use it")
        digest, size = (said.get(key) if isinstance(said, Mapping) else None for key in ("sha256", "bytes"))
        if not (isinstance(digest, str) and SHA256.fullmatch(digest)) or type(size) is not int or size < 0:
            raise UsageError(f"{where} says no sha256 and size of {name}; {MEND}")
        found[name] = File(digest, size)
    absent = [name for name in NEEDED if name not in found]
    if absent:
        raise UsageError(f"{where} lists no {absent[0]}; {MEND}")
    large = max(found, key=lambda name: found[name].size)
    if found[large].size > LARGEST or sum(file.size for file in found.values()) > LARGEST_IN_ALL:
        raise UsageError(
            f"{where} lists {sum(file.size for file in found.values()) / 2**20:,.0f} MiB, {large} the most: a file has"
            f" at most {LARGEST // 2**20} MiB and an archive {LARGEST_IN_ALL // 2**20}"
        )
    if len(found) > MOST_FILES:
        raise UsageError(f"{where} lists {len(found):,} files; an archive has at most {MOST_FILES:,}")
    return found


def is_plain(name: object) -> bool:
    """Whether a file's name stays inside the archive on every system."""
    return is_inside(name) and bool(re.fullmatch(r"(?:[\w+=-][\w.+=-]*/)?[\w+=-][\w.+=-]*", str(name)))


def is_known(name: str) -> bool:
    """Whether the format has a file of this name; summaries may have any, as their tables come and go."""
    plain = (SCORES, SINGLE, RUNS, HISTORIES, FLOAT16, MEASURES, SUITE, MATRICES, FAILURES)
    return name in plain or bool(KNOWN.fullmatch(name))


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{where} is damaged: {value!r:.60} is no table; {MEND}")
    return value
