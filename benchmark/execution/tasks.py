"""What tasks are to whoever runs them, here or on a cluster: their outcomes, how often they may die, their threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

Task = TypeVar("Task")

DEATHS = 2
"""How often a task may take its process with it, without getting further in between, before it is given up."""


@dataclass(frozen=True)
class Outcome(Generic[Task]):
    """What became of a task: `value` is what its function returned, or `died` says that its process did not."""

    task: Task
    value: Any = None
    died: str | None = None


def no_progress(_: Any) -> int:
    """Of tasks that keep nothing until they are done."""
    return 0


class Deaths(Generic[Task]):
    """How often each task has taken its process with it since it last got further than ever, as `progress_of` says."""

    def __init__(self, tasks: Sequence[Task], progress_of: Callable[[Task], int]) -> None:
        self._tasks, self._progress_of = tasks, progress_of
        self._reached = [progress_of(task) for task in tasks]
        self._counts = [0] * len(tasks)

    def __getitem__(self, index: int) -> int:
        return self._counts[index]

    def count(self, index: int) -> bool:
        """Note that a task's process died; whether the task is to be given up."""
        reached = self._progress_of(self._tasks[index])
        if reached > self._reached[index]:
            self._reached[index], self._counts[index] = reached, 0
        else:
            self._counts[index] += 1
        return self._counts[index] >= DEATHS


class Elsewhere(Protocol):
    """Workers that are no processes of this one's, such as those of a dask scheduler."""

    def execute(
        self,
        function: Callable[[Task], Any],
        tasks: Sequence[Task],
        watch: Callable[[], None] = ...,
        progress_of: Callable[[Task], int] = ...,
    ) -> Iterator[Outcome[Task]]:
        """As `benchmark.execution.processes.execute`."""


@contextmanager
def few_threads() -> Iterator[None]:
    """Within the block numpy's products use as many threads as in a worker process: one, unless the user says more.

    Sums round differently with the number of threads, and a result must not tell where it was computed.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(int(os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or 1)):
        yield
