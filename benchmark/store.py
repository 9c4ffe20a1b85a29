"""The results folder: runs published by one rename, failures recorded.

A run is done when its folder holds run.json, which appears with the whole folder at once. Nothing rests on file
locks: two processes on one folder at worst train something twice, and the second to finish steps back. A plan is
rewritten under a claim, so that processes which start together do not lose each other's runs from it.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.atomic import PART, disk_full_explained, share, sync
from benchmark.commands import command_line
from benchmark.errors import BenchmarkError, UsageError
from benchmark.execution.claim import Claim, alive
from benchmark.integrity.run_seal import read_record, seal_run
from benchmark.integrity.sealed import FORMAT as FORMAT
from benchmark.integrity.sealed import check_format as check_format
from benchmark.integrity.sealed import parse_json as parse_json
from benchmark.integrity.sealed import read_json as read_json
from benchmark.integrity.sealed import write_json as write_json
from benchmark.naming import check_name
from benchmark.spec import Run

LOOK_SECONDS = 0.05
"""Between two looks at a plan that another process rewrites."""


class Store:
    """A results folder. Opening it makes what is missing, unless told not to, and refuses one of a newer version."""

    def __init__(self, root: Path, *, make: bool = True) -> None:
        self.root = root
        marker = root / "format.json"
        above = next((path for path in (root, *root.parents) if path.exists()), root)
        if above.exists() and not above.is_dir():
            raise UsageError(f"--results {root}: {above} is not a folder")
        known = read_json(marker, "delete it: it is made anew") if marker.exists() else {}
        check_format(known, marker)
        if make and known.get("format", 0) < FORMAT:
            write_json(marker, {"format": FORMAT})

    def suite_folder(self, suite: str) -> Path:
        return self.root / "suites" / check_name(suite, "suite")

    def run_folder(self, run: Run) -> Path:
        dataset, model = check_name(run.dataset.name, "dataset"), check_name(run.model.name, "model")
        return self.root / "runs" / dataset / model / run.config_id / f"s{run.seed:d}"

    def fleet_folder(self, fleet_id: str) -> Path:
        return self.root / "fleets" / fleet_id

    def is_done(self, run: Run) -> bool:
        return (self.run_folder(run) / "run.json").exists()

    def read_run(self, run: Run) -> dict[str, Any]:
        """A finished run's record. Raises `BenchmarkError` on a damaged one, or another run's."""
        return read_record(self.run_folder(run))

    def publish(self, run: Run, fill: Callable[[Path], None]) -> bool:
        """Let `fill` write a run's files into a scratch folder, then rename it into place.

        Returns False where someone else published the run first. On any error nothing is left behind.
        """
        scratch = self.root / "scratch" / f"{run.run_id}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        with disk_full_explained(scratch):
            scratch.mkdir(parents=True)
            try:
                fill(scratch)
                seal_run(scratch)
                for path in scratch.rglob("*"):
                    if path.is_file():
                        share(path)
                    sync(path)
                sync(scratch)
                target = self.run_folder(run)
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    scratch.rename(target)
                except OSError as error:
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
                    if not self.is_done(run):
                        raise BenchmarkError(
                            f"{target} is in the way: it holds no finished run; move it away"
                        ) from None
                    return False
                sync(target.parent)
                return True
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

    def clean_scratch(self) -> int:
        """Delete what killed processes of this host left half-written, and anything over a day old; say how many."""
        folder, count = self.root / "scratch", 0
        for entry in folder.iterdir() if folder.exists() else []:
            owner, _, pid = entry.name.rpartition("-")[0].rpartition("-")
            dead = owner.endswith(f"-{socket.gethostname()}") and pid.isdigit() and not alive(int(pid))
            try:
                old = time.time() - entry.stat().st_mtime > 86_400
            except FileNotFoundError:
                continue  # just published by its process
            if dead or old:
                shutil.rmtree(entry, ignore_errors=True)
                count += not entry.exists()
        return count

    def clean_parts(self, folders: Iterable[Path] | None = None) -> int:
        """Delete files that killed processes of this host were writing, in these folders or all; say how many."""
        everywhere = (Path(found[0]) for found in os.walk(self.root))
        count = 0
        for folder in everywhere if folders is None else folders:
            for path in folder.glob(".*.part"):
                writer = PART.fullmatch(path.name)
                if writer and writer["host"] == socket.gethostname()[:60] and not alive(int(writer["pid"])):
                    path.unlink(missing_ok=True)
                    count += 1
        return count

    def failure_path(self, run: Run) -> Path:
        return self.root / "failures" / f"{run.config_id}-s{run.seed:d}.json"

    def record_failure(self, run: Run, stage: str, reason: str, **details: Any) -> None:
        """Keep what failed, when and where; shown again on every run, retried on request, never a result."""
        record = {
            "format": FORMAT,
            "run_id": run.run_id,
            "run": run.to_json(),
            "stage": stage,
            "reason": reason,
            "host": socket.gethostname(),
            "time": timestamp(),
            **details,
        }
        write_json(self.failure_path(run), record)

    def failure(self, run: Run) -> dict[str, Any] | None:
        path = self.failure_path(run)
        try:
            record = read_json(path)
        except FileNotFoundError:  # none, or just tried again by another process
            return None
        if not isinstance(record.get("reason"), str):
            raise BenchmarkError(f"{path} is damaged (it says no reason); delete it and rerun")
        return record

    def set_aside(self, run: Run) -> None:
        """Move a finished run that was altered out of the way, so that it is trained again; `prune` deletes it."""
        aside = self.root / "damaged" / f"{run.run_id}-{uuid.uuid4().hex[:8]}"
        aside.parent.mkdir(exist_ok=True)
        self.run_folder(run).rename(aside)

    def clear_failure(self, run: Run) -> None:
        self.failure_path(run).unlink(missing_ok=True)

    def write_plan(
        self, suite: str, source: str, runs: list[Run], *, replace: bool = True, file: Path | None = None
    ) -> list[Run]:
        """Remember a suite's runs; those of an earlier plan stay while the suite's text is the same.

        With `replace` false an earlier plan of another text stays as well, and these runs are added to it.
        `file`: where the suite's text lies, where that is no built-in one.
        """
        where = {} if file is None else {"file": os.path.relpath(file.resolve(), self.root.resolve())}
        planned = {run.run_id: run for run in runs}
        with self._claimed_plan(suite) as path:
            if path.exists():
                earlier = read_json(path)
                check_format(earlier, path)
                if not replace:
                    source = earlier["source"]
                    where = {"file": earlier["file"]} if "file" in earlier else {}
                # Codes from outside are in no suite's text: an edit of it does not drop them.
                kept = [
                    run
                    for run in runs_of(earlier, path)
                    if earlier["source"] == source or run.model.settings.get("codes") == "external"
                ]
                planned = {run.run_id: run for run in kept} | planned
            listed = [run.to_json() for run in planned.values()]
            write_json(path, {"format": FORMAT, "suite": suite, "source": source, **where, "runs": listed})
        return list(planned.values())

    def shorten_plan(self, suite: str, gone: Collection[str]) -> list[Run]:
        """Take the runs of these ids out of a suite's plan; return those left. Without any, the suite's folder goes."""
        with self._claimed_plan(suite) as path:
            left = [run for run in self.plan(suite) if run.run_id not in gone]
            if left:
                write_json(path, {**read_json(path), "runs": [run.to_json() for run in left]})
            else:
                shutil.rmtree(path.parent)
        return left

    @contextmanager
    def _claimed_plan(self, suite: str) -> Iterator[Path]:
        """The file of a suite's plan, which no other process rewrites meanwhile: each waits its turn.

        The claim of a killed process is nobody's: at once on its own host, elsewhere once it is old.
        """
        path = self.suite_folder(suite) / "plan.json"
        # Not in the suite's folder, which `forget` deletes with its last run.
        claim = Claim(self.root / "scratch" / f"plan-{suite}.json")
        with disk_full_explained(claim.path):
            while not claim.take():
                time.sleep(LOOK_SECONDS)
        try:
            yield path
        finally:
            claim.release()

    def plan(self, suite: str) -> list[Run]:
        """The runs of a suite that was started here."""
        path = self.suite_folder(suite) / "plan.json"
        if not path.exists():
            known = sorted(folder.name for folder in (self.root / "suites").glob("*") if folder.is_dir())
            raise UsageError(
                f'{self.root} holds nothing of a suite "{suite}" (there: {", ".join(known) or "none"});'
                f" next: {command_line('run', suite, results=self.root)}"
            )
        record = read_json(path)
        check_format(record, path)
        return runs_of(record, path)


def runs_of(plan: Mapping[str, Any], path: Path) -> list[Run]:
    """The runs of a plan that was read from `path`. Raises `UsageError` on what is no plan."""
    runs = plan.get("runs")
    if not isinstance(runs, list) or not isinstance(plan.get("source"), str):
        raise UsageError(f"{path} is no plan: it lists no runs; delete it and run the suite again")
    return [Run.from_json(run, f"{path}: runs[{index}]") for index, run in enumerate(runs)]


def timestamp() -> str:
    """The time now, as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
