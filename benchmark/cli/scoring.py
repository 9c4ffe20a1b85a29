"""`evaluate` and `compare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark.cli.asked import request, workplace
from benchmark.cli.completion import datasets
from benchmark.cli.options import (
    Beside,
    Budget,
    DataDir,
    Factors,
    Jobs,
    Json,
    Metrics,
    Only,
    OptionalName,
    Plugin,
    Rename,
    Results,
    RetryFailed,
    Scheduler,
)
from benchmark.cli.printed import command_here, fail_if, grouped, print_again, print_next, print_result
from benchmark.cli.typed import read_metrics, read_renaming
from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.words.phrases import count


def evaluate(
    suite: OptionalName = None,
    results: Results = RESULTS,
    codes: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="codes from elsewhere, .npz, .csv, .pt, .mat, .h5, .h5ad and others; one FILE for each seed",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="with --codes: the model's name; by default the file's")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="with --codes: the suite's dataset that they are of", autocompletion=datasets
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="with --codes: the first file's seed, by default 0")
    ] = None,
    factors: Factors = None,
    discrete: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="with --codes: a factor whose values are classes")
    ] = None,
    continuous: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="with --codes: a factor whose values are measurements")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="with --codes: a factor or column to leave out")
    ] = None,
    rename: Rename = None,
    classes_as_factors: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="with --codes: a label each class of which becomes a factor"),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="N|G,G,…", help="with --codes: columns that belong together, every N or as each column's G says"
        ),
    ] = None,
    beside: Beside = None,
    only: Only = None,
    metrics: Metrics = None,
    budget: Budget = None,
    plugin: Plugin = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    retry_failed: RetryFailed = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Score the finished runs of a suite and compile its results table. Scores that are there are kept.

    With --codes, codes made by any framework become finished runs first: of SUITE, or of a suite of their own; with
    --beside, on the data and under the protocols of a published leaderboard, whose rows stand beside them.
    """
    from benchmark.verbs.add_codes import add_codes
    from benchmark.verbs.evaluate import carry_out

    at = workplace(results, data_dir, jobs=jobs, scheduler=scheduler, as_json=as_json)
    names = read_metrics(metrics)
    added = None
    if codes:
        choice: dict[str, Any] = {"name": name, "dataset": dataset, "seed": seed, "factors": factors}
        choice |= {
            "metrics": names,
            "budget": budget,
            "plugins": plugin or (),
            "rename": dict(map(read_renaming, rename or [])),
        }
        choice |= {"discrete": discrete or (), "continuous": continuous or (), "drop": drop or ()}
        choice |= {"classes_as_factors": classes_as_factors or (), "groups": groups}
        choice |= {"beside": beside, "data_dir": data_dir}
        added = add_codes(codes, suite, results=results, **choice)
        suite = added.suite
        for note in added.notes:
            print(note, file=sys.stderr)
    elif beside is not None:
        page = command_here("report", suite or "SUITE", "--beside", beside, results=results, plugins=plugin)
        raise UsageError(f"--beside goes with --codes FILE; a suite's page has an archive's rows by {page}")
    elif (name, dataset, seed, factors) != (None, None, None, None) or any(
        (discrete, continuous, drop, rename, classes_as_factors, groups)
    ):
        raise UsageError(
            "--name, --dataset, --seed, --factors, --discrete, --continuous, --classes-as-factors, --groups, --drop and"
            " --rename describe codes from elsewhere: give them by --codes"
        )
    if suite is None:
        raise UsageError("benchmark evaluate: name a suite, or give codes of your own by --codes FILE")
    wanted = request(suite, only=only, plugins=plugin, retry_failed=retry_failed)
    summary = carry_out(wanted, at, names, budget)
    counts = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in summary.scores.items())
    text, value = f"{summary.table}: {counts}", vars(summary)
    if added:
        from benchmark.stages.headlines import headlines
        from benchmark.words.headlines import as_text

        numbers = headlines(summary.table, added.runs)
        text, value = f"{text}\n{as_text(numbers)}", {**value, "runs": added.runs, "numbers": numbers}
    if added and beside:
        from benchmark.verbs._beside import standing_lines

        lines = standing_lines(beside, suite, results, added.runs)
        text, value = "\n".join([text, *lines]), {**value, "beside": lines}
    print_result(value, as_json, text)
    _note_before(summary.failed_before, suite, results)
    words = (suite, "--beside", beside) if beside else (suite,)
    _finish(summary.failed, "report", *words, results=results, plugins=plugin)


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="a file of codes, NAME=FILE,FILE,… or a suite of codes")],
    b: Annotated[str, typer.Argument(metavar="B", help="the same, of the other model")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="what the two together are called; by default A-vs-B")
    ] = None,
    factors: Factors = None,
    rename: Rename = None,
    metrics: Metrics = None,
    budget: Budget = None,
    results: Results = RESULTS,
    plugin: Plugin = None,
    jobs: Jobs = None,
    retry_failed: RetryFailed = False,
    as_json: Json = False,
) -> None:
    """Set two models of your own side by side: benchmark compare a.npz b.npz, with a test of each difference.

    Several seeds of a model are several files: benchmark compare old=o0.npz,o1.npz mine=m0.npz,m1.npz
    """
    from benchmark.verbs.compare import compare
    from benchmark.words.side_by_side import as_text

    names = read_metrics(metrics)
    choice: dict[str, Any] = {"results": results, "plugins": plugin or (), "jobs": jobs, "quiet": as_json}
    choice |= {"retry_failed": retry_failed}
    choice |= {"name": name, "factors": factors, "rename": dict(map(read_renaming, rename or []))}
    found = compare(a, b, metrics=names, budget=budget, **choice)
    for note in found.notes:
        print(note, file=sys.stderr)
    print_result(found, as_json, as_text(found.scores, found.a, found.b))
    _finish(found.failed, "report", found.suite, results=results, plugins=plugin)


def _note_before(failed: dict[str, str], suite: str, results: Path) -> None:
    """Say of failed scores that are not of what was asked for, as those of an earlier text of a file, how they go."""
    protocols = list(dict.fromkeys(place.partition(" ")[2] for place in failed))
    if protocols:
        more = f" and {len(protocols) - 1} more" if len(protocols) > 1 else ""
        gone = command_here("forget", suite, "--metric", protocols[0], results=results)
        print(
            f"note: the table has {count(len(failed), 'score')} that failed before, of what was not asked for now"
            f" ({protocols[0]}{more}); taken out by {gone}",
            file=sys.stderr,
        )


def _finish(failed: dict[str, str], *words: str, results: Path, plugins: list[Path] | None) -> None:
    """What failed, and what to type next: where nothing did, these words."""
    for line in grouped(failed):
        print(line, file=sys.stderr)
    if failed:
        print_again("--retry-failed")
    else:
        print_next(*words, results=results, plugins=plugins)
    fail_if(bool(failed))
