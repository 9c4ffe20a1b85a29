"""The results folder: runs published by one rename, failures recorded.

A run is done when its folder holds run.json, which appears with the whole folder at once. Nothing rests on file
locks: two processes on one folder at worst train something twice, and the second to finish steps back.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.atomic import disk_full_explained, share, sync, write_atomically
from benchmark.claim import alive
from benchmark.errors import BenchmarkError, UsageError
from benchmark.spec import Run

FORMAT = 1


class Store:
    """A results folder. Opening it makes what is missing, unless told not to, and refuses one of a newer version."""

    def __init__(self, root: Path, *, make: bool = True) -> None:
        self.root = root
        marker = root / "format.json"
        if marker.exists():
            check_format(read_json(marker), marker)
        else:
            if root.exists() and not root.is_dir():
                raise UsageError(f"--results {root} is not a folder")
            if make:
                write_json(marker, {"format": FORMAT})

    def suite_folder(self, suite: str) -> Path:
        return self.root / "suites" / suite

    def run_folder(self, run: Run) -> Path:
        return self.root / "runs" / run.dataset.name / run.model.name / run.config_id / f"s{run.seed}"

    def fleet_folder(self, fleet_id: str) -> Path:
        return self.root / "fleets" / fleet_id

    def is_done(self, run: Run) -> bool:
        return (self.run_folder(run) / "run.json").exists()

    def read_run(self, run: Run) -> dict[str, Any]:
        path = self.run_folder(run) / "run.json"
        record = read_json(path)
        check_format(record, path)
        return record

    def publish(self, run: Run, fill: Callable[[Path], None]) -> bool:
        """Let `fill` write a run's files into a scratch folder, then rename it into place.

        Returns False where someone else published the run first. On any error nothing is left behind.
        """
        scratch = self.root / "scratch" / f"{run.run_id}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        with disk_full_explained(scratch):
            scratch.mkdir(parents=True)
            try:
                fill(scratch)
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

    def clean_scratch(self) -> None:
        """Delete what killed processes of this host left half-written, and anything over a day old."""
        folder = self.root / "scratch"
        for entry in folder.iterdir() if folder.exists() else []:
            owner, _, pid = entry.name.rpartition("-")[0].rpartition("-")
            dead = owner.endswith(f"-{socket.gethostname()}") and pid.isdigit() and not alive(int(pid))
            if dead or time.time() - entry.stat().st_mtime > 86_400:
                shutil.rmtree(entry, ignore_errors=True)

    def failure_path(self, run: Run) -> Path:
        return self.root / "failures" / f"{run.run_id}.json"

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
        return read_json(path) if path.exists() else None

    def clear_failure(self, run: Run) -> None:
        self.failure_path(run).unlink(missing_ok=True)

    def write_plan(self, suite: str, source: str, runs: list[Run], *, replace: bool = True) -> list[Run]:
        """Remember a suite's runs; those of an earlier plan stay while the suite's text is the same.

        With `replace` false an earlier plan of another text stays as well, and these runs are added to it.
        """
        path = self.suite_folder(suite) / "plan.json"
        planned = {run.run_id: run for run in runs}
        if path.exists():
            earlier = read_json(path)
            check_format(earlier, path)
            if not replace:
                source = earlier["source"]
            # Codes from outside are in no suite's text: an edit of it does not drop them.
            kept = [
                run
                for run in map(Run.from_json, earlier["runs"])
                if earlier["source"] == source or run.model.settings.get("codes") == "external"
            ]
            planned = {run.run_id: run for run in kept} | planned
        write_json(
            path,
            {"format": FORMAT, "suite": suite, "source": source, "runs": [run.to_json() for run in planned.values()]},
        )
        return list(planned.values())

    def plan(self, suite: str) -> list[Run]:
        """The runs of a suite that was started here."""
        path = self.suite_folder(suite) / "plan.json"
        if not path.exists():
            known = sorted(folder.name for folder in (self.root / "suites").glob("*") if folder.is_dir())
            listing = ", ".join(known) or "none"
            raise UsageError(
                f'{self.root} holds nothing of a suite "{suite}" (there: {listing}); next: benchmark run {suite}'
            )
        record = read_json(path)
        check_format(record, path)
        return [Run.from_json(run) for run in record["runs"]]


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file; raise `BenchmarkError` on a damaged one."""
    return parse_json(path.read_bytes(), path)


def parse_json(content: bytes, path: Path) -> dict[str, Any]:
    """The same of what was read from `path`."""
    try:
        value = json.loads(content)
    except ValueError as error:  # neither JSON nor, perhaps, text
        raise BenchmarkError(f"{path} is damaged ({error}); delete it and rerun") from None
    if not isinstance(value, dict):
        raise BenchmarkError(f"{path} is damaged (not an object); delete it and rerun")
    return value


def check_format(record: dict[str, Any], path: Path) -> None:
    """Refuse what a newer version of this program wrote."""
    if record.get("format", 0) > FORMAT:
        raise UsageError(
            f"{path} has format {record['format']}, this version reads up to {FORMAT};"
            " update the program or choose another --results folder"
        )


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically: readers see the old content or the new one."""
    write_atomically(path, lambda scratch: scratch.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n"))


def timestamp() -> str:
    """The time now, as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
