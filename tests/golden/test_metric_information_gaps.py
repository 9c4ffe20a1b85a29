"""MIG-sup, RMIG, JEMMIG and DCIMIG: cases on paper, ceilings and floors on the grid of dSprites."""

import math
from itertools import permutations

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.dcimig import dcimig
from benchmark.metrics.jemmig import jemmig
from benchmark.metrics.mig_sup import mig_sup
from benchmark.metrics.rmig import rmig

LOG = np.log
BINNED = [mig_sup, jemmig, dcimig]
SIZES = (3, 6, 40, 32, 32)


def grid(*sizes, repeats=1):
    return np.repeat(np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1), repeats, axis=0)


FOUR = grid(4, 4, repeats=100)
A, B = FOUR.T.astype(float)


def columns(*codes):
    return np.stack(codes, axis=1)


@pytest.fixture(scope="module")
def sprites():
    """10,000 rows of dSprites' grid, and their perfect codes scaled to unit variance."""
    rows = np.random.default_rng(0).choice(np.prod(SIZES), 10_000, replace=False)
    factors = np.stack(np.unravel_index(rows, SIZES), axis=1)
    return factors, (factors - factors.mean(axis=0)) / factors.std(axis=0)


@pytest.mark.parametrize("measure", BINNED)
def test_perfect_codes_in_any_order(measure):
    assert measure(columns(A, B), FOUR)[measure.__name__] == pytest.approx(1.0)
    assert measure(columns(-3 * B, A), FOUR)[measure.__name__] == pytest.approx(1.0)


def test_mig_sup_sees_the_code_of_two_factors():
    """4a + b tells all of both: no gap. The code of a alone has the gap 1, so the mean is ½; and as duplicates do not
    spoil each other's gap, a second code of a raises it to ⅔."""
    assert mig_sup(columns(A, 4 * A + B), FOUR) == pytest.approx(
        {"mig_sup": 0.5, "mig_sup_code_0": 1, "mig_sup_code_1": 0}
    )
    assert mig_sup(columns(A, A, 4 * A + B), FOUR)["mig_sup"] == pytest.approx(2 / 3)


