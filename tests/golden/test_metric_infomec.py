"""InfoMEC: tables of normalised information, and probes, that can be worked out on paper."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, ScoreWarning, UsageError
from benchmark.metrics.infomec import infomec

SIZES = (3, 6, 40, 32, 32)


def grid(sizes, repeats=1):
    return np.repeat(np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1), repeats, axis=0)


def test_perfect_codes():
    factors = grid((4, 5), 60)
    scores = infomec(factors * [2.0, -1.0], factors)
    assert scores["infom"] == pytest.approx(1.0)
    assert scores["infoc"] == pytest.approx(1.0)
    assert 0.999 < scores["infoe"] <= 1.0


def test_a_factor_held_twice():
    """z = v₀, v₀, v₁: each code knows one factor; of the sum of N over codes the best holds 1/2 and 1,
    (3/4 − 1/3) / (2/3) = 5/8."""
    factors = grid((4, 5), 60)
    scores = infomec(factors[:, [0, 0, 1]].astype(float), factors)
    assert scores["infom"] == pytest.approx(1.0)
    assert scores["infoc"] == pytest.approx(5 / 8)


def test_a_code_of_two_factors():
    """z = v₀, v₁, 4 v₀ + v₁, whose 16 values fall in 16 bins: N = 1 with both. Largest shares 1, 1, 1/2 over factors,
    (5/6 − 1/2) / (1/2) = 2/3, and 1/2, 1/2 over codes, (1/2 − 1/3) / (2/3) = 1/4."""
    factors = grid((4, 4), 80)
    codes = np.stack([factors[:, 0], factors[:, 1], factors @ [4, 1]], axis=1).astype(float)
    scores = infomec(codes, factors)
    assert scores["infom"] == pytest.approx(2 / 3)
    assert scores["infoc"] == pytest.approx(1 / 4)


def test_information_is_over_the_factors_entropy():
    """z = 2 v₀ + [v₁ ≥ 2] with v₀ of 2 and v₁ of 4 values: I = log 2 with both, N = 1 and 1/2. The largest share is
    2/3: (2/3 − 1/2) / (1/2) = 1/3. Without the division it would be 0."""
    factors = grid((2, 4), 150)
    codes = (2 * factors[:, :1] + (factors[:, 1:] >= 2)).astype(float)
    assert infomec(codes, factors)["infom"] == pytest.approx(1 / 3)


def test_no_information_shares_equally():
    """z = v₀, v₁ and a code independent of both over the grid: shares 1, 1, 1/2, (5/6 − 1/2) / (1/2) = 2/3. And a third
    factor of which the codes know nothing: the same over codes. What rounding leaves of 0 must not decide."""
    factors = grid((4, 5, 3), 20)
    three_codes = infomec(factors.astype(float), factors[:, :2])
    assert three_codes["infom"] == pytest.approx(2 / 3)
    assert three_codes["infoc"] == pytest.approx(1.0)
    three_factors = infomec(factors[:, :2].astype(float), factors)
    assert three_factors["infom"] == pytest.approx(1.0)
    assert three_factors["infoc"] == pytest.approx(2 / 3)
    assert three_factors["infoe"] == pytest.approx(2 / 3, abs=1e-3)


def test_codes_of_little_range_are_pruned_but_probed():
    """The range of 0.01 v₁ is 0.013 of that of v₀; compactness of one code is 0/0."""
    factors = grid((4, 5), 60)
    codes = factors * [1.0, 0.01]
    pruned = infomec(codes, factors)
    assert pruned.keys() == {"infom", "infoe"}
    assert pruned["infoe"] > 0.999
    assert infomec(codes, factors, prune=0.0)["infoc"] == pytest.approx(1.0)


def test_one_factor_has_no_modularity():
    factors = grid((4, 5), 60)
    scores = infomec(factors.astype(float), factors[:, :1])
    assert scores.keys() == {"infoc", "infoe"}
    assert scores["infoc"] == pytest.approx(1.0)


def test_explicitness_of_a_noisy_bit():
    """z = v in nine of ten points: the logistic probe gives 0.9, its loss is the entropy of (0.9, 0.1)."""
    factor = np.repeat([0, 1], 1_000)
    code = np.where(np.arange(2_000) % 10 == 0, 1 - factor, factor)
    loss = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    scores = infomec(code[:, None].astype(float), factor[:, None])
    assert scores["infoe"] == pytest.approx(1 - loss / np.log(2), abs=1e-4)


def test_explicitness_is_over_the_entropy_also_of_uneven_classes():
    """v = 0, 1, 2 in shares 1/2, 1/4, 1/4, z = [v ≥ 1]: H(v) = 3/2 log 2, left is log 2 in half of the points."""
    factor = np.tile([0, 0, 1, 2], 300)
    scores = infomec((factor[:, None] >= 1).astype(float), factor[:, None])
    assert scores["infoe"] == pytest.approx(2 / 3, abs=1e-3)


def test_probes_are_linear():
    """v = a xor b: no linear probe of a and b does better than chance, while one of their parity is certain."""
    a, b = grid((2, 2), 300).T
    codes = np.stack([a, b], axis=1).astype(float)
    assert infomec(codes, (a ^ b)[:, None])["infoe"] == pytest.approx(0.0, abs=1e-6)
    assert infomec((a ^ b)[:, None].astype(float), (a ^ b)[:, None])["infoe"] > 0.999


@pytest.mark.parametrize("far", [1e3, 1e6, 1e9])
def test_a_row_far_away_leaves_the_others_explicit(far):
    """Five classes on a line, one row far out on its own class's side: a probe still tells all of them."""
    rng = np.random.default_rng(0)
    factor = grid((5,), 400)
    codes = factor + 0.1 * rng.standard_normal(factor.shape)
    codes[-1] = far
    with pytest.warns(ScoreWarning, match="code 0: 1 of 2,000 rows"):
        assert infomec(codes, factor)["infoe"] > 0.999


