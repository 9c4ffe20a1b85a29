"""EDI: the index of tables of shares on paper, and estimates of information whose truth is known."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._held_out import held_out_information
from benchmark.metrics.edi import edi, estimated, exclusivity, modularity_of

SIZES = (2, 3, 4)
FACTORS = np.stack(np.unravel_index(np.arange(2_400) % 24, SIZES), axis=1)
PERFECT = (FACTORS - FACTORS.mean(axis=0)) / FACTORS.std(axis=0)
QUICK = {"steps": 300}


def noise(columns, rows=2_400, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns))


def three(found):
    return [found[f"edi_{name}"] for name in ("modularity", "compactness", "explicitness")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([1, 0, 0, 0], 1),
        ([1, 1, 0, 0], 1 - 1 / np.sqrt(3)),
        ([1, 0.6, 0.8], 1 - np.sqrt(0.5)),  # √((0.36 + 0.64) / 2)
        ([0.7, 0.7, 0.7], 0),
        ([0, 0, 0], 0),
        ([0.2, 0.5], 0.3),
    ],
)
def test_exclusivity_on_paper(row, expected):
    assert exclusivity(np.array([row], dtype=float)) == pytest.approx([expected])
    assert exclusivity(np.array([row[::-1]], dtype=float)) == pytest.approx([expected])


EYE = np.eye(4)


@pytest.mark.parametrize(
    ("share", "modularity", "compactness"),
    [
        (EYE, 1, 1),
        # Each factor by two codes that tell of it alone: modular, and not compact: 1 − 1/√7 over eight codes.
        (np.vstack([EYE, EYE]), 1, 1 - 1 / np.sqrt(7)),
        # A code of two factors and a code of the third: compact, and not modular. The paper prints 0.431.
        (np.array([[1.0, 1, 0], [0, 0, 1]]), (1 - 1 / np.sqrt(2) + 1) / 3, 1),
        # Two codes of half of a factor each and a code of the other: modular, and not compact. The paper prints 0.574.
        (np.array([[0.5, 0], [0.5, 0], [0, 1]]), 1, (0.5 - 0.5 / np.sqrt(2) + 1) / 2),
        # Every code says the same of every factor: neither.
        (np.full((4, 4), 0.9), 0, 0),
        # A code that says nothing counts for none of them, but is one of the others in a factor's column.
        (np.vstack([EYE, EYE[:1], 0 * EYE[:1]]), 1, 1 - (1 / np.sqrt(5)) / 4),
    ],
    ids=["perfect", "all twice", "not modular", "not compact", "neither", "one twice"],
)
def test_modularity_and_compactness_of_known_shares(share, modularity, compactness):
    """The paper's boundary cases among them."""
    assert modularity_of(share).mean() == pytest.approx(modularity)
    assert exclusivity(share.T).mean() == pytest.approx(compactness)


def test_a_factors_sum_is_capped():
    """Codes of 0.8 and 0.7 of one factor alone sum to 1.5, which counts as 1."""
    assert modularity_of(np.array([[0.8, 0], [0.7, 0], [0, 0.5]])) == pytest.approx([1, 0.5])


def test_perfect_codes():
    found = edi(PERFECT, FACTORS, **QUICK)
    assert three(found) == pytest.approx([1, 1, 1], abs=0.01)
    assert found["edi_explicitness_factor_2"] == pytest.approx(1, abs=0.01)


def test_a_monotone_map_and_a_row_far_away_change_nothing():
    codes = np.exp(5 * PERFECT)
    codes[0, 0] = 1e9
    assert three(edi(codes, FACTORS, **QUICK)) == pytest.approx([1, 1, 1], abs=0.01)


def test_held_twice_is_modular_and_not_compact():
    """Of six codes two hold each factor whole: 1 − 1/√5."""
    found = edi(np.hstack([PERFECT, -PERFECT]), FACTORS, **QUICK)
    assert three(found) == pytest.approx([1, 1 - 1 / np.sqrt(5), 1], abs=0.01)


def test_rotated_codes_hold_all_and_are_neither_modular_nor_compact():
    """(1, 1, 1)/√3 and two at right angles to it: every code tells of every factor."""
    turn = np.linalg.qr(np.array([[1.0, 1, 1], [1, -1, 0.3], [1, 0.2, -1]]).T)[0]
    modularity, compactness, explicitness = three(edi(PERFECT @ turn + 0.05 * noise(3), FACTORS, **QUICK))
    assert modularity < 0.5
    assert compactness < 0.5
    assert explicitness > 0.97


