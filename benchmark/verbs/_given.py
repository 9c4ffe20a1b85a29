"""What verbs are given, and where it is found: the results folder, plugins, a suite with its name and its table."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from benchmark import registry
from benchmark.errors import UsageError
from benchmark.integrity.suite_seal import TABLE, check_table
from benchmark.store import Store
from benchmark.words.phrases import command_line

RESULTS = Path("results")
P = ParamSpec("P")
Result = TypeVar("Result")


def takes_paths(verb: Callable[P, Result]) -> Callable[P, Result]:
    """A verb whose paths may be given as text, its suite as a path, and one file where it takes several."""
    signature = inspect.signature(verb)
    kinds = {name: str(parameter.annotation) for name, parameter in signature.parameters.items()}

    @wraps(verb)
    def called(*arguments: P.args, **options: P.kwargs) -> Result:
        bound = signature.bind(*arguments, **options)
        for name, value in bound.arguments.items():
            bound.arguments[name] = _as(kinds[name], value)
        check_data_dir(bound.arguments.get("data_dir"))
        return verb(*bound.args, **bound.kwargs)

    return called


def _as(kind: str, value: Any) -> Any:
    """A value as its parameter's annotation says, as far as paths are concerned."""
    if kind.startswith("Path") and isinstance(value, str | os.PathLike):
        return Path(value)
    if kind == "Sequence[Path]":
        return tuple(map(Path, [value] if isinstance(value, str | os.PathLike) else value))
    return os.fspath(value) if kind.startswith("str") and isinstance(value, os.PathLike) else value


def check_data_dir(folder: Path | None) -> None:
    """Raises `UsageError` where the folder of data files is none: its files would be looked for elsewhere."""
    if folder is not None and not folder.is_dir():
        raise UsageError(f"--data-dir {folder}: there is no such folder")


def add_plugins(plugins: Sequence[Path], *, absolute: bool = False) -> None:
    """Register loose files; under absolute paths where processes with another current folder load them too."""
    for plugin in plugins:
        registry.add_plugin(plugin.absolute() if absolute else plugin)


def names_in(what: str, names: Any) -> tuple[str, ...]:
    """One name, or several, as text. Raises `UsageError` on what is neither; `what` begins that."""
    if isinstance(names, str):
        return (names,)
    if isinstance(names, bytes | Mapping) or not isinstance(names, Iterable):
        raise UsageError(f"{what} = {names!r:.60} is no name and no list of names")
    return tuple(map(str, names))


def located(suite: str, results: Path) -> str:
    """A suite's name or file as it is, or the file of a suite of codes from outside, which lies among its results."""
    file = results / "suites" / suite / f"{suite}.toml"
    return str(file) if suite not in registry.names("suite") and file.is_file() else suite


def suite_name(suite: str) -> str:
    """The name under which a suite's results stand: a built-in name, or a file's stem."""
    from benchmark.suite import find

    return find(suite).stem


def archive_meant(target: str, results: Path) -> str | None:
    """The archive that a word means: a zip file, a folder, an address, or a published name, unless the results folder
    has a suite of that name; NAME/VERSION is always the published one. None where it means no archive."""
    from benchmark.archive.opening import place

    if Path(target).is_file():
        return None if target.endswith(".toml") else target
    own = re.fullmatch(r"\w[\w.+-]*", target) and (results / "suites" / target / "plan.json").exists()
    return None if own or place(target) is None else target


def next_command(verb: str, suite: str, results: Path) -> str:
    """What to type next, with the suite as it was given."""
    elsewhere = [] if results == RESULTS else ["--results", str(results)]
    return command_line(verb, suite, *elsewhere)


def started(store: Store, name: str, suite: str) -> None:
    """Raise `UsageError` where nothing of a suite is there; `suite`: as it was given."""
    if not (store.suite_folder(name) / "plan.json").exists():
        known = sorted(folder.name for folder in (store.root / "suites").glob("*") if folder.is_dir())
        raise UsageError(
            f'{store.root} holds nothing of a suite "{name}" (there: {", ".join(known) or "none"});'
            f" next: {next_command('run', suite, store.root)}"
        )


def results_table(suite: str, results: Path) -> Path:
    """The file of a suite's scores. Raises `UsageError` where `evaluate` has not made it yet, and `BenchmarkError`
    where it is not as it was made."""
    name, store = suite_name(located(suite, results)), Store(results, make=False)
    folder = store.suite_folder(name)
    if not (folder / TABLE).exists():
        raise UsageError(
            f'suite "{name}" has no results table in {results}; next: {next_command("evaluate", suite, results)}'
        )
    check_table(folder, [store.run_folder(each) for each in store.plan(name) if store.is_done(each)])
    return folder / TABLE
