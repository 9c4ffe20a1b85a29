"""Measures on posteriors and losses, against closed forms."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.active_units import active_units
from benchmark.metrics.elbo import elbo
from benchmark.metrics.kl import kl
from benchmark.metrics.polarised_regime import delta_kl, polarised_regime, share_below
from benchmark.metrics.reconstruction import reconstruction


def test_kl_of_known_gaussians():
    """N(1, 1) is ½ nat from N(0, 1), N(0, e) (e − 2)/2, N(0, 1) none."""
    means = np.tile([1.0, 0.0, 0.0], (20_000, 1))
    variances = np.tile([1.0, np.e, 1.0], (20_000, 1))
    expected = {"kl_coordinate_0": 0.5, "kl_coordinate_1": np.e / 2 - 1, "kl_coordinate_2": 0.0}
    assert kl(means, variances) == pytest.approx({"kl": 0.5 + np.e / 2 - 1, **expected})
    assert kl(means, variances)["kl_coordinate_2"] == 0.0


def test_kl_of_single_precision_codes_is_not_negative():
    rng = np.random.default_rng(0)
    means = (1e-5 * rng.standard_normal((1_000, 4))).astype(np.float32)
    scores = kl(means, 1 + means)
    assert min(scores.values()) >= 0


@pytest.mark.parametrize("variances", [np.zeros((5, 2)), -np.ones((5, 2)), np.full((5, 2), np.nan)])
def test_impossible_variances_are_refused(variances):
    for measure in (kl, polarised_regime):
        with pytest.raises(UsageError, match="variances"):
            measure(np.zeros((5, 2)), variances)


def test_elbo_and_reconstruction():
    loss, means, variances = np.array([10.0, 20.0]), np.ones((7, 2)), np.ones((7, 2))
    assert elbo(loss, means, variances) == {"elbo": -16.0}
    assert reconstruction(loss) == {"reconstruction": 15.0}
    assert reconstruction(loss, loss + 1) == {"reconstruction": 15.0, "reconstruction_sampled": 16.0}
    with pytest.raises(UsageError, match="reconstruction_mean"):
        reconstruction(np.array([1.0, np.inf]))
    with pytest.raises(UsageError, match="reconstruction_mean"):
        reconstruction(np.array([]))


def test_active_units():
    """Deviations of 0.2, 0.09 and 0: variances of 0.04, 0.0081 and 0."""
    means = np.array([[1.0], [-1.0]]) * [0.2, 0.09, 0.0] + 5
    assert active_units(means) == {"active_units": 1.0}
    assert active_units(means, threshold=0.005) == {"active_units": 2.0}
    with pytest.raises(NotApplicable):
        active_units(means[:1])


def test_delta_kl_by_hand():
    """Active: μ = ±1, σ² = 0.01; passive: μ = 0, σ² = 1 in the first case, 0.9 in the second."""
    means = np.array([[1.0, 0.0], [-1.0, 0.0]])
    active = 0.5 * (1 + np.log(100) - 1)
    for passive in (1.0, 0.9):
        variances = np.array([[0.01, passive]] * 2)
        full = active + 0.005 + 0.5 * (passive - np.log(passive) - 1)
        assert delta_kl(means, variances) == pytest.approx((full - active) / full)
    assert polarised_regime(means, variances)["active"] == 1.0
    assert "share" not in polarised_regime(means, variances)


def test_delta_kl_of_collapsed_codes():
    assert delta_kl(np.zeros((3, 2)), np.ones((3, 2))) == 0.0
    assert delta_kl(np.zeros((3, 2)), np.full((3, 2), 0.9)) == 1.0


@pytest.mark.parametrize(
    ("delta", "share"),
    [
        ([0.5, 0.01, 0.01, 0.01, 0.01], 0.75),
        ([0.01, 0.01, 0.5, 0.01, 0.01], 0.25),
        ([0.01, 0.01, 0.01, 0.01, 0.03], 0.0),
        ([0.01] * 5, 1.0),
        ([0.5, np.nan, 0.01, np.nan, 0.01], 0.5),
        ([0.5] * 5, 0.0),
    ],
)
def test_share_is_the_last_stretch(delta, share):
    """Logged at steps 0, 100, …, 400."""
    history = {"step": np.arange(0, 500, 100), "delta_kl": np.array(delta)}
    means, variances = np.array([[1.0], [-1.0]]), np.full((2, 1), 0.01)
    assert polarised_regime(means, variances, history)["share"] == pytest.approx(share)


def test_what_was_not_logged_is_not_claimed():
    assert share_below(np.array([500, 1_000]), np.array([0.01, 0.01]), 0.03) == 0.5


def test_a_history_out_of_order_is_refused():
    with pytest.raises(UsageError, match="increase"):
        share_below(np.array([100, 50]), np.array([0.01, 0.01]), 0.03)
    with pytest.raises(UsageError, match="increase"):
        share_below(np.array([100, 200]), np.array([np.nan, np.nan]), 0.03)
