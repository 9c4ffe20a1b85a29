"""Statistics in cases solvable by hand."""

import math
from itertools import combinations

import numpy as np
import pytest

from benchmark.statistics import (
    average_ranks,
    bootstrap_interval,
    correlation,
    difference,
    holm,
    interquartile_mean,
    letter_groups,
    performance_profile,
    permutation_p,
    probability_of_improvement,
    ranking,
    runs_needed,
    selection_regret,
    spearman,
    spearman_interval,
    spearman_intervals,
    spread,
    two_stage_counts,
    variance_shares,
    welch_p,
    yuen_p,
)
from benchmark.statistics.selection import chance_of_highest
from benchmark.statistics.variance import _shrunk, _squares


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_interquartile_mean_drops_a_quarter_at_each_end():
    assert interquartile_mean(np.array([100.0, 1, 2, 3, 4, 5, 6, -100])) == 3.5
    assert interquartile_mean(np.array([1.0, 2, 6])) == 3, "below four runs nothing is dropped"


def test_no_interval_below_ten_runs():
    assert bootstrap_interval(np.arange(9.0), rng()).low is None
    few = bootstrap_interval(np.arange(10.0), rng())
    assert few.low is not None and few.high is not None and few.low < few.point < few.high


def test_interval_of_constant_runs_is_a_point():
    assert bootstrap_interval(np.full(10, 2.0), rng()) == (2.0, 2.0, 2.0)


def test_a_difference_is_tested_by_welch():
    """1 … 5 and 3 … 7: t = 2 / √(2.5 / 5 + 2.5 / 5) = 2 with eight degrees of freedom."""
    found = difference(np.arange(3.0, 8), np.arange(1.0, 6))
    assert found.of_means == (2.0, None, None)
    assert found.p == pytest.approx(0.080516, abs=1e-6)
    assert difference(np.arange(1.0, 6), np.arange(3.0, 8)).p == pytest.approx(found.p)
    assert difference(np.full(5, 1.0), np.full(5, 0.5)).p == 0, "no spread: certain"
    assert difference(np.full(5, 1.0), np.full(5, 1.0)).p == 1


def test_few_runs_are_not_tested_and_ten_a_side_have_an_interval():
    assert difference(np.arange(4.0), np.zeros(9)).p is None
    assert difference(np.arange(9.0), np.arange(12.0)).of_means.low is None
    ten = difference(np.arange(10.0) + 3, np.arange(10.0))
    half = 2.100922 * np.std(np.arange(10), ddof=1) * np.sqrt(2 / 10)
    assert ten.of_means == pytest.approx((3, 3 - half, 3 + half), rel=1e-6)
    with pytest.raises(ValueError, match="no run"):
        difference(np.empty(0), np.zeros(5))


def test_runs_without_a_difference_are_told_apart_as_often_as_the_level_says():
    drawn = rng().normal(size=(2_000, 2, 5))
    rejected = np.mean([difference(x, y).p < 0.05 for x, y in drawn])
    assert 0.035 < rejected < 0.065


def test_stratified_runs_never_cross_strata():
    values = np.concatenate([np.zeros(5), np.full(5, 10.0)])
    strata = np.repeat(["easy", "hard"], 5)
    mean = lambda x: x.mean(axis=-1)  # noqa: E731
    assert bootstrap_interval(values, rng(), statistic=mean, strata=strata) == (5.0, 5.0, 5.0)
    free = bootstrap_interval(values, rng(), statistic=mean)
    assert free.low is not None and free.low < 4


def test_whole_runs_stay_together():
    """A run whose scores cancel gives a mean of 0 however runs are drawn; drawn cell by cell it would not."""
    offsets = np.random.default_rng(1).normal(size=12)
    values = np.stack([offsets, -offsets], axis=1)
    interval = bootstrap_interval(values, rng(), statistic=lambda x: x.mean(axis=-1))
    assert interval == pytest.approx((0, 0, 0), abs=1e-12)


def test_same_generator_same_interval():
    values = np.random.default_rng(3).normal(size=20)
    assert bootstrap_interval(values, rng()) == bootstrap_interval(values, rng())


