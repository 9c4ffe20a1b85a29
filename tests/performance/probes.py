"""Race InfoMEC's probes against scikit-learn's: python tests/performance/probes.py [--rounds 5]

10,000 × 10 codes: five factors of 3 to 40 values beside five of noise, rotated, clean and noisy. Both fit the same
regressions to the same gradient, in turns, in seconds of one core's work; goal: 3 times as fast, losses alike.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from benchmark.metrics._multinomial import least_log_loss

SIZES = (3, 6, 40, 32, 32)
NOISE = {"clean": 0.0, "noisy": 0.05, "very noisy": 0.3}


def made_up(noise: float, points: int = 10_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=points) for size in SIZES], axis=1)
    standard = (factors - factors.mean(0)) / factors.std(0)
    codes = np.hstack([standard, rng.standard_normal(standard.shape)]) + noise * rng.standard_normal((points, 10))
    codes = codes @ np.linalg.qr(rng.standard_normal((10, 10)))[0]
    return (codes - codes.mean(0)) / codes.std(0), factors


def theirs(codes: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.linear_model import LogisticRegression

    probe = LogisticRegression(C=np.inf, tol=1e-4, max_iter=10_000).fit(codes, labels)
    return float(-np.log(probe.predict_proba(codes)[np.arange(len(labels)), labels]).mean())


def seconds(probe, codes: np.ndarray, factors: np.ndarray) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Of work for all factors, and the sum of their losses."""
    start = time.process_time()
    total = sum(probe(codes, factors[:, k]) for k in range(factors.shape[1]))
    return time.process_time() - start, total


def measure(rounds: int = 5) -> list[tuple[str, str, str, float, str]]:
    rows = []
    theirs(np.eye(3), np.arange(3))  # what scikit-learn takes to import is not the race
    for name, noise in NOISE.items():
        codes, factors = made_up(noise)
        both = [(seconds(least_log_loss, codes, factors), seconds(theirs, codes, factors)) for _ in range(rounds)]
        ours, other = (statistics.median(turn[side][0] for turn in both) for side in (0, 1))
        apart = max(abs(a[1] - b[1]) for a, b in both) / len(SIZES)
        ratio = statistics.median(b[0] / a[0] for a, b in both)
        told = f"probes of InfoMEC, rotated, {name}; losses {apart:.0e} apart"
        rows.append((told, f"{ours:.2f} s", f"{other:.2f} s", ratio, "≥ 3 ×"))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    for row in measure(parser.parse_args().rounds):
        print(*row, sep="  ")
