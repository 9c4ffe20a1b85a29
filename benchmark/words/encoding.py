"""What is said of runs while they are encoded again."""

from __future__ import annotations

from benchmark.spec import Run
from benchmark.words.phrases import label
from benchmark.words.progress import Progress


class Encoding:
    """Tells a progress of runs that are encoded again; `failed` are those that could not be, with the reasons."""

    def __init__(self, progress: Progress) -> None:
        self.failed: list[tuple[Run, str]] = []
        self._progress = progress

    def on_encoded(self, run: Run, reason: str | None) -> None:
        """Say what became of a run; `reason`: why it could not be encoded."""
        ending = f": {reason}" if reason else ""
        self._progress.say(f"{'failed ' if reason else 'encoded'} {run.run_id}  {label(run)}{ending}")
        self._progress.at(self._progress.done + 1)
        if reason:
            self.failed.append((run, reason))
