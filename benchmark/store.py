"""The results folder: runs published by one rename, failures recorded, claims that only save work.

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError, UsageError
from benchmark.spec import Run

FORMAT = 1
CLAIM_SECONDS = 120.0
"""A claim whose heartbeat is older is stale: its process is gone or cannot reach the folder."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


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
                for file in scratch.rglob("*"):
                    sync(file)
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
            if earlier["source"] == source:
                planned = {run.run_id: run for run in map(Run.from_json, earlier["runs"])} | planned
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


class Claim:
    """A process's word that it works on something: host, pid and a heartbeat, which is the file's time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def take(self) -> bool:
        """Claim it, unless another living process has."""
        if self.is_held():
            return False
        self.path.unlink(missing_ok=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.path.open("x") as file:
                json.dump({"host": socket.gethostname(), "pid": os.getpid(), "born": born(os.getpid())}, file)
        except FileExistsError:
            return False
        return True

    def is_held(self) -> bool:
        """Whether a living process holds it; one of this host that is gone holds nothing, whatever its heartbeat."""
        try:
            age = time.time() - self.path.stat().st_mtime
            holder = json.loads(self.path.read_text())
        except FileNotFoundError:
            return False
        except ValueError:  # being written, or damaged
            return age < CLAIM_SECONDS
        if holder["host"] == socket.gethostname() and (
            not alive(holder["pid"]) or born(holder["pid"]) != holder["born"]
        ):
            return False
        return age < CLAIM_SECONDS

    def beat(self) -> None:
        self.path.touch()

    def release(self) -> None:
        self.path.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def born(pid: int) -> str | None:
    """When a process started, where the system tells: it sets a process apart from a later one with its number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file; raise `BenchmarkError` on a damaged one."""
    try:
        value = json.loads(path.read_text())
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


def write_atomically(path: Path, fill: Callable[[Path], Any]) -> None:
    """Let `fill` write a scratch neighbour, then rename it over `path`."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
    with disk_full_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fill(scratch)
            sync(scratch)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)


@contextmanager
def disk_full_explained(path: Path) -> Iterator[None]:
    """Turn a full disk or an unwritable folder into a sentence."""
    try:
        yield
    except PermissionError:
        raise BenchmarkError(f"{path.parent} is not writable; choose another --results folder") from None
    except Exception as error:
        if is_full(error):
            raise BenchmarkError(
                f"no space left for {path}; free some and run the same command again: nothing published was lost"
            ) from None
        raise


def is_full(error: Exception) -> bool:
    """Whether an error says that the disk is full; safetensors, which writes outside Python, says so in its text."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return any(f"(os error {number})" in str(error) for number in FULL)


def sync(path: Path) -> None:
    """Force a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def timestamp() -> str:
    """The time now, as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
