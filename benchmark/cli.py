"""The command line: verbs, flags and exit codes. Each verb imports its stage inside, so that --help is instant."""

from __future__ import annotations

import glob
import json
import os
import re
import shlex
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import typer

from benchmark import __version__, registry
from benchmark.choice import SETS, read_value, split_choices
from benchmark.errors import BenchmarkError, Note, UsageError
from benchmark.naming import printable

app = typer.Typer(
    name="benchmark",
    help="Train, encode, score and compare disentangled representations.",
    epilog="Start with: benchmark demo. Then: benchmark list suites, benchmark run SUITE, benchmark evaluate SUITE.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data = typer.Typer(help="Datasets: list them, fetch their files, verify them.", no_args_is_help=True)
app.add_typer(data, name="data")

FAILED, REGRESSION, INTERRUPTED = 1, 3, 130
FIGURES: tuple[Literal["svg", "pdf", "png"], ...] = ("svg", "pdf", "png")
PYDANTIC_INTEGER = "Input should be a valid integer, unable to parse string as an integer"
"""What a flag that counts says of words."""
USAGE: type[Exception] = typer.BadParameter.__mro__[1]
"""What a wrong flag raises. Typer names only its subclasses, and keeps it in another package in every version."""


def _beginning(kind: registry.Kind, text: str) -> list[str]:
    """The names of a kind that begin so: what the shell completes."""
    return [name for name in registry.names(kind) if name.startswith(text)]


def _suites(incomplete: str) -> list[str]:
    """Built-in ones, those of the results folder here, and files; absolute paths are left to the shell."""
    if Path(incomplete).is_absolute():
        return []
    begins = glob.escape(incomplete)
    files = [str(path) for path in Path().glob(f"{begins}*.toml")]
    own = [path.parent.name for path in Path("results", "suites").glob(f"{begins}*/plan.json")]
    return list(dict.fromkeys([*_beginning("suite", incomplete), *own, *files]))


def _models(incomplete: str) -> list[str]:
    return _beginning("model", incomplete)


def _datasets(incomplete: str) -> list[str]:
    return _beginning("dataset", incomplete)


def _metrics(incomplete: str) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in [*_beginning("metric", last), *SETS] if name.startswith(last)]


def _columns(incomplete: str) -> list[str]:
    return _metrics(incomplete) + [name for name in ("all",) if name.startswith(incomplete)]


def _only(incomplete: str) -> list[str]:
    """KEY= first, then the names of that kind; values of one key are separated by commas."""
    key, equals, values = incomplete.partition("=")
    if not equals:
        return [f"{each}=" for each in ("dataset", "model", "network", "seed", "config") if each.startswith(key)]
    before, comma, last = values.rpartition(",")
    return [f"{key}={before}{comma}{name}" for kind in registry.KINDS if kind == key for name in _beginning(kind, last)]


def _kinds(incomplete: str) -> list[str]:
    return [kind for kind in registry.KINDS if kind.startswith(incomplete)]


def _components(ctx: typer.Context, incomplete: str) -> list[str]:
    said = (ctx.params.get("what") or ctx.params.get("kind") or "").removesuffix("s")
    return [name for kind in registry.KINDS if kind == said for name in _beginning(kind, incomplete)]


def _one_of(*words: str) -> Callable[[str], list[str]]:
    """Completes one of these words."""

    def beginning(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return beginning


Name = Annotated[
    str,
    typer.Argument(
        metavar="SUITE", help="a built-in suite's name, or the path of a .toml file", autocompletion=_suites
    ),
]
Results = Annotated[Path, typer.Option(metavar="DIR", help="folder of all results")]
Plugin = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="a loose FILE.py with a model, dataset, network or metric; may be repeated"),
]
Jobs = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="processes; by default one a core; 0 works in this process")
]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="a dask scheduler, tcp://host:8786: its workers do the work")
]


def _data_dir(folder: Path | None) -> Path | None:
    from benchmark.verbs._given import check_data_dir

    check_data_dir(folder)
    return folder


Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
Only = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE[,…]", help="keep these runs: model=vae,ae", autocompletion=_only)
]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="override: training.steps=100")]
Seeds = Annotated[str | None, typer.Option(metavar="N|LIST|RANGE", help="how many (3), a list (0,4) or a range (2-5)")]
Budget = Annotated[
    str | None,
    typer.Option(metavar="quick|full", help="by default the suite's own", autocompletion=_one_of("quick", "full")),
]
DataDir = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="where data files lie, before $BENCHMARK_DATA and the cache", callback=_data_dir),
]


