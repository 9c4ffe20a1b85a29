"""JSON records that carry the sha256 of their own content: a changed byte is noticed by whoever reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.atomic import write_atomically
from benchmark.errors import BenchmarkError, UsageError

FORMAT = 2
"""Of every record. Those of format 1 had no digest."""


def sealed(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the digest of the rest of it, under the format that promises one."""
    content = {key: value for key, value in record.items() if key != "digest"}
    content = {"format": FORMAT} | content | {"format": max(FORMAT, content.get("format", FORMAT))}
    return {**content, "digest": content_digest(content)}


def content_digest(record: Mapping[str, Any]) -> str:
    """The sha256 of a record's compact JSON with sorted keys and without the field `digest`."""
    content = {key: value for key, value in record.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def is_sealed(record: Mapping[str, Any]) -> bool:
    """Whether a record says what its digest is; one of format 1 does not."""
    return "digest" in record


def render(record: Mapping[str, Any]) -> str:
    """A record as its file holds it."""
    return json.dumps(record, indent=1, allow_nan=False) + "\n"


def compact(record: Mapping[str, Any]) -> str:
    """The same in one line: numbers by the thousand are not read by people."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n"


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record with its digest, atomically: readers see the old content or the new one."""
    write_atomically(path, lambda scratch: scratch.write_text(render(sealed(record))))


def read_json(path: Path, mend: str = "delete it and rerun") -> dict[str, Any]:
    """Read a record; raise `BenchmarkError` on a damaged or altered one, with what mends it."""
    return parse_json(path.read_bytes(), path, mend)


def parse_json(content: bytes, path: Path | str, mend: str = "delete it and rerun") -> dict[str, Any]:
    """The same of what was read from `path`."""
    try:
        value = json.loads(content)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        if type(value.get("format", 0)) is not int:
            raise ValueError("its format is no number")
        wrong = _wrong_seal(value)
    except (ValueError, RecursionError) as error:  # neither JSON nor, perhaps, text
        raise BenchmarkError(f"{path} is damaged ({error}); {mend}") from None
    if wrong:
        raise BenchmarkError(f"{path} was altered: {wrong}; {mend}")
    return value


def _wrong_seal(record: Mapping[str, Any]) -> str | None:
    """What is wrong with a record's digest. What a newer version wrote is for `check_format` to refuse."""
    if record.get("format", 0) > FORMAT:
        return None
    if not is_sealed(record):
        return "it lacks its digest" if record.get("format", 0) == FORMAT else None
    return None if record["digest"] == content_digest(record) else "its content is not what its digest says"


def check_format(record: Mapping[str, Any], path: Path) -> None:
    """Refuse what a newer version of this program wrote."""
    if record.get("format", 0) > FORMAT:
        raise UsageError(
            f"{path} has format {record['format']}, this version reads up to {FORMAT};"
            " update the program or choose another --results folder"
        )
