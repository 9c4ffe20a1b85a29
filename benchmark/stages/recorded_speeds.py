"""How fast finished runs of a results folder were: the best guess at what others of their kind will take."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.integrity.run_seal import RECORD
from benchmark.integrity.sealed import read_json
from benchmark.provenance import provenance
from benchmark.spec import Run
from benchmark.store import Store
from benchmark.training.device import described
from benchmark.training.fleet import Fleet, static_part

READ = 20
"""Records of a model on a dataset, the newest."""
SHARES = ("training", "encoding")
"""What a record's `seconds` are of: a member's equal share of its fleet's training, and its own encoding."""


class RecordedSpeed(NamedTuple):
    """Median seconds by the clock of a fleet's step and of a member's encoding, over so many runs, and what numbers a
    member has to keep."""

    step: float
    encoding: float
    parameters: int
    runs: int


class RecordedSpeeds:
    """The speeds of a results folder's runs on this type of processor and on the device `place`.

    `encoded`: what `kept` says of the arrays that are to be encoded; other arrays take other times.
    """

    def __init__(self, store: Store, place: str, encoded: dict[str, Any]) -> None:
        self.store = store
        self.place = place
        self.encoded = encoded
        self.read: dict[Path, list[dict[str, Any]]] = {}

    def of(self, fleet: Fleet) -> RecordedSpeed | None:
        """That of finished runs that differ from a fleet's in stackable settings and seed alone, and that trained
        beside as many others in one fleet; None where there are none. Raises `BenchmarkError` on a damaged record."""
        wanted, members = static_part(fleet.runs[0]), len(fleet.runs)
        alike = [record for record in self._records(fleet.runs[0]) if self._fits(record, wanted, members)]
        if not alike or not fleet.steps:
            return None
        training, encoding = (statistics.median(each["seconds"][part] for each in alike) for part in SHARES)
        return RecordedSpeed(training * members / fleet.steps, encoding, alike[0]["parameters"], len(alike))

    def _records(self, run: Run) -> list[dict[str, Any]]:
        """The newest records of a model on a dataset."""
        folder = self.store.run_folder(run).parent.parent
        if folder not in self.read:
            files = sorted(folder.glob(f"*/s*/{RECORD}"), key=lambda path: path.stat().st_mtime, reverse=True)
            self.read[folder] = [read_json(path) for path in files[:READ]]
        return self.read[folder]

    def _fits(self, record: dict[str, Any], wanted: dict[str, Any], members: int) -> bool:
        where = record.get("provenance", {})
        return (
            set(SHARES) <= set(record.get("seconds", {}))
            and "parameters" in record
            and where.get("fleet", {}).get("members") == members
            and (where.get("cpu"), where.get("device")) == (provenance()["cpu"], described(self.place))
            and record.get("encoding") == self.encoded
            and static_part(Run.from_json(record["run"])) == wanted
        )