def _version(asked: bool) -> None:
    if asked:
        print(f"benchmark {__version__}")
        raise typer.Exit


@app.callback()
def top(
    ctx: typer.Context,
    version: Annotated[  # noqa: ARG001  its callback answers
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Train, encode, score and compare disentangled representations."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command()
def demo(results: Results = Path("results"), jobs: Jobs = None, as_json: Json = False) -> None:
    """Run, evaluate and report the suite `quickstart`: a few minutes, no download."""
    from benchmark.verbs.evaluate import evaluate
    from benchmark.verbs.report import report
    from benchmark.verbs.run import run

    summary = run("quickstart", results=results, jobs=jobs, quiet=as_json)
    scores = evaluate("quickstart", results=results, jobs=jobs, quiet=as_json)
    page = report("quickstart", results=results, jobs=jobs, quiet=as_json)
    _print({"run": summary, "evaluate": scores, "report": page}, as_json, str(page))
    _say_next("open the page above, then: benchmark list suites")
    _fail_if(bool(summary.failed or scores.failed))


@app.command()
def run(
    suite: Name,
    results: Results = Path("results"),
    only: Only = None,
    set_: Set = None,
    seeds: Seeds = None,
    plugin: Plugin = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    data_dir: DataDir = None,
    shard: Annotated[str | None, typer.Option(metavar="I/N", help="the I-th of N disjoint shares of the runs")] = None,
    device: Annotated[
        str,
        typer.Option(
            metavar="auto|cpu|cuda",
            help="where to train; auto: a GPU if any",
            autocompletion=_one_of("auto", "cpu", "cuda"),
        ),
    ] = "auto",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="try recorded failures again")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done and what it would cost")] = False,
    as_json: Json = False,
) -> None:
    """Train and encode a suite's runs. What is done already is kept: run it again to resume."""
    from benchmark.verbs.estimate import estimate
    from benchmark.verbs.run import run

    choice: dict[str, Any] = {
        "results": results,
        "only": _filters(only or []),
        "overrides": dict(map(_value, set_ or [])),
        "seeds": None if seeds is None else _seeds(seeds),
        "shard": None if shard is None else _shard(shard),
        "jobs": jobs,
        "data_dir": data_dir,
        "plugins": plugin or (),
        "device": device,
    }
    if dry_run:
        if scheduler:
            raise UsageError("--dry-run estimates for --jobs N processes: give the number of workers, no --scheduler")
        cost = estimate(suite, **choice)
        _print(cost, as_json, cost.text())
        return
    summary = run(suite, **choice, scheduler=scheduler, retry_failed=retry_failed, quiet=as_json)
    done, failed = len(summary.done), len(summary.failed)
    _print(summary, as_json, f"{summary.suite}: {done} runs done, {summary.trained} of them now; {failed} failed")
    for run_id, reason in summary.failed.items():
        print(f"failed  {run_id}: {printable(reason)}", file=sys.stderr)
    if failed:
        _again("--retry-failed")
    else:
        _next("evaluate", suite, results=results, plugins=plugin)
    _fail_if(bool(failed))


@app.command()
def evaluate(
    suite: Annotated[
        str | None,
        typer.Argument(
            metavar="[SUITE]", help="a built-in suite's name, or the path of a .toml file", autocompletion=_suites
        ),
    ] = None,
    results: Results = Path("results"),
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
            metavar="NAME", help="with --codes: the suite's dataset that they are of", autocompletion=_datasets
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="with --codes: the first file's seed, by default 0")
    ] = None,
    factors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="with --codes: a file of the factors alone")
    ] = None,
    discrete: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="with --codes: a factor whose values are classes")
    ] = None,
    continuous: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="with --codes: a factor whose values are measurements")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="with --codes: a factor or column to leave out")
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", help="with --codes: read z=codes, y=factors, 'h*=code_*'"),
    ] = None,
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
    beside: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="with --codes: a published leaderboard, an archive's folder, file or address, to stand beside",
        ),
    ] = None,
    only: Only = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[,…]",
            help="only these: mig,mig(bins=10); disentanglement_lib is what that library computes",
            autocompletion=_metrics,
        ),
    ] = None,
    budget: Budget = None,
    plugin: Plugin = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="try failed scores again")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Score the finished runs of a suite and compile its results table. Scores that are there are kept.

    With --codes, codes made by any framework become finished runs first: of SUITE, or of a suite of their own; with
    --beside, on the data and under the protocols of a published leaderboard, whose rows stand beside them.
    """
    from benchmark.verbs.add_codes import add_codes
    from benchmark.verbs.evaluate import evaluate

    names = split_choices(metrics) if metrics else []
    added = None
    if codes:
        choice: dict[str, Any] = {"name": name, "dataset": dataset, "seed": seed, "factors": factors}
        choice |= {
            "metrics": names,
            "budget": budget,
            "plugins": plugin or (),
            "rename": dict(map(_renaming, rename or [])),
        }
        choice |= {"discrete": discrete or (), "continuous": continuous or (), "drop": drop or ()}
        choice |= {"classes_as_factors": classes_as_factors or (), "groups": groups}
        choice |= {"beside": beside, "data_dir": data_dir}
        added = add_codes(codes, suite, results=results, **choice)
        suite = added.suite
        for note in added.notes:
            print(note, file=sys.stderr)
    elif beside is not None:
        page = _typed("report", suite or "SUITE", "--beside", beside, results=results, plugins=plugin)
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
    filters = _filters(only or [])
    summary = evaluate(
        suite,
        results=results,
        only=filters,
        metrics=names,
        budget=budget,
        plugins=plugin or (),
        jobs=jobs,
        scheduler=scheduler,
        retry_failed=retry_failed,
        data_dir=data_dir,
        quiet=as_json,
    )
    counts = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in summary.scores.items())
    text, value = f"{summary.table}: {counts}", vars(summary)
    if added:
        from benchmark.stages.headlines import as_text, headlines

        numbers = headlines(summary.table, added.runs)
        text, value = f"{text}\n{as_text(numbers)}", {**value, "runs": added.runs, "numbers": numbers}
    if added and beside:
        from benchmark.verbs._beside import standing_lines

        lines = standing_lines(beside, suite, results, added.runs)
        text, value = "\n".join([text, *lines]), {**value, "beside": lines}
    _print(value, as_json, text)
    if summary.failed:
        for line in _grouped(summary.failed):
            print(line, file=sys.stderr)
        _again("--retry-failed")
    else:
        _next("report", suite, *(("--beside", beside) if beside else ()), results=results, plugins=plugin)
    _fail_if(bool(summary.failed))


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="a file of codes, NAME=FILE,FILE,… or a suite of codes")],
    b: Annotated[str, typer.Argument(metavar="B", help="the same, of the other model")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="what the two together are called; by default A-vs-B")
    ] = None,
    factors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="a file of the factors, where that of the codes has none")
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="read z=codes, y=factors, 'h*=code_*'")
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(metavar="NAME[,…]", help="only these: mig,mig(bins=10)", autocompletion=_metrics),
    ] = None,
    budget: Budget = None,
    results: Results = Path("results"),
    plugin: Plugin = None,
    jobs: Jobs = None,
    as_json: Json = False,
) -> None:
    """Set two models of your own side by side: benchmark compare a.npz b.npz, with a test of each difference.

    Several seeds of a model are several files: benchmark compare vae=v0.npz,v1.npz mine=m0.npz,m1.npz
    """
    from benchmark.stages.side_by_side import as_text
    from benchmark.verbs.compare import compare

    names = split_choices(metrics) if metrics else []
    choice: dict[str, Any] = {"results": results, "plugins": plugin or (), "jobs": jobs, "quiet": as_json}
    choice |= {"name": name, "factors": factors, "rename": dict(map(_renaming, rename or []))}
    found = compare(a, b, metrics=names, budget=budget, **choice)
    for note in found.notes:
        print(note, file=sys.stderr)
    _print(found, as_json, as_text(found.scores, found.a, found.b))
    _next("report", found.suite, results=results, plugins=plugin)


@app.command()
def report(
    suite: Name,
    results: Results = Path("results"),
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="html|markdown|latex|csv",
            help="the page, or the leaderboards as text",
            autocompletion=_one_of("html", "markdown", "latex", "csv"),
        ),
    ] = "html",
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="all|NAME[,…]",
            help="measures of the text or the figures; by default the main ones",
            autocompletion=_columns,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="write the text here instead of to stdout, or the page of an archive"),
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="a published leaderboard, or an archive's folder, file or address: its rows, too"
        ),
    ] = None,
    figures: Annotated[
        str | None,
        typer.Option(
            metavar="svg|pdf|png",
            help="write every chart and picture as a file, too",
            autocompletion=_one_of(*FIGURES),
        ),
    ] = None,
    width: Annotated[
        str | None,
        typer.Option(
            metavar="column|text|INCHES",
            help="of the figures, with type of 8 pt: column is 3.25 inches (ICML, CVPR, ACL), text 5.5 (NeurIPS, ICLR);"
            " IEEE's are 3.5 and 7.16, JMLR's text 6",
            autocompletion=_one_of("column", "text"),
        ),
    ] = None,
    font: Annotated[
        str,
        typer.Option(
            metavar="sans|serif|NAME",
            help="of the figures: sans, serif (a Times), or an installed font's name",
            autocompletion=_one_of("sans", "serif"),
        ),
    ] = "sans",
    siunitx: Annotated[
        bool, typer.Option("--siunitx", help="with latex: align decimal marks by the package siunitx")
    ] = False,
    protocols: Annotated[
        str | None,
        typer.Option(
            metavar="comment|notes|appendix",
            help="with latex: where the protocols stand; by default in comments of the file",
            autocompletion=_one_of("comment", "notes", "appendix"),
        ),
    ] = None,
    jobs: Jobs = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Write a suite's page, one self-contained index.html, or print its leaderboards as text.

    SUITE may be an archive or a submission, by its name, folder, zip file or address: the page is made of it alone.
    """
    from benchmark.verbs._given import archive_meant
    from benchmark.verbs.report import report, report_text

    kind = next((each for each in FIGURES if each == figures), None)
    if figures is not None and kind is None:
        raise UsageError(f"--figures {figures}: write svg, pdf or png")
    if not figures and (width is not None or font != "sans"):
        raise UsageError("--width and --font are of figures: give --figures svg, pdf or png as well")
    names = [name.strip() for name in (columns or "").split(",") if name.strip()]
    if format_ == "html":
        archived = archive_meant(suite, results) is not None
        if (output and not archived) or (columns is not None and not figures):
            raise UsageError(
                "--output and --columns are for --format markdown, latex or csv, and --columns for --figures: the page"
                " has all columns; --output names an archive's page, too"
            )
        _check_output("--output", output)
        if siunitx or protocols is not None:
            raise UsageError("--siunitx and --protocols are for --format latex")
        drawing: dict[str, Any] = {"columns": names, "width": width, "font": font, "jobs": jobs, "quiet": as_json}
        drawing |= {"beside": beside, "output": output}
        path = report(suite, results=results, plugins=plugin or (), figures=kind, **drawing)
        written = {"page": path} | ({"figures": path.parent / "figures"} if figures else {})
        _print(written, as_json, "\n".join(map(str, written.values())))
        if archived:
            _say_next("open the page above")
            return
        guard = _typed("check", suite, "--against", "TABLE", results=results, plugins=plugin)
        _say_next(f"open the page above; to guard against regressions: {guard}")
        return
    if figures:
        raise UsageError("--figures goes with the page: leave --format out")
    _check_output("--output", output)
    options: dict[str, Any] = ({"siunitx": True} if siunitx else {}) | ({"protocols": protocols} if protocols else {})
    options |= {"beside": beside}
    text = report_text(suite, format_, columns=names, results=results, plugins=plugin or (), **options)
    if output is not None:
        _write("--output", output, text)
        _print({"file": output}, as_json, str(output))
    elif as_json:
        print(json.dumps({"text": text}, ensure_ascii=False))
    else:
        print(text, end="")


