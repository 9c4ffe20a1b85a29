"""Take over what another results folder holds."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmark.atomic import write_atomically
from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.integrity.digests import file_digest
from benchmark.integrity.run_seal import CODES, check_run, damages, first_contact, read_record, read_score, wants_seal
from benchmark.integrity.sealed import check_format, is_sealed, read_json, write_json
from benchmark.naming import check_name, printable
from benchmark.spec import Run
from benchmark.store import Store, runs_of
from benchmark.verbs._given import takes_paths
from benchmark.words.notebook import Counts

TAKEN = ("suites", "runs")
"""What is read of the other folder."""


@takes_paths
def merge(source: Path, *, results: Path = RESULTS) -> Counts:
    """Take over the runs, scores and plans of another results folder; what is here already stays as it is.

    Nothing is written before all of it was looked at: a plan that is none, a run or score that was altered, and
    anything that is no plain file or folder, is a `BenchmarkError` that names it.
    """
    if not (source / "format.json").exists():
        raise UsageError(f"{source} is not a results folder: it has no format.json")
    check_plain(source)
    store, other = Store(results), Store(source, make=False)
    store.clean_scratch()
    plans = dict(_plans(other))
    for each in {run.run_id: run for _, runs in plans.values() for run in runs if other.is_done(run)}.values():
        _check_run(each, other)
        if each.network is None and store.is_done(each):
            _check_same_codes(each, store, other)
    counts = Counts({"runs": 0, "scores": 0, "suites": 0})
    for suite, (text, runs) in plans.items():
        store.write_plan(suite, text, runs, replace=False)
        for file in other.suite_folder(suite).glob("*.toml"):
            if not (kept := store.suite_folder(suite) / file.name).exists():
                write_atomically(kept, partial(shutil.copy2, file))
        counts["suites"] += 1
        for each in runs:
            if not other.is_done(each):
                continue
            origin = other.run_folder(each)
            if not store.is_done(each):
                counts["runs"] += store.publish(each, partial(_copy, origin))
                continue
            counts["scores"] += _take_scores(origin, store.run_folder(each), each.seed)
    return counts


def _plans(other: Store) -> Iterator[tuple[str, tuple[str, list[Run]]]]:
    """Every suite of a folder with its source and its runs."""
    for path in sorted((other.root / "suites").glob("*/plan.json")):
        record = read_json(path)
        check_format(record, path)
        yield check_name(path.parent.name, f"{path.parent}: suite"), (record["source"], runs_of(record, path))


def _check_run(run: Run, other: Store) -> None:
    """Refuse a run or score that is not as its seal says; those of an older version have none."""
    folder = other.run_folder(run)
    record = read_record(folder)
    wrong = None if wants_seal(record) else next(damages(folder, record), None)
    if wrong:
        raise UsageError(f"{wrong}; nothing was taken over")
    for path in folder.glob("scores/*.json"):
        read_score(path, record, run.seed)


def _copy(origin: Path, to: Path) -> None:
    """Copy what a folder holds into another one, whose folders are as any new one: those of a read-only source would
    be neither written into nor renamed."""
    for path in _walk(origin):
        target = to / path.relative_to(origin)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            shutil.copy2(path, target)


def _take_scores(origin: Path, target: Path, seed: int) -> int:
    """Copy the scores that a run here lacks, if they are of the very codes that it has; return how many.

    The same run trained on two machines may differ in the last digits: scores of those other codes are left.
    """
    missing = [path for path in origin.glob("scores/*.json") if not (target / "scores" / path.name).exists()]
    if not missing:
        return 0
    codes = check_run(target)["files"][CODES]
    if file_digest(origin / CODES) != codes:
        return 0
    for path in missing:
        score = read_json(path)
        if is_sealed(score):
            write_atomically(target / "scores" / path.name, partial(shutil.copy2, path))
        else:
            write_json(
                target / "scores" / path.name, {**score, "codes": {f"s{seed}": codes}, "sealed": first_contact()}
            )
    return len(missing)


def check_plain(source: Path) -> None:
    """Raise `UsageError` on the first thing in another results folder that is neither a plain file nor a folder.

    A symbolic link would have what it points to copied, wherever that lies, and a pipe would never end.
    """
    for top in TAKEN:
        for path in _walk(source / top):
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                what = "a symbolic link" if stat.S_ISLNK(mode) else "no plain file"
                raise UsageError(f"{printable(str(path))} is {what}; merge takes over plain files alone: replace it")


def _walk(top: Path) -> Iterator[Path]:
    """A folder and all that lies in it; links are not followed."""
    if not os.path.lexists(top):
        return
    yield top
    for folder, folders, files in os.walk(top, followlinks=False):
        yield from (Path(folder) / name for name in (*folders, *files))


def _check_same_codes(run: Run, store: Store, other: Store) -> None:
    """Refuse codes from outside that stand for one run in both folders and are not the same."""
    here, there = (each.read_run(run).get("arrays") for each in (store, other))
    if here != there:
        raise UsageError(
            f"seed {run.seed} of {run.model.name} on {run.dataset.name} are other codes in {other.root} than in"
            f" {store.root}; evaluate one of them under another --name, and delete {other.run_folder(run)}"
        )
