"""OMES: pairs that differ in one factor alone, and scores on paper."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics import omes as module
from benchmark.metrics.omes import _kept_apart, _pairs, omes

SIZES = (4, 5)
FACTORS = np.repeat(np.stack(np.unravel_index(np.arange(20), SIZES), axis=1), 3, axis=0)


def reach(values):
    """S of a perfect code: values of a pair are never the same, so that ρ = −1 / (v − 1)."""
    return 1 - 1 / (values - 1)


def test_pairs_differ_in_their_factor_alone_and_are_uniform():
    labels = np.stack(np.unravel_index(np.random.default_rng(0).permutation(24), (2, 3, 4)), axis=1)
    for place in range(3):
        first, second = _pairs(labels, place, 20_000, np.random.default_rng(1), name=place)
        same = labels[first] == labels[second]
        assert not same[:, place].any()
        assert np.delete(same, place, axis=1).all()
        counts = np.bincount(first * 24 + second)
        counts = counts[counts > 0]
        assert len(counts) == 24 * ((2, 3, 4)[place] - 1)
        assert np.abs(counts - counts.mean()).max() < 6 * np.sqrt(counts.mean())


def test_perfect_codes():
    """S is r on the diagonal and 0 elsewhere: overlap and multiple encoding are 1 − (1 − r) / 2, times r."""
    found = omes(FACTORS.astype(float), FACTORS, pairs=50_000)
    expected = [r * (1 - (1 - r) / 2) for r in map(reach, SIZES)]
    assert found["omes"] == pytest.approx(np.mean(expected), abs=0.02)
    assert found["omes_factor_0"] == pytest.approx(expected[0], abs=0.02)
    assert found["omes_overlap"] == pytest.approx(found["omes_multiple_encoding"], abs=0.02)


def test_a_copy_costs_multiple_encoding_and_a_mixture_overlap():
    """S = [[r, 0], [0, s], [r, 0]] with a copy of the first code: its factor's multiple encoding loses r / 3."""
    copied = omes(FACTORS[:, [0, 1, 0]].astype(float), FACTORS, pairs=50_000)
    r, s = map(reach, SIZES)
    overlap = np.mean([r * (1 - (1 - r) / 2), s * (1 - (1 - s) / 2)])
    multiple = np.mean([r * (1 - (1 - r + r) / 3), s * (1 - (1 - s) / 3)])
    assert copied["omes_overlap"] == pytest.approx(overlap, abs=0.02)
    assert copied["omes_multiple_encoding"] == pytest.approx(multiple, abs=0.02)
    mixed = omes((FACTORS @ [[1.0, 1.0], [1.0, -1.0]]), FACTORS, pairs=50_000)
    assert mixed["omes_overlap"] < overlap - 0.2


def test_distances_on_paper():
    """Of (0.8, 0.1, 0.3): from (1, 0, 0) it is 0.2 + 0.1 + 0.3 apart, 0.2 on average; from (0, 1, 0) 2.0."""
    np.testing.assert_allclose(_kept_apart(np.array([[0.8, 0.1, 0.3]]))[0, :2], [0.8, 1 - 2.0 / 3])


def test_alpha_weighs_the_two():
    codes = FACTORS[:, [0, 1, 0]].astype(float)
    found = omes(codes, FACTORS, alpha=0.25)
    assert found["omes"] == pytest.approx(0.25 * found["omes_overlap"] + 0.75 * found["omes_multiple_encoding"])


def test_factors_of_two_values_count_nothing():
    factors = np.repeat(np.stack(np.unravel_index(np.arange(4), (2, 2)), axis=1), 5, axis=0)
    assert omes(factors.astype(float), factors)["omes"] == pytest.approx(0, abs=1e-9)


def test_noise_scores_what_the_text_says():
    factors = np.stack(np.unravel_index(np.arange(4_096), (8, 8, 8, 8)), axis=1)
    noise = np.random.default_rng(0).standard_normal((4_096, 5))
    assert omes(noise, factors)["omes"] == pytest.approx((1 / 4 + 1 / 5) / 2, abs=0.05)


def test_constant_codes():
    expected = omes(FACTORS.astype(float), FACTORS)
    assert omes(np.insert(FACTORS.astype(float), 1, 1 / 3, axis=1), FACTORS) == expected
    assert omes(np.ones((60, 2)), FACTORS)["omes"] == 0


def test_many_factors_do_not_overflow(monkeypatch):
    labels = np.stack(np.unravel_index(np.arange(24), (2, 3, 4)), axis=1)
    whole = module._combinations(labels)
    monkeypatch.setattr(module, "LARGEST", 7)
    assert len(np.unique(module._combinations(labels))) == len(np.unique(whole)) == 24


def test_refusals():
    with pytest.raises(NotApplicable, match="alone"):
        omes(np.arange(8.0).reshape(4, 2), np.array([[0, 0], [1, 1], [2, 2], [3, 3]]))
    with pytest.raises(NotApplicable, match="continuous"):
        omes.declaration.function(FACTORS.astype(float), FACTORS + 0.5)
    with pytest.raises(NotApplicable, match="one factor"):
        omes(FACTORS.astype(float), FACTORS[:, :1])
    with pytest.raises(UsageError, match="alpha"):
        omes(FACTORS.astype(float), FACTORS, alpha=2.0)