@app.command()
def publish(
    suite: Name,
    kind: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="summary|table|margins|archive",
            help="check compares with table and margins; others load archives",
            autocompletion=_one_of("summary", "table", "margins", "archive"),
        ),
    ] = "summary",
    to: Annotated[Path, typer.Option(metavar="DIR", help="folder of what is published")] = Path("results/published"),
    version: Annotated[
        int | None, typer.Option(metavar="N", help="with --as archive: which version of the leaderboard, by default 1")
    ] = None,
    corrects: Annotated[str, typer.Option(metavar="WORDS", help="with --version from 2 on: what it mends")] = "",
    results: Results = Path("results"),
    data_dir: DataDir = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Write of a suite what is to be kept: its summary, its scores, what they differ by from seed to seed, or an
    archive of all of it."""
    from benchmark.verbs.publish import publish

    archived: dict[str, Any] = {"version": version, "corrects": corrects, "data_dir": data_dir, "quiet": as_json}
    path = publish(suite, kind, results=results, to=to, plugins=plugin or (), **archived)
    _print({"file": path}, as_json, str(path))
    if kind == "table":
        _next("check", suite, "--against", path, results=results, plugins=plugin)
    elif kind == "margins":
        _next("check", suite, "--against", "TABLE", "--margins", path, results=results, plugins=plugin)
    elif kind == "archive":
        _say_next(f"in Python, from benchmark import load_results; load_results({str(path)!r})")
    elif suite == "anchors":
        _say_next("benchmark show metric NAME prints what the anchors score")
    else:
        _next("status", results=results)


@app.command()
def submit(
    suite: Name,
    to: Annotated[Path, typer.Option(metavar="FILE", help="the zip file to write, for a pull request")],
    results: Results = Path("results"),
    data_dir: DataDir = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Pack a suite's finished runs, models of your own and codes from elsewhere too, into one file for a pull
    request."""
    from benchmark.verbs.submit import submit

    packed = submit(suite, to, results=results, plugins=plugin or (), data_dir=data_dir, quiet=as_json)
    lines = [f"left out  {what}: {why}" for what, why in packed.left_out.items()]
    lines += [f"plug-in   {name}, sha256 {digest}" for name, digest in packed.plugins.items()]
    _print(packed, as_json, "\n".join([*lines, packed.sentence()]))
    _say_next(_typed("verify", packed.file, plugins=plugin))


