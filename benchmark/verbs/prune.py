"""Delete what no run needs."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.execution.semaphores import clear_dead
from benchmark.store import Store
from benchmark.verbs._given import RESULTS, takes_paths
from benchmark.words.notebook import Counts


@takes_paths
def prune(*, results: Path = RESULTS) -> Counts:
    """Delete what no run needs: what killed processes left, fleets whose members are all published, and altered runs
    that were set aside."""
    from benchmark.training.fleet import read_fleet

    if not results.is_dir():
        raise UsageError(f"--results {results}: there is no such folder")
    store = Store(results)
    left = store.clean_scratch() + store.clean_parts() + clear_dead()
    counts = Counts({"fleets": 0, "damaged runs": 0, "files of killed processes": left})
    for path in (store.root / "fleets").glob("*/fleet.json"):
        fleet, _ = read_fleet(path)
        if all(store.is_done(each) or store.failure(each) for each in fleet.runs):
            shutil.rmtree(path.parent)
            counts["fleets"] += 1
    for path in (store.root / "damaged").glob("*"):
        shutil.rmtree(path)
        counts["damaged runs"] += 1
    return counts
