"""Time the two solvers of the signed permutation, and compare their optima.

Run as: python tests/performance/signed_permutation.py --codes results/runs/*/*/*/*/codes.safetensors. It prints for
Haar-random matrices of each size, for matrices full of ties, and for the decoders of trained models: milliseconds a
matrix, and the largest difference of the L¹ distances and of the distances to orthogonality that the solvers found.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

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


class Solved(NamedTuple):
    """Milliseconds a matrix, and the distances that a solver found."""

    milliseconds: float
    distance: ndarray
    orthogonality: ndarray


def solve(v: ndarray, solver: Literal["assignment", "milp"]) -> Solved:
    start = time.perf_counter()
    nearest = signed_permutation(v, solver)
    milliseconds = 1_000 * (time.perf_counter() - start) / len(v)
    return Solved(milliseconds, np.abs(v - nearest).sum(axis=(1, 2)), np.linalg.norm(v - nearest, axis=(1, 2)))


def measure(matrices: int = 200) -> list[tuple[str, str, str, float, None]]:
    """The assignment as ours, the mixed-integer program as theirs."""
    rows = []
    for name, v in stacks(matrices, [5, 10], []):
        solve(v[:1], "assignment"), solve(v[:1], "milp")  # the first of each imports its solver
        ours, theirs = solve(v, "assignment").milliseconds, solve(v, "milp").milliseconds
        told = f"signed permutation, {name}: one matrix, against a MILP"
        rows.append((told, f"{ours:.3f} ms", f"{theirs:.1f} ms", theirs / ours, None))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matrices", type=int, default=1_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2, 5, 6, 10])
    parser.add_argument("--codes", type=Path, nargs="*", default=[], help="codes files of trained models")
    arguments = parser.parse_args()
    print(f"{'matrices':<28} {'m':>5} {'assignment':>13} {'milp':>13} {'L¹ apart':>10} {'DtO apart':>10}")
    for name, v in stacks(arguments.matrices, arguments.sizes, arguments.codes):
        ours, theirs = solve(v, "assignment"), solve(v, "milp")
        apart = [np.abs(ours[index] - theirs[index]).max() for index in (1, 2)]
        times = [f"{solved.milliseconds:>10.3f} ms" for solved in (ours, theirs)]
        print(f"{name:<28} {len(v):>5} {times[0]} {times[1]} {apart[0]:>10.1e} {apart[1]:>10.1e}")


if __name__ == "__main__":
    main()