@app.command()
def site(
    to: Annotated[Path, typer.Option(metavar="DIR", help="the folder to write")],
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="folder of archives, NAME/VERSION; by default the published ones"),
    ] = None,
    plugin: Plugin = None,
    jobs: Jobs = None,
    as_json: Json = False,
) -> None:
    """Make a static site of published leaderboards: an index, their pages, and their tables as Parquet and CSV."""
    from benchmark.verbs.site import site

    made = site(to, source=source, plugins=plugin or (), jobs=jobs, quiet=as_json)
    _print(made, as_json, str(made.index))
    _say_next("open the page above; any web server can serve the folder as it is")


@app.command()
def check(
    suite: Name,
    against: Annotated[Path, typer.Option(metavar="TABLE", help="a saved results table, .csv or .parquet")],
    margins: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="what reruns under other seeds moved; by default TABLE-margins.csv, if there"
        ),
    ] = None,
    results: Results = Path("results"),
    plugin: Plugin = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="write JUnit XML here")] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write a summary for a pull request here")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a suite's table with a saved one; exit 3 where a score, or several together, became worse."""
    from benchmark.verbs.check import check
    from leaderboard import verdicts as written
    from leaderboard.regression import RULE

    for flag, path in (("--junit", junit), ("--markdown", markdown)):
        _check_output(flag, path)
    verdicts = check(suite, against, margins=margins, results=results, plugins=plugin or ())
    if junit:
        _write("--junit", junit, written.as_junit(verdicts, suite))
    if markdown:
        _write("--markdown", markdown, written.as_markdown(verdicts, suite, RULE))
    if as_json:
        print(written.as_json(verdicts))
    else:
        for verdict in verdicts:
            if verdict.verdict != "same" or verdict.too_good:
                print(written.sentence(verdict))
        print(written.summary(verdicts))
    if any(verdict.verdict == "worse" for verdict in verdicts):
        raise typer.Exit(REGRESSION)


