"""Time the two solvers of the signed permutation, and compare their optima.

Run as: python tests/performance/signed_permutation.py --codes results/runs/*/*/*/*/codes.safetensors. It prints for
Haar-random matrices of each size, for matrices full of ties, and for the decoders of trained models: milliseconds a
matrix, and the largest difference of the L¹ distances and of the distances to orthogonality that the solvers found.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy import ndarray
from scipy.linalg import block_diag, hadamard

from benchmark.codes import Codes
from benchmark.metrics.dto import signed_permutation


def stacks(matrices: int, sizes: list[int], files: list[Path]) -> Iterator[tuple[str, ndarray]]:
    """Orthogonal matrices (m d d) by what they are."""
    rng = np.random.default_rng(0)
    for d in sizes:
        yield f"random, d = {d}", np.linalg.qr(rng.standard_normal((matrices, d, d)))[0]
    # Every entry of a Hadamard matrix is as large as any other, and a rotation by 45° has two nearest permutations.
    turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    tied = block_diag(hadamard(4) / 2, turn, turn, np.eye(2))
    yield (
        "ties, d = 10",
        np.stack([tied[rng.permutation(10)][:, rng.permutation(10)] for _ in range(min(matrices, 100))]),
    )
    decoders = [Codes.load(path, {"v"}).arrays.get("v") for path in files]
    by_size: dict[int, list[ndarray]] = {}
    for v in decoders:
        if v is not None:
            by_size.setdefault(v.shape[1], []).append(v)
    for d, found in by_size.items():
        together = np.concatenate(found)
        chosen = rng.choice(len(together), min(matrices, len(together)), replace=False)
        yield f"{len(found)} trained decoders, d = {d}", together[chosen]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matrices", type=int, default=1_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2, 5, 6, 10])
    parser.add_argument("--codes", type=Path, nargs="*", default=[], help="codes files of trained models")
    arguments = parser.parse_args()
    print(f"{'matrices':<28} {'m':>5} {'assignment':>13} {'milp':>13} {'L¹ apart':>10} {'DtO apart':>10}")
    for name, v in stacks(arguments.matrices, arguments.sizes, arguments.codes):
        distance, orthogonality, milliseconds = {}, {}, {}
        for solver in ("assignment", "milp"):
            start = time.perf_counter()
            nearest = signed_permutation(v, solver)
            milliseconds[solver] = 1_000 * (time.perf_counter() - start) / len(v)
            distance[solver] = np.abs(v - nearest).sum(axis=(1, 2))
            orthogonality[solver] = np.linalg.norm(v - nearest, axis=(1, 2))
        apart = [np.abs(found["assignment"] - found["milp"]).max() for found in (distance, orthogonality)]
        times = [f"{milliseconds[solver]:>10.3f} ms" for solver in ("assignment", "milp")]
        print(f"{name:<28} {len(v):>5} {times[0]} {times[1]} {apart[0]:>10.1e} {apart[1]:>10.1e}")


if __name__ == "__main__":
    main()
