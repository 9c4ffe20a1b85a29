"""Gaussian total correlation against −½ log det of known correlation matrices."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable
from benchmark.metrics.gaussian_total_correlation import gaussian_total_correlation

KEY = "gaussian_total_correlation"


def with_covariance(covariance, n=500):
    """Points whose sample covariance is exactly this one."""
    rng = np.random.default_rng(0)
    white = rng.standard_normal((n, len(covariance)))
    white = np.linalg.qr(white - white.mean(axis=0))[0]
    return white @ np.linalg.cholesky(covariance).T


def test_two_correlated_codes():
    codes = with_covariance(np.array([[4.0, 1.8], [1.8, 1.0]]))
    assert gaussian_total_correlation(codes)[KEY] == pytest.approx(-0.5 * np.log(1 - 0.9**2))


def test_five_codes():
    root = np.random.default_rng(1).standard_normal((5, 5))
    covariance = root @ root.T
    deviation = np.sqrt(np.diag(covariance))
    expected = -0.5 * np.linalg.slogdet(covariance / np.outer(deviation, deviation))[1]
    assert gaussian_total_correlation(with_covariance(covariance) + 10)[KEY] == pytest.approx(expected)


def test_uncorrelated_codes_have_none():
    assert gaussian_total_correlation(with_covariance(np.diag([1.0, 5.0, 1e-6])))[KEY] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_dead_code_is_left_out(position):
    codes = with_covariance(np.array([[4.0, 1.8], [1.8, 1.0]]))
    assert gaussian_total_correlation(np.insert(codes, position, 1 / 3, axis=1)) == gaussian_total_correlation(codes)


def test_a_duplicate_counts_half_the_log_of_the_floor():
    """Eigenvalues 2 and 0, the 0 raised to the floor: −½ (log 2 + log 1e-6), in either precision."""
    code = np.random.default_rng(0).standard_normal((500, 1))
    expected = -0.5 * (np.log(2) + np.log(1e-6))
    for scale in (1.0, -0.1):
        codes = np.hstack([code, scale * code])
        assert gaussian_total_correlation(codes)[KEY] == pytest.approx(expected)
        assert gaussian_total_correlation(codes.astype(np.float32))[KEY] == pytest.approx(expected)


def test_one_code_has_none_and_few_points_are_refused():
    assert gaussian_total_correlation(np.arange(10.0)[:, None])[KEY] == pytest.approx(0.0, abs=1e-12)
    assert gaussian_total_correlation(np.ones((10, 2)))[KEY] == 0.0
    with pytest.raises(NotApplicable, match="covariance"):
        gaussian_total_correlation(np.random.default_rng(0).standard_normal((6, 5)))


def test_tiny_codes():
    codes = with_covariance(np.array([[1.0, 0.5], [0.5, 1.0]]))
    assert gaussian_total_correlation(codes * 1e-200)[KEY] == pytest.approx(-0.5 * np.log(0.75))
