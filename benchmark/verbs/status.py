"""How far each suite is."""

from __future__ import annotations

from pathlib import Path

from benchmark.errors import UsageError
from benchmark.index import counts
from benchmark.store import Store
from benchmark.verbs._given import RESULTS, takes_paths
from benchmark.verbs._shown import Suites


@takes_paths
def status(*, results: Path = RESULTS) -> Suites:
    """Each suite in a results folder with how many of its runs are done, failed and missing."""
    if not results.exists():
        raise UsageError(f"--results {results}: no such folder; next: benchmark demo")
    store = Store(results, make=False)
    return Suites(
        {
            "suite": suite,
            "runs": count.runs,
            "done": count.done,
            "failed": count.failed,
            "missing": count.runs - count.done - count.failed,
            "scored": (store.suite_folder(suite) / "results.csv").exists(),
            "report": (store.suite_folder(suite) / "index.html").exists(),
        }
        for suite, count in counts(store).items()
    )
