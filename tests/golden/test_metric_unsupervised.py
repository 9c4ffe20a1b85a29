"""Measures of the codes alone: pairwise information, Wasserstein correlation, informative components."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable
from benchmark.metrics.active_units import active_units
from benchmark.metrics.informative_components import informative_components
from benchmark.metrics.mutual_information_score import mutual_information_score
from benchmark.metrics.wasserstein_correlation import wasserstein_correlation


def grid(sizes, repeats=1):
    return np.repeat(np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1), repeats, axis=0)


def with_covariance(covariance, n=500, bessel=0):
    """Points whose sample covariance, over n − bessel, is exactly this one; it may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    white = np.random.default_rng(0).standard_normal((n, len(covariance)))
    white = np.linalg.qr(white - white.mean(axis=0))[0] * np.sqrt(n - bessel)
    return white @ (vectors * np.sqrt(np.maximum(values, 0))).T


def turn(degrees, d=2):
    """A rotation of the first two of d axes."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.eye(d)
    rotation[:2, :2] = [[c, -s], [s, c]]
    return rotation


class TestMutualInformationScore:
    KEY = "mutual_information_score"

    def test_two_copies_and_an_independent_code(self):
        """Of three pairs one shares log 4, two nothing."""
        codes = grid((4, 5), 60)[:, [0, 0, 1]] * [1.0, -3.0, 1.0]
        assert mutual_information_score(codes)[self.KEY] == pytest.approx(np.log(4) / 3)

    def test_dependence_that_is_not_linear(self):
        """z₁ = z₀² for z₀ = −2 … 2: I = H(z₁), shares 1/5, 2/5, 2/5, without any correlation."""
        code = np.tile(np.arange(-2.0, 3.0), 240)
        expected = -(0.2 * np.log(0.2) + 0.8 * np.log(0.4))
        assert mutual_information_score(np.stack([code, code**2], axis=1))[self.KEY] == pytest.approx(expected)

    def test_what_only_three_show_is_not_seen(self):
        a, b = grid((2, 2), 300).T
        assert mutual_information_score(np.stack([a, b, a ^ b], axis=1).astype(float))[self.KEY] == pytest.approx(0)

    def test_bins(self):
        """40 equally frequent values of two equal codes: log of the number of bins, which they fill evenly."""
        codes = np.repeat(np.arange(40.0), 50)[:, None].repeat(2, axis=1)
        for bins in (20, 10, 8):
            assert mutual_information_score(codes, bins=bins)[self.KEY] == pytest.approx(np.log(bins))

    def test_floor_of_noise(self):
        """Uniform codes fill all bins: bias (20 − 1)² / 2n = 0.01805 nats at n = 10,000."""
        codes = np.random.default_rng(0).uniform(size=(10_000, 6))
        assert mutual_information_score(codes)[self.KEY] == pytest.approx(361 / 20_000, abs=1e-3)

    def test_dead_codes_are_left_out(self):
        codes = np.random.default_rng(0).standard_normal((1_000, 3))
        for position in range(4):
            with_dead = np.insert(codes, position, 1 / 3, axis=1)
            assert mutual_information_score(with_dead) == mutual_information_score(codes)
        with pytest.raises(NotApplicable, match="pair"):
            mutual_information_score(np.insert(codes[:, :1], 0, 1 / 3, axis=1))

    def test_refused_below_a_thousand_points(self):
        with pytest.raises(NotApplicable, match="1,000"):
            mutual_information_score(np.random.default_rng(0).standard_normal((999, 2)))


class TestWassersteinCorrelation:
    KEY = "wasserstein_correlation"

    @pytest.mark.parametrize("rho", [0.0, 0.5, -0.9, 1.0])
    def test_two_codes_of_unit_variance(self, rho):
        """D = I, and Σ has the eigenvalues 1 ± ρ: 4 − 2 (√(1 + ρ) + √(1 − ρ)); over tr Σ = 2 its half."""
        codes = with_covariance(np.array([[1.0, rho], [rho, 1.0]]), bessel=1)
        expected = 4 - 2 * (np.sqrt(1 + rho) + np.sqrt(1 - rho))
        assert wasserstein_correlation(codes)[self.KEY] == pytest.approx(expected, abs=1e-7)
        assert wasserstein_correlation(codes, normalised=True)[self.KEY] == pytest.approx(expected / 2, abs=1e-7)

    def test_two_codes_of_unequal_variance(self):
        """M = D^½ Σ D^½ = [[16, 3.6], [3.6, 1]], tr M^½ = √(tr M + 2 √det M) for 2 × 2, det M = 16 − 12.96."""
        codes = with_covariance(np.array([[4.0, 1.8], [1.8, 1.0]]), bessel=1)
        expected = 2 * 5 - 2 * np.sqrt(17 + 2 * np.sqrt(16 - 12.96))
        assert wasserstein_correlation(codes)[self.KEY] == pytest.approx(expected)

    @pytest.mark.parametrize("d", [2, 5, 10])
    def test_equal_codes(self, d):
        """Σ = 11ᵀ has one eigenvalue d, the others are exactly 0: 2d − 2√d. Rounded eigenvalues of 1e-16 would give
        roots of 1e-8; nearly equal codes are as exact."""
        code = with_covariance(np.eye(1), bessel=1)
        codes = code.repeat(d, axis=1)
        assert wasserstein_correlation(codes)[self.KEY] == pytest.approx(2 * d - 2 * np.sqrt(d), rel=1e-12)
        assert wasserstein_correlation(codes, normalised=True)[self.KEY] == pytest.approx(2 - 2 / np.sqrt(d), rel=1e-12)
        near = codes + 1e-9 * np.random.default_rng(1).standard_normal(codes.shape)
        assert wasserstein_correlation(near)[self.KEY] == pytest.approx(2 * d - 2 * np.sqrt(d), abs=1e-7)

    def test_more_codes_than_points(self):
        codes = np.random.default_rng(0).standard_normal((4, 10))
        assert 0 < wasserstein_correlation(codes, normalised=True)[self.KEY] <= 2 - 2 / np.sqrt(10)

    def test_units(self):
        codes = with_covariance(np.array([[1.0, 0.5], [0.5, 1.0]]), bessel=1)
        plain, share = (wasserstein_correlation(codes, normalised=flag)[self.KEY] for flag in (False, True))
        assert wasserstein_correlation(codes * 3 + 100)[self.KEY] == pytest.approx(9 * plain)
        for scale in (1e-200, 0.1, 1e100):
            assert wasserstein_correlation(codes * scale, normalised=True)[self.KEY] == pytest.approx(share)

    def test_dead_codes(self):
        codes = with_covariance(np.array([[4.0, 1.8], [1.8, 1.0]]))
        for position in range(3):
            with_dead = np.insert(codes, position, 1 / 3, axis=1)
            assert wasserstein_correlation(with_dead) == wasserstein_correlation(codes)
        assert wasserstein_correlation(np.full((10, 2), 1 / 3)) == {self.KEY: 0.0}
        with pytest.raises(NotApplicable, match="no code varies"):
            wasserstein_correlation(np.full((10, 2), 1 / 3), normalised=True)
        with pytest.raises(NotApplicable, match="covariance"):
            wasserstein_correlation(codes[:1])


class TestInformativeComponents:
    COUNT, ALIGNMENT = "informative_components", "informative_components_alignment"

    def test_axes(self):
        means = with_covariance(np.diag([2.0, 0.5, 0.02, 0.005, 0.0]))
        assert informative_components(means) == pytest.approx({self.COUNT: 3.0, self.ALIGNMENT: 1.0})
        assert informative_components(means, threshold=0.1)[self.COUNT] == 2.0
        assert informative_components(means, threshold=0.001)[self.COUNT] == 4.0

    def test_without_a_threshold_rounding_is_no_component(self):
        """Four copies of a code and three constants, none of them a binary fraction."""
        code = np.random.default_rng(0).standard_normal((1_000, 1))
        means = np.hstack([code, code, code, code, np.full((1_000, 3), 1 / 3)])
        assert informative_components(means, threshold=0.0)[self.COUNT] == 1.0
        assert active_units(means, threshold=0.0) == {"active_units": 4.0}

    def test_two_copies_of_a_code_are_one_component(self):
        """Its vector is (1, 1)/√2: half of it on either axis. `active_units` would count two."""
        means = with_covariance(np.ones((2, 2)))
        assert informative_components(means) == pytest.approx({self.COUNT: 1.0, self.ALIGNMENT: 0.5})

    @pytest.mark.parametrize(("degrees", "aligned"), [(30, 0.75), (45, 0.5), (60, 0.75), (90, 1.0)])
    def test_a_rotation(self, degrees, aligned):
        rotation = turn(degrees)
        means = with_covariance(rotation @ np.diag([4.0, 1.0]) @ rotation.T)
        assert informative_components(means)[self.ALIGNMENT] == pytest.approx(aligned)

    def test_equal_eigenvalues_have_no_directions_of_their_own(self):
        """Within the plane of two equal ones a rotation shows nothing. Σ = 4, 1, 4 with the first two axes turned by
        30°: onto the space of the 4s the axes project with squares 0.75, 0.25, 1, the best two 1.75; the vector of the
        1 has 0.75: 2.5 in all."""
        rotation = turn(30, 3)
        plane = with_covariance(rotation @ np.diag([4.0, 4.0, 1.0]) @ rotation.T)
        assert informative_components(plane)[self.ALIGNMENT] == pytest.approx(1.0)
        means = with_covariance(rotation @ np.diag([4.0, 1.0, 4.0]) @ rotation.T)
        assert informative_components(means)[self.ALIGNMENT] == pytest.approx(2.5 / 3)

    def test_ties(self):
        """Variances of 1 and 0.96 turned by 45°: equal within 0.05, not within 0.01."""
        means = with_covariance(turn(45) @ np.diag([1.0, 0.96]) @ turn(45).T)
        assert informative_components(means)[self.ALIGNMENT] == pytest.approx(1.0)
        assert informative_components(means, ties=0.01)[self.ALIGNMENT] == pytest.approx(0.5)

    def test_sampling_does_not_turn_standardised_independent_codes(self):
        """The eigenvalues of 10,000 normal points spread over about 1 ± 2 √(10 / n) = 1 ± 0.06, in smaller steps than
        `ties`; their vectors are those of chance."""
        means = np.random.default_rng(0).standard_normal((10_000, 10))
        assert informative_components(means)[self.ALIGNMENT] == pytest.approx(1.0)
        assert informative_components(means, ties=0.0)[self.ALIGNMENT] < 0.7

    def test_collapsed_means_have_none(self):
        """Where nothing is informative there is nothing to align."""
        assert informative_components(np.full((10, 3), 1 / 3)) == {self.COUNT: 0.0}
        assert informative_components(0.05 * np.random.default_rng(0).standard_normal((500, 3))) == {self.COUNT: 0.0}

    def test_single_precision_far_from_zero(self):
        means = (with_covariance(np.diag([1.0, 0.25])) + 1_000).astype(np.float32)
        scores = informative_components(means)
        assert scores[self.COUNT] == 2.0
        assert scores[self.ALIGNMENT] == pytest.approx(1.0, abs=1e-4)

    def test_one_point_is_refused(self):
        with pytest.raises(NotApplicable, match="covariance"):
            informative_components(np.ones((1, 3)))
