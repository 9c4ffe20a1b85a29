"""SNC and NK: factors read from one code and without it, on paper."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable
from benchmark.metrics.nk import nk
from benchmark.metrics.snc import own_codes, snc

FACTORS = np.stack(np.unravel_index(np.random.default_rng(0).permutation(1_200) % 12, (3, 4)), axis=1)
SPLIT = (np.arange(900), np.arange(900, 1_200))
SMALL = {"hidden": 32, "epochs": 30, "batch": 100, "split": SPLIT}


def noise(columns):
    return np.random.default_rng(1).standard_normal((1_200, columns))


def near(codes):
    """With so little noise that no two values overlap: intervals of equal frequency may still cut into one."""
    return codes + 0.01 * np.random.default_rng(2).standard_normal(codes.shape)


def test_perfect_codes_are_read_alone_but_for_the_edges():
    """Test rows show each value as often as the training rows to within chance: few rows lie beyond an edge."""
    found = snc(near(FACTORS.astype(float)), FACTORS, split=SPLIT)
    assert found["snc"] > 0.95
    assert snc(near(-FACTORS[:, ::-1].astype(float)), FACTORS, split=SPLIT)["snc"] > 0.95


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_perfect_codes_of_few_values_are_read_without_a_mistake(sign):
    """Whatever the draw has more of: a value's equal codes are never cut."""
    rng = np.random.default_rng(3)
    for _ in range(5):
        rows = rng.permutation(1_200)
        split = (rows[:900], rows[900:])
        assert snc(sign * FACTORS, FACTORS, split=split)["snc"] == 1


def test_edges_lie_between_values_as_near_to_equal_frequency_as_can_be():
    """Of ten rows six have 0, three 1 and one 2. Thirds end at rows 3 and 6; values change at 6 and 9, and 6 is nearer
    to both: 0 has an interval, 1 and 2 share one, named 1, and the test rows of value 2 are mistakes."""
    factor = np.array([0] * 6 + [1] * 3 + [2] + [0, 1, 2, 2])[:, None]
    found = snc(factor.astype(float), factor, split=(np.arange(10), np.arange(10, 14)))
    assert found["snc"] == 2 / 4


def test_a_code_of_two_factors_serves_one():
    """4 v₀ + v₁ and noise: v₁, with more information in it, is assigned the mixture, whose quarters are v₀'s.

    Of three values of v₀ four intervals cut 1/4 each; within each v₁'s four values are as frequent: chance.
    """
    codes = np.stack([4.0 * FACTORS[:, 0] + FACTORS[:, 1], noise(1)[:, 0]], axis=1)
    assert own_codes(codes, FACTORS, [0, 1], 20)[1] == 0
    found = snc(codes, FACTORS, split=SPLIT)
    assert found["snc_factor_0"] == pytest.approx(1 / 3, abs=0.1)
    assert found["snc_factor_1"] < 0.5


def test_each_value_has_an_interval_of_its_own():
    """A code that merges values 0 and 1 of three, and of 2: two thirds lie in two intervals, of which one is named.

    Sorted, the third interval is 2's; the first third of the rows is named 0 or 1, at best half of it right.
    """
    code = np.where(FACTORS[:, :1] == 2, 1.0, 0.0)
    found = snc(near(code), FACTORS[:, :1], split=SPLIT)
    assert found["snc"] == pytest.approx(1 / 3 + 2 / 3 / 2, abs=0.08)


def test_a_factor_without_a_code_is_guessed():
    found = snc(near(FACTORS[:, 1:].astype(float)), FACTORS, split=SPLIT)
    assert found["snc_factor_1"] > 0.95
    assert found["snc_factor_0"] == pytest.approx(1 / 3, abs=0.08)


def test_constant_codes_are_a_guess_and_lose_nothing():
    assert snc(np.ones((1_200, 2)), FACTORS, split=SPLIT)["snc"] == pytest.approx((1 / 3 + 1 / 4) / 2, abs=0.08)
    assert nk(np.ones((1_200, 2)), FACTORS, **SMALL)["nk"] == 0


def test_without_its_code_a_factor_is_guessed():
    """All is read of perfect codes, and without its own code a factor of v values is right in 1 of v."""
    found = nk(near(FACTORS.astype(float)), FACTORS, **SMALL)
    assert found["nk_whole"] > 0.97
    assert found["nk_factor_0"] == pytest.approx(2 / 3, abs=0.1)
    assert found["nk_factor_1"] == pytest.approx(3 / 4, abs=0.1)


def test_a_copy_makes_up_for_what_is_taken():
    found = nk(near(FACTORS[:, [0, 1, 0, 1]].astype(float)), FACTORS, **SMALL)
    assert found["nk"] == pytest.approx(0, abs=0.03)


def test_of_noise_nothing_is_lost():
    found = nk(noise(4), FACTORS, **SMALL)
    assert abs(found["nk"]) < 0.1
    assert found["nk_whole"] < 0.45


def test_refusals():
    for measure in (snc, nk):
        with pytest.raises(NotApplicable, match="continuous"):
            measure(FACTORS.astype(float), noise(2), split=SPLIT)
    with pytest.raises(NotApplicable, match="201 codes are more than 200"):
        nk(noise(201), FACTORS, **SMALL)


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [2, 1, 0]])
def test_of_codes_that_determine_a_factor_the_coarsest_is_its_own(order):
    """v, and v + 2 · a coin, which determines v and reads it by no interval: version 2 took whichever came first."""
    rng = np.random.default_rng(0)
    v, coin, w = rng.integers(0, 2, size=(3, 3_000))
    codes = np.stack([v, v + 2 * coin, w], axis=1).astype(float)[:, order]
    factors = np.stack([v, w], axis=1)
    assert snc(codes, factors, train=2_000, test=1_000)["snc"] == 1
    assert own_codes(codes, factors, [0, 1], 20) == {0: order.index(0), 1: order.index(2)}
