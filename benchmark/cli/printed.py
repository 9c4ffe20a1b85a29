"""What verbs print: results to stdout, notes and the line of what to type next to stderr."""

from __future__ import annotations

import json
import os
import shlex
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

import typer

from benchmark.cli.application import FAILED
from benchmark.commands import RESULTS, command_line
from benchmark.errors import Note, UsageError
from benchmark.naming import printable


def print_result(value: Any, as_json: bool, text: str) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False, default=plain_value) if as_json else printable(text))


def check_output(flag: str, path: Path | None) -> None:
    """Raise `UsageError` where no file can be written, before the work is done whose result it is for."""
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{flag} {path}: a folder; name a file in it, such as {path / 'board.txt'}")
    if not path.parent.is_dir():
        what = "no folder" if path.parent.exists() else "no such folder; make it first"
        raise UsageError(f"{flag} {path}: {path.parent} is {what}, or choose another place")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{flag} {path}: {path.parent} is not writable; choose another place")


def write_output(flag: str, path: Path, text: str) -> None:
    from benchmark.atomic import write_atomically

    try:
        write_atomically(path, lambda scratch: scratch.write_text(text))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{flag} {path}: nothing can be written there ({reason}); choose another place") from None


def plain_value(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else vars(value)


def print_note(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Notes are lines for people; what libraries warn of stays as it is."""
    if issubclass(category, Note):
        print(f"note: {message}", file=sys.stderr)
    else:
        (file or sys.stderr).write(warnings.formatwarning(message, category, filename, lineno, line))


def command_here(*words: str | Path, results: Path = RESULTS, plugins: Sequence[Path] | None = None) -> str:
    """A command to type here, with the folder and the loose files that were named in this one."""
    loose = [word for plugin in plugins or [] for word in ("--plugin", str(plugin))]
    return command_line(*words, *loose, results=results)


def print_next(*words: str | Path, results: Path = RESULTS, plugins: Sequence[Path] | None = None) -> None:
    """The last line: what to type next."""
    print_next_line(command_here(*words, results=results, plugins=plugins))


def print_next_line(line: str) -> None:
    print(f"next: {line}", file=sys.stderr)


def print_again(flag: str) -> None:
    """The last line: this very command with one more flag."""
    words = sys.argv[1:]
    print_next_line(shlex.join(["benchmark", *words, *([] if flag in words else [flag])]))


def grouped(failed: dict[str, str]) -> Iterable[str]:
    """A line for scores that failed under one protocol for one reason, with the first of them."""
    groups: dict[tuple[str, str], list[str]] = {}
    for place, reason in failed.items():
        run, _, protocol = place.partition(" ")
        groups.setdefault((protocol, reason), []).append(run)
    for (protocol, reason), runs in groups.items():
        more = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
        yield f"failed  {runs[0]}{more} {protocol}: {printable(reason)}"


def fail_if(failed: bool) -> None:
    if failed:
        raise typer.Exit(FAILED)
