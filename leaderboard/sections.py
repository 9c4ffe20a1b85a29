"""The page's parts: all that it says of one dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import Summaries, aggregate, configurations, headline_rows
from leaderboard import charts
from leaderboard.board import NOTHING, Board, boards
from leaderboard.chart_groups import ChartGroup, grouped
from leaderboard.configuration import Configuration, configuration
from leaderboard.details import Detail, details
from leaderboard.results import Results
from leaderboard.statistics_tables import statistics_tables
from leaderboard.style import looks
from leaderboard.text_table import TextTable

PICTURED = 20
"""At most so many configurations have pictures and an explorer on the page."""


@dataclass(frozen=True)
class Section:
    """One dataset's part of the page."""

    anchor: str
    dataset: str
    boards: Sequence[Board]
    details: Mapping[str, Sequence[Detail]]
    charts: Sequence[ChartGroup]
    statistics: Sequence[TextTable]
    configurations: Sequence[Configuration]
    comparisons: Sequence[TextTable] = ()
    """Where the suite reproduces a paper: the paper's numbers beside ours."""


def sections(
    table: pd.DataFrame,
    records: Mapping[str, Mapping[str, Any]],
    declarations: Mapping[str, Metric],
    comparisons: Mapping[str, Sequence[TextTable]] | None = None,
) -> list[Section]:
    """The page's parts, one per dataset; `comparisons` are those with papers, by the dataset's label."""
    found: list[Section] = []
    pictured = 0
    for number, results in enumerate(all_results(table, records, declarations)):
        own = results.boards
        shown: list[Configuration] = []
        for row in own[0].rows:
            room = pictured < PICTURED and not row.reference
            shown.append(configuration(own[0], row, table, records, with_pictures=room))
            pictured += bool(shown[-1].pictures)
        of_board = results.results
        found.append(
            Section(
                anchor=f"data-{number}",
                dataset=own[0].dataset,
                boards=own,
                details={board.representation: details(table, board) for board in own},
                charts=grouped(charts.draw(of_board)),
                statistics=statistics_tables(of_board.summaries, {c.name: c.title for c in own[0].columns}),
                configurations=shown,
                comparisons=(comparisons or {}).get(own[0].dataset, ()),
            )
        )
    return found


@dataclass(frozen=True)
class OfDataset:
    """One dataset's boards, and what charts are drawn from: the results of the first of them."""

    boards: Sequence[Board]
    results: Results


def all_results(
    table: pd.DataFrame, records: Mapping[str, Mapping[str, Any]], declarations: Mapping[str, Metric]
) -> Iterator[OfDataset]:
    """Each dataset's boards and results, in the table's order."""
    described = configurations(table)
    summaries = aggregate(table, declarations)
    headlines = headline_rows(table, declarations)
    ranking = getattr(summaries, "ranking", NOTHING)
    by_dataset: dict[str, list[Board]] = {}
    for board in boards(table, declarations, records=records, summary=summaries.summary, ranking=ranking):
        by_dataset.setdefault(board.dataset, []).append(board)
    for dataset, own in by_dataset.items():
        of_dataset = described[described["dataset_label"] == dataset]
        rows = headlines[(headlines["dataset_label"] == dataset) & (headlines["status"] == "ok")]
        kept = own[0].representation
        frames = _of_board(summaries, dataset, kept, set(of_dataset["config_id"]))
        results = Results(
            board=own[0],
            rows=rows[rows["representation"] == kept],
            table=table[table["config_id"].isin(of_dataset["config_id"])],
            correlations=frames["correlations"],
            records=records,
            looks=looks(
                dict(zip(of_dataset["label"], of_dataset["model"], strict=True)),
                list(of_dataset.loc[of_dataset["reference"], "label"]),
            ),
            summaries=frames,
        )
        yield OfDataset(own, results)


def _of_board(summaries: Summaries, dataset: str, representation: str, config_ids: set[str]) -> dict[str, pd.DataFrame]:
    """The rows of every frame that are of one dataset and representation."""
    found = {}
    for name in (each.name for each in fields(summaries)):
        frame = getattr(summaries, name)
        # The summary says the dataset's name, under which several leaderboards may stand; the others say its label.
        own = frame["config_id"].isin(config_ids) if name == "summary" else frame["dataset"] == dataset
        found[name] = frame[own & (frame["representation"] == representation)]
    return found
