"""`merge`, `forget`, `prune`, `verify` and `doctor`: what lies in a results folder, and components."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmark import registry
from benchmark.cli.completion import checked, components, datasets, metrics, models, suites
from benchmark.cli.options import Into, Json, Name, Plugin, Results
from benchmark.cli.printed import fail_if, print_next, print_result
from benchmark.cli.typed import add_plugins, read_kind
from benchmark.commands import RESULTS
from benchmark.errors import UsageError


def merge(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="another results folder")],
    results: Results = RESULTS,
    as_json: Json = False,
) -> None:
    """Take over the runs and scores of another results folder; nothing that is here is changed."""
    from benchmark.verbs.merge import merge

    counts = merge(folder, results=results)
    print_result(counts, as_json, ", ".join(f"{number} {what}" for what, number in counts.items()) + " taken over")
    print_next("status", results=results)


def forget(
    suite: Name,
    metric: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="its scores: mig, mig(bins=10) or a protocol id", autocompletion=metrics),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="its runs, or codes added under it", autocompletion=models)
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="runs on it, such as: external", autocompletion=datasets)
    ] = None,
    run: Annotated[str | None, typer.Option(metavar="ID", help="this run")] = None,
    results: Results = RESULTS,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do it without asking")] = False,
    as_json: Json = False,
) -> None:
    """Take out what should not be there, for ever: scores of a measure, or whole runs.

    With --metric and --model, --dataset or --run: the scores of these runs.
    """
    from benchmark.verbs.forget import carry_out, find_forgotten

    found = find_forgotten(suite, metric=metric, model=model, dataset=dataset, run=run, results=results)
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(f"this would delete {found.sentence()}; nothing is done without --yes")
        if not typer.confirm(f"delete {found.sentence()}?", err=True):
            print("nothing was deleted", file=sys.stderr)
            return
    done = {
        "suite": found.suite,
        "scores": list(map(str, found.scores)),
        "runs": [each.run_id for each in found.runs],
        "shared": list(found.shared),
    }
    sentence = found.sentence()
    carry_out(found)
    print_result(done, as_json, f"deleted {sentence}")
    print_next("status", results=results)


def prune(results: Results = RESULTS, as_json: Json = False) -> None:
    """Delete what no run needs: what killed processes left, fleets that ended, and altered runs.

    Fleets that failed are among them: a retry begins anew. Altered runs are those that run --retry-failed set aside.
    """
    from benchmark.verbs.prune import prune

    counts = prune(results=results)
    print_result(counts, as_json, ", ".join(f"{number} {what}" for what, number in counts.items()) + " deleted")


def verify(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[SUITE|FOLDER|FILE|NAME]",
            help="by default all of the results folder; a submission's file, or an archive's folder, address or name",
            autocompletion=suites,
        ),
    ] = None,
    into: Into = None,
    results: Results = RESULTS,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Compare every file of results with the digest kept of it, a line for each that was altered; exit 1 if any was.

    Of a submission or an archive, say check by check what holds: files, runs, protocols, bounds, plug-ins, weights.
    """
    from benchmark.verbs.verify import verify

    found = verify(target, results=results, plugins=plugin or (), into=into)
    lines = [f"holds   {line}" for line in found.held]
    lines += [f"WRONG   {line}" for line in found.findings] + [f"note    {line}" for line in found.notes]
    lines += [f"sealed  {line} as it is, on first contact" for line in found.sealed]
    lines += [f"note    {found.unseen}"] if found.unseen else []
    count = len(found.findings)
    compared = f"{found.files:,} files compared with their digests"
    last = f"{compared}: {f'{count:,} wrong' if count else 'all as they were'}"
    print_result(found, as_json, "\n".join([*lines, last]))
    fail_if(bool(count))


def doctor(
    what: Annotated[
        str, typer.Argument(metavar="KIND|FILE", help="metric or model; or a file of your own", autocompletion=checked)
    ],
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="one of that kind, your own by --plugin", autocompletion=components),
    ] = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Run the conformance suite on one component, your own included: benchmark doctor my_model.py; exit 1 where it
    fails.

    Each check that fails says what is wrong and what to do.
    """
    from benchmark.conformance import examine

    add_plugins(plugin)
    kind, name = read_component(what, name)
    verdicts = examine(kind, name)
    if not verdicts:
        raise UsageError(f"benchmark doctor {kind} {name}: it needs arrays that the conformance suite cannot make up")
    failed = [each for each in verdicts if each.reason]
    lines = [f"FAILED  {each.title}: {each}" if each.reason else f"passed  {each.title}" for each in verdicts]
    last = f"{name}: {len(verdicts) - len(failed)} passed, {len(failed)} failed"
    print_result({each.title: str(each) for each in verdicts}, as_json, "\n".join([*lines, last]))
    fail_if(bool(failed))


def read_component(what: str, name: str | None) -> tuple[registry.Kind, str]:
    """The kind and name of a component that has checks, from KIND NAME or from the file that defines it.

    Raises `UsageError` where there is none.
    """
    from benchmark.conformance import CHECKED

    if name is None and what.endswith(".py"):
        found = [entry for entry in registry.add_plugin(Path(what)) if entry.kind in CHECKED]
        if len(found) != 1:
            has = "several components" if found else "none of these"
            raise UsageError(f"benchmark doctor {what}: checks are there for a metric or a model, and it holds {has}")
        return found[0].kind, found[0].name
    kind = read_kind(what)
    if kind not in CHECKED:
        raise UsageError(f"benchmark doctor {what}: the conformance suite is there for metrics and models")
    if name is None:
        raise UsageError(f"benchmark doctor {what} NAME: say which; benchmark list {kind}s names them")
    named = registry.named(kind, name)
    return kind, registry.entry(kind, named).name
