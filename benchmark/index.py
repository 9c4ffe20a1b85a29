"""The index of a results folder: where every planned run lies, so that `status` need not read 10,000 runs' settings."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.errors import BenchmarkError
from benchmark.store import FORMAT, Store, check_format, parse_json, read_json, runs_of, write_json

Places = dict[str, list[int]]
"""The folders of configurations, relative to the results folder, with the seeds of their runs."""


class Count(NamedTuple):
    """How many runs a suite has, and how many of them are done and failed."""

    runs: int
    done: int
    failed: int


def counts(store: Store) -> dict[str, Count]:
    """How far each suite started in a results folder is.

    What is costly to find out and cannot change behind its back is taken from the index: the places of a plan's runs,
    kept under the digest of the plan. Whether a run is there is looked at every time, so that nothing stale is said
    whoever added, merged or deleted folders meanwhile.
    """
    failures = _names(store.root / "failures")
    return {suite: _count(store.root, places, failures) for suite, places in planned(store).items()}


def planned(store: Store) -> dict[str, Places]:
    """Where the runs of each suite lie. Brings results/index.json up to date where that may be written."""
    path = store.root / "index.json"
    known = _read(path)
    current = {}
    for plan in sorted((store.root / "suites").glob("*/plan.json")):
        content, suite = plan.read_bytes(), plan.parent.name
        digest = hashlib.sha256(content).hexdigest()
        entry = known.get(suite)
        if entry is None or entry["plan"] != digest:
            entry = {"plan": digest, "runs": _places(content, plan, store)}
        current[suite] = entry
    if current != known and os.access(store.root, os.W_OK):
        with suppress(BenchmarkError, OSError):  # a full disk: the index only saves time, and is made again
            write_json(path, {"format": FORMAT, "suites": current})
    return {suite: entry["runs"] for suite, entry in current.items()}


def _read(path: Path) -> dict[str, Any]:
    """What the index holds; nothing where it is absent, damaged or of another version, and is made anew."""
    try:
        record = read_json(path)
    except (FileNotFoundError, BenchmarkError):
        return {}
    suites = record.get("suites")
    return suites if record.get("format") == FORMAT and isinstance(suites, dict) else {}


def _places(content: bytes, path: Path, store: Store) -> Places:
    record = parse_json(content, path)
    check_format(record, path)
    places: Places = {}
    for run in runs_of(record, path):
        folder = store.run_folder(run).parent
        places.setdefault(folder.relative_to(store.root).as_posix(), []).append(run.seed)
    return places


def _count(root: Path, places: Places, failures: set[str]) -> Count:
    runs = done = failed = 0
    for folder, seeds in places.items():
        config_id = folder.rpartition("/")[2]
        for seed in seeds:
            runs += 1
            if os.path.exists(f"{root}/{folder}/s{seed}/run.json"):  # noqa: PTH110  ten thousand times
                done += 1
            elif f"{config_id}-s{seed}.json" in failures:
                failed += 1
    return Count(runs, done, failed)


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
