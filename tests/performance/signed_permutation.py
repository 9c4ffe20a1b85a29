"""Time the two solvers of the signed permutation, and compare their optima.

Run as: python tests/performance/signed_permutation.py. It prints, for each size, milliseconds a matrix and the largest
difference of the L¹ distances.
"""

import argparse
import time

import numpy as np

from benchmark.metrics.dto import signed_permutation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--matrices", type=int, default=1_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2, 5, 6, 10])
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    print(f"{'d':>3} {'assignment':>12} {'milp':>12} {'difference':>12}")
    for d in arguments.sizes:
        v = np.linalg.qr(rng.standard_normal((arguments.matrices, d, d)))[0]
        found, milliseconds = {}, {}
        for solver in ("assignment", "milp"):
            start = time.perf_counter()
            found[solver] = np.abs(v - signed_permutation(v, solver)).sum(axis=(1, 2))
            milliseconds[solver] = 1_000 * (time.perf_counter() - start) / len(v)
        difference = np.abs(found["assignment"] - found["milp"]).max()
        print(f"{d:>3} {milliseconds['assignment']:>9.3f} ms {milliseconds['milp']:>9.3f} ms {difference:>12.1e}")


if __name__ == "__main__":
    main()
