"""Log-likelihood and Rényi bound: a linear Gaussian model whose log p(x) is known, and weights by hand."""

import math

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.log_likelihood import log_likelihood
from benchmark.metrics.renyi_bound import renyi_bound

SLOPE, NOISE = 2.0, 0.5
VARIANCE = SLOPE**2 + NOISE**2
POSTERIOR = NOISE**2 / VARIANCE
"""z ~ N(0, 1) and x ~ N(2z, ½²): p(x) = N(0, 4.25), and p(z|x) = N(2x / 4.25, 0.25 / 4.25)."""


def log_normal(x, mean, variance):
    return -0.5 * ((x - mean) ** 2 / variance + np.log(2 * np.pi * variance))


def weights(shift=0.0, widening=1.0, points=200, samples=4_000, seed=0):
    """log w and log p(x), where q is the posterior shifted by so many of its deviations, its variance widened."""
    rng = np.random.default_rng(seed)
    x = np.sqrt(VARIANCE) * rng.standard_normal((points, 1))
    mean, variance = SLOPE * x / VARIANCE + shift * np.sqrt(POSTERIOR), widening * POSTERIOR
    z = mean + np.sqrt(variance) * rng.standard_normal((points, samples))
    found = log_normal(x, SLOPE * z, NOISE**2) + log_normal(z, 0.0, 1.0) - log_normal(z, mean, variance)
    return found, float(log_normal(x, 0.0, VARIANCE).mean())


def test_the_exact_posterior_leaves_nothing_to_chance():
    """w = p(x) whatever z: log p(x) by every bound, and every code counts."""
    found, truth = weights(samples=50)
    scores = log_likelihood(found, samples=50)
    assert scores["log_likelihood"] == pytest.approx(truth, abs=1e-10)
    assert scores["effective_samples"] == pytest.approx(50)
    for alpha in (-math.inf, -3.0, 0.0, 0.5, 1.0, 2.0, math.inf):
        assert renyi_bound(found, alpha=alpha)["renyi_bound"] == pytest.approx(truth, abs=1e-10)


def test_a_wrong_posterior_still_gives_the_log_likelihood():
    """Var(w)/E(w)² is below 1, so that a point's bias at 4,000 codes is below 1/8,000 and its deviation below 0.016."""
    found, truth = weights(shift=0.5, widening=1.5)
    assert log_likelihood(found)["log_likelihood"] == pytest.approx(truth, abs=0.01)
    assert 500 < log_likelihood(found)["effective_samples"] < 2_000


@pytest.mark.parametrize("alpha", [-1.0, 0.0, 0.5])
def test_many_samples_leave_the_renyi_divergence(alpha):
    """log p(x) − D_α(q ‖ p(z|x)), between Gaussians in closed form (van Erven & Harremoës 2014, eq. 10)."""
    shift, widening = 0.5, 1.5
    found, truth = weights(shift, widening)
    mixed = (1 - alpha) * widening + alpha
    divergence = alpha * shift**2 / (2 * mixed) + np.log(mixed / widening ** (1 - alpha)) / (2 * (1 - alpha))
    expected = truth - divergence
    assert renyi_bound(found, alpha=alpha, samples=4_000)["renyi_bound"] == pytest.approx(expected, abs=0.01)


def test_alpha_of_one_is_the_elbo():
    """log p(x) − KL(q ‖ p(z|x)), and just the mean of log w; a single sample does for it."""
    found, truth = weights(shift=0.5, widening=1.5)
    elbo = truth - 0.5 * (0.5**2 + 1.5 - np.log(1.5) - 1)
    assert renyi_bound(found, alpha=1.0)["renyi_bound"] == pytest.approx(elbo, abs=0.01)
    assert renyi_bound(found, alpha=1.0, samples=1)["renyi_bound"] == pytest.approx(found.mean(), abs=1e-12)


def test_more_samples_bring_the_bound_closer():
    """Over unions of groups exactly so: the log of a mean is at least the mean of the logs. All below log p(x)."""
    found, truth = weights(shift=1.0, widening=2.0)
    bounds = [renyi_bound(found, alpha=0.0, samples=k)["renyi_bound"] for k in (2, 4, 8, 16, 2_000)]
    ladder = [renyi_bound(found, alpha=1.0)["renyi_bound"], *bounds]
    assert (np.diff(ladder) > 0.002).all()
    assert ladder[0] < truth - 0.5
    assert bounds[-1] == pytest.approx(truth, abs=0.02)


