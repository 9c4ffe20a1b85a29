"""Claims: a process's word that it works on something. They only save work; no result rests on them."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.integrity.sealed import read_json, render, sealed
from benchmark.naming import printable

CLAIM_SECONDS = 120.0
"""A claim whose heartbeat is older, or that far ahead, is stale: its process is gone or cannot reach the folder."""


class Claim:
    """A process's word that it works on something: host, pid and a heartbeat, which is the file's time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def take(self) -> bool:
        """Claim it, unless another living process has.

        A file is created by one process alone. A stale one is moved away first, and put back if it turns out that
        another process has just replaced it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_name(f".{self.path.name}.{socket.gethostname()}-{os.getpid()}")
        try:
            stale = self.path.stat()
            if self.is_held():
                return False
            self.path.rename(aside)
            if aside.stat().st_ino != stale.st_ino:
                aside.rename(self.path)
                return False
        except FileNotFoundError:
            pass  # nobody's, or just moved away by another process
        aside.unlink(missing_ok=True)
        try:
            with self.path.open("x") as file:
                mine = {"host": socket.gethostname(), "pid": os.getpid(), "born": born(os.getpid())}
                file.write(render(sealed(mine)))
        except FileExistsError:
            return False
        return True

    def is_held(self) -> bool:
        """Whether a living process holds it; one of this host that is gone holds nothing, whatever its heartbeat.

        A heartbeat from far ahead is stale as well: its host's clock is wrong, and it could be years ahead.
        """
        try:
            beats = abs(time.time() - self.path.stat().st_mtime) < CLAIM_SECONDS
        except FileNotFoundError:
            return False
        holder = self._holder()
        if holder is None:  # being written, or damaged
            return beats
        host, pid, birth = holder
        if host == socket.gethostname() and (not alive(pid) or born(pid) != birth):
            return False
        return beats

    def holder(self) -> str:
        """Who holds it, for people."""
        found = self._holder()
        return "another process" if found is None else f"process {found[1]} on {printable(found[0])}"

    def _holder(self) -> tuple[str, int, str | None] | None:
        """Host, pid and birth as the claim says them; None where it is being written, gone or damaged."""
        try:
            said = read_json(self.path)
        except (FileNotFoundError, BenchmarkError):
            return None
        host, pid, birth = said.get("host"), said.get("pid"), said.get("born")
        if not isinstance(host, str) or type(pid) is not int or not 0 < pid < 2**31:
            return None
        return host, pid, birth if isinstance(birth, str) else None

    def beat(self) -> None:
        self.path.touch()

    def release(self) -> None:
        self.path.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and whose parent has not asked for its exit code yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state = _stat(pid)
    return state is None or state[0] not in ("Z", "X")


def born(pid: int) -> str | None:
    """When a process started, where the system tells: it sets a process apart from a later one with its number."""
    state = _stat(pid)
    return None if state is None else state[19]


def _stat(pid: int) -> list[str] | None:
    """What Linux says of a process after its name: its state, then numbers."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
