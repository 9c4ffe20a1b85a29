"""Delete what no run needs."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.execution.semaphores import clear_dead
from benchmark.store import Store
from benchmark.verbs._given import takes_paths
from benchmark.words.notebook import Counts


@takes_paths
def prune(*, results: Path = RESULTS) -> Counts:
    """Delete what no run needs: what killed processes left, fleets whose members are all published or failed (a retry
    begins anew), and altered runs that were set aside."""
    from benchmark.training.fleet import read_fleet

    if not results.is_dir():
        raise UsageError(f"--results {results}: there is no such folder")
    store = Store(results)
    left = store.clean_scratch() + store.clean_parts() + clear_dead()
    counts = Counts({"fleets": 0, "damaged runs": 0, "files of killed processes": left})
    for path in (store.root / "fleets").glob("*/fleet.json"):
        try:
            fleet, _ = read_fleet(path)
        except FileNotFoundError:
            continue  # another process has just finished it
        if all(store.is_done(each) or store.failure(each) for each in fleet.runs):
            counts["fleets"] += _delete(path.parent)
    for path in (store.root / "damaged").glob("*"):
        counts["damaged runs"] += _delete(path)
    return counts


def _delete(folder: Path) -> bool:
    """Delete a folder; say whether it was there to be deleted, and not gone by another process meanwhile."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return False
    return True