def test_spread_of_one_run_has_no_deviation():
    assert spread(np.array([2.0]), rng()) == (1, 2.0, None, 2.0, (2.0, None, None))
    assert spread(np.array([1.0, 3.0]), rng()).std == pytest.approx(math.sqrt(2))


def test_ranks_of_ties_are_averaged():
    np.testing.assert_array_equal(average_ranks(np.array([10.0, 20, 10, 30])), [1.5, 3, 1.5, 4])


def test_spearman_by_hand():
    x = np.array([1.0, 2, 3, 4, 5])
    assert spearman(x, x**3) == pytest.approx(1)
    assert spearman(x, -x) == pytest.approx(-1)
    # 1 − 6 Σ d² / (n (n² − 1)) with d = (0, 0, 0, 1, −1)
    assert spearman(x, np.array([1.0, 2, 3, 5, 4])) == pytest.approx(1 - 6 * 2 / 120)


def test_spearman_with_ties_by_hand():
    # Ranks (1.5, 1.5, 3) and (1, 2, 3): covariance 1.5, variances 1.5 and 2.
    assert spearman(np.array([0.0, 0, 1]), np.array([1.0, 2, 3])) == pytest.approx(1.5 / math.sqrt(3))


def test_spearman_of_a_constant_is_undefined_not_nan():
    assert spearman(np.ones(5), np.arange(5.0)) is None
    assert spearman_interval(np.ones(5), np.arange(5.0), np.arange(5), rng()) is None
    assert spearman(np.arange(2.0), np.arange(2.0)) is None


def test_spearman_needs_ten_configurations_for_an_interval():
    x = np.random.default_rng(0).normal(size=45)
    assert spearman_interval(x, x + 0.1 * x**2, np.repeat(np.arange(9), 5), rng()).low is None
    interval = spearman_interval(x, x + 0.1 * x**2, np.repeat(np.arange(15), 3), rng())
    assert interval.low is not None and interval.low <= interval.point <= interval.high


def test_pairs_of_scores_use_the_runs_that_have_both(monkeypatch):
    x = np.arange(45.0) + 3 * rng().random(45)
    scores = np.stack([x, x + 0.1 * x**2, rng().permutation(x), -x, np.ones(45)], axis=1)
    scores[:6, 2] = np.nan
    owners = np.repeat(np.arange(15), 3)
    found = spearman_intervals(scores, owners, lambda _: rng())
    assert list(found) == list(combinations(range(5), 2))
    assert found[0, 1] == (1, 1, 1) and found[0, 3] == (-1, -1, -1) and found[0, 4] is None
    assert found[0, 2].point == spearman(x[6:], scores[6:, 2])
    assert found[0, 2].low < found[0, 2].point < found[0, 2].high
    assert found[2, 3].low == pytest.approx(-found[0, 2].high), "one and the same resamples"
    monkeypatch.setattr(correlation, "BLOCK", 1000)
    in_parts = spearman_intervals(scores, owners, lambda _: rng())
    assert in_parts[0, 2] == pytest.approx(found[0, 2])


def test_two_stage_counts_draw_whole_groups():
    groups = np.array([0, 0, 1, 1, 1, 2])
    counts = two_stage_counts(groups, 500, rng())
    assert (counts[:, 5] == np.round(counts[:, 5])).all()
    # A group of size 3 that is drawn m times gives 3 m rows.
    assert (counts[:, 2:5].sum(axis=1) % 3 == 0).all() and (counts[:, :2].sum(axis=1) % 2 == 0).all()
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.2)


def test_probability_of_improvement_counts_ties_half():
    assert probability_of_improvement(np.array([1.0, 2]), np.array([1.0, 0])).point == (0.5 + 1 + 1 + 1) / 4
    sure = probability_of_improvement(np.arange(10.0) + 100, np.arange(10.0))
    assert sure.point == sure.high == 1 and sure.low is not None and 0.7 < sure.low < 0.9, "ten wins are no certainty"


