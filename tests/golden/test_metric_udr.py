"""UDR on codes of full factorial designs, whose columns are exactly uncorrelated, so that the lasso is on paper.

With standardised, uncorrelated predictors a lasso weight is the correlation, pulled towards 0 by the penalty of 0.1.
"""

import numpy as np
import pytest
from scipy.stats import ortho_group

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.udr import udr

DESIGN = 1.0 - 2.0 * np.stack(np.unravel_index(np.arange(128), (2,) * 7), axis=1)
"""128 points, 7 columns of ±1."""


def informative(means):
    """Posterior variances that make every coordinate informative."""
    return np.full(means.shape, 0.1)


@pytest.mark.parametrize(("kind", "ceiling"), [("lasso", 0.9), ("spearman", 1.0)])
def test_same_coordinates_in_any_order_and_sign(kind, ceiling):
    codes = DESIGN[:, :4]
    means = np.stack([codes, -codes[:, [2, 0, 3, 1]], 5 * codes[:, ::-1] + 1])
    expected = {"udr": ceiling} | {f"udr_run_{i}": ceiling for i in range(3)}
    assert udr(means, informative(means), kind=kind) == pytest.approx(expected, abs=1e-9)
    assert udr(means, kind=kind) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("kind", "expected"), [("lasso", (np.sqrt(0.5) - 0.1) / 2), ("spearman", np.sqrt(0.5) / 2)])
def test_pairs_rotated_by_45_degrees(kind, expected):
    """Each coordinate has two partners with R = r alike: r² / 2r. The sums' ranks are their values, rescaled."""
    a, b = DESIGN[:, 0], DESIGN[:, 1]
    means = np.stack([np.stack([a, b], axis=1), np.stack([a + b, a - b], axis=1)])
    assert udr(means, informative(means), kind=kind)["udr"] == pytest.approx(expected, abs=1e-3)


def test_lasso_predicts_the_runs_own_coordinates():
    """Runs (a, b) and (a, c) with c = (a + b)/√2, h = √½.

    Run 1 from run 0: a by (0.9, 0), c by (h − 0.1, h − 0.1). Run 0 from run 1: a by (0.9, 0), since the rest of a
    meets c with 0.1 h < 0.1 alone; b by w < 0 < u, what is left of b meeting a with w + h u = 0.1 and c with
    h − h w − u = 0.1.
    """
    a, b = DESIGN[:, 0], DESIGN[:, 1]
    half = np.sqrt(0.5)
    means = np.stack([np.stack([a, b], axis=1), np.stack([a, half * (a + b)], axis=1)])
    one = half - 0.1
    run_1 = (0.9 + one / 2 + 0.81 / (0.9 + one) + one) / 4
    w, u = np.linalg.solve([[1.0, half], [half, 1.0]], [0.1, half - 0.1])
    run_0 = (0.9 + u**2 / (u - w) + 0.81 / (0.9 - w) + u) / 4
    scores = udr(means, informative(means))
    assert scores["udr_run_0"] == pytest.approx(run_0, abs=2e-3)
    assert scores["udr_run_1"] == pytest.approx(run_1, abs=2e-3)


def test_a_coordinate_without_a_partner_counts_as_nothing():
    """Three coordinates against two of them: four shares of 0.9 over 3 + 2 coordinates, not the mean of 0.6 and 0.9."""
    means = np.stack([DESIGN[:, :3], np.insert(DESIGN[:, :2], 1, 0.3, axis=1)])
    assert udr(means, informative(means))["udr"] == pytest.approx(4 * 0.9 / 5, abs=1e-9)


def test_a_runs_score_is_its_median_pair():
    """Three runs alike and one of other coordinates: (0.9, 0.9, 0) three times and (0, 0, 0)."""
    means = np.stack([DESIGN[:, :3]] * 3 + [DESIGN[:, 3:6]])
    scores = udr(means, informative(means))
    assert [scores[f"udr_run_{i}"] for i in range(4)] == pytest.approx([0.9, 0.9, 0.9, 0.0], abs=1e-9)
    assert scores["udr"] == pytest.approx(0.675, abs=1e-9)


