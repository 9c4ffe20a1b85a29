"""What tasks are to whoever runs them, here or on a cluster: their outcomes, how often they may die, their threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

Task = TypeVar("Task")

DEATHS = 2
"""How often a task may take its process with it before it is given up."""


@dataclass(frozen=True)
class Outcome(Generic[Task]):
    """What became of a task: `value` is what its function returned, or `died` says that its process did not."""

    task: Task
    value: Any = None
    died: str | None = None


class Elsewhere(Protocol):
    """Workers that are no processes of this one's, such as those of a dask scheduler."""

    def execute(
        self, function: Callable[[Task], Any], tasks: Sequence[Task], watch: Callable[[], None] = ...
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
