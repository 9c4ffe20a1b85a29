"""Write a small table of a suite to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import UsageError
from benchmark.store import Store
from benchmark.verbs._given import RESULTS, add_plugins, located, results_table, suite_name, takes_paths

if TYPE_CHECKING:
    from pandas import DataFrame


@takes_paths
def publish(
    suite: str,
    kind: str = "summary",
    *,
    results: Path = RESULTS,
    to: Path = RESULTS / "published",
    plugins: Sequence[Path] = (),
) -> Path:
    """Write a small table of a suite into the folder `to`, and return its path.

    kind: "summary", a row a configuration and score, as SUITE-summary.csv; "table", the scores themselves without those
    of single factors and coordinates, as SUITE.csv, which `check` compares with; "margins", what the scores differ by
    from seed to seed, as SUITE-margins.csv: run the suite in another results folder under other seeds for it.
    """
    from benchmark import published
    from benchmark.stages.aggregate import configurations
    from benchmark.stages.measures import measures_of
    from benchmark.table import read_table
    from leaderboard.margins import seed_deviations

    makers: dict[str, tuple[str, Callable[[DataFrame], DataFrame]]] = {
        "summary": ("-summary", lambda table: published.summarise(table, configurations(table))),
        "table": ("", published.of_all),
        "margins": ("-margins", lambda table: seed_deviations(table, measures_of(table, folders))),
    }
    if kind not in makers:
        raise UsageError(f"--as {kind}: one of {', '.join(makers)}")
    add_plugins(plugins)
    table, name = read_table(results_table(suite, results)), suite_name(located(suite, results))
    store = Store(results, make=False)
    folders = map(store.run_folder, store.plan(name))
    if to.exists() and not to.is_dir():
        raise UsageError(f"--to {to}: no folder; name the folder that published tables go to")
    ending, make = makers[kind]
    return published.publish(make(table), to / f"{name}{ending}.csv")