@app.command()
def status(
    suite: Annotated[
        str | None, typer.Argument(metavar="[SUITE]", help="by default all of them", autocompletion=_suites)
    ] = None,
    results: Results = Path("results"),
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
    _print(rows, as_json, "\n".join(lines))
    waiting = next((row["suite"] for row in rows if row["missing"]), None)
    unscored = next((row["suite"] for row in rows if row["done"] and not row["scored"]), None)
    if waiting:
        _next("run", waiting, results=results)
    elif unscored:
        _next("evaluate", unscored, results=results)


@app.command("list")
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[models|datasets|networks|metrics|suites]", help="by default all", autocompletion=_kinds
        ),
    ] = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Everything that can be named in a suite, with a line about each."""
    _add(plugin)
    kinds = registry.KINDS if kind is None else (_kind(kind),)
    known = {each: {name: registry.describe(each, name) for name in registry.names(each)} for each in kinds}
    if as_json:
        print(json.dumps(known, indent=1, ensure_ascii=False))
        return
    for each, names in known.items():
        print(f"{each}s")
        for name, line in names.items():
            print(f"  {name:<28}{line}")
    _say_next("benchmark show KIND NAME for one of them, such as: benchmark show metric mig")


@app.command()
def show(
    what: Annotated[
        str, typer.Argument(metavar="RUN|KIND", help="a run's id, or a kind: model, metric, …", autocompletion=_kinds)
    ],
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="one of that kind", autocompletion=_components)
    ] = None,
    results: Results = Path("results"),
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """A run with its settings, provenance and scores, or a component with its documentation and settings."""
    from benchmark import describe

    _add(plugin)
    if name is None and what.rstrip("s") in registry.KINDS:
        raise UsageError(f"benchmark show {what} NAME: say which; benchmark list {what.rstrip('s')}s names them")
    shown = describe.run(what, results) if name is None else describe.component(_kind(what), name)
    _print(shown, as_json, describe.text(shown))


@app.command()
def merge(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="another results folder")],
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Take over the runs and scores of another results folder; nothing that is here is changed."""
    from benchmark.verbs.merge import merge

    counts = merge(folder, results=results)
    _print(counts, as_json, ", ".join(f"{number} {what}" for what, number in counts.items()) + " taken over")
    _next("status", results=results)


