"""What share of a score's variance the objective, the hyperparameter and the seed each explain."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Shaped
from numpy import ndarray
from numpy.random import Generator

from benchmark.statistics.interval import MINIMUM_RUNS, Interval, expanded_tail


class Shares(NamedTuple):
    """Parts of the variance between runs; they sum to 1."""

    objective: Interval
    hyperparameter: Interval
    seed: Interval


def variance_shares(
    values: Float[ndarray, " n"],
    objectives: Shaped[ndarray, " n"],
    configurations: Shaped[ndarray, " n"],
    rng: Generator,
    *,
    level: float = 0.95,
    draws: int = 1000,
) -> Shares | None:
    """The shares of objective (model), hyperparameter (configuration of a model) and seed in a nested design.

    Sums of squares between models, between the configurations of a model and within configurations, each over the
    total (η², Locatello et al. 2019, M §5.5), less what the seeds' own scatter adds to the first two in
    expectation (ε², Kelley 1935): with ten seeds η² would credit one part in ten of the noise to the choice of a
    configuration. A share below 0 is 0 and the others then sum to 1. Models and settings are taken as given, not as
    a sample of others, and count by their runs: an unbalanced sweep weighs its larger cells more.

    Intervals resample seeds within each configuration, where all have ten runs or more. They are drawn around the
    corrected shares: configuration means are pulled together until they explain as much as ε² says.
    None where no configuration has two runs or all runs score the same.
    """
    _, owners, runs = np.unique(configurations, return_inverse=True, return_counts=True)
    number = len(runs)
    first = np.array([np.flatnonzero(owners == c)[0] for c in range(number)])
    _, parents = np.unique(objectives[first], return_inverse=True)
    if len(values) == number or np.ptp(values) <= 1e-12 * np.abs(values).max():
        return None
    means = np.bincount(owners, values) / runs
    residuals = values - means[owners]
    found = _shares(means[None], (residuals**2).sum()[None], runs, parents)[0]
    if runs.min() < MINIMUM_RUNS:
        return Shares(*(Interval(float(share)) for share in found))
    truth = _shrunk(means, (residuals**2).sum(), runs, parents)
    drawn_means, within = np.empty((draws, number)), np.zeros(draws)
    for c in range(number):
        own = residuals[owners == c] * np.sqrt(runs[c] / (runs[c] - 1))
        sample = own[rng.integers(runs[c], size=(draws, runs[c]))]
        drawn_means[:, c] = truth[c] + sample.mean(axis=1)
        within += sample.var(axis=1) * runs[c]
    drawn = _shares(drawn_means, within, runs, parents)
    tail = expanded_tail((1 - level) / 2, int(runs.min()))
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return Shares(*(Interval(float(p), float(a), float(b)) for p, a, b in zip(found, low, high, strict=True)))


def _squares(
    means: Float[ndarray, "b c"], runs: Integer[ndarray, " c"], parents: Integer[ndarray, " c"]
) -> tuple[Float[ndarray, "b m"], Float[ndarray, " b"], Float[ndarray, " b"]]:
    """Means of the models, and the sums of squares between models and between configurations of a model."""
    members = (parents[:, None] == np.arange(parents.max() + 1)) * runs[:, None]
    of_models = means @ members / members.sum(axis=0)
    grand = means @ runs / runs.sum()
    between = ((of_models - grand[:, None]) ** 2) @ members.sum(axis=0)
    inside = ((means - of_models[:, parents]) ** 2) @ runs
    return of_models, between, inside


def _shares(
    means: Float[ndarray, "b c"],
    within: Float[ndarray, " b"],
    runs: Integer[ndarray, " c"],
    parents: Integer[ndarray, " c"],
) -> Float[ndarray, "b 3"]:
    """ε² of the three sources from configuration means and the squares within; clipped to 0 and summing to 1."""
    _, between, inside = _squares(means, runs, parents)
    models, number = parents.max() + 1, len(runs)
    noise = within / (runs.sum() - number)
    parts = [between - (models - 1) * noise, inside - (number - models) * noise, within + (number - 1) * noise]
    clipped = np.maximum(np.stack(parts, axis=1), 0)
    return clipped / clipped.sum(axis=1, keepdims=True)


def _shrunk(
    means: Float[ndarray, " c"], within: float, runs: Integer[ndarray, " c"], parents: Integer[ndarray, " c"]
) -> Float[ndarray, " c"]:
    """Configuration means whose squares are those of the true means as estimated, without the seeds' noise."""
    of_models, between, inside = (part[0] for part in _squares(means[None], runs, parents))
    models, number = parents.max() + 1, len(runs)
    noise = within / (runs.sum() - number)
    grand = means @ runs / runs.sum()
    keep_models = np.sqrt(max(1 - (models - 1) * noise / between, 0)) if between > 0 else 0.0
    keep_inside = np.sqrt(max(1 - (number - models) * noise / inside, 0)) if inside > 0 else 0.0
    return grand + keep_models * (of_models[parents] - grand) + keep_inside * (means - of_models[parents])
