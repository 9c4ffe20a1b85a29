"""Compare a suite's table with a saved one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.store import Store
from benchmark.verbs._given import RESULTS, add_plugins, located, results_table, suite_name, takes_paths
from benchmark.words.notebook import Verdicts
from benchmark.words.phrases import command_line


@takes_paths
def check(
    suite: str,
    against: Path,
    *,
    margins: Path | None = None,
    results: Path = RESULTS,
    plugins: Sequence[Path] = (),
) -> Verdicts:
    """Compare a suite's table with a saved one: better, same, worse, missing or new, score by score; and the scores
    of each configuration, of each measure and of the suite together.

    margins: what `publish` wrote of reruns; by default the file TABLE-margins.csv beside `against`, and where
    there is none, the default margins.

    Returns a list of `Verdict`s, which shows itself in a notebook and has a `frame()`.
    """
    from pandas import concat

    from benchmark.stages.measures import measures_of
    from benchmark.table import described, read_table
    from leaderboard.margins import beside, read_margins
    from leaderboard.regression import check as compare

    add_plugins(plugins)
    table = results_table(suite, results)
    _refuse_other_than_tables(against, suite)
    new, saved = read_table(table), read_table(against)
    store = Store(results, make=False)
    name = suite_name(located(suite, results))
    plan = store.plan(name)
    folders = map(store.run_folder, plan)
    finished = {run.config_id for run in plan if store.is_done(run)}
    failures = {run.config_id: store.failure(run) for run in plan if run.config_id not in finished}
    failed = {config_id: f"all runs failed: {failure['reason']}" for config_id, failure in failures.items() if failure}
    measures = measures_of(concat([new, saved]), folders)
    if margins is None and beside(against).is_file():
        margins = beside(against)
    reruns = None if margins is None else read_margins(margins)
    return Verdicts(compare(new, saved, measures, reruns, failed=failed, planned=described(name, plan)))


def _refuse_other_than_tables(path: Path, suite: str) -> None:
    """Raise `UsageError` on what is no file of a table, and on one of means, which holds no runs to compare with."""
    from benchmark.errors import UsageError

    if not path.is_file() or path.suffix not in (".csv", ".parquet"):
        what = "a folder" if path.is_dir() else "no table, .csv or .parquet" if path.exists() else "no such file"
        raise UsageError(
            f"--against {path}: {what}; {command_line('publish', suite, '--as', 'table')} saves one, and two models of"
            f" your own side by side are benchmark compare A B"
        )
    if path.suffix != ".csv":
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        names = lines.readline().strip().split(",")
    if "mean" in names and "run_id" not in names:
        raise UsageError(
            f"{path} holds means over runs, and check compares runs: "
            "benchmark publish SUITE --as table writes a full results table"
        )
