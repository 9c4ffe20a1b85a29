"""A finished suite as an archive publishes it: what `publish` and `submit` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark import PROGRAM, registry
from benchmark.errors import UsageError
from benchmark.store import Store
from benchmark.verbs._given import located, next_command, results_table, suite_name

if TYPE_CHECKING:
    from pandas import DataFrame

    from benchmark.archive.writing import Suite
    from leaderboard.board import Board


def finished_suite(
    suite: str, results: Path, data_dir: Path | None, *, without: frozenset[str] = frozenset(), quiet: bool = True
) -> Suite:
    """All that an archive holds of a suite's finished runs, but for those of the ids `without`.

    Raises `UsageError` where the suite's file was edited since it ran, or runs have no scores.
    """
    import sys

    from benchmark.archive.writing import Suite
    from benchmark.stages.aggregate import aggregate
    from benchmark.stages.measures import measures_of
    from benchmark.suite import find, read
    from benchmark.table import read_table
    from leaderboard.board import boards
    from leaderboard.explorer import NEEDS, USES
    from leaderboard.records import read_record

    file = located(suite, results)
    name, store = suite_name(file), Store(results, make=False)
    table = read_table(results_table(suite, results))
    planned = [run for run in store.plan(name) if run.run_id not in without]
    done = [(run, store.run_folder(run)) for run in planned if store.is_done(run)]
    table = table[table["run_id"].isin([run.run_id for run, _ in done])].reset_index(drop=True)
    if not len(table):
        raise UsageError(f'suite "{name}" has no finished and scored run in {results} that is not published already')
    scored = set(table["run_id"])
    if waiting := [run.run_id for run, _ in done if run.run_id not in scored]:
        more = f" (and {len(waiting) - 1:,} more)" if len(waiting) > 1 else ""
        raise UsageError(
            f"{waiting[0]}{more} is finished and has no score; next: {next_command('evaluate', suite, results)}"
        )
    _check_text(name, file, store, next_command("run", suite, results))
    measures = measures_of(table, [folder for _, folder in done])
    records = {run.run_id: read_record(folder) for run, folder in done}
    content = read(file)[1]
    found = boards(table, measures, records=records, headline=registry.metric_named(content.evaluation.headline))
    path = find(file)
    return Suite(
        name=name,
        description=content.description,
        text=path.read_text(encoding="utf-8"),
        table=table,
        runs=done,
        measures=measures,
        summaries=aggregate(table, measures),
        shown=_shown(found, table),
        explored=frozenset(NEEDS | USES),
        program=PROGRAM,
        data_dir=data_dir,
        planned=len(planned),
        failures=[record for run in planned if not store.is_done(run) and (record := store.failure(run))],
        say=(lambda _: None) if quiet else (lambda line: print(f"weights of {line}", file=sys.stderr)),
    )


def _shown(found: Sequence[Board], table: DataFrame) -> dict[str, tuple[str, str]]:
    """The median run of every configuration but references, the best of each dataset in turn."""
    from leaderboard.configuration import median_run

    first: dict[str, Board] = {}
    for board in found:
        first.setdefault(board.dataset, board)
    turns = sorted(
        (place, number, row.config_id, board)
        for number, board in enumerate(first.values())
        for place, row in enumerate([row for row in board.rows if not row.reference])
    )
    return {config_id: median_run(board, table[table["config_id"] == config_id]) for _, _, config_id, board in turns}


def _check_text(name: str, file: str, store: Store, again: str) -> None:
    """Raise `UsageError` where a suite's file is no longer the text that its runs are of. again: the command that
    brings its plan up to date."""
    from benchmark.integrity.sealed import read_json
    from benchmark.suite import read

    if name not in registry.names("suite") and not file.endswith(".toml"):
        return
    plan = read_json(store.suite_folder(name) / "plan.json")
    if read(file)[2] != plan["source"]:
        raise UsageError(f"{file} was edited since the suite was run, and its plan is of before; next: {again}")
