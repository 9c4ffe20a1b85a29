"""The file that a suite's plan is of: two files of one stem must not share a results folder, and a bare stem finds its
file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmark import registry
from benchmark.commands import command_line
from benchmark.errors import UsageError
from benchmark.store import Store, read_json


def own_file(suite: str) -> Path | None:
    """The file of a suite that is none of this package's, as a plan remembers it."""
    from benchmark.suite import find

    file = find(suite)
    return None if file.stem in registry.names("suite") else file


def planned_file(suite: str, results: Path) -> str | None:
    """The file that the suite of that name was run from, as it is named from here, where it is still there."""
    path = results / "suites" / suite / "plan.json"
    file = _remembered(read_json(path), results) if path.is_file() else None
    return None if file is None else os.path.relpath(file)


def check_file(store: Store, name: str, suite: str) -> None:
    """Raise `UsageError` where a suite's plan is of another file, which is there as well and says something else."""
    from benchmark.suite import find, text_digest

    plan = _plan(store, name)
    known = None if plan is None else _remembered(plan, store.root)
    if plan is None or known is None or known.samefile(file := find(suite)) or text_digest(file) == plan["source"]:
        return
    raise UsageError(
        f'{store.root} holds suite "{name}" as {os.path.relpath(known)} says, and {suite} is another file of that name:'
        " rename one of them, or give it a results folder of its own by --results DIR"
    )


def edited(store: Store, name: str, suite: str) -> str | None:
    """What is to be said of a plan of another text than the suite has now; None where it is of that one."""
    from benchmark.suite import find, text_digest

    plan, file = _plan(store, name), find(suite)
    # Codes from outside are added to their suite, which is never run.
    if plan is None or file.parent.resolve() == store.suite_folder(name).resolve():
        return None
    if text_digest(file) == plan["source"]:
        return None
    return (
        f"{suite} was edited, or is another file, since the suite was run: its runs are those of before;"
        f" {command_line('run', suite, results=store.root)} takes the edit over"
    )


def _plan(store: Store, name: str) -> dict[str, Any] | None:
    path = store.suite_folder(name) / "plan.json"
    return read_json(path) if path.exists() else None


def _remembered(plan: dict[str, Any], results: Path) -> Path | None:
    """A plan's file, where it is there. It is kept relative to the results folder, so that both may move together."""
    file = plan.get("file")
    found = results.resolve() / file if isinstance(file, str) else None
    return found.resolve() if found is not None and found.is_file() else None
