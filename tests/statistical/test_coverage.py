"""What 95 % intervals cover in simulated suites whose truth is known."""

import numpy as np
import pytest

from benchmark.statistics import bootstrap_interval, spearman_interval

SUITES = 1500
NOISE = 0.02
"""More than three standard errors of a coverage of 95 % estimated from so many suites."""


def mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=-1)


def covered(runs: int, scores: int, correlation: float) -> float:
    """How often the interval of a mean over correlated scores of whole runs holds the truth, 0."""
    rng = np.random.default_rng([runs, scores])
    hits = 0
    for _ in range(SUITES):
        shared = rng.normal(size=(runs, 1))
        own = rng.normal(size=(runs, scores))
        values = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
        interval = bootstrap_interval(values, rng, statistic=mean, draws=500)
        assert interval.low is not None and interval.high is not None
        hits += interval.low <= 0 <= interval.high
    return hits / SUITES


@pytest.mark.parametrize("runs", [10, 20, 50])
def test_whole_runs_of_correlated_scores(runs: int) -> None:
    assert 0.95 - NOISE <= covered(runs, scores=5, correlation=0.7) <= 0.95 + NOISE


@pytest.mark.parametrize("runs", [10, 20])
def test_interquartile_mean_of_symmetric_scores(runs: int) -> None:
    rng = np.random.default_rng(runs)
    hits = 0
    for _ in range(SUITES):
        interval = bootstrap_interval(rng.normal(size=runs), rng, draws=500)
        assert interval.low is not None and interval.high is not None
        hits += interval.low <= 0 <= interval.high
    assert 0.90 <= hits / SUITES <= 0.98


def test_strata_are_accounted_for() -> None:
    """Ten runs on each of two datasets of different difficulty: the interval is of the mean within datasets."""
    rng = np.random.default_rng(5)
    strata = np.repeat([0, 1], 10)
    hits = 0
    for _ in range(SUITES):
        values = rng.normal(size=20) + 10 * strata
        interval = bootstrap_interval(values, rng, statistic=mean, strata=strata, draws=500)
        assert interval.low is not None and interval.high is not None
        hits += interval.low <= 5 <= interval.high
    assert 0.95 - NOISE <= hits / SUITES <= 0.95 + NOISE


def draw_suite(rng: np.random.Generator, configurations: int, seeds: int) -> tuple[np.ndarray, ...]:
    """Two scores that correlate by configuration and hardly by seed."""
    x, y = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=configurations).T
    owners = np.repeat(np.arange(configurations), seeds)
    return x[owners] + 0.3 * rng.normal(size=len(owners)), y[owners] + 0.3 * rng.normal(size=len(owners)), owners


def test_spearman_by_configuration() -> None:
    """Resampled by row, the same suites cover far too little."""
    rng = np.random.default_rng(11)
    truth = np.corrcoef(*[np.argsort(np.argsort(side)) for side in draw_suite(rng, 100_000, 1)[:2]])[0, 1]
    by_configuration = by_row = 0
    for _ in range(300):
        x, y, owners = draw_suite(rng, 20, 10)
        interval = spearman_interval(x, y, owners, rng, draws=300)
        assert interval is not None and interval.low is not None and interval.high is not None
        by_configuration += interval.low <= truth <= interval.high
        rows = spearman_interval(x, y, np.arange(len(x)), rng, draws=100)
        assert rows is not None and rows.low is not None and rows.high is not None
        by_row += rows.low <= truth <= rows.high
    assert 0.90 <= by_configuration / 300 <= 0.98
    assert by_row / 300 < 0.75
