"""Progress on stderr: bars on a terminal, elsewhere a line for each thing that is finished."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

from benchmark.naming import printable

LINE_SECONDS = 30.0
"""Seconds between two lines of how far a stage is, where there is no terminal."""


class Progress:
    """How far a stage is, in any unit. Use it as a context manager.

    passing: the bar is taken away at its end: it only shows that something is going on before there is any to count.
    """

    def __init__(self, title: str, total: float, *, quiet: bool = False, passing: bool = False) -> None:
        self.title = title
        self.total = total
        self.done = self._kept = 0.0
        self.quiet = quiet
        self.passing = passing
        self._start = self._last = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bars

            columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
            times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
            self._bar = Bars(*columns, *times, console=Console(stderr=True), transient=self.passing)
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=None)  # it moves to and fro until something is done
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def begin(self, kept: float) -> None:
        """Say that so much was done before: it took none of the time from now on."""
        self._kept, self._start = kept, time.monotonic()
        self.at(kept)

    def at(self, done: float) -> None:
        """Say how much is done by now."""
        self.done = done
        if self._bar:
            if done > 0:
                self._bar.update(self._task, completed=done, total=self.total)
            return
        now = time.monotonic()
        if not self.quiet and self.total and now - self._last > LINE_SECONDS:
            self._last = now
            share, made = done / self.total, (done - self._kept) / self.total
            left = f", about {_duration((now - self._start) * (1 - share) / made)} left" if made > 0.01 else ""
            print(f"{self.title}: {share:.0%}{left}", file=sys.stderr, flush=True)

    def say(self, line: str) -> None:
        """A line that stays. What it quotes of others does not move the terminal's cursor."""
        line = printable(line)
        if self._bar:
            self._bar.console.print(line, markup=False, highlight=False)
        elif not self.quiet:
            print(line, file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    """Seconds in words a person reads at a glance."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
