"""Compare a suite's table with a saved one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.verbs._given import RESULTS, add_plugins, located, results_table, takes_paths

if TYPE_CHECKING:
    from leaderboard.verdicts import Verdict


@takes_paths
def check(
    suite: str,
    against: Path,
    *,
    margins: Path | None = None,
    results: Path = RESULTS,
    plugins: Sequence[Path] = (),
) -> list[Verdict]:
    """Compare a suite's table with a saved one: better, same, worse, missing or new, score by score.

    margins: what `publish` wrote of reruns; by default the file TABLE-margins.csv beside `against`, and where
    there is none, the default margins.
    """
    from benchmark.stages.evaluate import declarations
    from benchmark.table import read_table
    from leaderboard.margins import beside, read_margins
    from leaderboard.regression import check as compare

    add_plugins(plugins)
    suite = located(suite, results)
    path = results_table(suite, results)
    if margins is None and beside(against).is_file():
        margins = beside(against)
    reruns = None if margins is None else read_margins(margins)
    return compare(read_table(path), read_table(against), declarations(), reruns)
