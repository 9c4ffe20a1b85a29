"""What is said of fleets while they train: how far they are, which were resumed, and which runs are done or failed."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmark.stages.train import fleet_progress
from benchmark.stages.worker import FleetOutcome
from benchmark.store import Store
from benchmark.training.fleet import Fleet
from benchmark.words.phrases import count, label
from benchmark.words.progress import Progress

STEPS = 1_000
"""A guess at what a closed form takes, in steps of a network: an embedding of thousands of points takes seconds."""


def size(fleet: Fleet) -> int:
    """What a fleet counts in a progress: the steps of all its runs. A closed form has none and counts as STEPS."""
    return len(fleet.runs) * (fleet.steps or STEPS)


class Following:
    """Tells a progress of fleets in training; `trained` is the number of runs that are done since."""

    def __init__(self, store: Store, fleets: Sequence[Fleet], progress: Progress) -> None:
        self.trained = 0
        self._store = store
        self._progress = progress
        self._labels = {run.run_id: label(run) for fleet in fleets for run in fleet.runs}
        # Closed forms have no steps to follow.
        self._unfinished = {fleet.fleet_id: fleet for fleet in fleets if fleet.steps}
        self._resumed: set[str] = set()
        self._finished = 0
        self._steps = 0
        self._next_look = 0.0
        self.watch()
        progress.begin(self._steps)  # of fleets that are resumed

    def watch(self) -> None:
        """Look how far the fleets are. It is called often, and looks no more than a twentieth of the time."""
        began = time.monotonic()
        if began >= self._next_look:
            self._steps = 0
            for fleet in self._unfinished.values():
                state = fleet_progress(self._store, fleet)
                self._steps += state.step * len(fleet.runs)
                if state.resumed:
                    self._say_resumed(fleet, state.resumed[-1])
            # Thousands of fleets, or a slow disk.
            self._next_look = began + 20 * (time.monotonic() - began)
        self._progress.at(self._steps + self._finished)

    def on_outcome(self, fleet: Fleet, outcome: FleetOutcome) -> None:
        """Say what became of a fleet."""
        self._unfinished.pop(fleet.fleet_id, None)
        self._finished += size(fleet)
        if outcome.resumed_at is not None:
            self._say_resumed(fleet, outcome.resumed_at)
        self.trained += len(outcome.published)
        for run_id in outcome.published:
            self._progress.say(f"done    {run_id}  {self._labels.get(run_id, '')}")
        for run_id, reason in outcome.failed:
            self._progress.say(f"failed  {run_id}  {self._labels.get(run_id, '')}: {reason}")
        self.watch()

    def on_waiting(self, fleet_id: str, holder: str) -> None:
        self._progress.say(f"waiting for fleet {fleet_id}, which {holder} trains")

    def on_alone(self, fleets: int) -> None:
        self._progress.say(f"no memory for {fleets} of the fleets beside the others: each is tried again alone")

    def on_note(self, note: str) -> None:
        self._progress.say(note)

    def _say_resumed(self, fleet: Fleet, step: int) -> None:
        """Once for each fleet: its worker says so, and its outcome again."""
        if fleet.fleet_id not in self._resumed:
            self._resumed.add(fleet.fleet_id)
            self._progress.say(f"resumed {count(len(fleet.runs), 'run')} at step {step:,}")
