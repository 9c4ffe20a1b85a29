"""Polarised regime: how soon, and how closely, each coordinate is either active or collapsed to the prior."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Num
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.metrics._check import check_table, need_rows
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import Positive
from benchmark.metrics.kl import posterior_averages

ACTIVE = 0.5
"""Standard deviation over the data of μ_j above which R §5.2 calls coordinate j active."""


@metric(
    headline="share",
    also=("delta_kl", "active"),
    higher_is_better=None,
    rows="all",
    minimum_rows=2,
    representations=("mean",),
)
def polarised_regime(
    means: Float[ndarray, "n d"],
    variances: Float[ndarray, "n d"],
    history: Mapping[str, ndarray] | None = None,
    *,
    threshold: Positive = 0.03,
    seed: int = 0,
) -> dict[str, float]:
    """R §5.2: the share of training in the polarised regime, and its state at the end.

    Δ_KL = |L_KL − L_≈KL| / L_KL (eq. 30); L_≈KL (eq. 10) sums ½(μ_j² − log σ_j² − 1) over the active coordinates,
    those whose μ_j has a standard deviation over the data above 0.5. From the columns `step` and `delta_kl` of
    `history` (NaN where a row does not say), share = the part of the training after the first log point of the last
    uninterrupted stretch with Δ_KL < `threshold`: 0 where the training does not end in one. The first log point
    counts as the stretch's start, so that what was not looked at is not claimed. No random choices: `seed` changes
    nothing.

    Returns `delta_kl` (≥ 0) and `active` of the codes given, and `share` in [0, 1] where training was logged;
    neither direction is better. Cost: 0.2 s on 737,280 × 10.
    Blind to coordinates that are neither active nor passive as long as they hold little KL. With all coordinates
    passive Δ_KL is 1 however small their KL, and 0 only where it is exactly 0.
    Raises `NotApplicable` on one point, `UsageError` on a history whose steps do not increase or unusable input.
    """
    means = check_table(means, "means")
    need_rows(len(means), 2, "a standard deviation over the data")
    scores = {"delta_kl": delta_kl(means, variances), "active": float(active(means).sum())}
    if history is not None and "delta_kl" in history:
        scores["share"] = share_below(history["step"], history["delta_kl"], threshold)
    return scores


def active(means: Float[ndarray, "n d"]) -> Bool[ndarray, " d"]:
    """Which coordinates are active (R §5.2)."""
    return means.std(axis=0, dtype=np.float64) > ACTIVE


def delta_kl(means: Float[ndarray, "n d"], variances: Float[ndarray, "n d"]) -> float:
    """Relative error of the polarised KL (R eqs. 10 and 30); 0 where the KL is exactly 0, and the polarised one too."""
    squares, spreads, logarithms = posterior_averages(means, variances)
    polarised = 0.5 * (squares - logarithms - 1.0)
    kl = float((polarised + 0.5 * spreads).sum())
    return abs(kl - float(polarised[active(means)].sum())) / kl if kl > 0 else 0.0


def share_below(step: Num[ndarray, " t"], delta: Num[ndarray, " t"], threshold: float) -> float:
    """The share of the training after the first log point of the final uninterrupted stretch below `threshold`."""
    step, delta = np.asarray(step, dtype=np.float64), np.asarray(delta, dtype=np.float64)
    if step.shape != delta.shape or step.ndim != 1:
        raise UsageError(f"history: step of shape {step.shape} does not fit delta_kl of shape {delta.shape}")
    step, delta = step[~np.isnan(delta)], delta[~np.isnan(delta)]
    if not len(step) or not np.isfinite(step).all() or (np.diff(step) <= 0).any() or step[-1] <= 0:
        raise UsageError("history: delta_kl needs log points whose steps increase from 0 or later")
    above = np.flatnonzero(delta >= threshold)
    start = above[-1] + 1 if len(above) else 0
    return float((step[-1] - step[start]) / step[-1]) if start < len(step) else 0.0
