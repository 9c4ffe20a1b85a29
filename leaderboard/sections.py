"""The page's parts: all that it says of one dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import islice
from typing import Any

import pandas as pd

from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import Summaries, aggregate, configurations, headline_rows
from leaderboard import charts
from leaderboard.board import Board, Row, boards
from leaderboard.chart_groups import ChartGroup, grouped
from leaderboard.configuration import Configuration, Drawn, configuration, draw, median_codes
from leaderboard.details import Detail, details
from leaderboard.drawing import Step, draw_all
from leaderboard.results import Results
from leaderboard.statistics_tables import statistics_tables
from leaderboard.style import looks
from leaderboard.text_table import TextTable

PICTURED = 20
"""At most so many configurations have pictures and an explorer on the page."""
ROOM = 9_000_000
"""Bytes of pictures and explorers after which no further configuration gets any, so that a page stays below 15 MB."""

NOTHING = Drawn()


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
    jobs: int = 0,
    step: Step = lambda _done, _total: None,
) -> list[Section]:
    """The page's parts, one per dataset; `comparisons` are those with papers, by the dataset's label. `jobs` processes
    draw, and `step` hears how far they are."""
    every = list(all_results(table, records, declarations))
    turns = _turns([of.boards[0] for of in every])
    drawings: dict[Any, Callable[[], Any]] = {
        (number, name): partial(charts.draw_one, name, of.results)
        for number, of in enumerate(every)
        for name in charts.ORDER
    }
    pictured = {
        row.config_id: partial(draw, codes, row.label, row.config_id)
        for board, row in turns
        if not row.reference and (codes := median_codes(board, row, table, records)) is not None
    }
    drawn = draw_all(drawings | dict(islice(pictured.items(), PICTURED)), jobs, step)

    room = ROOM
    shown: dict[str, list[Configuration]] = {of.boards[0].dataset: [] for of in every}
    for board, row in turns:
        own = drawn.get(row.config_id, NOTHING) if room > 0 else NOTHING
        room -= own.size
        shown[board.dataset].append(configuration(board, row, table, records, own))
    return [
        Section(
            anchor=f"data-{number}",
            dataset=of.boards[0].dataset,
            boards=of.boards,
            details={board.representation: details(table, board) for board in of.boards},
            charts=grouped([figure for name in charts.ORDER for figure in drawn[number, name]]),
            statistics=statistics_tables(of.results.summaries, {c.name: c.title for c in of.boards[0].columns}),
            configurations=shown[of.boards[0].dataset],
            comparisons=(comparisons or {}).get(of.boards[0].dataset, ()),
        )
        for number, of in enumerate(every)
    ]


def _turns(first_boards: Sequence[Board]) -> list[tuple[Board, Row]]:
    """The first configuration of every dataset, then the second of each, and so on: those that come first have
    pictures."""
    turns = sorted((place, number) for number, board in enumerate(first_boards) for place in range(len(board.rows)))
    return [(first_boards[number], first_boards[number].rows[place]) for place, number in turns]


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
    by_dataset: dict[str, list[Board]] = {}
    for board in boards(table, declarations, records=records, summary=summaries.summary, ranking=summaries.ranking):
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
