"""Names to components: built-ins by file name, third parties by entry points, loose files by `--plugin`.

Listing reads file names and docstrings and imports nothing; loading imports one module.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

from benchmark.choice import SETS
from benchmark.errors import UsageError
from benchmark.naming import check_name, score_name
from benchmark.spec import Component, Run, plainly, suggest

Kind = Literal["model", "dataset", "network", "metric", "suite"]
KINDS: tuple[Kind, ...] = ("model", "dataset", "network", "metric", "suite")
BASES = {
    "model": "benchmark.models._model:Model",
    "dataset": "benchmark.datasets._dataset:Dataset",
    "network": "benchmark.networks._network:Network",
}
ROOT = Path(__file__).parent

Task = TypeVar("Task")


@dataclass(frozen=True)
class Entry:
    """Where a component comes from: a module to import, and the file to read its description from.

    Of a loose file, `content` is what was read of it, and `source` the sha256 of that.
    """

    kind: Kind
    name: str
    module: str
    file: Path | None
    source: str | None = None
    content: bytes = field(default=b"", repr=False)


_plugins: dict[tuple[Kind, str], Entry] = {}


PLUGIN_HINT = "; parts of your own are given by --plugin FILE"


def names(kind: Kind) -> list[str]:
    """All known names of a kind, sorted."""
    return sorted(_entries(kind))


def entry(kind: Kind, name: str) -> Entry:
    """Find a component; an unknown name answers with the nearest known one."""
    entries = _entries(kind)
    if name not in entries:
        own = "" if kind == "suite" else PLUGIN_HINT
        raise UsageError(f'unknown {kind} "{name}"{suggest(name, sorted(entries))}{own}')
    return entries[name]


def metric_named(text: str) -> str:
    """The measure of this name, in any spelling (MIG, Beta-VAE score), or the one that returns a score of this name
    (pearson, mcc.pearson).

    Raises `UsageError` on a name that is neither.
    """
    known = names("metric")
    if text in known:
        return text
    spelled = {plainly(name): name for name in known}
    if plainly(text) in spelled:
        return spelled[plainly(text)]
    scores: dict[str, str] = {}
    for name in known:
        declaration = load("metric", name).declaration
        for score in (declaration.headline, *declaration.also):
            scores |= {plainly(score): name, plainly(score_name(name, score)): name}
    if plainly(text) in scores:
        return scores[plainly(text)]
    several = re.split(r"[\s;|+]+", text)
    if len(several) > 1 and all(plainly(each) in spelled for each in several):
        raise UsageError(f"{text}: separate measures by commas, {','.join(spelled[plainly(each)] for each in several)}")
    raise UsageError(f'unknown metric "{text}"{suggest(text, [*known, *SETS])}{PLUGIN_HINT}')


def named(kind: Kind, text: str) -> str:
    """The name of a component as it is written here, from any spelling of it: BetaVAE is beta_vae.

    What is no spelling of any stays as it is, for `entry` to answer.
    """
    if kind == "metric":
        return metric_named(text)
    spelled = {plainly(name): name for name in names(kind)}
    return text if text in names(kind) else spelled.get(plainly(text), text)


def describe(kind: Kind, name: str) -> str:
    """The first line of a component's docstring, read without importing it."""
    file = entry(kind, name).file
    if file is None:
        return ""
    if file.suffix == ".toml":
        import tomllib

        return str(tomllib.loads(file.read_text()).get("description", ""))
    return (ast.get_docstring(ast.parse(file.read_bytes())) or "").split("\n")[0]


def load(kind: Kind, name: str) -> Any:
    """The component itself: a class, or for a metric the declared function."""
    found = entry(kind, name)
    try:
        module = sys.modules.get(found.module) or importlib.import_module(found.module)
    except ImportError as error:
        raise UsageError(f'{kind} "{name}" cannot be imported from {found.module}: {error}') from error
    component = _component(kind, module, name)
    if component is None:
        wanted = f"a function {name} decorated with @metric" if kind == "metric" else f"one {kind} class"
        raise UsageError(f"{module.__file__} must define {wanted}")
    return component


def source(kind: Kind, name: str) -> str | None:
    """The sha256 of a loose file's content, which enters the identity of what uses it; None for installed parts."""
    return entry(kind, name).source


def check_sources(run: Run) -> None:
    """Raise `UsageError` where a part of a run is defined by another file here than the one that the run's id names:
    what is trained or encoded by this one would stand under the id of that one."""
    parts: list[tuple[Kind, Component | None]] = [
        ("dataset", run.dataset), ("model", run.model), ("network", run.network)
    ]  # fmt: skip
    for kind, part in parts:
        if part is not None and (here := source(kind, part.name)) != part.source:
            raise UsageError(
                f"{kind} {part.name}: this run is of {_origin(part.name, part.source)}, and here is"
                f" {_origin(part.name, here)}; put the former back, or train anew with the latter by `benchmark run`:"
                " its runs have ids of their own"
            )


def _origin(name: str, digest: str | None) -> str:
    return "an installed package" if digest is None else f"a {name}.py of sha256 {digest[:12]}…"


def file_digest(kind: Kind, name: str) -> str | None:
    """The sha256 of the file that defines a component; None where it is not known which that is."""
    found = entry(kind, name)
    if found.source is not None:
        return found.source  # of what was loaded; the file may be another by now
    file = found.file or (inspect.getsourcefile(load(kind, name)) or None)
    return None if file is None else _content_digest(Path(file))


