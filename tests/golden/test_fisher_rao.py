"""Fisher–Rao geodesics of diagonal Gaussians, against what is known of them without the closed form."""

import numpy as np
import pytest

from benchmark.stages.studies._fisher_rao import distance, geodesic

RNG = np.random.default_rng(0)
ENDS = [
    tuple(np.array(values, float) for values in ends)
    for ends in (
        ([0.0], [1.0], [3.0], [1.0]),
        ([-1.0, 2.0], [0.1, 1.0], [2.0, 2.5], [0.3, 0.05]),
        (RNG.normal(size=5), RNG.uniform(0.05, 1, 5), RNG.normal(size=5), RNG.uniform(0.05, 1, 5)),
    )
]


def between(mu_1: float, sigma_1: float, mu_2: float, sigma_2: float) -> float:
    return float(distance(*(np.array([value]) for value in (mu_1, sigma_1, mu_2, sigma_2))))


def test_distance_along_sigma_is_the_integral_of_the_metric() -> None:
    """At equal means ds = √2 dσ/σ, so the distance is √2 |ln σ₂/σ₁|."""
    assert between(2, 0.5, 2, 4) == pytest.approx(np.sqrt(2) * np.log(8))
    assert between(2, 1, 2, 1) == 0


def test_distance_between_unit_gaussians_is_the_published_one() -> None:
    """√2 arcosh(1 + (μ₁ − μ₂)²/4) at σ = 1: for small steps the metric's |dμ|/σ, less than it for large ones."""
    assert between(0, 1, 3, 1) == pytest.approx(np.sqrt(2) * np.arccosh(1 + 9 / 4))
    assert between(0, 2, 1e-5, 2) == pytest.approx(0.5e-5, rel=1e-6)
    assert between(0, 1, 10, 1) < 10


def test_squared_distances_of_coordinates_add_up() -> None:
    mu_1, sigma_1, mu_2, sigma_2 = ENDS[2]
    each = [between(*values) for values in zip(mu_1, sigma_1, mu_2, sigma_2, strict=True)]
    assert distance(*ENDS[2]) == pytest.approx(np.sqrt(np.square(each).sum()))


@pytest.mark.parametrize("ends", ENDS)
def test_a_geodesic_starts_and_ends_where_it_should_either_way(ends: tuple[np.ndarray, ...]) -> None:
    t = np.linspace(0, 1, 7)
    mu, sigma = geodesic(*ends, t)
    np.testing.assert_allclose([mu[0], sigma[0], mu[-1], sigma[-1]], ends, rtol=1e-10, atol=1e-12)
    back = geodesic(*ends[2:], *ends[:2], t)
    np.testing.assert_allclose(back[0][::-1], mu, atol=1e-12)
    np.testing.assert_allclose(back[1][::-1], sigma, rtol=1e-10)


@pytest.mark.parametrize("ends", ENDS)
def test_speed_is_constant_and_the_whole_is_the_distance(ends: tuple[np.ndarray, ...]) -> None:
    mu, sigma = geodesic(*ends, np.linspace(0, 1, 9))
    steps = distance(mu[:-1], sigma[:-1], mu[1:], sigma[1:])
    np.testing.assert_allclose(steps, distance(*ends) / 8, rtol=1e-8)
    bent = mu + 0.01 * np.sin(np.pi * np.linspace(0, 1, 9))[:, None]
    assert distance(bent[:-1], sigma[:-1], bent[1:], sigma[1:]).sum() > distance(*ends) * (1 + 1e-6)


@pytest.mark.parametrize("ends", ENDS)
def test_the_geodesic_equations_hold(ends: tuple[np.ndarray, ...]) -> None:
    """μ″ = 2 μ′σ′/σ and σ″ = σ′²/σ − μ′²/(2σ): the metric's Christoffel symbols, by differences."""
    h = 1e-4
    for t in (0.2, 0.5, 0.9):
        mu, sigma = geodesic(*ends, np.array([t - h, t, t + h]))
        mu_1, sigma_1 = (mu[2] - mu[0]) / (2 * h), (sigma[2] - sigma[0]) / (2 * h)
        mu_2, sigma_2 = ((f[2] - 2 * f[1] + f[0]) / h**2 for f in (mu, sigma))
        np.testing.assert_allclose(mu_2, 2 * mu_1 * sigma_1 / sigma[1], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(sigma_2, sigma_1**2 / sigma[1] - mu_1**2 / (2 * sigma[1]), rtol=1e-4, atol=1e-4)


def test_the_middle_between_equal_deviations_is_the_top_of_the_arc() -> None:
    """Between N(−a, 1) and N(a, 1) the circle (μ/√2)² + σ² = a²/2 + 1 is followed, over the middle."""
    mu, sigma = geodesic(np.array([-3.0]), np.array([1.0]), np.array([3.0]), np.array([1.0]), np.linspace(0, 1, 5))
    assert (mu[2, 0], sigma[2, 0]) == pytest.approx((0, np.sqrt(5.5)), abs=1e-12)
    np.testing.assert_allclose(mu[:, 0] ** 2 / 2 + sigma[:, 0] ** 2, 5.5)


@pytest.mark.parametrize("apart", [0.0, 1e-320, 1e-200, 1e-12, 1e-7])
def test_equal_and_nearly_equal_means_give_powers_of_sigma(apart: float) -> None:
    t = np.linspace(0, 1, 11)
    mu, sigma = geodesic(np.array([1.0 - 1]), np.array([0.2]), np.array([apart]), np.array([3.0]), t)
    np.testing.assert_allclose(sigma[:, 0], 0.2 ** (1 - t) * 3**t, rtol=1e-9)
    assert mu.min() >= 0 and mu.max() <= apart * (1 + 1e-9)


def test_nothing_moves_between_a_gaussian_and_itself() -> None:
    mu, sigma = geodesic(np.array([1.5]), np.array([0.3]), np.array([1.5]), np.array([0.3]), np.linspace(0, 1, 3))
    np.testing.assert_array_equal(mu, 1.5)
    np.testing.assert_allclose(sigma, 0.3, rtol=1e-12)
