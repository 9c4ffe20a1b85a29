"""Compare a suite's table with a saved one."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.commands import RESULTS, command_line
from benchmark.errors import Note, UsageError
from benchmark.store import Store
from benchmark.verbs._given import add_plugins, located, results_table, suite_name, takes_paths
from benchmark.words.notebook import Verdicts
from benchmark.words.phrases import count

if TYPE_CHECKING:
    from pandas import DataFrame

    from benchmark.spec import Run


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
    there is none, the default margins. Where nothing is compared, or nothing that was trained, or `margins` say nothing
    of what is, that is a `UsageError` and no verdict.

    Returns a list of `Verdict`s, which shows itself in a notebook and has a `frame()`.
    """
    from pandas import concat

    from benchmark.stages.measures import measures_of
    from benchmark.table import described, read_table
    from leaderboard.margins import beside, read_margins
    from leaderboard.regression import check as compare

    add_plugins(plugins)
    table = results_table(suite, results)
    _refuse_other_than_tables(against, suite, results)
    new, saved = read_table(table), read_table(against)
    store = Store(results, make=False)
    name = suite_name(located(suite, results))
    plan = store.plan(name)
    folders = map(store.run_folder, plan)
    finished = {run.config_id for run in plan if store.is_done(run)}
    failed = _failed(store, [run for run in plan if run.config_id not in finished])
    both = concat([new, saved])
    measures = measures_of(both, folders)
    used = beside(against) if margins is None and beside(against).is_file() else margins
    reruns = None if used is None else read_margins(used)
    verdicts = Verdicts(compare(new, saved, measures, reruns, failed=failed, planned=described(name, plan)))
    _refuse_another_suites(against, suite, results, verdicts, trained=_trained(both))
    if used is not None:
        _say_what_margins_lack(used, suite, verdicts, named=margins is not None)
    return verdicts


def _failed(store: Store, unfinished: Sequence[Run]) -> dict[str, str]:
    """Why configurations without a finished run have none, by their ids: how many runs failed, and the first reason."""
    records: dict[str, list[dict[str, Any] | None]] = {}
    for run in unfinished:
        records.setdefault(run.config_id, []).append(store.failure(run))
    found: dict[str, str] = {}
    for config_id, own in records.items():
        reasons = [failure["reason"] for failure in own if failure]
        if reasons:
            many = "all runs" if len(reasons) == len(own) else f"{len(reasons)} of {count(len(own), 'run')}"
            found[config_id] = f"{many} failed: {reasons[0]}"
    return found


def _refuse_other_than_tables(path: Path, suite: str, results: Path) -> None:
    """Raise `UsageError` on what is no file of a table, and on one of means, which holds no runs to compare with."""
    if not path.is_file() or path.suffix not in (".csv", ".parquet"):
        what = "a folder" if path.is_dir() else "no table, .csv or .parquet" if path.exists() else "no such file"
        raise UsageError(
            f"--against {path}: {what}; {command_line('publish', suite, '--as', 'table', results=results)} saves"
            f" one, and two models of your own side by side are benchmark compare A B"
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


def _trained(table: DataFrame) -> set[str]:
    """The ids of the configurations that were trained: closed forms and references stay when a recipe changes."""
    from benchmark.stages.configurations import REFERENCE_MODELS

    return set(table["config_id"][table["network"].notna() & ~table["model"].isin(REFERENCE_MODELS)])


def _refuse_another_suites(against: Path, suite: str, results: Path, verdicts: Verdicts, *, trained: set[str]) -> None:
    """Raise `UsageError` on a table of which nothing is compared, or nothing trained where both sides have that: such
    a check would be green whatever happens."""
    from leaderboard.verdicts import alone

    scores = alone(verdicts)
    learnt = [each for each in scores if each.config_id in trained]
    both_train = any(each.reference_runs for each in learnt) and any(each.new_runs for each in learnt)
    kinds = {"configuration": scores, "trained configuration": learnt if both_train else []}
    for kind, own in kinds.items():
        told = (each.verdict == "worse" or each.absent or (each.reference_runs and each.new_runs) for each in own)
        if own and not any(told):
            raise UsageError(
                f"--against {against}: no {kind} has scores both there and in {suite}, so that none would be compared;"
                " name another table, or where the suite has changed since, save a new one: "
                + command_line("publish", suite, "--as", "table", "--to", "DIR", results=results)
            )


def _say_what_margins_lack(margins: Path, suite: str, verdicts: Verdicts, *, named: bool) -> None:
    """Raise `UsageError` on margins that say nothing of what is compared; where nobody named them, say it. Say which
    configurations are compared without theirs though others have some."""
    from leaderboard.verdicts import alone

    sources = [each.margin_from for each in alone(verdicts) if each.margin is not None]
    if not sources or "reruns" in sources:
        own = {each.config_id for each in alone(verdicts) if each.margin_from == "reruns"}
        bare = [each for each in alone(verdicts) if each.margin_from == "default" and each.config_id not in own]
        named_so = dict.fromkeys(f"{each.configuration} on {each.dataset}" for each in bare if each.margin is not None)
        if sources and named_so:
            said = f"{margins} has no margin of {', '.join(named_so)}: the default margins count there"
            warnings.warn(said, Note, stacklevel=2)
        return
    said = (
        f"{margins}: no margin in it is of the {count(len(sources), 'score')} compared, but of other configurations or"
        f" measures; {command_line('publish', suite, '--as', 'margins', results=Path('RERUNS'))} writes it anew from"
        " reruns under other seeds, in a folder of their own"
    )
    if named:
        raise UsageError(f"--margins {said}")
    warnings.warn(said, Note, stacklevel=2)