@cache
def _content_digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def is_builtin(kind: Kind, name: str) -> bool:
    """Whether a component is part of this package, and there wherever its results are read."""
    return name in _builtin(kind)


def add_plugin(path: Path) -> list[Entry]:
    """Register what a loose Python file defines: models, datasets, networks and metrics, under the file's name."""
    if not path.is_file():
        raise UsageError(f"--plugin {path}: {'a folder, and a plug-in is a file' if path.is_dir() else 'no such file'}")
    if path.suffix != ".py":
        raise UsageError(f"--plugin {path}: a plug-in is a Python file, and its name ends in .py")
    check_name(path.stem, f"--plugin {path.name[:40]}: its name")
    return _register(path, path.read_bytes())


def with_plugins(function: Callable[[Task], Any], files: Iterable[Path]) -> Callable[[Task], Any]:
    """The function, for a worker process, which registers these loose files first: with the content that they were
    registered with here, so that whoever edits one meanwhile changes the next run and not this one."""
    contents = {item.file: item.content for item in _plugins.values()}
    return partial(_with_plugins, function, tuple((file, contents[file]) for file in files))


def _with_plugins(function: Callable[[Task], Any], files: Iterable[tuple[Path, bytes]], task: Task) -> Any:
    for path, content in files:
        _register(path, content)
    return function(task)


def _register(path: Path, content: bytes) -> list[Entry]:
    """Register what a loose file of this content defines."""
    name = path.stem
    digest = hashlib.sha256(content).hexdigest()
    module_name = f"benchmark_plugin_{name}_{digest[:12]}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, path)
        assert spec
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            # Its loader would read the file again, and take one that was edited within a second from Python's cache.
            exec(compile(content, path.absolute(), "exec", dont_inherit=True), module.__dict__)
        except (Exception, SystemExit) as error:  # whatever the file does when it runs is what is wrong with it
            del sys.modules[module_name]
            raise UsageError(f"--plugin {path} fails when it is imported: {type(error).__name__}: {error}") from error
    module = sys.modules[module_name]
    found: list[Entry] = []
    for kind in ("model", "dataset", "network", "metric"):
        component = _component(kind, module, name)
        if component is not None:
            found.append(Entry(kind, name, module_name, path, digest, content))
    if not found:
        fitting = re.sub(r"\W|^(?=\d)", "_", name)  # no function can be called my-measure
        renamed = "" if fitting == name else f" in a file of that name: rename it {fitting}.py"
        raise UsageError(
            f"--plugin {path} defines nothing: it needs a class derived from a model, dataset or network base,"
            f" or a function {fitting} decorated with @metric{renamed}"
        )
    for item in found:
        known = _builtin(item.kind) | _installed(item.kind)
        if item.name in known:
            raise UsageError(f'--plugin {path}: a {item.kind} "{item.name}" exists already; rename the file')
        other = _plugins.get((item.kind, item.name), item)
        if other.source != digest and other.file and other.file.resolve() != path.resolve():
            raise UsageError(
                f'--plugin {path}: a {item.kind} "{item.name}" comes from {other.file} already; rename one'
            )
    for key, known_as in list(_plugins.items()):  # what the file defined before it was edited
        if known_as.name == name and known_as.file and known_as.file.resolve() == path.resolve():
            del _plugins[key]
    for item in found:
        _plugins[item.kind, item.name] = item
        if item.kind == "metric":
            function = getattr(module, item.name)
            function.declaration = replace(function.declaration, source=digest)
    return found


def plugins() -> list[Path]:
    """The loose files in use, which worker processes need, too."""
    return sorted({entry.file for entry in _plugins.values() if entry.file})


def _entries(kind: Kind) -> dict[str, Entry]:
    loose = {name: item for (other, name), item in _plugins.items() if other == kind}
    return _builtin(kind) | _installed(kind) | loose


@cache
def _builtin(kind: Kind) -> dict[str, Entry]:
    package = f"{kind}s"
    suffix = ".toml" if kind == "suite" else ".py"
    files = [file for file in (ROOT / package).glob(f"*{suffix}") if not file.name.startswith("_")]
    return {file.stem: Entry(kind, file.stem, f"benchmark.{package}.{file.stem}", file) for file in files}


@cache
def _installed(kind: Kind) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for point in entry_points(group=f"benchmark.{kind}s"):
        if point.name in _builtin(kind) or point.name in found:
            raise UsageError(f'two packages offer a {kind} "{point.name}": uninstall one or rename its entry point')
        module = point.value.split(":")[0]
        found[point.name] = Entry(kind, point.name, module, None)
    return found


def _component(kind: Kind, module: ModuleType, name: str) -> Any:
    if kind == "metric":
        function = getattr(module, name, None)
        return function if hasattr(function, "declaration") else None
    base_module, _, base_name = BASES[kind].partition(":")
    if base_module not in sys.modules and module.__name__.startswith("benchmark_plugin_"):
        return None
    base = getattr(importlib.import_module(base_module), base_name)
    classes = [
        value
        for key, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, base)
        and value.__module__ == module.__name__
        and not inspect.isabstract(value)
        and not key.startswith("_")
    ]
    if len(classes) > 1:
        listing = ", ".join(cls.__name__ for cls in classes)
        raise UsageError(f"{module.__file__} defines several {kind}s ({listing}); keep one a file")
    return classes[0] if classes else None
