"""`report`, `publish`, `submit`, `accept`, `site` and `check`: what others read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark.cli.application import REGRESSION
from benchmark.cli.completion import columns, one_of
from benchmark.cli.options import FIGURES, INTO, Beside, DataDir, Into, Jobs, Json, Name, Plugin, Results
from benchmark.cli.printed import (
    check_output,
    command_here,
    fail_if,
    print_next,
    print_next_line,
    print_result,
    write_output,
)
from benchmark.commands import RESULTS
from benchmark.errors import UsageError


def report(
    suite: Name,
    results: Results = RESULTS,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="html|markdown|latex|csv",
            help="the page, or the leaderboards as text",
            autocompletion=one_of("html", "markdown", "latex", "csv"),
        ),
    ] = "html",
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="all|NAME[,…]",
            help="measures of the text or the figures; by default the main ones",
            autocompletion=columns,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="write the text here instead of to stdout, or the page of an archive"),
    ] = None,
    beside: Beside = None,
    figures: Annotated[
        str | None,
        typer.Option(
            metavar="svg|pdf|png",
            help="write every chart and picture as a file, too",
            autocompletion=one_of(*FIGURES),
        ),
    ] = None,
    width: Annotated[
        str | None,
        typer.Option(
            metavar="column|text|INCHES",
            help="of the figures, with type of 8 pt: column is 3.25 inches (ICML, CVPR, ACL), text 5.5 (NeurIPS, ICLR);"
            " IEEE's are 3.5 and 7.16, JMLR's text 6",
            autocompletion=one_of("column", "text"),
        ),
    ] = None,
    font: Annotated[
        str,
        typer.Option(
            metavar="sans|serif|NAME",
            help="of the figures: sans, serif (a Times), or an installed font's name",
            autocompletion=one_of("sans", "serif"),
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
            autocompletion=one_of("comment", "notes", "appendix"),
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
    from benchmark.verbs.report import figures_of, report, report_text

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
        check_output("--output", output)
        if siunitx or protocols is not None:
            raise UsageError("--siunitx and --protocols are for --format latex")
        drawing: dict[str, Any] = {"columns": names, "width": width, "font": font, "jobs": jobs, "quiet": as_json}
        drawing |= {"beside": beside, "output": output}
        path = report(suite, results=results, plugins=plugin or (), figures=kind, **drawing)
        drawn = figures_of(path) if archived else path.parent / "figures"
        written = {"page": path} | ({"figures": drawn} if figures else {})
        print_result(written, as_json, "\n".join(map(str, written.values())))
        if archived:
            print_next_line("open the page above")
            return
        guard = command_here("check", suite, "--against", "TABLE", results=results, plugins=plugin)
        print_next_line(f"open the page above; to guard against regressions: {guard}")
        return
    if figures:
        raise UsageError("--figures goes with the page: leave --format out")
    check_output("--output", output)
    options: dict[str, Any] = ({"siunitx": True} if siunitx else {}) | ({"protocols": protocols} if protocols else {})
    options |= {"beside": beside}
    text = report_text(suite, format_, columns=names, results=results, plugins=plugin or (), **options)
    if output is not None:
        write_output("--output", output, text)
        print_result({"file": output}, as_json, str(output))
    elif as_json:
        print(json.dumps({"text": text}, ensure_ascii=False))
    else:
        print(text, end="")


def publish(
    suite: Name,
    kind: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="summary|table|margins|archive",
            help="check compares with table and margins; others load archives",
            autocompletion=one_of("summary", "table", "margins", "archive"),
        ),
    ] = "summary",
    to: Annotated[Path, typer.Option(metavar="DIR", help="folder of what is published")] = Path("results/published"),
    version: Annotated[
        int | None, typer.Option(metavar="N", help="with --as archive: which version of the leaderboard, by default 1")
    ] = None,
    corrects: Annotated[str, typer.Option(metavar="WORDS", help="with --version from 2 on: what it mends")] = "",
    drop_runs: Annotated[
        bool, typer.Option("--drop-runs", help="with --version from 2 on: it may lack runs of the one before")
    ] = False,
    results: Results = RESULTS,
    data_dir: DataDir = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Write of a suite what is to be kept: its summary, its scores, what they differ by from seed to seed, or an
    archive of all of it."""
    from benchmark.verbs.publish import publish

    archived: dict[str, Any] = {"version": version, "corrects": corrects, "drop_runs": drop_runs}
    archived |= {"data_dir": data_dir, "quiet": as_json}
    path = publish(suite, kind, results=results, to=to, plugins=plugin or (), **archived)
    print_result({"file": path}, as_json, str(path))
    if kind == "table":
        print_next("check", suite, "--against", path, results=results, plugins=plugin)
    elif kind == "margins":
        # Of the suite's own results: these are the reruns.
        print_next("check", suite, "--against", "TABLE", "--margins", path, plugins=plugin)
    elif kind == "archive":
        print_next_line(f"in Python, from benchmark import load_results; load_results({str(path)!r})")
    elif suite == "anchors":
        print_next_line("benchmark show metric NAME prints what the anchors score")
    else:
        print_next("status", results=results)


