"""Files that are whole or not there: written beside their place, forced to the disk, renamed into it."""

from __future__ import annotations

import errno
import os
import re
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError, UsageError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
REFUSED = {errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP}
PART = re.compile(r"\.(?P<host>.+)-(?P<pid>\d+)-[0-9a-f]{8}\.part")
"""The name of a file that is being written, with its writer."""


def write_atomically(path: Path, fill: Callable[[Path], Any]) -> None:
    """Let `fill` write a scratch neighbour, then rename it over `path`."""
    scratch = path.with_name(f".{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
    with disk_full_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fill(scratch)
            sync(scratch)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)


@contextmanager
def disk_full_explained(path: Path) -> Iterator[None]:
    """Turn a full disk or an unwritable folder into a sentence."""
    try:
        yield
    except PermissionError:
        raise BenchmarkError(f"{path.parent} is not writable; choose another folder") from None
    except (NotADirectoryError, FileExistsError):
        raise UsageError(f"{path.parent} is no folder; choose another one") from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno in REFUSED:
            said = os.strerror(error.errno or 0).lower()
            raise UsageError(f"{path} cannot be written ({said}); choose another folder") from None
        if is_full(error):
            raise BenchmarkError(
                f"no space left for {path}; free some and run the same command again: nothing published was lost"
            ) from None
        raise


def is_full(error: Exception) -> bool:
    """Whether an error says that the disk is full; safetensors, which writes outside Python, says so in its text."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return any(f"(os error {number})" in str(error) for number in FULL)


def share(path: Path) -> None:
    """Give a file the permissions of any new file; some writers make theirs for the owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def sync(path: Path) -> None:
    """Force a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