@pytest.mark.parametrize("kind", ["lasso", "spearman"])
def test_passive_coordinates_are_left_out(kind):
    """Noise of deviation 0.05 under a posterior of variance 1 costs 0.001 nats: below 0.01, above 0.0001."""
    noise = 0.05 * np.random.default_rng(0).standard_normal((3, 128, 1))
    codes = np.stack([DESIGN[:, :3]] * 3)
    expected = udr(codes, informative(codes), kind=kind)
    means = np.concatenate([codes[:, :, :1], noise, codes[:, :, 1:]], axis=2)
    variances = np.concatenate(
        [informative(codes[:, :, :1]), np.ones_like(noise), informative(codes[:, :, 1:])], axis=2
    )
    assert udr(means, variances, kind=kind) == expected
    assert udr(means, variances, kind=kind, threshold=1e-4)["udr"] < expected["udr"] - 0.1
    assert udr(1_000 * means, kind=kind)["udr"] == pytest.approx(expected["udr"])
    assert udr(means, kind=kind, threshold=1e-4)["udr"] < expected["udr"] - 0.1
    # A mean that moves is informative under any posterior.
    assert udr(20 * means, variances, kind=kind)["udr"] < expected["udr"] - 0.1


@pytest.mark.parametrize("position", [0, 1, 3])
def test_dead_coordinates_count_for_nothing(position):
    """One third is no binary fraction: its computed deviation is not exactly zero. Its KL is not small."""
    codes = np.stack([DESIGN[:, :3], DESIGN[:, :3] @ ortho_group.rvs(3, random_state=0)]).astype(np.float32)
    means = np.insert(codes, position, np.float32(1 / 3), axis=2)
    for kind in ("lasso", "spearman"):
        assert udr(means, informative(means), kind=kind) == udr(codes, informative(codes), kind=kind)
        assert udr(means, kind=kind) == udr(codes, kind=kind)


def test_independent_codes():
    """By Spearman the d = 10 correlations in a row are half-normal with deviation 1/√n: max²/sum is 3.8/8.0 · 1/√n.

    The mean square of the largest of 10 half-normal numbers is 3.8 and their sum 8.0, by simulation.
    """
    means = np.random.default_rng(0).standard_normal((3, 2_500, 10))
    assert udr(means, informative(means), kind="spearman")["udr"] == pytest.approx(3.8 / 8.0 / 50, rel=0.15)
    assert udr(means, informative(means))["udr"] == 0.0


@pytest.mark.parametrize("kind", ["lasso", "spearman"])
def test_random_rotations_lie_below_noisy_copies(kind):
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((2_000, 6))
    rotated = np.stack([codes @ ortho_group.rvs(6, random_state=i) for i in range(4)])
    copies = np.stack([codes[:, rng.permutation(6)] + 0.3 * rng.standard_normal(codes.shape) for _ in range(4)])
    assert udr(rotated, kind=kind)["udr"] < 0.4
    assert udr(copies, kind=kind)["udr"] > 0.6


@pytest.mark.parametrize("kind", ["lasso", "spearman"])
def test_collapsed_runs(kind):
    """A run without an informative coordinate agrees with none, not with another such run either."""
    means = np.stack([DESIGN[:, :3], DESIGN[:, :3], np.zeros((128, 3))])
    variances = np.where(means == 0, 1.0, 0.1)
    scores = udr(means, variances, kind=kind)
    top = 0.9 if kind == "lasso" else 1.0
    assert [scores[f"udr_run_{i}"] for i in range(3)] == pytest.approx([top / 2, top / 2, 0.0])
    assert set(udr(means[[2, 2]], variances[[2, 2]], kind=kind).values()) == {0.0}
    assert set(udr(means[[2, 2]], kind=kind).values()) == {0.0}


def test_duplicated_coordinates_give_a_number():
    """The weight of 0.9 may be shared out between the two: a column's share is then lower, never higher."""
    means = np.stack([DESIGN[:, [0, 1, 1]], DESIGN[:, [0, 1, 1]]])
    assert 0.4 < udr(means, informative(means))["udr"] <= 0.9
    # Rows and columns: 1 for the single one, ½ for the two that have two partners each.
    assert udr(means, informative(means), kind="spearman")["udr"] == pytest.approx(2 / 3)


def test_input_is_left_alone_and_scores_are_floats():
    means = np.stack([DESIGN[:, :3], DESIGN[:, :3]]).astype(np.float32)
    kept, variances = means.copy(), informative(means)
    assert all(type(value) is float for value in udr(means, variances).values())
    assert np.array_equal(means, kept)


def test_refused():
    means = np.stack([DESIGN[:, :3]] * 2)
    with pytest.raises(NotApplicable, match="two"):
        udr(means[:1], informative(means[:1]))
    with pytest.raises(NotApplicable, match="99 points"):
        udr(means[:, :99])
    for value in (np.nan, np.inf):
        spoilt = means.copy()
        spoilt[-1, -1, -1] = value
        with pytest.raises(UsageError, match="means"):
            udr(spoilt, informative(means))
        with pytest.raises(UsageError, match="variances"):
            udr(means, np.abs(spoilt))
    with pytest.raises(UsageError, match="variances"):
        udr(means, 0 * means)
    with pytest.raises(UsageError, match="penalty"):
        udr(means, penalty=0.0)
