"""The matrices of codes by factors of a suite's runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.commands import RESULTS
from benchmark.store import Store
from benchmark.verbs._given import add_plugins, located, next_command, started, suite_name, takes_paths

if TYPE_CHECKING:
    from benchmark.stages.matrices import CodesByFactors


@takes_paths
def matrices(
    suite: str,
    *,
    results: Path = RESULTS,
    only: Mapping[str, Any] | None = None,
    plugins: Sequence[Path] = (),
) -> list[CodesByFactors]:
    """Which code says what of which factor in each of a suite's evaluated runs: those of `mig`, `mcc` and `dci` under
    each of their protocols.

    As one table: `pandas.concat(each.long() for each in matrices("quickstart"))`.
    Raises `UsageError` where no run has any, with what to do.
    """
    from benchmark.errors import UsageError
    from benchmark.filtering import chosen_by
    from benchmark.stages.matrices import MEASURES, matrices_of

    add_plugins(plugins)
    store = Store(results, make=False)
    name = suite_name(located(suite, results))
    started(store, name, suite)
    runs = [each for each in store.plan(name) if store.is_done(each)]
    chosen = chosen_by(runs, only or {}, f'finished runs of suite "{name}"')
    found = [matrix for run in chosen for matrix in matrices_of(store.run_folder(run))]
    if not found:
        raise UsageError(
            f'no run of "{name}" has a matrix of codes by factors: {", ".join(MEASURES.values())} make them, of data'
            f" whose factors are known; next: {next_command('evaluate', suite, results)}"
        )
    return found
