"""Semaphores of worker processes: named so that whoever comes later knows whose they were, and clears the dead's away.

loky names them by the process's number alone, and its tracker deletes them, unless it is killed as well.
"""

from __future__ import annotations

import os
import re
import warnings
from contextlib import suppress
from pathlib import Path

from benchmark.execution.claim import alive, born, space

FOLDER = Path("/dev/shm")
NAME = re.compile(r"sem\.benchmark-(?P<space>\d+)-(?P<pid>\d+)-(?P<born>\d+)-\w+")

_trackers: dict[str, int | None] = {}


def clear_dead() -> int:
    """Delete the semaphores of this user's processes that are gone, and say how many: those of this package alone,
    and of this machine and container, since a number elsewhere is another process."""
    count = 0
    ours = space()
    for path in FOLDER.glob("sem.benchmark-*") if ours else []:
        owner = NAME.fullmatch(path.name)
        if owner is None or owner["space"] != ours:
            continue
        with suppress(FileNotFoundError):  # whoever else clears away at the moment
            living = alive(int(owner["pid"])) and born(int(owner["pid"])) == owner["born"]
            if not living and path.stat().st_uid == os.getuid():
                path.unlink()
                count += 1
    return count


def name_ours() -> None:
    """Have loky name this process's semaphores so, where the system allows long names.

    A semaphore whose tracker was killed is deleted all the same; the next tracker knows nothing of it and would
    complain on stderr.
    """
    from joblib.externals.loky.backend import resource_tracker
    from joblib.externals.loky.backend.synchronize import SemLock, sem_unlink

    ours, birth = space(), born(os.getpid())
    if not ours or not birth or not FOLDER.is_dir():
        return
    warnings.filterwarnings("ignore", "resource_tracker: process died unexpectedly", UserWarning)

    def make() -> str:
        name = f"/benchmark-{ours}-{os.getpid()}-{birth}-{next(SemLock._rand)}"
        _trackers[name] = resource_tracker._resource_tracker._pid
        return name

    def clean(name: str) -> None:
        with suppress(FileNotFoundError):
            sem_unlink(name)
        tracker = _trackers.pop(name, None)
        if tracker is None or (tracker == resource_tracker._resource_tracker._pid and alive(tracker)):
            resource_tracker.unregister(name, "semlock")

    SemLock._make_name, SemLock._cleanup = staticmethod(make), staticmethod(clean)