@app.command()
def forget(
    suite: Name,
    metric: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="its scores: mig, mig(bins=10) or a protocol id", autocompletion=_metrics),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="its runs, or codes added under it", autocompletion=_models)
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="runs on it, such as: external", autocompletion=_datasets)
    ] = None,
    run: Annotated[str | None, typer.Option(metavar="ID", help="this run")] = None,
    results: Results = Path("results"),
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
        typer.confirm(f"delete {found.sentence()}?", abort=True, err=True)
    done = {
        "suite": found.suite,
        "scores": list(map(str, found.scores)),
        "runs": [each.run_id for each in found.runs],
        "shared": list(found.shared),
    }
    sentence = found.sentence()
    carry_out(found)
    _print(done, as_json, f"deleted {sentence}")
    _next("status", results=results)


@app.command()
def prune(results: Results = Path("results"), as_json: Json = False) -> None:
    """Delete what no run needs: scratch of killed processes and checkpoints of finished fleets."""
    from benchmark.verbs.prune import prune

    counts = prune(results=results)
    _print(counts, as_json, ", ".join(f"{number} {what}" for what, number in counts.items()) + " deleted")


@app.command()
def verify(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[SUITE|FOLDER|FILE|NAME]",
            help="by default all of the results folder; a submission's file, or an archive's folder, address or name",
            autocompletion=_suites,
        ),
    ] = None,
    results: Results = Path("results"),
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Compare every file of results with the digest kept of it, a line for each that was altered; exit 1 if any was.

    Of a submission or an archive, say check by check what holds: files, runs, protocols, bounds, plug-ins, weights.
    """
    from benchmark.verbs.verify import verify

    found = verify(target, results=results, plugins=plugin or ())
    lines = [f"holds   {line}" for line in found.held]
    lines += [f"WRONG   {line}" for line in found.findings] + [f"note    {line}" for line in found.notes]
    lines += [f"sealed  {line} as it is, on first contact" for line in found.sealed]
    lines += [f"note    {found.unseen}"] if found.unseen else []
    count = len(found.findings)
    compared = f"{found.files:,} files compared with their digests"
    last = f"{compared}: {f'{count:,} wrong' if count else 'all as they were'}"
    _print(found, as_json, "\n".join([*lines, last]))
    _fail_if(bool(count))


@app.command()
def doctor(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="metric, for now", autocompletion=_one_of("metric"))],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="a metric, your own by --plugin", autocompletion=_components)
    ],
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Run the conformance suite on one component, your own included; exit 1 where it fails."""
    _add(plugin)
    name = registry.metric_named(name) if _kind(kind) == "metric" else name
    if _kind(kind) != "metric":
        raise UsageError(f"benchmark doctor {kind}: the conformance suite is there for metrics")
    from benchmark.metrics._conformance import checks

    verdicts: dict[str, str] = {}
    for title, run_check in checks(registry.load("metric", name).declaration).items():
        try:
            run_check()
            verdicts[title] = "passed"
        except Exception as error:  # whatever a third party's measure raises is the finding
            verdicts[title] = f"{type(error).__name__}: {error}"
    failed = [title for title, verdict in verdicts.items() if verdict != "passed"]
    lines = [
        f"{'passed' if v == 'passed' else 'FAILED'}  {t}{'' if v == 'passed' else ': ' + v}"
        for t, v in verdicts.items()
    ]
    _print(
        verdicts, as_json, "\n".join([*lines, f"{name}: {len(verdicts) - len(failed)} passed, {len(failed)} failed"])
    )
    _fail_if(bool(failed))


