"""Read-outs: R² on paper, and what a line and a network read."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable
from benchmark.metrics._readout import explained
from benchmark.metrics.linear_readout import linear_readout
from benchmark.metrics.mlp_readout import mlp_readout

FACTORS = np.random.default_rng(0).uniform(-1, 1, size=(1_500, 2))
SPLIT = (np.arange(1_000), np.arange(1_000, 1_500))


def test_r_squared_on_paper():
    """Of 0, 1, 2 the squares about the mean sum to 2; errors 0, 1, 0 leave ½, errors 3, 0, 0 less than nothing."""
    wanted = np.array([[0.0, 0], [1, 1], [2, 2]])
    np.testing.assert_allclose(explained(wanted, wanted + np.array([[0, 3], [1, 0], [0, 0]])), [0.5, 0])


def test_any_invertible_linear_map_is_read():
    codes = FACTORS @ np.array([[2.0, 1.0], [-5.0, 3.0]]) + [100.0, -7.0]
    assert linear_readout(codes, FACTORS, split=SPLIT)["linear_readout"] == pytest.approx(1)


def test_half_of_the_variance():
    """z = v + e of the same variance: the best line explains half of v."""
    codes = FACTORS + np.random.default_rng(1).uniform(-1, 1, size=FACTORS.shape)
    found = linear_readout(codes, FACTORS, split=SPLIT)
    assert found["linear_readout_factor_0"] == pytest.approx(0.5, abs=0.08)
    assert found["linear_readout"] == pytest.approx(np.mean([found[f"linear_readout_factor_{k}"] for k in (0, 1)]))


def test_what_no_line_reads_a_network_does():
    """v² of a symmetric v is uncorrelated with v, and v with v² too."""
    codes, squares = FACTORS[:, :1], FACTORS[:, :1] ** 2
    assert linear_readout(codes, squares, split=SPLIT)["linear_readout"] < 0.05
    assert mlp_readout(codes, squares, split=SPLIT)["mlp_readout"] > 0.95


@pytest.mark.parametrize("measure", [linear_readout, mlp_readout])
def test_noise_and_constant_codes_read_nothing(measure):
    noise = np.random.default_rng(2).standard_normal((1_500, 3))
    assert measure(noise, FACTORS, split=SPLIT)[measure.__name__] < 0.05
    assert measure(np.ones((1_500, 2)), FACTORS, split=SPLIT)[measure.__name__] == 0


@pytest.mark.parametrize("measure", [linear_readout, mlp_readout])
def test_only_the_training_rows_are_learnt_from(measure):
    """Of a factor that only the test rows show to vary nothing is known; other factors are read as before."""
    factors = FACTORS.copy()
    factors[:1_000, 1] = 0.3
    found = measure(FACTORS, factors, split=SPLIT)
    assert found[f"{measure.__name__}_factor_1"] == 0
    assert found[f"{measure.__name__}_factor_0"] > 0.95


def test_refusals():
    factors = FACTORS.copy()
    factors[1_000:, 1] = 0.3
    with pytest.raises(NotApplicable, match="one value of factor 1"):
        linear_readout(FACTORS, factors, split=SPLIT)
    with pytest.raises(NotApplicable, match="points"):
        linear_readout(FACTORS, FACTORS)
