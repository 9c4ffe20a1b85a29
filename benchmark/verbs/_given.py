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
from benchmark.choice import split_choices
from benchmark.commands import command_line
from benchmark.errors import UsageError
from benchmark.integrity.suite_seal import TABLE, check_table
from benchmark.store import Store
from benchmark.verbs._suite_file import check_file, planned_file

MEASURES = ("metrics", "columns")
"""What verbs call the measures that they are given."""
P = ParamSpec("P")
Result = TypeVar("Result")


def takes_paths(verb: Callable[P, Result]) -> Callable[P, Result]:
    """A verb whose paths may be given as text, its suite as a path, one file where it takes several, and measures as
    for `--metrics`."""
    signature = inspect.signature(verb)
    kinds = {name: str(parameter.annotation) for name, parameter in signature.parameters.items()}

    @wraps(verb)
    def called(*arguments: P.args, **options: P.kwargs) -> Result:
        bound = signature.bind(*arguments, **options)
        for name, value in bound.arguments.items():
            if name in MEASURES and kinds[name] == "Sequence[str]":
                bound.arguments[name] = measures_in(f"{verb.__name__}: {name}", value)
            else:
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


def measures_in(what: str, measures: Any) -> tuple[str, ...]:
    """Measures as a suite names them, from "mig,dci(model=lasso)" or a list of such; `what` begins the `UsageError`."""
    if not isinstance(measures, str):
        return names_in(what, () if measures is None else measures)
    if not (named := split_choices(measures)):
        raise UsageError(f'{what} names none; write "mig,dci(model=lasso)" or a list of such')
    return tuple(named)


def located(suite: str, results: Path) -> str:
    """A suite's name or file as it is; of the bare name of a suite that is here, its file: of codes from outside, which
    lies among the results, or the one that was run."""
    if suite in registry.names("suite") or suite.endswith(".toml"):
        return suite
    file = results / "suites" / suite / f"{suite}.toml"
    return str(file) if file.is_file() else planned_file(suite, results) or suite


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
    """What to type next, with the suite as it was given, the results folder, and the loose files in use."""
    plugins = [word for plugin in registry.plugins() for word in ("--plugin", str(plugin))]
    return command_line(verb, suite, *plugins, results=results)


def started(store: Store, name: str, suite: str) -> None:
    """Raise `UsageError` where nothing of a suite is there, or where what is there is of another file of its name;
    `suite`: as it was given."""
    if not (store.suite_folder(name) / "plan.json").exists():
        known = sorted(folder.name for folder in (store.root / "suites").glob("*") if folder.is_dir())
        raise UsageError(
            f'{store.root} holds nothing of a suite "{name}" (there: {", ".join(known) or "none"});'
            f" next: {next_command('run', suite, store.root)}"
        )
    check_file(store, name, located(suite, store.root))


def results_table(suite: str, results: Path) -> Path:
    """The file of a suite's scores. Raises `UsageError` where `evaluate` has not made it yet, and `BenchmarkError`
    where it is not as it was made."""
    file = located(suite, results)
    name, store = suite_name(file), Store(results, make=False)
    check_file(store, name, file)
    folder = store.suite_folder(name)
    if not (folder / TABLE).exists():
        raise UsageError(
            f'suite "{name}" has no results table in {results}; next: {next_command("evaluate", suite, results)}'
        )
    check_table(folder, [store.run_folder(each) for each in store.plan(name) if store.is_done(each)])
    return folder / TABLE
