"""The index of a static site: for each leaderboard its findings in a sentence and a strip a dataset, and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.metrics._declare import Metric
from leaderboard.columns import PRIMARY
from leaderboard.finding import finding
from leaderboard.report import assets, environment
from leaderboard.sections import anchor, ordered_results
from leaderboard.sentences import sentence
from leaderboard.strip import Strip, strip


@dataclass(frozen=True)
class Headline:
    """What the index says of one dataset; `anchor` is its part of the leaderboard's page."""

    anchor: str
    dataset: str
    finding: str
    strip: Strip | None


@dataclass(frozen=True)
class Table:
    """A file to fetch, and how large it is, in words."""

    name: str
    size: str


@dataclass(frozen=True)
class Listed:
    """A leaderboard on the index. `place`: its folder, relative to the index. `earlier`: titles by their places."""

    name: str
    title: str
    place: str
    description: str
    counts: str
    changes: str
    """What a version from 2 on corrects or adds, in a sentence."""
    sections: Sequence[Headline]
    tables: Sequence[Table]
    earlier: Mapping[str, str] = field(default_factory=dict)


def headlines(
    table: pd.DataFrame,
    records: Mapping[str, Mapping[str, Any]],
    declarations: Mapping[str, Metric],
    headline: str = PRIMARY,
) -> list[Headline]:
    """What the page of these results says first, a dataset each, in its order."""
    found = []
    for number, of in enumerate(ordered_results(table, records, declarations, headline)):
        says = finding(of.boards[0], {})
        drawn = strip(says, of.results.looks)
        found.append(Headline(anchor(number), of.boards[0].dataset, sentence(says), drawn))
    return found


def write_index(boards: Sequence[Listed], program: str, path: Path) -> None:
    """Write the index of a site."""
    page = environment().get_template("site.html").render(boards=boards, program=program, css=assets("*.css"))
    path.write_text(page, encoding="utf-8")
