"""Text files as people's editors save them, read (UTF-8, with or without a byte order mark, or UTF-16 with one) and not
written over."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable
from pathlib import Path

from benchmark.errors import UsageError

MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_text(path: Path) -> str:
    """A file's text, without the mark, its lines ending in \\n. Raises `UsageError` where it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is no text in {encoding.removesuffix('-sig').upper()} (byte {error.start}): save it as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_replaced(path: Path, columns: Iterable[str]) -> None:
    """Raise `UsageError` where a file is there that shares fewer than half of the columns of the table to replace it:
    it is somebody else's."""
    if not path.exists():
        return
    wanted = set(columns)
    there = set(next(csv.reader(read_text(path).splitlines()[:1]), []))
    if 2 * len(there & wanted) < len(wanted):
        raise UsageError(f"{path} is no such table, and stays as it is: move it, or name another folder")