@data.command("list")
def data_list(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Every dataset, and whether its files are here."""
    from benchmark.datasets import _files

    rows = {}
    for name in registry.names("dataset"):
        dataset = registry.load("dataset", name)
        here = all(_files.find(file, data_dir) for file in dataset.files)
        if not dataset.files:
            rows[name] = "no files needed"
        elif here:
            rows[name] = "here"
        else:
            asked = next((file.url for file in dataset.files if file.by_hand), None)
            fetched = f"open {asked}" if asked else f"benchmark data fetch {name}"
            rows[name] = "absent, drawn instead" if dataset.drawn else f"absent; {fetched}"
    _print(rows, as_json, "\n".join(f"{name:<20}{state}" for name, state in rows.items()))


@data.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="a dataset", autocompletion=_datasets)],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="the dataset's setting: kind=toy")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Download what a dataset lacks at these settings into the user's cache, and check the files that it needs."""
    from benchmark.datasets import _files

    dataset = registry.load("dataset", name)
    found: list[Path] = []
    if set_ or dataset.files:
        settings = dataset.Settings.read(dict(map(_value, set_ or [])), name)
        found = list(_files.fetch(dataset(settings).wanted(), data_dir))
    _print({"files": found}, as_json, "\n".join(map(str, found)) or f"{name} needs no files")


@data.command("verify")
def data_verify(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="a dataset; by default all", autocompletion=_datasets)
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Compare the files of a dataset, or of all, with their pinned checksums; exit 1 where one is altered."""
    from benchmark.datasets import _files

    names = registry.names("dataset") if name is None else [registry.entry("dataset", name).name]
    rows = {
        each: {file.name: status for file, status in _files.verify(registry.load("dataset", each), data_dir)}
        for each in names
    }
    states = [(each, file, state) for each, files in rows.items() for file, state in files.items()]
    lines = [f"{each:<16}{file:<60}{state}" for each, file, state in states]
    _print(rows, as_json, "\n".join(lines) or "no files to verify")
    _fail_if(any(state == "altered" or (name and state == "absent") for _, _, state in states))


def main() -> None:
    """The entry point: a user's mistake is one sentence on stderr, never a traceback."""
    warnings.showwarning = _note
    warnings.simplefilter("always", Note)
    with _explained():
        signal.signal(signal.SIGTERM, _stop)  # a batch system's time limit is an interrupt like any other
        command = typer.main.get_command(app)
        _hide_types(command)
        code = command.main(standalone_mode=False)
        if code == INTERRUPTED:  # typer turns an interrupt into this code
            raise KeyboardInterrupt
        sys.exit(code)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except BenchmarkError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except USAGE as error:
        message = " ".join(error.format_message().split())  # type: ignore[attr-defined]
        extra = re.search(r"unexpected extra argument\w*(?:\(s\))? \((.*)\)", message)
        unknown = re.match(r"No such command '(.*?)'", message)
        if extra:
            message = _too_many(extra[1])
        elif unknown and (verb := _verb_behind(unknown[1])):
            message = f'"{unknown[1]}" is no verb, and the verb comes first: benchmark {verb} {unknown[1]}'
        message = message.replace(PYDANTIC_INTEGER, "write a whole number")
        if message:  # without one it is a bare `benchmark`, and the help is printed already
            print(f"error: {printable(message.rstrip('.'))}; see benchmark --help", file=sys.stderr)
        sys.exit(UsageError.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted: nothing finished is lost; the same command carries on", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)
    except OSError as error:  # a file or folder that the system refuses: a user can act on what it says
        what = error.filename if error.filename is not None else "the system"
        print(f"error: {printable(f'{what}: {error.strerror or error}')}", file=sys.stderr)
        sys.exit(UsageError.exit_code)


def _verb_behind(word: str) -> str | None:
    """The verb that was typed right behind a word in its place."""
    place = sys.argv.index(word) + 1 if word in sys.argv else len(sys.argv)
    verbs = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return sys.argv[place] if place < len(sys.argv) and sys.argv[place] in verbs else None


def _too_many(words: str) -> str:
    """What to type where a verb was given more words than it takes."""
    verb = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    message = f'benchmark {verb}: "{words}" is more than it takes'
    if verb in ("report", "evaluate", "check", "status"):
        return f"{message}: one suite at a time; two models of your own side by side: benchmark compare A B"
    return f"{message}, options begin with --"


def _print(value: Any, as_json: bool, text: str) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False, default=_plain) if as_json else printable(text))


def _check_output(flag: str, path: Path | None) -> None:
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


def _write(flag: str, path: Path, text: str) -> None:
    from benchmark.atomic import write_atomically

    try:
        write_atomically(path, lambda scratch: scratch.write_text(text))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{flag} {path}: nothing can be written there ({reason}); choose another place") from None


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else vars(value)