def test_a_row_far_on_the_wrong_side_forbids_every_slope():
    """Two classes: any slope w that tells them costs w · 1e6 / 2,000 for that row alone, so none is left to explain."""
    factor = grid((2,), 1_000)
    codes = factor + 0.1 * np.random.default_rng(0).standard_normal(factor.shape)
    codes[0] = 1e6
    with pytest.warns(ScoreWarning):
        assert infomec(codes, factor)["infoe"] == pytest.approx(0.0, abs=1e-3)


def test_explicitness_of_a_continuous_factor():
    """v = x + y with x, y uncorrelated and of equal variance, z = x: R² = 1/2."""
    table = np.random.default_rng(0).standard_normal((1_000, 2))
    x, y = np.linalg.qr(table - table.mean(axis=0))[0].T
    assert infomec(x[:, None], (x + y)[:, None])["infoe"] == pytest.approx(0.5)
    assert infomec(np.stack([x + 3, x - y], axis=1), (x + y)[:, None])["infoe"] == pytest.approx(1.0)


def test_constant_factors_and_codes_count_for_nothing():
    factors = grid((4, 5), 60)
    codes = factors + np.random.default_rng(0).standard_normal(factors.shape)
    expected = infomec(codes, factors)
    assert infomec(codes, np.insert(factors, 1, 3, axis=1)) == expected
    for position in range(3):
        assert infomec(np.insert(codes, position, 1 / 3, axis=1), factors) == expected


def test_perfect_rotated_and_noise_codes_on_the_grid_of_dsprites():
    """Simulated over ten draws: perfect 0.978; random rotations of standardised codes 0.33–0.58; noise 0.13–0.15, as
    information that is bias alone is largest for the factor of most values."""
    rng = np.random.default_rng(0)
    rows = rng.choice(np.prod(SIZES), 10_000, replace=False)
    factors = np.stack(np.unravel_index(rows, SIZES), axis=1)
    codes = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    perfect = infomec(codes, factors)
    rotated = infomec(codes @ np.linalg.qr(rng.standard_normal((5, 5)))[0], factors)
    noise = infomec(rng.standard_normal((10_000, 5)), factors)
    assert perfect["infom"] == pytest.approx(0.978, abs=3e-3)
    assert perfect["infoc"] == pytest.approx(0.978, abs=3e-3)
    assert 0.2 < rotated["infom"] < 0.65
    assert min(perfect["infoe"], rotated["infoe"]) > 0.999
    assert 0.08 < noise["infom"] < 0.22
    assert noise["infoc"] < 0.06
    assert noise["infoe"] < 0.01


def test_nearest_neighbours():
    """On smooth codes both estimators say nearly the same; the second needs the seed for its jitter alone."""
    factors = grid((4, 5), 60)
    codes = factors + 0.2 * np.random.default_rng(0).standard_normal(factors.shape)
    by_neighbours = infomec(codes, factors, estimator="neighbours")
    assert by_neighbours == infomec(codes, factors, estimator="neighbours")
    assert by_neighbours["infom"] == pytest.approx(infomec(codes, factors)["infom"], abs=0.05)
    assert by_neighbours["infom"] != infomec(codes, factors)["infom"]


def test_refusals():
    factors = grid((4, 5), 60)
    with pytest.raises(NotApplicable, match="1,000"):
        infomec(factors[:999].astype(float), factors[:999])
    with pytest.raises(NotApplicable, match="no code varies"):
        infomec(np.full((1_200, 3), 1 / 3), factors)
    for prune in (1.0, -0.1):
        with pytest.raises(UsageError, match="prune"):
            infomec(factors.astype(float), factors, prune=prune)


def test_more_codes_than_probes_can_take_are_refused():
    wide = np.random.default_rng(0).standard_normal((1_000, 501))
    with pytest.raises(NotApplicable, match="501 codes are more than 500"):
        infomec(wide, np.arange(1_000)[:, None] % 4)
