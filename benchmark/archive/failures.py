"""What of a plan is not among an archive's runs: how many were planned, and which failed for what reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.archive.manifest import FAILURES
from benchmark.archive.opening import Archive
from benchmark.archive.public import public_run, without_places
from benchmark.errors import BenchmarkError, UsageError
from benchmark.integrity.sealed import compact, parse_json, sealed
from benchmark.spec import Run

KEPT = ("run_id", "run", "stage", "reason", "time")
"""Of a failure's record: not where it happened."""


@dataclass(frozen=True)
class Unfinished:
    """`planned`: runs of the plan, None where an archive does not say. `failures`: a record each."""

    planned: int | None = None
    failures: Sequence[Mapping[str, Any]] = ()


def public_failure(record: Mapping[str, Any]) -> dict[str, Any]:
    """A failure's record without names of users, hosts and folders."""
    found = {name: record[name] for name in KEPT if name in record}
    return found | {"run": public_run(record["run"]), "reason": without_places(record["reason"])}


def failures_file(planned: int, failures: Sequence[Mapping[str, Any]]) -> bytes:
    return compact(sealed({"planned": planned, "failures": list(failures)})).encode()


def unfinished(archive: Archive) -> Unfinished:
    """What an archive says of it; nothing in one that is older. Raises `UsageError` on what says something else."""
    if not archive.holds(FAILURES):
        return Unfinished()
    where = f"{archive.place.where}: {FAILURES}"
    record = parse_json(archive.read(FAILURES), where)
    planned, failures = record.get("planned"), record.get("failures")
    if type(planned) is not int or not isinstance(failures, list):
        raise UsageError(f"{where} lists no failures; get the archive again")
    for failure in failures:
        if not isinstance(failure, dict) or set(failure) - set(KEPT) or not isinstance(failure.get("reason"), str):
            raise UsageError(f"{where} holds what is no failure of a run; get the archive again")
        try:
            run = Run.from_json(failure.get("run"), f"{where}: run")
        except BenchmarkError as error:
            raise UsageError(str(error)) from None
        if failure.get("run_id") != run.run_id:
            raise UsageError(f"{where}: {failure.get('run_id')!a:.80} is another run's id: it describes {run.run_id}")
    return Unfinished(planned, failures)
