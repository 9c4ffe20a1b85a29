"""What the shell completes."""

from __future__ import annotations

import glob
from collections.abc import Callable
from pathlib import Path

import typer

from benchmark import registry
from benchmark.choice import SETS


def beginning(kind: registry.Kind, text: str) -> list[str]:
    """The names of a kind that begin so: what the shell completes."""
    return [name for name in registry.names(kind) if name.startswith(text)]


def suites(incomplete: str) -> list[str]:
    """Built-in ones, those of the results folder here, and files; absolute paths are left to the shell."""
    if Path(incomplete).is_absolute():
        return []
    begins = glob.escape(incomplete)
    files = [str(path) for path in Path().glob(f"{begins}*.toml")]
    own = [path.parent.name for path in Path("results", "suites").glob(f"{begins}*/plan.json")]
    return list(dict.fromkeys([*beginning("suite", incomplete), *own, *files]))


def models(incomplete: str) -> list[str]:
    return beginning("model", incomplete)


def datasets(incomplete: str) -> list[str]:
    return beginning("dataset", incomplete)


def metrics(incomplete: str) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in [*beginning("metric", last), *SETS] if name.startswith(last)]


def columns(incomplete: str) -> list[str]:
    return metrics(incomplete) + [name for name in ("all",) if name.startswith(incomplete)]


def only(incomplete: str) -> list[str]:
    """KEY= first, then the names of that kind; values of one key are separated by commas."""
    key, equals, values = incomplete.partition("=")
    if not equals:
        return [f"{each}=" for each in ("dataset", "model", "network", "seed", "config") if each.startswith(key)]
    before, comma, last = values.rpartition(",")
    return [f"{key}={before}{comma}{name}" for kind in registry.KINDS if kind == key for name in beginning(kind, last)]


def kinds(incomplete: str) -> list[str]:
    return [kind for kind in registry.KINDS if kind.startswith(incomplete)]


def checked(incomplete: str) -> list[str]:
    """Kinds that `doctor` has checks for, and files of one's own."""
    files = [str(path) for path in Path().glob(f"{glob.escape(incomplete)}*.py")]
    return [*(kind for kind in ("metric", "model") if kind.startswith(incomplete)), *files]


def components(ctx: typer.Context, incomplete: str) -> list[str]:
    said = (ctx.params.get("what") or "").removesuffix("s")
    return [name for kind in registry.KINDS if kind == said for name in beginning(kind, incomplete)]


def one_of(*words: str) -> Callable[[str], list[str]]:
    """Completes one of these words."""

    def beginning(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return beginning
