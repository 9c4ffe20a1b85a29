"""Where a verb's work is done: processes here or a cluster, and the devices that networks train on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmark.errors import UsageError
from benchmark.store import Store

if TYPE_CHECKING:
    from benchmark.execution import Workers
    from benchmark.training.device import Device


@contextmanager
def workers(jobs: int | None, scheduler: str | None, store: Store, say: Callable[[str], None]) -> Iterator[Workers]:
    """Where the tasks of a block run: so many processes here, by default one a core, or on a cluster."""
    if not scheduler:
        yield cores() if jobs is None else jobs
        return
    from benchmark.cluster import Cluster

    if jobs is not None:
        raise UsageError("--jobs counts processes here, --scheduler names a cluster with workers of its own: give one")
    with Cluster(scheduler, store.root, say) as cluster:
        yield cluster


def devices(choice: str, scheduler: str | None) -> tuple[Device, list[str]]:
    """The kind of device that networks train on, and one device for each process; those of a cluster are its own."""
    from benchmark.training.device import check, chosen, places

    if scheduler:
        check(choice)
        return ("cuda", ["cuda:0"]) if choice == "cuda" else ("cpu", ["cpu"])
    kind = chosen(choice)
    return kind, places(kind)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