def test_welch_by_hand():
    # Means 2 and 4, both variances 1, n = 3: t = −2/√(2/3) on 4 degrees of freedom.
    x, y = np.array([1.0, 2, 3]), np.array([3.0, 4, 5])
    t = -2 / math.sqrt(2 / 3)
    # Student's distribution function with 4 degrees of freedom in closed form.
    s = t / math.sqrt(4 + t**2)
    assert welch_p(x, y) == pytest.approx(0.5 + 0.75 * (s - s**3 / 3))
    assert welch_p(x, y) + welch_p(y, x) == pytest.approx(1)


def test_welch_without_spread():
    same, lower = np.full(3, 1.0), np.full(3, 0.5)
    assert (welch_p(same, same), welch_p(lower, same), welch_p(same, lower)) == (1, 0, 1)


def test_holm_by_hand():
    np.testing.assert_allclose(holm(np.array([0.03, 0.01, 0.04])), [0.06, 0.03, 0.06])
    np.testing.assert_allclose(holm(np.array([0.9, 0.8])), [1, 1])
    assert len(holm(np.array([]))) == 0


def test_yuen_is_welch_below_four_runs_and_trims_above():
    x, y = np.array([1.0, 2, 3]), np.array([3.0, 4, 5])
    assert yuen_p(x, y) == pytest.approx(2 * welch_p(x, y))
    # Of 1 … 8 the middle half is 3 … 6 and the winsorised values 3 3 3 4 5 6 6 6, squares 14, over 4 · 3;
    # 10 above on the other side: t = 10/√(2 · 14/12) on 6 degrees of freedom, whose distribution is known.
    x = np.arange(1.0, 9)
    t = 10 / math.sqrt(2 * 14 / 12)
    s = t / math.sqrt(6 + t**2)
    assert yuen_p(x, x + 10) == pytest.approx(1 - (15 * s - 10 * s**3 + 3 * s**5) / 8, rel=1e-9)
    far = x + 10
    far[-1] = 1e6
    assert yuen_p(x, far) == pytest.approx(yuen_p(x, x + 10)), "one run that went wild changes nothing"


def test_yuen_without_spread():
    same, other = np.full(10, 1.0), np.full(10, 0.5)
    assert (yuen_p(same, same), yuen_p(same, other)) == (1, 0)


def test_what_differs_by_rounding_alone_is_equal():
    """The mean of ten times 0.1 is not that of twenty, nor is 0.1 + 0.2 the same as 0.3."""
    ten, twenty = np.full(10, 0.1), np.full(20, 0.1)
    third, sum_of_two = np.full(10, 0.3), np.full(10, 0.1 + 0.2)
    assert yuen_p(ten, twenty) == yuen_p(third, sum_of_two) == 1
    two, eleven = np.full(2, 0.7), np.full(11, 0.7)
    assert welch_p(two, eleven) == welch_p(eleven, two) == 1
    for pair in ([ten, twenty], [third, sum_of_two]):
        assert [place[:3] for place in ranking(pair)] == [(1, 1, 2), (1, 1, 2)]
    assert yuen_p(third, third + 1e-9) == 0, "no spread, and no rounding either"


def test_permutation_by_hand():
    """Of five configurations' 120 orders, only the one observed and its reverse correlate perfectly."""
    x = np.arange(5.0)
    assert permutation_p(x, x**3, np.arange(5)) == pytest.approx(2 / 120)
    assert permutation_p(x, -x, np.arange(5)) == pytest.approx(2 / 120)


def test_permutation_takes_configurations_not_runs():
    """Forty runs of five configurations are five things in an order."""
    x = np.arange(5.0).repeat(8) + np.random.default_rng(0).uniform(0, 0.5, 40)
    assert permutation_p(x, x, np.arange(5).repeat(8)) == pytest.approx(2 / 120)
    assert permutation_p(x, x, np.arange(4).repeat(10)) is None, "four orders cannot be rarer than 5 %"
    assert permutation_p(x, np.ones(40), np.arange(5).repeat(8)) is None