def test_noise_says_nothing_of_any_factor():
    """Exactly 0: shares of chance would otherwise be shares of chance, which are large."""
    assert three(edi(noise(8), FACTORS, **QUICK)) == [0, 0, 0]


def test_codes_of_noise_do_not_hide_two_perfect_ones():
    """Two of three factors whole in one code each: 2/3 everywhere."""
    found = edi(np.hstack([PERFECT[:, :2], noise(8)]), FACTORS, **QUICK)
    assert three(found) == pytest.approx([2 / 3, 2 / 3, 2 / 3], abs=0.02)


def test_parity_is_in_all_codes_and_in_none():
    """v = a xor b: I(a; v) = I(b; v) = 0, I(a, b; v) = log 2. Explicit, neither modular nor compact."""
    bits = np.stack(np.unravel_index(np.arange(2_000) % 4, (2, 2)), axis=1)
    factors = np.stack([bits.sum(axis=1) % 2, bits[:, 0]], axis=1)
    found = edi(bits + 0.01 * noise(2, 2_000), factors, **QUICK)
    assert found["edi_explicitness_factor_0"] == pytest.approx(1, abs=0.01)
    assert found["edi_modularity_factor_0"] == found["edi_compactness_factor_0"] == 0
    assert found["edi_compactness_factor_1"] == pytest.approx(1, abs=0.01)


def test_information_of_a_noisy_bit():
    """z = v in nine of ten points, beside five codes of noise: log 2 − H(0.9, 0.1) = 0.368 nats of z and of all."""
    rng = np.random.default_rng(1)
    factor = rng.integers(2, size=4_000)
    bit = np.where(rng.random(4_000) < 0.1, 1 - factor, factor)
    truth = np.log(2) + 0.9 * np.log(0.9) + 0.1 * np.log(0.1)
    codes = np.hstack([bit[:, None], noise(5, 4_000)])
    found = estimated(codes, factor[:, None], 3, 300, 0)
    assert found.single[:, 0] == pytest.approx([truth, 0, 0, 0, 0, 0], abs=0.03)
    assert found.joint == pytest.approx([truth], abs=0.03)
    assert held_out_information(codes - codes.mean(axis=0), factor, 300, 0) == pytest.approx(truth, abs=0.06)


def test_nothing_learnt_is_not_below_nothing_by_much():
    """What noise leaves the network is chosen early, before it believes what it has learnt by heart."""
    labels = np.random.default_rng(2).integers(10, size=1_000)
    assert -0.1 < held_out_information(noise(5, 1_000), labels, 300, 0) < 2 / np.sqrt(1_000)


def test_constant_codes_and_factors_count_for_nothing():
    codes = PERFECT + 0.3 * noise(3)
    usual = edi(codes, FACTORS, **QUICK)
    assert edi(np.insert(codes, 1, 1 / 3, axis=1), FACTORS, **QUICK) == usual
    beside = edi(codes, np.insert(FACTORS, 3, 5, axis=1), **QUICK)
    assert beside == usual


def test_one_factor_and_one_code_have_no_others():
    assert not any("modularity" in name for name in edi(PERFECT, FACTORS[:, :1], **QUICK))
    assert not any("compactness" in name for name in edi(PERFECT[:, :1], FACTORS, **QUICK))


def test_refusals():
    with pytest.raises(NotApplicable, match=r"999 points.*1,000"):
        edi(PERFECT[:999], FACTORS[:999])
    with pytest.raises(NotApplicable, match="no code varies"):
        edi(np.full((2_400, 3), 1 / 3), FACTORS)
    with pytest.raises(NotApplicable, match="201 codes are more than 200"):
        edi(noise(201), FACTORS)
    with pytest.raises(NotApplicable, match=r"factor 0 has 800 values in 2,400 points, under 4 a value"):
        edi.declaration.function(PERFECT, np.arange(2_400)[:, None] % 800)
    with pytest.raises(UsageError, match="NaN"):
        edi(np.full((2_400, 3), np.nan), FACTORS)