def _hide_types(command: Any) -> None:
    """What is typed has a word of its own everywhere, and flags take no value: no type of Python is shown."""
    for each in getattr(command, "commands", {}).values():
        _hide_types(each)
    for parameter in command.params:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
        elif parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None  # noqa: ARG005  asked for by name
    made = command.get_help_option

    def plain(ctx: Any) -> Any:
        """`--help` is made when it is first asked for."""
        option = made(ctx)
        if option is not None:
            option.metavar = ""
        return option

    command.get_help_option = plain


def _note(
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


def _typed(*words: str | Path, results: Path = Path("results"), plugins: Sequence[Path] | None = None) -> str:
    """A command to type here, with the folder and the loose files that were named in this one."""
    from benchmark.verbs._words import command_line

    elsewhere = [] if results == Path("results") else ["--results", str(results)]
    return command_line(*words, *elsewhere, *(word for plugin in plugins or [] for word in ("--plugin", str(plugin))))


def _next(*words: str | Path, results: Path = Path("results"), plugins: Sequence[Path] | None = None) -> None:
    """The last line: what to type next."""
    _say_next(_typed(*words, results=results, plugins=plugins))


def _say_next(line: str) -> None:
    print(f"next: {line}", file=sys.stderr)


def _again(flag: str) -> None:
    """The last line: this very command with one more flag."""
    words = sys.argv[1:]
    _say_next(shlex.join(["benchmark", *words, *([] if flag in words else [flag])]))


def _grouped(failed: dict[str, str]) -> Iterable[str]:
    """A line for scores that failed under one protocol for one reason, with the first of them."""
    groups: dict[tuple[str, str], list[str]] = {}
    for place, reason in failed.items():
        run, _, protocol = place.partition(" ")
        groups.setdefault((protocol, reason), []).append(run)
    for (protocol, reason), runs in groups.items():
        more = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
        yield f"failed  {runs[0]}{more} {protocol}: {printable(reason)}"


def _fail_if(failed: bool) -> None:
    if failed:
        raise typer.Exit(FAILED)


def _add(plugins: list[Path] | None) -> None:
    for plugin in plugins or []:
        registry.add_plugin(plugin)


def _kind(text: str) -> registry.Kind:
    from benchmark.spec import suggest

    singular = text.removesuffix("s")
    for kind in registry.KINDS:
        if kind == singular:
            return kind
    raise UsageError(f'unknown kind "{text}"{suggest(singular, list(registry.KINDS))}')


def _value(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not value:
        raise UsageError(f"--set {text}: write KEY=VALUE, such as training.steps=100")
    return key, read_value(value)


def _renaming(text: str) -> tuple[str, str]:
    old, _, new = text.partition("=")
    if not old or not new or old.count("*") != new.count("*") or old.count("*") > 1:
        raise UsageError(f"--rename {text}: write OLD=NEW, such as z=codes, or with one * on both sides, 'h*=code_*'")
    return old, new


def _values(text: str) -> tuple[str, list[Any]]:
    key, equals, values = text.partition("=")
    if not equals or not values:
        raise UsageError(f"--only {text}: write KEY=VALUE[,VALUE…], such as model=vae,beta_vae")
    return key, [read_value(value.strip()) for value in values.split(",")]


def _filters(texts: list[str]) -> dict[str, list[Any]]:
    """All `--only` together: values of one key add up."""
    filters: dict[str, list[Any]] = {}
    for key, values in map(_values, texts):
        filters.setdefault(key, []).extend(values)
    return filters


def _seeds(text: str) -> list[int]:
    from benchmark.suite import seed_list

    try:
        if "," in text:
            return seed_list([int(part) for part in text.split(",") if part.strip()], "--seeds")
        if "-" in text.lstrip("-"):
            first, last = text.split("-")
            return seed_list(range(int(first), int(last) + 1), "--seeds")
        if text.strip() == "0":
            raise UsageError("--seeds 0: a number says how many; seed 0 alone is --seeds 1, or as a range --seeds 0-0")
        return seed_list(int(text), "--seeds")
    except ValueError:
        raise UsageError(f"--seeds {text[:40]}: write how many (3), a list (0,4) or a range (2-5)") from None


def _shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not slash or not part.isdecimal() or not parts.isdecimal() or len(text) > 20:
        raise UsageError(f"--shard {text[:40]}: write I/N, such as 1/4")
    return int(part), int(parts)


if __name__ == "__main__":
    main()