def test_configurations_of_few_runs_change_places_with_none_of_many():
    """Three of one run beside three of ten: p of independent scores was below 5 % in 12 of 100."""
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(8), [1, 1, 1, 10, 10, 10, 10, 10])
    x, y = rng.standard_normal((2, len(owners)))
    assert permutation_p(x, y, owners) == permutation_p(x[3:], y[3:], owners[3:])
    assert permutation_p(x[:23], y[:23], owners[:23]) is None, "two are left"


def test_the_third_that_diverged_makes_no_two_others_equal():
    noise = 0.01 * np.random.default_rng(0).standard_normal(10)
    first, second, third = ranking([-100.2 + noise, -100.8 + noise, -1e12 + noise])
    assert [first[:3], second[:3], third[:3]] == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]


def test_random_permutations_count_the_observed_one():
    x = np.arange(20.0)
    assert permutation_p(x, x, np.arange(20), draws=999) == pytest.approx(1 / 1000)
    assert permutation_p(x, x, np.arange(20), draws=999) == permutation_p(x, -x, np.arange(20), draws=999)


def test_probability_of_improvement_has_a_hand_made_limit():
    """If all of ten beat all of ten, the limit solves (1 − p) (n m) = z² p (1 + 9 ((1 − p)/(2 − p) + p/(1 + p)))."""
    low = probability_of_improvement(np.arange(10.0) + 100, np.arange(10.0)).low
    assert low is not None
    right = 1.959964**2 * low * (1 + 9 * ((1 - low) / (2 - low) + low / (1 + low)))
    assert (1 - low) * 100 == pytest.approx(right, rel=1e-5)


def test_probability_of_improvement_of_the_other_side():
    generator = np.random.default_rng(4)
    x, y = generator.normal(size=10), generator.normal(size=14)
    there, back = probability_of_improvement(x, y), probability_of_improvement(y, x)
    assert there.high is not None and there.low is not None
    assert back == pytest.approx((1 - there.point, 1 - there.high, 1 - there.low))
    assert probability_of_improvement(x, y[:9]).low is None


def test_profile_by_hand():
    found = performance_profile(np.array([0.1, 0.5, 0.9]), np.array([0.0, 0.5, 1.0]), rng())
    np.testing.assert_allclose(found.fraction, [1, 1 / 3, 0])
    assert found.low is None and found.high is None
    few = performance_profile(np.linspace(0, 0.9, 10), np.array([0.45]), rng())
    assert few.low is not None and few.high is not None
    # Half of ten runs: Student's 2.26 deviations of √(0.25/9), to a tenth.
    assert few.low[0] == pytest.approx(0.1, abs=0.11) and few.high[0] == pytest.approx(0.9, abs=0.11)


def test_profile_keeps_a_run_together():
    """Each run has one score above τ and one below: whoever is drawn, the fraction is one half."""
    values = np.stack([np.zeros(12), np.ones(12)], axis=1)
    found = performance_profile(values, np.array([0.5]), rng())
    assert found.low is not None and found.high is not None
    assert found.fraction[0] == found.low[0] == found.high[0] == 0.5


def test_shares_without_noise_by_hand():
    """Models at 0 and 4, settings 1 to either side, no noise: 8 · 4 and 8 · 1 of 40."""
    values = np.repeat([-1.0, 1, 3, 5], 2) + np.tile([1e-9, -1e-9], 4)
    found = variance_shares(values, np.repeat(["a", "b"], 4), np.repeat(np.arange(4), 2), rng())
    assert found is not None
    assert [share.point for share in found] == pytest.approx([0.8, 0.2, 0])
    assert found.seed.low is None


def test_shares_take_off_what_seeds_add_by_hand():
    """Squares 32 between models, 8 between settings, 8 within: the mean square 2 is taken off once and twice."""
    values = np.repeat([-1.0, 1, 3, 5], 2) + np.tile([1.0, -1], 4)
    found = variance_shares(values, np.repeat(["a", "b"], 4), np.repeat(np.arange(4), 2), rng())
    assert found is not None
    assert [share.point for share in found] == pytest.approx([30 / 48, 4 / 48, 14 / 48])


