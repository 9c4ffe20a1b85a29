"""Where and by what a request is worked off: the results folder, data files, processes here or a cluster, devices."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.store import Store
from benchmark.verbs._given import add_plugins
from benchmark.words.progress import Progress

if TYPE_CHECKING:
    from benchmark.execution.processes import Workers
    from benchmark.training.device import Device

JOBS = "BENCHMARK_JOBS"
"""The variable of the environment that says how many processes work where no `--jobs` does."""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """`jobs` processes here, by default `default_jobs`, and 0 for this one; or the workers of a dask `scheduler`.

    results: the results folder. data_dir: where data files lie. device: what networks train on, auto, cpu or cuda.
    quiet: whether no progress is shown. Raises `UsageError` where processes here and a cluster are asked for at once.
    """

    results: Path = RESULTS
    data_dir: Path | None = None
    jobs: int | None = None
    scheduler: str | None = None
    device: str = "auto"
    quiet: bool = True

    def __post_init__(self) -> None:
        if self.scheduler and self.jobs is not None:
            raise UsageError(
                "--jobs counts processes here, --scheduler names a cluster with workers of its own: give one"
            )

    def from_anywhere(self) -> Workplace:
        """The same with folders that processes with another current folder find as well, where a cluster works."""
        if not self.scheduler:
            return self
        return replace(self, results=self.results.absolute(), data_dir=self.data_dir and self.data_dir.absolute())

    def add_plugins(self, plugins: Sequence[Path]) -> None:
        """Register loose files, so that the workers find them, too."""
        add_plugins(plugins, absolute=bool(self.scheduler))

    def store(self, *, make: bool = True) -> Store:
        return Store(self.results, make=make)

    def progress(self, title: str, total: float = 0, *, passing: bool = False) -> Progress:
        return Progress(title, total, quiet=self.quiet, passing=passing)

    @contextmanager
    def workers(self, say: Callable[[str], None]) -> Iterator[Workers]:
        """Where the tasks of a block run; `say` hears of a cluster's workers that cannot be used."""
        if not self.scheduler:
            yield self.processes()
            return
        from benchmark.execution.cluster import Cluster

        with Cluster(self.scheduler, self.results, say) as cluster:
            yield cluster

    def processes(self) -> int:
        """How many processes work here."""
        return default_jobs() if self.jobs is None else self.jobs

    def devices(self) -> tuple[Device, list[str]]:
        """The kind of device that networks train on, and one device a process; those of a cluster are its own."""
        from benchmark.training.device import check, chosen, places

        if self.scheduler:
            check(self.device)
            return ("cuda", ["cuda:0"]) if self.device == "cuda" else ("cpu", ["cpu"])
        kind = chosen(self.device)
        return kind, places(kind)

    def trainers(self, at_work: Workers, kind: Device, places: Sequence[str]) -> Workers:
        """What trains networks, of those at work: one process a GPU here, unless told how many."""
        return len(places) if kind == "cuda" and self.jobs is None and not self.scheduler else at_work


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_jobs() -> int:
    """How many processes work where nothing is asked for: $BENCHMARK_JOBS, else one a core. 0: this one alone."""
    said = os.environ.get(JOBS, "")
    if not said:
        return cores()
    if not (said.isascii() and said.isdigit()):
        raise UsageError(f"${JOBS} is {said!r}; it counts processes, such as 4, and 0 works in this process")
    return int(said)