def test_mig_sup_divides_by_the_factors_entropy():
    """a // 2 tells log 2 of log 4. The code 2a + [b > 1] tells log 4 of a and log 2 of b: (log 4 − log 2) / log 4."""
    assert mig_sup(columns(A // 2), FOUR)["mig_sup"] == pytest.approx(0.5)
    assert mig_sup(columns(2 * A + (B > 1)), FOUR)["mig_sup"] == pytest.approx(0.5)
    # Factors of 8 and 2 values, a code that tells ½ of the first, log 4 of log 8, and all of the second, log 2:
    # before the division the first is ahead, after it the second, by 1 − ⅔.
    factors = grid(8, 2, repeats=100)
    code = 2.0 * (factors[:, 0] // 2) + factors[:, 1]
    assert mig_sup(columns(code), factors)["mig_sup"] == pytest.approx(1 / 3)


def test_mig_sup_leaves_out_inactive_codes():
    noise = np.random.default_rng(0).standard_normal(len(A))
    expected = mig_sup(columns(A, 4 * A + B), FOUR)
    assert mig_sup(columns(A, 4 * A + B, 0.05 * noise), FOUR) == expected
    assert mig_sup(columns(A, 4 * A + B, 0.2 * noise), FOUR)["mig_sup"] < 0.4
    with pytest.raises(NotApplicable, match="no code has a variance above"):
        mig_sup(columns(0.05 * noise), FOUR)
    assert mig_sup(columns(0.05 * A), FOUR, threshold=0.0)["mig_sup"] == pytest.approx(1.0)


def test_jemmig_on_paper():
    """Of a's code z: H(z, a) − I + I₂, over log 4 + log 20.

    Perfect: log 4 − log 4 = 0. Duplicated: log 4 − log 4 + log 4. Halved: H = log 4, I = log 2, leaves log 2.
    The code 4a + b: H = log 16, I = log 4, leaves log 4 for each factor, if there is no other code.
    """
    top = LOG(4) + LOG(20)
    for codes, nats in [
        (columns(A, B), (0, 0)),
        (columns(A, A, B), (LOG(4), 0)),
        (columns(A // 2, B), (LOG(2), 0)),
        (columns(4 * A + B), (LOG(4), LOG(4))),
    ]:
        expected = [1 - value / top for value in nats]
        assert jemmig(codes, FOUR) == pytest.approx(
            {
                "jemmig": np.mean(expected),
                "jemmig_nats": np.mean(nats),
                "jemmig_factor_0": expected[0],
                "jemmig_factor_1": expected[1],
            },
            abs=1e-9,
        )


def test_jemmig_of_more_values_than_bins():
    """40 values fall in 20 bins two by two: H = log 40, I = log 20, log 2 is left of log 40 + log 20."""
    factors = np.repeat(np.arange(40), 50)[:, None]
    found = jemmig(factors.astype(float), factors)
    assert found["jemmig_nats"] == pytest.approx(LOG(2))
    assert found["jemmig"] == pytest.approx(1 - LOG(2) / LOG(800))


def test_dcimig_on_paper():
    """Entropy weighs: a code of the factor of 8 values alone has log 8 of log 8 + log 2, ¾; the other factor alone ¼.

    A code of both factors has the gap log 8 − log 2 and belongs to the first: 2 log 2 of 4 log 2.
    """
    factors = grid(8, 2, repeats=100)
    a, b = factors.T.astype(float)
    for codes, expected in [
        (columns(a), (1, 0, 3 / 4)),
        (columns(b), (0, 1, 1 / 4)),
        (columns(a, b, a), (1, 1, 1)),
        (columns(2 * a + b), (2 / 3, 0, 1 / 2)),
        (columns(2 * a + b, b), (2 / 3, 1, 3 / 4)),
        (columns(np.ones(len(a))), (0, 0, 0)),
    ]:
        found = dcimig(codes, factors)
        assert (found["dcimig_factor_0"], found["dcimig_factor_1"], found["dcimig"]) == pytest.approx(
            expected, abs=1e-9
        )


@pytest.mark.parametrize("measure", BINNED)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_dead_code_changes_nothing(measure, position):
    codes = columns(A, B) + np.random.default_rng(0).standard_normal(FOUR.shape)
    name = measure.__name__
    assert measure(np.insert(codes, position, 1 / 3, axis=1), FOUR)[name] == measure(codes, FOUR)[name]


@pytest.mark.parametrize("measure", BINNED)
def test_a_constant_factor_changes_nothing_but_the_indices(measure):
    codes = columns(A, B) + np.random.default_rng(0).standard_normal(FOUR.shape)
    expected, found = measure(codes, FOUR), measure(codes, np.insert(FOUR, 0, 7, axis=1))
    assert found[measure.__name__] == expected[measure.__name__]
    if measure is not mig_sup:
        assert f"{measure.__name__}_factor_0" not in found
        assert found[f"{measure.__name__}_factor_2"] == expected[f"{measure.__name__}_factor_1"]


@pytest.mark.parametrize("measure", BINNED)
def test_what_cannot_be_scored(measure):
    with pytest.raises(NotApplicable, match="1,000"):
        measure(columns(A, B)[:999], FOUR[:999])
    with pytest.raises(UsageError, match="bins"):
        measure(columns(A, B), FOUR, bins=1)
    if measure is not jemmig:
        with pytest.raises(NotApplicable, match="two factors"):
            measure(columns(A, B), FOUR[:, :1])


def test_bands_on_the_grid_of_dsprites(sprites):
    """Ceilings: values that share one of the 20 bins in pairs lose log 2: all of 40 values, 24 of 32 (¾ log 2).

    MIG-sup is the mean of I/H, DCIMIG ΣI/ΣH, JEMMIG 1 less what is lost over H + log 20. The second-best code's
    information is bias, (20 − 1)(40 − 1)/20,000 = 0.037 nats at most. Simulated, rotations stay below 0.25.
    """
    factors, perfect = sprites
    entropies = LOG(SIZES)
    lost = np.array([0, 0, LOG(2), 0.75 * LOG(2), 0.75 * LOG(2)])
    ceilings = {
        mig_sup: np.mean(1 - lost / entropies),
        dcimig: 1 - lost.sum() / entropies.sum(),
        jemmig: np.mean(1 - lost / (entropies + LOG(20))),
    }
    rng = np.random.default_rng(1)
    rotated = perfect @ np.linalg.qr(rng.standard_normal((5, 5)))[0]
    noise = rng.standard_normal((10_000, 10))
    for measure, ceiling in ceilings.items():
        name = measure.__name__
        assert measure(perfect, factors)[name] == pytest.approx(ceiling, abs=0.01)
        assert measure(np.hstack([np.zeros((10_000, 5)), perfect]), factors)[name] == measure(perfect, factors)[name]
        assert measure(rotated, factors)[name] < 0.35
        # Noise has a gap of about 0; for JEMMIG 1 − (H(z) + H(v)) / (log 20 + H(v)), H(z) below log 20 = 3.0.
        assert measure(noise, factors)[name] < (0.2 if measure is jemmig else 0.01)


def test_rmig_of_two_classes_in_two_bins_is_a_binary_channel():
    """Means ±m, deviation s, bins below and above 0: P(right side) = Φ(m/s), I = log 2 − H(Φ). The second code has
    the same means and a wider posterior, so the gap is the difference of the two."""
    factors = (np.arange(1_000) % 2)[:, None]
    sign = 2.0 * factors - 1

    def channel(ratio):
        right = 0.5 * (1 + math.erf(ratio / math.sqrt(2)))
        return 1 + (right * LOG(right) + (1 - right) * LOG(1 - right)) / LOG(2)

    one = rmig(0.7 * sign, np.full((1_000, 1), 0.25), factors, bins=2)
    assert one == pytest.approx({"rmig": channel(1.4), "rmig_factor_0": channel(1.4)})
    wide = np.tile([0.25, 4.0], (1_000, 1))
    assert rmig(0.7 * np.hstack([sign, sign]), wide, factors, bins=2)["rmig"] == pytest.approx(
        channel(1.4) - channel(0.35)
    )


def test_rmig_of_fine_bins_is_the_information_of_the_densities():
    """Four equally frequent means with noise: I = ∫ Σ ¼ p(z|v) log p(z|v)/p(z) dz, by a fine sum."""
    factors = (np.arange(1_000) % 4)[:, None]
    z = np.linspace(-6, 6, 20_001)
    density = np.exp(-0.5 * ((z - np.arange(-1.5, 2)[:, None]) / 0.4) ** 2) / (0.4 * math.sqrt(2 * math.pi))
    exact = (0.25 * density * np.log(density / density.mean(axis=0))).sum() * (z[1] - z[0])
    found = rmig(factors - 1.5, np.full((1_000, 1), 0.16), factors)["rmig"]
    assert found == pytest.approx(exact / LOG(4), abs=2e-3)
    assert rmig(factors - 1.5, np.full((1_000, 1), 0.16), factors, bins=10)["rmig"] < found - 0.01


def test_rmig_limits():
    """Narrow posteriors tell all; two equal codes leave no gap; the prior tells nothing; nothing falls off the ends."""
    codes = columns(A, B)
    narrow = np.full(codes.shape, 1e-8)
    assert rmig(codes - 1.5, narrow, FOUR)["rmig"] == pytest.approx(1.0)
    assert rmig(columns(A, A) - 1.5, narrow, FOUR)["rmig"] == pytest.approx(0.0, abs=1e-9)
    assert rmig(0 * codes, 1 + 0 * codes, FOUR)["rmig"] == pytest.approx(0.0, abs=1e-9)
    assert rmig(columns(A > 1, B > 1) * 50.0 - 25.0, narrow, FOUR)["rmig"] == pytest.approx(0.5)
    assert rmig(codes + 10, narrow, FOUR)["rmig"] == pytest.approx(0.0, abs=1e-9)
    assert rmig(codes + 10, narrow, FOUR, limit=20.0)["rmig"] == pytest.approx(1.0)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_rmig_collapsed_codes_and_constant_factors_change_nothing(position):
    codes, variances = columns(A, B) - 1.5, np.full(FOUR.shape, 0.2)
    expected = rmig(codes, variances, FOUR)
    collapsed = (np.insert(codes, position, 0.0, axis=1), np.insert(variances, position, 1.0, axis=1))
    assert rmig(*collapsed, FOUR) == pytest.approx(expected, abs=1e-12)
    assert rmig(codes, variances, np.insert(FOUR, position, 1, axis=1))["rmig"] == expected["rmig"]


def test_rmig_needs_posteriors_and_rows():
    with pytest.raises(UsageError, match="not positive"):
        rmig(columns(A, B), np.zeros(FOUR.shape), FOUR)
    with pytest.raises(NotApplicable, match="1,000"):
        rmig(columns(A, B)[:999], np.ones((999, 2)), FOUR[:999])
    for settings, said in (
        ({"bins": 1}, "fewer than 2 bins"),
        ({"bins": 10**6}, "more than"),
        ({"limit": 0.0}, "limit"),
    ):
        with pytest.raises(UsageError, match=said):
            rmig(columns(A, B), np.ones(FOUR.shape), FOUR, **settings)


def test_of_codes_that_determine_a_factor_jemmig_takes_the_coarsest_in_any_order():
    """Version 1 took the first: a finer copy in front cost a third, or none, as rounding would have it."""
    rng = np.random.default_rng(0)
    v, w = rng.integers(0, 2, size=(2, 3_000))
    codes = np.stack([v, v + 0.4 * rng.random(3_000), w + 0.4 * rng.random(3_000)], axis=1)
    factors = np.stack([v, w], axis=1)
    scores = {round(jemmig(codes[:, list(order)], factors)["jemmig"], 9) for order in permutations(range(3))}
    assert len(scores) == 1
    # H(z, v) − I + I_2 of the coarse code: 0 + H(v), as the finer one tells the same.
    entropy = -sum(p * np.log(p) for p in np.bincount(v) / len(v))
    found = jemmig(codes, factors)["jemmig_factor_0"]
    assert found == pytest.approx(1 - entropy / (entropy + np.log(20)), abs=1e-9)
