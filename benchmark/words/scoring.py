"""What is said of scores while they are computed: failures, and what is to be known of their input, once each."""

from __future__ import annotations

from benchmark.stages.score_task import Scored, ScoreTask
from benchmark.stages.slices import SLICES
from benchmark.words.progress import Progress


class Scoring:
    """Tells a progress of scores; `notes` are those that were said."""

    def __init__(self, progress: Progress) -> None:
        self.notes: list[str] = []
        self._progress = progress

    def on_scored(self, task: ScoreTask, scored: Scored) -> None:
        """Say what became of one measure of a run."""
        run = f"{task.folder.parent.parent.name}/{task.folder.parent.name}/{task.folder.name}"
        # What a slice leaves out is its dataset's, not a run's.
        of = task.folder.parent.parent.parent.name if task.representation in SLICES else run
        for note in (f"{of} {text}" for text in scored.notes):
            if note not in self.notes:  # several measures say the same
                self.notes.append(note)
                self._progress.say(f"note    {note}")
        if scored.status == "failed":
            self._progress.say(f"failed  {run} {task.metric}: {scored.reason}")

    def on_cost(self, done: float, total: float) -> None:
        """Say how much of the expected cost is done."""
        self._progress.total = total
        self._progress.at(done)
