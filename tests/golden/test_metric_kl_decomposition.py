"""The KL in three parts, where the aggregate posterior is known."""

import math

import numpy as np
import pytest

from benchmark.errors import ScoreWarning, UsageError
from benchmark.metrics import kl_decomposition as module
from benchmark.metrics.kl import kl
from benchmark.metrics.kl_decomposition import aggregate_log_densities, kl_decomposition

TINY = 1e-8


def grid(sizes, repeats=1):
    points = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
    return np.repeat(points, repeats, axis=0).astype(float)


def tight(means, **settings):
    """The parts for posteriors that do not overlap."""
    return kl_decomposition(means, np.full_like(means, TINY), **settings)


@pytest.mark.filterwarnings("ignore:mutual information has reached")
def test_points_apart_are_told_apart():
    """MI = log n. Means on a grid of 8 × 25: log q(z) is log 1/200 of one kernel, log q(z_j) log 1/8 and log 1/25:
    independent, TC = 0."""
    scores = tight(grid((8, 25)))
    assert scores["mutual_information"] == pytest.approx(math.log(200), abs=1e-9)
    assert scores["total_correlation"] == pytest.approx(0, abs=1e-9)


def test_equal_rows_are_one_point():
    scores = tight(grid((8, 5), 5))
    assert scores["mutual_information"] == pytest.approx(math.log(40), abs=1e-9)
    assert scores["total_correlation"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("d", [2, 5])
def test_codes_that_determine_each_other(d):
    """d copies of one of 50 values: log q(z) has one log 1/50, the marginals d of them, TC = (d − 1) log 50."""
    scores = tight(grid((50,), 4).repeat(d, axis=1))
    assert scores["mutual_information"] == pytest.approx(math.log(50), abs=1e-8)
    assert scores["total_correlation"] == pytest.approx((d - 1) * math.log(50), abs=1e-8)


def test_one_coordinate_has_no_total_correlation():
    rng = np.random.default_rng(0)
    scores = kl_decomposition(rng.standard_normal((500, 1)), np.full((500, 1), 0.3))
    assert scores["total_correlation"] == pytest.approx(0, abs=1e-12)


def test_gaussian_aggregate():
    """μ ~ N(0, C), C = 0.8 and 0.72, σ² = 0.2: q(z) = N(0, Σ), Σ = 1 and 0.72.
    TC = −½ log(1 − 0.72²) = 0.365, MI = ½ log(det Σ / 0.2²) = 1.244, the marginals are the prior.
    MI is far below log n, so that the draw of 5,000 means matters little; tolerances are 4 deviations of 5,000 z."""
    rng = np.random.default_rng(0)
    white = rng.standard_normal((5_000, 2))
    white = np.linalg.qr(white - white.mean(axis=0))[0] * math.sqrt(5_000)
    means = white @ np.linalg.cholesky([[0.8, 0.72], [0.72, 0.8]]).T
    scores = kl_decomposition(means, np.full_like(means, 0.2), samples=5_000)
    assert scores["total_correlation"] == pytest.approx(-0.5 * math.log(1 - 0.72**2), abs=0.04)
    assert scores["mutual_information"] == pytest.approx(0.5 * math.log((1 - 0.72**2) / 0.04), abs=0.05)
    assert scores["dimension_wise_kl"] == pytest.approx(0, abs=0.02)


def test_dimension_wise_kl_of_equal_posteriors():
    """All rows N(1, e) in the first coordinate, N(0, 1) in the second: no information, no correlation, exactly, and
    ½ (1 + e − 1 − 1) = 0.859 nats. A z's log ratio √e ε + ½ (e − 1) ε² deviates by 2.05: 4,000 of them by 0.032."""
    means, variances = np.tile([1.0, 0.0], (4_000, 1)), np.tile([math.e, 1.0], (4_000, 1))
    scores = kl_decomposition(means, variances, samples=4_000)
    assert scores["mutual_information"] == pytest.approx(0, abs=1e-12)
    assert scores["total_correlation"] == pytest.approx(0, abs=1e-12)
    assert scores["dimension_wise_kl"] == pytest.approx(math.e / 2 - 0.5, abs=0.13)


def test_collapsed_posteriors_have_none_of_it():
    assert kl_decomposition(np.zeros((200, 3)), np.ones((200, 3))) == pytest.approx(
        dict.fromkeys(("mutual_information", "total_correlation", "dimension_wise_kl", "kl"), 0.0), abs=1e-12
    )


def test_the_parts_are_those_of_the_kl():
    """The mixture cancels from their sum: it is the sampled KL, whose mean is known in closed form."""
    rng = np.random.default_rng(0)
    means, variances = rng.standard_normal((4_000, 3)), rng.uniform(0.1, 0.9, size=(4_000, 3))
    scores = kl_decomposition(means, variances, samples=4_000)
    total = scores.pop("kl")
    assert total == pytest.approx(sum(scores.values()), abs=1e-12)
    assert total == pytest.approx(kl(means, variances)["kl"], abs=0.15)


def test_a_passive_coordinate_changes_nothing():
    rng = np.random.default_rng(0)
    means, variances = rng.standard_normal((400, 2)), np.full((400, 2), 0.1)
    expected = kl_decomposition(means, variances)
    found = kl_decomposition(np.insert(means, 2, 0, axis=1), np.insert(variances, 2, 1, axis=1))
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_mixture_by_hand():
    """Two rows, N(0, 1) × N(0, 4) and N(2, 1) × N(1, 1), at z = (1, 1), every factor written out."""

    def normal(z, mu, sigma):
        return math.exp(-0.5 * ((z - mu) / sigma) ** 2) / sigma

    mu, sigma = np.array([[0.0, 2.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [2.0, 1.0]])
    joint, marginals = aggregate_log_densities(np.array([[1.0], [1.0]]), mu, sigma)
    first = normal(1, 0, 1), normal(1, 2, 1)
    second = normal(1, 0, 2), normal(1, 1, 1)
    assert math.exp(joint[0]) == pytest.approx((first[0] * second[0] + first[1] * second[1]) / 2)
    assert np.exp(marginals[:, 0]) == pytest.approx([sum(first) / 2, sum(second) / 2])


@pytest.mark.parametrize("block", [1, 700, 1 << 30])
def test_blocks_are_of_no_account(block, monkeypatch):
    rng = np.random.default_rng(0)
    means, variances = rng.standard_normal((300, 3)), rng.uniform(0.01, 1, size=(300, 3))
    expected = kl_decomposition(means, variances, samples=150)
    monkeypatch.setattr(module, "BLOCK", block)
    assert kl_decomposition(means, variances, samples=150) == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("ignore:mutual information has reached")
def test_samples():
    """Each z from a row of its own, so that more samples than rows are all rows; the mixture has all rows always."""
    means = grid((100,))
    assert tight(means, samples=7)["mutual_information"] == pytest.approx(math.log(100), abs=1e-9)
    assert tight(means, samples=100) == tight(means, samples=1_000)
    with pytest.raises(UsageError, match="samples"):
        tight(means, samples=0)


def test_information_is_capped_by_the_number_of_rows():
    """Ten independent coordinates of ½ log(1.05 / 0.05) = 1.52 nats each: 15.2 nats in truth, and no TC. A thousand
    rows show log 1,000 = 6.9, never more, and what is missing appears as TC: the bias that the measure speaks of."""
    rng = np.random.default_rng(0)
    means = rng.standard_normal((1_000, 10))
    with pytest.warns(ScoreWarning, match=r"1,000 points can show \(log n = 6.9 nats\).*too high where"):
        scores = kl_decomposition(means, np.full_like(means, 0.05), samples=500)
    assert 6.5 < scores["mutual_information"] <= math.log(1_000)
    assert scores["total_correlation"] == pytest.approx(5 * math.log(21) - math.log(1_000), abs=0.5)


def test_single_precision_agrees():
    rng = np.random.default_rng(0)
    means, variances = rng.standard_normal((300, 3)), rng.uniform(1e-6, 1, size=(300, 3))
    single = kl_decomposition(means.astype(np.float32), variances.astype(np.float32))
    assert single == pytest.approx(kl_decomposition(means, variances), abs=1e-3)