def submit(
    suite: Name,
    to: Annotated[Path, typer.Option(metavar="FILE", help="the zip file to write, for a pull request")],
    into: Into = None,
    results: Results = RESULTS,
    data_dir: DataDir = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Pack a suite's finished runs, models of your own and codes from elsewhere too, into one file for a pull
    request."""
    from benchmark.verbs.submit import submit

    chosen: dict[str, Any] = {"data_dir": data_dir, "into": into, "quiet": as_json}
    packed = submit(suite, to, results=results, plugins=plugin or (), **chosen)
    lines = [f"left out  {what}: {why}" for what, why in packed.left_out.items()]
    lines += [f"plug-in   {name}, sha256 {digest}" for name, digest in packed.plugins.items()]
    print_result(packed, as_json, "\n".join([*lines, packed.sentence()]))
    print_next_line(command_here("verify", packed.file, *(["--into", into] if into else []), plugins=plugin))


def accept(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a submission's zip file")],
    into: Annotated[str, typer.Option(metavar="NAME", help=INTO)],
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Join a submission that verifies to a leaderboard, as its next version; those before stay as they are."""
    from benchmark.verbs.accept import accept

    made = accept(file, into, plugins=plugin or ())
    print_result(made, as_json, "\n".join([*(f"note    {line}" for line in made.notes), made.sentence()]))
    print_next_line(command_here("report", made.folder, plugins=plugin))


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
    print_result(made, as_json, str(made.index))
    print_next_line("open the page above; any web server can serve the folder as it is")


def check(
    suite: Name,
    against: Annotated[Path, typer.Option(metavar="TABLE", help="a saved results table, .csv or .parquet")],
    margins: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="what reruns under other seeds moved; by default TABLE-margins.csv, if there"
        ),
    ] = None,
    results: Results = RESULTS,
    plugin: Plugin = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="write JUnit XML here")] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write a summary for a pull request here")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a suite's table with a saved one; exit 3 where a score, or several together, became worse, else 1 where
    one that the run was asked for is not there any more."""
    from benchmark.verbs.check import check
    from leaderboard import verdicts as written
    from leaderboard.regression import RULE

    for flag, path in (("--junit", junit), ("--markdown", markdown)):
        check_output(flag, path)
    verdicts = check(suite, against, margins=margins, results=results, plugins=plugin or ())
    if junit:
        write_output("--junit", junit, written.as_junit(verdicts, suite))
    if markdown:
        write_output("--markdown", markdown, written.as_markdown(verdicts, suite, RULE))
    if as_json:
        print(written.as_json(verdicts))
    else:
        for verdict in verdicts:
            if verdict.verdict != "same" or verdict.too_good or verdict.absent:
                print(written.sentence(verdict))
        print(written.summary(verdicts))
    gone = written.absent(verdicts)
    if gone:
        home = against.parent if against.name == f"{Path(suite).name.removesuffix('.toml')}.csv" else "DIR"
        command = command_here("publish", suite, "--as", "table", "--to", home, results=results, plugins=plugin)
        print_next_line(f"where this is meant ({gone}): {command}")
    if any(verdict.verdict == "worse" for verdict in verdicts):
        raise typer.Exit(REGRESSION)
    fail_if(bool(gone))
