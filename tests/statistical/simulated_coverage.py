"""What the published 95 % intervals cover in simulated suites whose truth is known.

    python tests/statistical/simulated_coverage.py [SUITES]

prints the table, for numbers of runs below ten as well, where only points are published, and writes it to
results/published/coverage.csv: a row per claim and number of runs, with how often the interval held the truth
(`covered`), the standard error of that number (`error`) and whether intervals are `published` for so few runs.
With 500 suites it takes about five minutes on one core. `test_coverage.py` runs the same simulations briefly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from benchmark.statistics import (
    MINIMUM_RUNS,
    Interval,
    Shares,
    bootstrap,
    bootstrap_interval,
    correlation,
    improvement,
    performance_profile,
    permutation_p,
    probability_of_improvement,
    profiles,
    ranking,
    selection,
    selection_regret,
    spearman_interval,
    variance,
    variance_shares,
)
from benchmark.statistics import ranks as ranks_module

DRAWS = 400
RUNS = (2, 3, 5, 10, 20, 50)
SUITES = 500
Suite = Callable[[int, Generator], bool]
"""Draws one suite with so many runs and says whether the interval holds the truth."""


class Claim(NamedTuple):
    """One simulated claim. `unit`: what there are few or many of. `least`: the fewest that it makes sense for."""

    statistic: str
    case: str
    suite: Suite
    unit: str = "runs"
    least: int = 2


def mean(values: ndarray) -> ndarray:
    return values.mean(axis=-1)


def holds(found: Interval | None, truth: float) -> bool:
    """Up to rounding: an interval that ends at 0 holds a share of 0."""
    assert found is not None
    assert found.low is not None and found.high is not None
    return found.low - 1e-9 <= truth <= found.high + 1e-9


def whole_runs(runs: int, rng: Generator) -> bool:
    """The mean over five scores of a run that correlate by 0.7."""
    values = np.sqrt(0.7) * rng.normal(size=(runs, 1)) + np.sqrt(0.3) * rng.normal(size=(runs, 5))
    return holds(bootstrap_interval(values, rng, statistic=mean, draws=DRAWS), 0)


def single_cells(runs: int, rng: Generator) -> bool:
    """The same, drawn as if each score were a run of its own: what is not done here."""
    values = np.sqrt(0.7) * rng.normal(size=(runs, 1)) + np.sqrt(0.3) * rng.normal(size=(runs, 5))
    return holds(bootstrap_interval(values.reshape(-1), rng, statistic=mean, draws=DRAWS), 0)


def symmetric(runs: int, rng: Generator) -> bool:
    return holds(bootstrap_interval(rng.normal(size=runs), rng, draws=DRAWS), 0)


@cache
def _skewed_truth(runs: int) -> float:
    """The mean between the quantiles that the interquartile mean of so many runs cuts off."""
    values = np.sort(np.random.default_rng(0).beta(6, 1.2, size=400_000))
    cut = int(len(values) * (runs // 4) / runs)
    return float(values[cut : len(values) - cut].mean())


def skewed(runs: int, rng: Generator) -> bool:
    """Scores near their ceiling of 1."""
    return holds(bootstrap_interval(rng.beta(6, 1.2, size=runs), rng, draws=DRAWS), _skewed_truth(runs))


def stratified(runs: int, rng: Generator) -> bool:
    """The mean over two datasets of different difficulty, so many runs on each."""
    strata = np.repeat([0, 1], runs)
    values = rng.normal(size=2 * runs) + 10 * strata
    return holds(bootstrap_interval(values, rng, statistic=mean, strata=strata, draws=DRAWS), 5)


def profile(runs: int, rng: Generator) -> bool:
    """A profile where 70 % of the scores lie above the threshold, three independent scores a run."""
    found = performance_profile(rng.random((runs, 3)), np.array([0.3]), rng, draws=DRAWS)
    assert found.low is not None and found.high is not None
    return bool(found.low[0] <= 0.7 <= found.high[0])


def two_scores(configurations: int, rng: Generator, seeds: int = 5, rho: float = 0.5) -> tuple[ndarray, ...]:
    """Two scores that correlate by configuration and not by seed."""
    x, y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=configurations).T
    owners = np.repeat(np.arange(configurations), seeds)
    return x[owners] + 0.3 * rng.normal(size=len(owners)), y[owners] + 0.3 * rng.normal(size=len(owners)), owners


@cache
def _rank_correlation() -> float:
    ranks = [np.argsort(np.argsort(side)) for side in two_scores(400_000, np.random.default_rng(1), seeds=1)[:2]]
    return float(np.corrcoef(*ranks)[0, 1])


def spearman(configurations: int, rng: Generator) -> bool:
    x, y, owners = two_scores(configurations, rng)
    return holds(spearman_interval(x, y, owners, rng, draws=DRAWS), _rank_correlation())


def spearman_by_row(configurations: int, rng: Generator) -> bool:
    """The same suites as if every run were a configuration of its own: what is not done here."""
    x, y, _ = two_scores(configurations, rng)
    return holds(spearman_interval(x, y, np.arange(len(x)), rng, draws=DRAWS), _rank_correlation())


def no_correlation(configurations: int, rng: Generator) -> bool:
    """Held where the permutation test does not reject at 5 % what is true."""
    p = permutation_p(*two_scores(configurations, rng, rho=0), draws=2000)
    assert p is not None
    return p > 0.05


def improves(truth: float, *, ratio: float = 1, more: int = 1) -> Suite:
    """Normal scores; those of X scatter `ratio` times as far, and there are `more` times as many runs of Y."""
    from scipy.special import ndtri

    def suite(runs: int, rng: Generator) -> bool:
        x = ratio * rng.normal(size=runs) + ndtri(truth) * np.sqrt(1 + ratio**2)
        return holds(probability_of_improvement(x, rng.normal(size=more * runs)), truth)

    return suite


MODELS = np.repeat(np.arange(3), 4)
EFFECTS = np.array([-1.0, 0, 1.2])[MODELS] + 0.8 * np.tile([-1, -0.2, 0.4, 0.8], 3) * np.repeat([1, 0.3, 1.5], 4)
"""What three models with four settings each score in expectation."""


def shares(part: str, noise: str = "equal", size: float = 1.0) -> Suite:
    """Three models with four settings each. noise: seeds scatter equally, unequally by setting, or with a tail.

    size: of the effects beside the noise.
    """
    effects = size * EFFECTS
    deviations = np.repeat([0.4, 1.0, 1.4], 4) if noise == "unequal" else np.ones(12)

    def suite(runs: int, rng: Generator) -> bool:
        owners = np.repeat(np.arange(12), runs)
        scatter = rng.exponential(size=len(owners)) - 1 if noise == "tailed" else rng.normal(size=len(owners))
        values = effects[owners] + deviations[owners] * scatter
        found = variance_shares(values, MODELS[owners], owners, rng, draws=DRAWS)
        assert found is not None
        of_models = np.array([effects[m == MODELS].mean() for m in range(3)])[MODELS]
        parts = {"objective": of_models.var(), "hyperparameter": ((effects - of_models) ** 2).mean()}
        parts["seed"] = (deviations**2).mean()
        return holds(getattr(found, part), parts[part] / sum(parts.values()))

    return suite


SPREAD_OUT = np.array([0.20, 0.22, 0.25, 0.30, 0.31, 0.36])


def sweep(runs: int, rng: Generator, informed: float) -> tuple[ndarray, ndarray, ndarray]:
    """Six settings: a measure, and a criterion that prefers the fourth and follows the seeds by `informed`."""
    owners = np.repeat(np.arange(6), runs)
    seeds = rng.normal(size=len(owners))
    measure = SPREAD_OUT[owners] + 0.04 * seeds
    preferred = np.array([0.0, 0.5, 1.0, 1.6, 1.2, 0.8])[owners]
    return measure, preferred + informed * seeds + 0.5 * rng.normal(size=len(owners)), owners


@cache
def _regret(criterion: str, informed: float) -> float:
    """By so many sweeps of one run each."""
    sweeps = 200_000
    measure, scores, _ = (side.reshape(6, sweeps) for side in sweep(sweeps, np.random.default_rng(2), informed))
    chosen = measure.mean(axis=0) if criterion == "random" else measure[scores.argmax(axis=0), np.arange(sweeps)]
    return float((measure.max(axis=0) - chosen).mean())


def regret(criterion: str, informed: float = 0.3) -> Suite:
    def suite(runs: int, rng: Generator) -> bool:
        measure, scores, owners = sweep(runs, rng, informed)
        found = selection_regret(measure, None if criterion == "random" else scores, owners, rng, draws=DRAWS)
        return holds(found.regret, _regret(criterion, informed))

    return suite


def ranks(means: ndarray, noise: str = "equal") -> Suite:
    """Whether all true ranks are held at once; equal configurations share theirs, and all of them must be held."""
    deviations = np.linspace(0.3, 1.7, len(means)) if noise == "unequal" else np.ones(len(means))

    def suite(runs: int, rng: Generator) -> bool:
        scatter = rng.normal(size=(len(means), runs))
        found = ranking([m + s * row for m, s, row in zip(means, deviations, scatter, strict=True)])
        return all(
            place.low is not None
            and place.high is not None
            and place.low <= 1 + (means > own).sum()
            and place.high >= len(means) - (means < own).sum()
            for place, own in zip(found, means, strict=True)
        )

    return suite


CLAIMS = [
    Claim("mean", "five correlated scores a run", whole_runs),
    Claim("mean", "the same drawn cell by cell (not done here)", single_cells),
    Claim("mean", "two datasets as strata", stratified, "runs a dataset"),
    Claim("interquartile mean", "normal scores", symmetric),
    Claim("interquartile mean", "scores near their ceiling", skewed),
    Claim("performance profile", "70 % above the threshold, three scores a run", profile),
    Claim("Spearman", "by configuration, five seeds each", spearman, "configurations", 5),
    Claim("Spearman", "the same by row (not done here)", spearman_by_row, "configurations", 5),
    Claim("permutation test", "no correlation, not rejected at 5 %", no_correlation, "configurations", 5),
    Claim("probability of improvement", "0.5", improves(0.5)),
    Claim("probability of improvement", "0.75", improves(0.75)),
    Claim("probability of improvement", "0.97", improves(0.97)),
    Claim("probability of improvement", "0.9, X scatters three times as far", improves(0.9, ratio=3)),
    Claim("probability of improvement", "0.75, that and three times the runs of Y", improves(0.75, ratio=3, more=3)),
    *(Claim("variance share", f"{part}, equal noise", shares(part)) for part in Shares._fields),
    *(Claim("variance share", f"{part}, unequal noise", shares(part, "unequal")) for part in Shares._fields),
    *(Claim("variance share", f"{part}, tailed noise", shares(part, "tailed")) for part in Shares._fields),
    Claim("variance share", "hyperparameter, weak effects", shares("hyperparameter", size=0.4)),
    Claim("selection regret", "by a criterion", regret("criterion")),
    Claim("selection regret", "by a criterion that misleads", regret("criterion", -1.0)),
    Claim("selection regret", "at random", regret("random")),
    Claim("ranks, all at once", "eight equal configurations", ranks(np.zeros(8))),
    Claim("ranks, all at once", "the same with unequal noise", ranks(np.zeros(8), "unequal")),
    Claim("ranks, all at once", "eight in four pairs", ranks(np.repeat([0.0, 0.5, 1.5, 3.0], 2))),
]


@contextmanager
def intervals_for_all() -> Iterator[None]:
    """Intervals also where there are too few runs to publish one."""
    modules = (bootstrap, correlation, improvement, profiles, ranks_module, selection, variance)
    for module in modules:
        module.MINIMUM_RUNS = 2  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in modules:
            module.MINIMUM_RUNS = MINIMUM_RUNS  # type: ignore[attr-defined]


def coverage(claim: Claim, runs: int, suites: int) -> float:
    """How often the interval holds the truth; the same suites in every call."""
    rng = np.random.default_rng([runs, *claim.statistic.encode(), *claim.case.encode()])
    return float(np.mean([claim.suite(runs, rng) for _ in range(suites)]))


def table(suites: int) -> Iterator[dict[str, str | int | float | bool]]:
    """All claims at all numbers of runs, one at a time."""
    with intervals_for_all():
        for claim in CLAIMS:
            for runs in RUNS:
                if runs < claim.least:
                    continue
                covered = coverage(claim, runs, suites)
                yield {
                    "statistic": claim.statistic,
                    "case": claim.case,
                    "unit": claim.unit,
                    "number": runs,
                    "published": runs >= MINIMUM_RUNS or claim.suite is no_correlation,
                    "covered": covered,
                    "error": round(float(np.sqrt(covered * (1 - covered) / suites)), 4),
                    "suites": suites,
                }


def main(suites: int) -> None:
    import pandas as pd

    rows = []
    for row in table(suites):
        rows.append(row)
        told = "" if row["published"] else "  not published"
        print(
            f"{row['statistic']:28} {row['case']:46} {row['number']:3} {row['unit']:15}"
            f" {row['covered']:.3f} ± {row['error']:.3f}{told}",
            flush=True,
        )
    path = Path(__file__).parents[2] / "results" / "published" / "coverage.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    print(f"written to {path}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SUITES)
