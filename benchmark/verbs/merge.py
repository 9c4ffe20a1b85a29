"""Take over what another results folder holds."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from benchmark.atomic import write_atomically
from benchmark.errors import UsageError
from benchmark.spec import Run
from benchmark.store import Store, read_json
from benchmark.verbs._given import RESULTS, takes_paths


@takes_paths
def merge(source: Path, *, results: Path = RESULTS) -> dict[str, int]:
    """Take over the runs, scores and plans of another results folder; what is here already stays as it is."""
    if not (source / "format.json").exists():
        raise UsageError(f"{source} is not a results folder: it has no format.json")
    store, other = Store(results), Store(source)
    for path in (other.root / "suites").glob("*/plan.json"):
        for each in map(Run.from_json, read_json(path)["runs"]):
            if each.network is None and store.is_done(each) and other.is_done(each):
                _check_same_codes(each, store, other)
    counts = {"runs": 0, "scores": 0, "suites": 0}
    for path in sorted((other.root / "suites").glob("*/plan.json")):
        record = read_json(path)
        runs = [Run.from_json(each) for each in record["runs"]]
        store.write_plan(path.parent.name, record["source"], runs, replace=False)
        for file in path.parent.glob("*.toml"):
            if not (kept := store.suite_folder(path.parent.name) / file.name).exists():
                write_atomically(kept, partial(shutil.copy2, file))
        counts["suites"] += 1
        for each in runs:
            if not other.is_done(each):
                continue
            origin = other.run_folder(each)
            if not store.is_done(each):
                counts["runs"] += store.publish(each, partial(shutil.copytree, origin, dirs_exist_ok=True))
                continue
            target = store.run_folder(each) / "scores"
            target.mkdir(exist_ok=True)
            for score in origin.glob("scores/*.json"):
                if not (target / score.name).exists():
                    write_atomically(target / score.name, partial(shutil.copy2, score))
                    counts["scores"] += 1
    return counts


def _check_same_codes(run: Run, store: Store, other: Store) -> None:
    """Refuse codes from outside that stand for one run in both folders and are not the same."""
    here, there = (each.read_run(run).get("arrays") for each in (store, other))
    if here != there:
        raise UsageError(
            f"seed {run.seed} of {run.model.name} on {run.dataset.name} are other codes in {other.root} than in"
            f" {store.root}; evaluate one of them under another --name, and delete {other.run_folder(run)}"
        )
