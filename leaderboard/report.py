"""The page: one self-contained index.html that opens anywhere and loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark.atomic import write_atomically
from benchmark.metrics._declare import Metric
from benchmark.spec import Run
from benchmark.stages.aggregate import headline_rows
from leaderboard import charts
from leaderboard.bars import bar
from leaderboard.chart_groups import grouped
from leaderboard.columns import GROUPS, PRIMARY
from leaderboard.drawing import Step
from leaderboard.places import headed, written
from leaderboard.records import completeness, facts, flat_failure, read_record
from leaderboard.sections import sections
from leaderboard.text_table import TextTable

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Version:
    """One version of a leaderboard: its title, its page from this one, and whether it is this one."""

    title: str
    href: str
    here: bool


def write_report(
    suite_name: str,
    description: str,
    table: pd.DataFrame,
    runs: Sequence[tuple[Run, Path]],
    declarations: Mapping[str, Metric],
    folder: Path,
    failures: Sequence[Mapping[str, Any]] = (),
    comparisons: Mapping[str, Sequence[TextTable]] | None = None,
    jobs: int = 0,
    step: Step = lambda _done, _total: None,
    table_digest: str = "",
    planned: int | None = None,
    origin: Sequence[str] = (),
    file: str = "index.html",
    tables: Mapping[str, Sequence[TextTable]] | None = None,
    versions: Sequence[Version] = (),
    headline: str = PRIMARY,
) -> Path:
    """Write `folder`/`file` and return its path.

    table: the suite's compiled results. runs: its finished runs with their folders, for curves and pictures.
    failures: what did not finish, each a record with `run_id` and what else is known of it.
    comparisons: tables of a paper's numbers beside ours, by the dataset's label. jobs: processes that draw, 0 for this
    one alone. step: hears how many drawings are finished, and how many there are.
    table_digest: the sha256 of the table's file, which the page carries. planned: runs of the suite's plan, where it
    is known. origin: where runs come from that were not made here, and what of them cannot be drawn, a sentence each.
    tables: what a dataset's part has besides, by its label. versions: of the leaderboard, the newest last, where their
    pages lie together. headline: the metric that orders rows and is spoken of first.
    Raises `BenchmarkError` on a run folder that cannot be read, `UsageError` on an undeclared metric.
    """
    records = {run.run_id: read_record(path) for run, path in runs}
    parts = sections(table, records, declarations, comparisons, jobs, step, failures, tables, headline)
    configurations = [each for part in parts for each in part.configurations]
    template = environment().get_template("page.html")
    page = template.render(
        suite=suite_name,
        description=description,
        facts=facts(table, records.values(), failures) | ({"table": f"sha256 {table_digest}"} if table_digest else {}),
        completeness=completeness(len(runs), len(failures), planned),
        origin=origin,
        versions=versions,
        table_digest=table_digest,
        failures=[flat_failure(failure) for failure in failures],
        sections=parts,
        across=grouped(charts.draw_across(headline_rows(table, declarations))),
        groups=GROUPS,
        bar=bar,
        headed=headed,
        written=written,
        pictured=sum(bool(each.pictures) for each in configurations),
        configurations=len(configurations),
        css=assets("*.css"),
        script=assets("*.js"),
    )
    path = folder / file
    write_atomically(path, lambda scratch: scratch.write_text(page))
    return path


def environment() -> Environment:
    """Where the templates of pages are, and how they are filled: all text is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def assets(pattern: str) -> str:
    """All files of one kind, in the order of their names."""
    return "\n".join(path.read_text() for path in sorted((HERE / "assets").glob(pattern)))
