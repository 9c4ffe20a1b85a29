"""Time a whole published table: python tests/performance/linear_table.py. Goal: under two minutes on two cores.

The suite `rolinek-linear` (autoencoder, VAE, β-VAE, β-VAE_Σ and the random decoder × 10 seeds × 10,000 steps) is
trained and encoded by `benchmark run` in an empty folder, then scored by `benchmark evaluate`: two commands, timed from
start to end with all that they import.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time

SUITE = "rolinek-linear"


def seconds(folder: str, *arguments: str) -> tuple[float, float]:
    """By the clock, and of work on all cores: half of it is the least that two idle cores would take."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "benchmark", *arguments, "--json"], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, work


def measure() -> list[tuple[str, str, None, None, str | None]]:
    """Seconds of training with encoding, and of scoring."""
    with tempfile.TemporaryDirectory() as folder:
        run = seconds(folder, "run", SUITE, "--jobs", "2")
        score = seconds(folder, "evaluate", SUITE, "--jobs", "2")
    return [
        (f"{SUITE}: {what}, 2 processes (clock, work)", f"{clock:.0f} s, {work:.0f} s", None, None, goal)
        for what, (clock, work), goal in (("train and encode", run, "< 120 s"), ("score", score, None))
    ]


if __name__ == "__main__":
    for name, ours, *_ in measure():
        print(f"{name}: {ours}")
