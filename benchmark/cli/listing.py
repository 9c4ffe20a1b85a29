"""`status`, `list` and `show`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from benchmark import registry
from benchmark.cli.completion import components, kinds, suites
from benchmark.cli.options import Json, Plugin, Results
from benchmark.cli.printed import print_next, print_next_line, print_result
from benchmark.cli.typed import add_plugins, read_kind
from benchmark.commands import RESULTS
from benchmark.errors import UsageError


def status(
    suite: Annotated[
        str | None, typer.Argument(metavar="[SUITE]", help="by default all of them", autocompletion=suites)
    ] = None,
    results: Results = RESULTS,
    as_json: Json = False,
) -> None:
    """How far each suite in the results folder is, or one of them."""
    from benchmark.verbs.status import status

    rows = status(suite, results=results)
    lines = [f"{'suite':<24}{'runs':>7}{'done':>7}{'failed':>8}{'missing':>9}  scored  report"]
    for row in rows:
        scored, page = ("yes" if row[key] else "no" for key in ("scored", "report"))
        counts = f"{row['runs']:>7,}{row['done']:>7,}{row['failed']:>8,}{row['missing']:>9,}"
        lines.append(f"{row['suite']:<24}{counts}  {scored:<6}  {page}")
    print_result(rows, as_json, "\n".join(lines))
    waiting = next((row["suite"] for row in rows if row["missing"]), None)
    unscored = next((row["suite"] for row in rows if row["done"] and not row["scored"]), None)
    if waiting:
        print_next("run", waiting, results=results)
    elif unscored:
        print_next("evaluate", unscored, results=results)


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[models|datasets|networks|metrics|suites]", help="by default all", autocompletion=kinds
        ),
    ] = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Everything that can be named in a suite, with a line about each."""
    add_plugins(plugin)
    kinds = registry.KINDS if kind is None else (read_kind(kind),)
    known = {each: {name: registry.describe(each, name) for name in registry.names(each)} for each in kinds}
    if as_json:
        print(json.dumps(known, indent=1, ensure_ascii=False))
        return
    for each, names in known.items():
        print(f"{each}s")
        for name, line in names.items():
            print(f"  {name:<28}{line}")
    print_next_line("benchmark show KIND NAME for one of them, such as: benchmark show metric mig")


def show(
    what: Annotated[
        str, typer.Argument(metavar="RUN|KIND", help="a run's id, or a kind: model, metric, …", autocompletion=kinds)
    ],
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="one of that kind", autocompletion=components)
    ] = None,
    results: Results = RESULTS,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """A run with its settings, provenance and scores, or a component with its documentation and settings."""
    from benchmark.words import components as describe

    add_plugins(plugin)
    if name is None and what.rstrip("s") in registry.KINDS:
        raise UsageError(f"benchmark show {what} NAME: say which; benchmark list {what.rstrip('s')}s names them")
    shown = describe.run(what, results) if name is None else describe.component(read_kind(what), name)
    # A suite's own text alone: what is written into a file is a suite again.
    print_result(shown, as_json, shown["content"].rstrip("\n") if "content" in shown else describe.text(shown))
