"""How a training process is set up: one thread, and an allocator that keeps its memory."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def set_up() -> None:
    """One thread a process, and, with glibc, freed memory kept rather than returned.

    A training step allocates the same megabytes again and again; returning them costs a page fault for each page of
    the next step, a third of a convolutional step's time.
    """
    import torch

    torch.set_num_threads(1)
    if sys.platform == "linux":
        try:
            mallopt = ctypes.CDLL("libc.so.6").mallopt
        except (OSError, AttributeError):
            return  # another C library, which has no such switch
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**30)
        mallopt(M_TOP_PAD, 2**26)
