"""Claims: a process's word that it works on something. They only save work; no result rests on them."""

from __future__ import annotations

import os
import re
import socket
import time
import uuid
from pathlib import Path
from typing import NamedTuple

from benchmark.errors import BenchmarkError
from benchmark.integrity.sealed import read_json, render, sealed
from benchmark.naming import printable

CLAIM_SECONDS = 120.0
"""A claim whose heartbeat is older, or that far ahead, is stale: its process is gone or cannot reach the folder."""


class Holder(NamedTuple):
    """A process as its claim names it: its number counts in its host's `space` alone, which older claims lack."""

    host: str
    pid: int
    born: str | None
    space: str | None


class Claim:
    """A process's word that it works on something: who it is, and a heartbeat, which is the file's time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def take(self) -> bool:
        """Claim it, unless another living process has.

        A file is created by one process alone. A stale one is moved away first, and put back if it turns out that
        another process has just replaced it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}")
        try:
            stale = self.path.stat()
            if self.is_held():
                return False
            self.path.rename(aside)
            moved = aside.stat()
            # Numbers of files are given again: one of the same number may be another's, and younger.
            if (moved.st_ino, moved.st_mtime_ns) != (stale.st_ino, stale.st_mtime_ns):
                aside.rename(self.path)
                return False
        except FileNotFoundError:
            pass  # nobody's, or just moved away by another process
        aside.unlink(missing_ok=True)
        try:
            file = self.path.open("x")
        except FileExistsError:
            return False
        try:
            with file:
                file.write(render(sealed(this_process()._asdict())))
        except OSError:  # a full disk; an empty claim would be believed until it is old
            self.path.unlink(missing_ok=True)
            raise
        return True

    def is_held(self) -> bool:
        """Whether a living process holds it; one of this host that is gone holds nothing, whatever its heartbeat.

        Of a process in another container, whose number is another one's here, the heartbeat alone tells. One from far
        ahead is stale as well: its host's clock is wrong, and it could be years ahead.
        """
        try:
            beats = abs(time.time() - self.path.stat().st_mtime) < CLAIM_SECONDS
        except FileNotFoundError:
            return False
        holder = self._holder()
        if holder is None:  # being written, or damaged
            return beats
        here = holder.host == socket.gethostname() and holder.space in (None, space())
        if here and (not alive(holder.pid) or born(holder.pid) != holder.born):
            return False
        return beats

    def is_mine(self) -> bool:
        """Whether this process holds it; another one has it where this one's heart stood still for too long."""
        return self._holder() == this_process()

    def holder(self) -> str:
        """Who holds it, for people."""
        found = self._holder()
        return "another process" if found is None else f"process {found.pid} on {printable(found.host)}"

    def _holder(self) -> Holder | None:
        """Who the claim says holds it; None where it is being written, gone, damaged or out of reach at the moment."""
        try:
            said = read_json(self.path)
        except (OSError, BenchmarkError):
            return None
        host, pid, birth, where = (said.get(name) for name in Holder._fields)
        if not isinstance(host, str) or type(pid) is not int or not 0 < pid < 2**31:
            return None
        return Holder(host, pid, birth if isinstance(birth, str) else None, where if isinstance(where, str) else None)

    def beat(self) -> None:
        """Let the heart beat, unless another process has taken over."""
        if self.is_mine():
            os.utime(self.path)

    def release(self) -> None:
        """Let go of it, unless another process has taken over."""
        if self.is_mine():
            self.path.unlink(missing_ok=True)


def this_process() -> Holder:
    """This process as its claims name it."""
    return Holder(socket.gethostname(), os.getpid(), born(os.getpid()), space())


def space() -> str | None:
    """The namespace in which this process's number counts; None where the system knows none."""
    try:
        return re.sub(r"\D", "", os.readlink("/proc/self/ns/pid")) or None  # noqa: PTH115  it is no path
    except OSError:
        return None


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
