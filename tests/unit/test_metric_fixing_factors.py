"""Where looking rows up is no intervention."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable
from benchmark.metrics._interventions import intervention_index
from benchmark.metrics.beta_vae_score import beta_vae_score
from benchmark.metrics.factor_vae_score import factor_vae_score


def grid(*sizes):
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)


def test_factors_are_renumbered_and_constant_ones_dropped():
    factors = grid(1, 3, 4) * 1_000 - 500
    index = intervention_index(factors)
    assert index.factors.shape == (12, 2)
    assert index.values(1).tolist() == [0, 1, 2, 3]


def test_values_far_apart():
    factors = grid(3, 4).astype(np.int64)
    factors[:, 0] *= 10**12
    np.testing.assert_array_equal(intervention_index(factors).factors, grid(3, 4))


def test_a_mixed_table_of_whole_floats_is_discrete():
    assert intervention_index(grid(3, 4).astype(float)).factors.shape == (12, 2)


@pytest.mark.parametrize(
    ("factors", "reason"),
    [
        (grid(5, 1), "two factors"),
        (grid(5, 4) + np.linspace(0, 0.5, 20)[:, None], "continuous"),
        (np.arange(4_000)[:, None] % 40 // [1, 2], "depend"),
        (np.vstack([grid(3, 4), [[9, 0]]]), "only one point"),
    ],
)
def test_not_applicable(factors, reason):
    codes = np.random.default_rng(0).standard_normal((len(factors), 3))
    for measure in (beta_vae_score, factor_vae_score):
        with pytest.raises(NotApplicable, match=reason):
            measure(codes, factors)


def test_a_random_draw_of_a_grid_is_accepted():
    factors = grid(3, 6, 40, 32, 32)
    rows = np.random.default_rng(0).choice(len(factors), 5_000, replace=False)
    codes = factors[rows] / factors.max(axis=0)
    assert factor_vae_score(codes, factors[rows])["factor_vae_score"] > 0.99
    assert beta_vae_score(codes, factors[rows])["beta_vae_score"] > 0.99


def test_a_training_draw_of_one_factor_only():
    factors = grid(3, 4)
    score = beta_vae_score(factors.astype(float), factors, train=1, test=200)["beta_vae_score"]
    assert score == pytest.approx(0.5, abs=0.15)
