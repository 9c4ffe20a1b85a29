"""Delete what no run needs."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmark.store import Store, read_json
from benchmark.verbs._given import RESULTS, takes_paths


@takes_paths
def prune(*, results: Path = RESULTS) -> dict[str, int]:
    """Delete what no run needs: scratch of killed processes, and fleets whose members are all published."""
    from benchmark.training.fleet import Fleet

    store = Store(results)
    store.clean_scratch()
    fleets = 0
    for path in (store.root / "fleets").glob("*/fleet.json"):
        fleet = Fleet.from_json(read_json(path)["fleet"])
        if all(store.is_done(each) or store.failure(each) for each in fleet.runs):
            shutil.rmtree(path.parent)
            fleets += 1
    return {"fleets": fleets}
