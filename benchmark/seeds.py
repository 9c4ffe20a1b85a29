"""Named streams of randomness: what a run draws depends on its id, the purpose and the block of steps, nothing else."""

from __future__ import annotations

import hashlib

import numpy as np

BLOCK = 64
"""Steps whose data order and noise are drawn together: resuming needs no generator state, only the step."""


def stream(*names: object, block: int = 0) -> np.random.Generator:
    """The generator of a named stream, such as `stream(run_id, "data", block=7)`.

    A counter-based generator (Philox) keyed by the names' hash; blocks start 2¹⁹² draws apart and never overlap.
    """
    text = "\x1f".join(str(name) for name in names)
    key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, block]))


def integer(*names: object) -> int:
    """A seed below 2³¹ from a named stream, for libraries that want one."""
    return int(stream(*names).integers(2**31))