def test_shares_of_an_unbalanced_sweep_by_hand():
    """Model a: settings at 0 (four runs) and 3 (two), mean 1; model b: one setting at 4 (two runs); grand mean 7/4."""
    values = np.repeat([0.0, 3, 4], [4, 2, 2]) + np.tile([0.5, -0.5], 4)
    found = variance_shares(values, np.repeat(["a", "b"], [6, 2]), np.repeat(np.arange(3), [4, 2, 2]), rng())
    between, inside, within = 6 * 0.75**2 + 2 * 2.25**2, 4 * 1 + 2 * 4, 8 * 0.25
    total, noise = between + inside + within, within / 5
    assert found is not None
    assert found.objective.point == pytest.approx((between - noise) / total)
    assert found.hyperparameter.point == pytest.approx((inside - noise) / total)
    assert found.seed.point == pytest.approx((within + 2 * noise) / total)


def test_shares_that_cannot_be_had():
    """With one run a configuration nothing is the seed's; with one model nothing is the objective's."""
    ids = np.arange(4)
    assert variance_shares(np.arange(4.0), ids // 2, ids, rng()) is None
    assert variance_shares(np.ones(8), np.zeros(8), np.repeat(ids, 2), rng()) is None
    found = variance_shares(np.arange(8.0), np.zeros(8), np.repeat(ids, 2), rng())
    assert found is not None and found.objective.point == 0


def test_shares_of_ten_seeds_lie_in_their_intervals():
    owners = np.repeat(np.arange(6), 10)
    values = owners + np.random.default_rng(0).normal(size=60)
    found = variance_shares(values, owners // 2, owners, rng())
    assert found is not None and sum(share.point for share in found) == pytest.approx(1)
    for share in found:
        assert share.low is not None and share.high is not None and 0 <= share.low < share.point < share.high <= 1


def test_ranks_of_configurations_far_apart_are_sure():
    runs = np.random.default_rng(0).normal(size=(3, 10))
    best, worst, middle = ranking([runs[0] + 100, runs[1], runs[2] + 50])
    assert (best.rank, best.low, best.high, best.letters, best.alike) == (1, 1, 1, "a", ())
    assert (middle.rank, worst.rank, worst.letters) == (2, 3, "c")


def test_ranks_of_equal_configurations_are_open():
    same = np.arange(10.0)
    for place in ranking([same, same, same]):
        assert place[:4] == (1, 1, 3, "a") and len(place.alike) == 2


def test_fewer_runs_than_the_others_have_no_rank():
    runs = np.random.default_rng(0).normal(size=(2, 10))
    best, few, worst = ranking([runs[0] + 100, np.array([50.0, 51, 52]), runs[1]])
    assert few == (None, None, None, "", ())
    assert (best.rank, best.low, best.high, best.alike) == (1, 1, 1, (1,))
    assert (worst.rank, worst.low, worst.high) == (2, 2, 2)
    assert [place.rank for place in ranking([np.array([1.0, 2]), np.array([5.0]), np.array([3.0, 3])])] == [2, None, 1]
    assert (runs_needed([3, 1]), runs_needed([50, 10, 9]), runs_needed([])) == (3, 10, 0)


def test_few_runs_are_ranked_by_the_mean_that_tables_show():
    outlying, steady = np.array([0.0, 1, 1, 1, 10]), np.array([2.0, 2, 2, 2, 2])
    assert interquartile_mean(outlying) < interquartile_mean(steady)
    assert [place.rank for place in ranking([outlying, steady])] == [1, 2]
    shared = ranking([np.tile(outlying, 4), np.tile(steady, 4)], sample=False)
    assert shared == [(1, None, None, "", ()), (2, None, None, "", ())], "runs that are no sample, however many"


def test_letters_by_hand():
    """1 is told from 3 and 4, and 2 from 4: a holds 1 and 2, b 2 and 3, c 3 and 4."""
    told = np.zeros((4, 4), dtype=bool)
    for i, j in ((0, 2), (0, 3), (1, 3)):
        told[i, j] = told[j, i] = True
    assert letter_groups(told, np.array([4.0, 3, 2, 1])) == ["a", "ab", "bc", "c"]
    assert letter_groups(np.zeros((0, 0), dtype=bool), np.array([])) == []


def test_letters_are_shared_exactly_by_those_not_told_apart():
    generator = np.random.default_rng(0)
    for _ in range(20):
        told = np.triu(generator.random((7, 7)) < 0.4, 1)
        told |= told.T
        letters = letter_groups(told, generator.normal(size=7))
        for i in range(7):
            for j in range(i):
                assert bool(set(letters[i]) & set(letters[j])) == (not told[i, j])


def test_letters_after_z_stand_apart():
    told = ~np.eye(28, dtype=bool)
    letters = letter_groups(told, -np.arange(28.0))
    assert letters[0] == "a" and letters[25:] == ["z", "aa", "ab"]


OWNERS = np.array([0, 0, 1, 1])


def test_chance_of_highest_by_hand():
    """Owners draw {4, 1} and {3, 2}: 4 wins whenever it is drawn, else 3 or 2 do."""
    found = chance_of_highest(np.array([4.0, 1, 3, 2]), OWNERS, np.ones((1, 4)))
    np.testing.assert_allclose(found, [[0.5, 0, 0.25, 0.25]])
    # {1, 0} against {1, 0}: one of the ones wins in three of four sweeps, and they share it.
    found = chance_of_highest(np.array([1.0, 0, 1, 0]), OWNERS, np.ones((1, 4)))
    np.testing.assert_allclose(found, [[0.375, 0.125, 0.375, 0.125]])


def test_chance_of_highest_sees_how_often_a_run_was_drawn():
    found = chance_of_highest(np.array([4.0, 1, 3, 2]), OWNERS, np.array([[2.0, 0, 1, 1], [0, 2, 2, 0]]))
    np.testing.assert_allclose(found, [[1, 0, 0, 0], [0, 0, 1, 0]])


def test_regret_by_hand():
    """Sweeps (4, 3), (4, 2), (1, 3), (1, 2): the best score 4, 4, 3, 2, mean 13/4; any at random 5/2."""
    measure = np.array([4.0, 1, 3, 2])
    random = selection_regret(measure, None, OWNERS, rng())
    assert (random.best, random.chosen, random.regret.point) == pytest.approx((13 / 4, 5 / 2, 3 / 4))
    # A criterion that always prefers the second configuration: (3, 2, 3, 2), mean 5/2; the measure itself: none.
    second = selection_regret(measure, np.array([0.0, 0, 1, 1]), OWNERS, rng())
    assert second.chosen == pytest.approx(5 / 2) and second.regret.low is None
    assert second.at_random == pytest.approx(random.chosen)
    assert selection_regret(measure, measure, OWNERS, rng()).regret.point == pytest.approx(0)
    # The worst of each sweep: 3, 2, 1, 1.
    assert selection_regret(measure, -measure, OWNERS, rng()).chosen == pytest.approx(7 / 4)


def test_regret_of_ten_seeds_has_an_interval():
    generator = np.random.default_rng(0)
    owners = np.repeat(np.arange(3), 10)
    found = selection_regret(owners + generator.normal(size=30), generator.normal(size=30), owners, rng()).regret
    assert found.low is not None and found.high is not None and 0 < found.low < found.point < found.high


def test_intervals_of_shares_are_drawn_around_the_corrected_ones():
    """Of squares 32, 8 and 8 the mean square 2 is taken off once and twice: the pulled means have squares 30 and 4."""
    means, runs, parents = np.array([-1.0, 1, 3, 5]), np.full(4, 2), np.array([0, 0, 1, 1])
    _, between, inside = _squares(_shrunk(means, 8.0, runs, parents)[None], runs, parents)
    assert (between[0], inside[0]) == pytest.approx((30, 4))
    _, between, inside = _squares(_shrunk(means, 80.0, runs, parents)[None], runs, parents)
    assert (between[0], inside[0]) == pytest.approx((12, 0)), "there is no less than nothing"