def test_falls_with_alpha():
    found, _ = weights(shift=1.0, widening=2.0, points=20, samples=100)
    orders = [-math.inf, -100.0, -1.0, 0.0, 0.5, 1 - 1e-9, 1.0, 1 + 1e-9, 2.0, 100.0, math.inf]
    bounds = [renyi_bound(found, alpha=alpha)["renyi_bound"] for alpha in orders]
    assert (np.diff(bounds) < 0).all()
    groups = found.reshape(-1, 10)
    assert bounds[0] == pytest.approx(groups.max(axis=1).mean())
    assert bounds[-1] == pytest.approx(groups.min(axis=1).mean())


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (-math.inf, math.log(3)),
        (-1.0, math.log(5) / 2),
        (0.0, math.log(2)),
        (0.5, 2 * math.log((1 + math.sqrt(3)) / 2)),
        (1 - 1e-12, math.log(3) / 2),
        (1.0, math.log(3) / 2),
        (1 + 1e-12, math.log(3) / 2),
        (2.0, math.log(3 / 2)),
        (math.inf, 0.0),
    ],
)
@pytest.mark.parametrize("offset", [0.0, -100_000.0])
def test_weights_of_one_and_three(alpha, expected, offset):
    """For one, 1/(1 − α) log ((1 + 3^{1−α}) / 2). e^{−100,000} is no double."""
    found = np.array([[0.0, math.log(3), 7.0]]) + offset
    assert renyi_bound(found, alpha=alpha, samples=2)["renyi_bound"] - offset == pytest.approx(expected, abs=1e-9)


def test_means_over_groups_and_points():
    """log (½ + ½·3) = log 2 and log (½·5 + ½·5) = log 5 in the first point, 0 twice in the second."""
    found = np.log([[1.0, 3.0, 5.0, 5.0, 99.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    assert renyi_bound(found, alpha=0.0, samples=2)["renyi_bound"] == pytest.approx((math.log(2) + math.log(5)) / 4)
    scores = log_likelihood(found, samples=2)
    assert scores["log_likelihood"] == pytest.approx(math.log(2) / 2)
    assert scores["log_likelihood_standard_error"] == pytest.approx(math.log(2) / 2)
    assert scores["effective_samples"] == pytest.approx((16 / 10 + 2) / 2)


def test_a_single_code_may_decide():
    scores = log_likelihood(np.array([[0.0, -1_000.0, -2_000.0]]), samples=3)
    assert scores == pytest.approx({"log_likelihood": -math.log(3), "effective_samples": 1.0})


def test_standard_error_covers_the_spread_over_points():
    """Of the mean over 50 points, seen in 200 draws of 50; log p(x) has the deviation √½ for a Gaussian x."""
    draws = [log_likelihood(weights(points=50, samples=2, seed=s)[0], samples=2) for s in range(200)]
    spread = np.std([draw["log_likelihood"] for draw in draws])
    assert spread == pytest.approx(math.sqrt(0.5 / 50), rel=0.2)
    assert np.mean([draw["log_likelihood_standard_error"] for draw in draws]) == pytest.approx(spread, rel=0.2)


def test_too_few_samples_name_the_setting():
    found = np.zeros((3, 9))
    for measure, settings in ((log_likelihood, {}), (renyi_bound, {}), (log_likelihood, {"samples": 10})):
        with pytest.raises(NotApplicable, match="likelihood_samples"):
            measure(found, **settings)
    assert log_likelihood(found, samples=9)["log_likelihood"] == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_that_are_not_finite_are_refused(value):
    found = np.zeros((3, 20))
    found[-1, -1] = value
    for measure in (log_likelihood, renyi_bound):
        with pytest.raises(UsageError, match="log_weights"):
            measure(found, samples=10)


@pytest.mark.parametrize(("alpha", "samples"), [(math.nan, 10), (0.5, 1), (0.5, 0)])
def test_impossible_settings_are_refused(alpha, samples):
    with pytest.raises(UsageError, match="samples"):
        renyi_bound(np.zeros((3, 20)), alpha=alpha, samples=samples)


def test_protocols_of_infinite_orders():
    declared = renyi_bound.declaration
    read = [declared.settings.read({"alpha": alpha}, "renyi_bound") for alpha in ("-inf", "inf", -math.inf, 1)]
    ids = [declared.protocol(settings, "mean", 256) for settings in read]
    assert ids[0] == ids[2] == "renyi_bound/alpha=-inf-samples10-mean-n256/v1"
    assert ids[1] == "renyi_bound/alpha=inf-samples10-mean-n256/v1"
    assert ids[3] == "renyi_bound/alpha1-samples10-mean-n256/v1"
