"""The page's parts: all that it says of one dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import islice
from typing import Any

import pandas as pd

from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import Summaries, aggregate, headline_rows
from benchmark.stages.configurations import configurations
from leaderboard import charts
from leaderboard.board import Board, Row, boards
from leaderboard.chart_groups import ChartGroup, grouped
from leaderboard.columns import PRIMARY
from leaderboard.configuration import Configuration, Drawn, configuration, draw, median_codes
from leaderboard.details import Detail, details
from leaderboard.drawing import Step, draw_all
from leaderboard.finding import finding
from leaderboard.results import Results
from leaderboard.sentences import sentence
from leaderboard.statistics_tables import statistics_tables
from leaderboard.strip import Strip, strip
from leaderboard.style import looks
from leaderboard.text_table import TextTable

PICTURED = 20
"""At most so many configurations have pictures and an explorer on the page."""
ROOM = 9_000_000
"""Bytes of pictures and explorers after which no further configuration gets any, so that a page stays below 15 MB."""

IMAGES = (
    "dsprites", "dsprites_real", "noisy_dsprites", "color_dsprites", "shapes3d", "mpi3d", "cars3d", "smallnorb",
    "mnist", "fashion_mnist", "digits",
)  # fmt: skip
SYNTHETIC = ("synth_linear", "synth_nonlinear", "synth_outliers", "swiss_roll", "s_curve", "triangle_disk")
"""Points from equations. Known images stand before them on a page, and a user's own data in between."""

NOTHING = Drawn()


@dataclass(frozen=True)
class Section:
    """One dataset's part of the page."""

    anchor: str
    dataset: str
    finding: str
    """In a sentence: who is first, how surely, and against which references."""
    strip: Strip | None
    boards: Sequence[Board]
    details: Mapping[str, Sequence[Detail]]
    charts: Sequence[ChartGroup]
    statistics: Sequence[TextTable]
    configurations: Sequence[Configuration]
    comparisons: Sequence[TextTable] = ()
    """Where the suite reproduces a paper: the paper's numbers beside ours."""

    @property
    def cards(self) -> dict[str, str]:
        """The id of the card of each score of the first board, by the score's title."""
        return {column.title: f"{self.anchor}-0-card-{place}" for place, column in enumerate(self.boards[0].shown)}


def sections(
    table: pd.DataFrame,
    records: Mapping[str, Mapping[str, Any]],
    declarations: Mapping[str, Metric],
    comparisons: Mapping[str, Sequence[TextTable]] | None = None,
    jobs: int = 0,
    step: Step = lambda _done, _total: None,
    failures: Sequence[Mapping[str, Any]] = (),
    tables: Mapping[str, Sequence[TextTable]] | None = None,
    headline: str = PRIMARY,
) -> list[Section]:
    """The page's parts, one per dataset, images before synthetic data; `comparisons` are those with papers, by the
    dataset's label, `tables` what else is to be said of it. `jobs` processes draw, and `step` hears how far they are.
    `failures`: records of runs that did not finish. `headline`: the metric that orders rows."""
    every = ordered_results(table, records, declarations, headline)
    found = [finding(of.boards[0], _failed(of, table, failures)) for of in every]
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
            anchor=anchor(number),
            dataset=of.boards[0].dataset,
            finding=sentence(found[number]),
            strip=strip(found[number], of.results.looks),
            boards=of.boards,
            details={board.representation: details(table, board) for board in of.boards},
            charts=grouped([figure for name in charts.ORDER for figure in drawn[number, name]]),
            statistics=[
                *statistics_tables(of.results.summaries, {c.name: c.title for c in of.boards[0].columns}),
                *(tables or {}).get(of.boards[0].dataset, ()),
            ],
            configurations=shown[of.boards[0].dataset],
            comparisons=(comparisons or {}).get(of.boards[0].dataset, ()),
        )
        for number, of in enumerate(every)
    ]


def ordered_results(
    table: pd.DataFrame,
    records: Mapping[str, Mapping[str, Any]],
    declarations: Mapping[str, Metric],
    headline: str = PRIMARY,
) -> list[OfDataset]:
    """Each dataset's boards and results, in the order of the page."""
    return sorted(all_results(table, records, declarations, headline), key=lambda of: _turn(of.boards[0].dataset))


def anchor(number: int) -> str:
    """The id of the page's part on the dataset that is the `number`-th of them, from 0 on."""
    return f"data-{number}"


def _turn(label: str) -> int:
    """Where a dataset stands on the page, by the name with which its label begins."""
    name = label.split(" ")[0]
    if name in SYNTHETIC:
        return len(IMAGES) + 1 + SYNTHETIC.index(name)
    return IMAGES.index(name) if name in IMAGES else len(IMAGES)


def _failed(of: OfDataset, table: pd.DataFrame, failures: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """How many runs of each model failed on one dataset: those of its configurations, and of others on data of that
    name where no second leaderboard has it."""
    others = set(table["config_id"]) - set(of.results.table["config_id"])
    names = set(of.results.table["dataset"]) - set(table.loc[table["config_id"].isin(others), "dataset"])
    found: Counter[str] = Counter()
    for failure in failures:
        config_id, _, _ = str(failure["run_id"]).rpartition("-s")
        run = failure.get("run")
        own = config_id in set(of.results.table["config_id"])
        if run and (own or (config_id not in others and run["dataset"]["name"] in names)):
            found[str(run["model"]["name"])] += 1
    return found


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
    table: pd.DataFrame,
    records: Mapping[str, Mapping[str, Any]],
    declarations: Mapping[str, Metric],
    headline: str = PRIMARY,
) -> Iterator[OfDataset]:
    """Each dataset's boards and results, in the table's order."""
    described = configurations(table)
    summaries = aggregate(table, declarations)
    headlines = headline_rows(table, declarations)
    by_dataset: dict[str, list[Board]] = {}
    spread = {"summary": summaries.summary, "ranking": summaries.ranking}
    for board in boards(table, declarations, records=records, headline=headline, **spread):
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
