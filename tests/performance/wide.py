"""Time every measure on many more codes than factors: python tests/performance/wide.py [--codes 1000] [NAME …]

10,000 points of ten factors of ten values, and 1,000 codes that mix them, one process a measure, timed in seconds of a
core's work. Measures that have a quick budget are timed under it. Goal: a minute a measure, or a refusal that says why.
Measures of arrays that come from a network's decoder are left out: their size is not that of the codes alone.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np

from benchmark import registry
from benchmark.errors import NotApplicable

POINTS, FACTORS, VALUES = 10_000, 10, 10
SECONDS, PATIENCE = 60, 5
"""Of a core's work, and how many times as long by the clock a busy machine may take."""
MEMORY = 8 * 2**30
KNOWN = {"codes", "factors", "means", "variances", "samples"}


def arrays(codes: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    factors = rng.integers(VALUES, size=(POINTS, FACTORS))
    mixed = np.tanh((factors - factors.mean(0)) / factors.std(0) @ rng.standard_normal((FACTORS, codes)) / 2)
    means = (mixed + 0.3 * rng.standard_normal(mixed.shape)).astype(np.float32)
    variances = np.full_like(means, 0.1)
    samples = means + np.sqrt(variances) * rng.standard_normal(means.shape, dtype=np.float32)
    return {"codes": means, "factors": factors, "means": means, "variances": variances, "samples": samples}


def one(name: str, codes: int) -> None:
    """Score in this process, with a limit on its memory, and print what came of it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    metric = registry.load("metric", name).declaration
    made = arrays(codes)
    given = [np.stack([made[need]] * 2) if metric.scope == "configuration" else made[need] for need in metric.needs]
    start = time.process_time()
    try:
        found = metric.function(*given, **{"seed": 0, **metric.quick})
        told = f"{metric.headline} = {found[metric.headline]:.3f}"
    except NotApplicable as reason:
        told = f"refused: {reason.reason}"
    print(f"{time.process_time() - start:.1f} s, {told}")


def measured(name: str, codes: int) -> str:
    line = [sys.executable, __file__, "--codes", str(codes), "--here", name]
    try:
        ran = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS * PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return f"over {SECONDS * PATIENCE} s by the clock"
    said = (ran.stdout if ran.returncode == 0 else ran.stderr).strip().splitlines()
    return said[-1] if said else f"ended by signal {-ran.returncode}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--codes", type=int, default=1_000)
    parser.add_argument("--here", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        one(given.here, given.codes)
        return
    for name in given.names or registry.names("metric"):
        if set(registry.load("metric", name).declaration.needs) <= KNOWN:
            print(f"{name}: {measured(name, given.codes)}", flush=True)


if __name__ == "__main__":
    main()
