"""DCI: importances solved on paper, dead codes, the models' limits, and fits shared with the downstream task."""

import json
import pickle
import sys

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._trees import Fit, compute
from benchmark.metrics.dci import combine, dci, fits_of_factors, scores_of
from benchmark.metrics.sample_efficiency import sample_efficiency

RNG = np.random.default_rng(0)
FACTORS = RNG.integers(0, [3, 4, 2], size=(1_200, 3))
PERFECT = (FACTORS + 0.05 * RNG.standard_normal(FACTORS.shape)).astype(np.float32)
NOISE = RNG.standard_normal((1_200, 4)).astype(np.float32)
SMALL = {"train": 300, "test": 300}
TREES = ["gradient_boosting", "random_forest", "lightgbm"]
ALL = [*TREES, "lasso"]


def need(model):
    if model == "lightgbm":
        pytest.importorskip("lightgbm")


def continuous(n=1_500, k=3):
    return np.random.default_rng(5).uniform(-1, 1, size=(n, k))


def test_one_code_a_factor():
    disentanglement, completeness = scores_of(np.array([[0.0, 2.0], [1.0, 0.0]]))
    assert disentanglement == 1.0
    np.testing.assert_array_equal(completeness, 1.0)


def test_even_importances_separate_nothing():
    disentanglement, completeness = scores_of(np.ones((4, 3)))
    assert disentanglement == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(completeness, 0.0, atol=1e-12)


def test_codes_are_weighed_by_their_importance():
    """Code 0 holds factor 0 (D = 1, importance 6 of 8), code 1 both alike (D = 0, 2 of 8): D = ¾.

    Factor 0 comes from the codes as 6 : 1, of entropy −6/7 log₂ 6/7 − 1/7 log₂ 1/7 = log₂ 7 − 6/7 log₂ 6, factor 1
    from code 1 alone.
    """
    disentanglement, completeness = scores_of(np.array([[6.0, 0.0], [1.0, 1.0]]))
    assert disentanglement == pytest.approx(0.75)
    assert completeness == pytest.approx([1 - (np.log2(7) - 6 / 7 * np.log2(6)), 1.0])


def test_logarithms_to_the_base_of_factors_and_of_codes():
    """A code of two factors among four: 1 − log 2 / log 4 = ½. A factor of two codes among eight: 1 − 1/3."""
    importance = np.zeros((8, 4))
    importance[0, :2] = importance[1, 2:] = 1.0
    assert scores_of(importance)[0] == pytest.approx(0.5)
    spread = np.zeros((8, 2))
    spread[:2, 0] = spread[2, 1] = 1.0
    np.testing.assert_allclose(scores_of(spread)[1], [2 / 3, 1.0])


def test_no_importances():
    """A factor that no code predicts is not complete, and no code at all separates nothing: zeros, not NaN."""
    disentanglement, completeness = scores_of(np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert disentanglement == 1.0
    np.testing.assert_array_equal(completeness, [1.0, 0.0])
    for codes in (0, 3):
        disentanglement, completeness = scores_of(np.zeros((codes, 2)))
        assert disentanglement == 0.0
        np.testing.assert_array_equal(completeness, 0.0)


def test_one_code_is_complete_and_not_disentangled():
    disentanglement, completeness = scores_of(np.array([[1.0, 1.0]]))
    assert disentanglement == pytest.approx(0.0)
    np.testing.assert_array_equal(completeness, 1.0)


def test_completeness_is_the_plain_mean_over_factors():
    """Factor 0: importances 9 and 9, C = 0; factor 1: 1 and 0, C = 1. Weighed by importance it would be 1/19."""
    parts = [Fit(k, np.arange(5), np.arange(5, 9), 0, "lasso", 1) for k in (0, 4)]
    values = [
        {"accuracy": 0.5, "importances": [9.0, 0.0, 9.0], "columns": [0, 2]},
        {"accuracy": 0.7, "importances": [1.0, 0.0, 0.0], "columns": [0, 2]},
    ]
    scores = combine(parts, values)
    assert scores["completeness"] == pytest.approx(0.5)
    assert scores["informativeness"] == pytest.approx(0.6)
    assert scores["completeness_factor_4"] == 1.0
    assert scores["informativeness_factor_4"] == 0.7


@pytest.mark.parametrize("model", ALL)
def test_perfect_codes(model):
    """Clearly separated classes: a tree that splits on another code gains nothing (simulated: 0.99 and more)."""
    need(model)
    scores = dci(PERFECT, FACTORS, model=model, **SMALL)
    assert scores["disentanglement"] > 0.97
    assert scores["completeness"] > 0.97
    assert scores["informativeness"] > (0.9 if model == "lasso" else 0.97)


@pytest.mark.parametrize("model", TREES)
def test_noise(model):
    """Four codes that are alike: importances alike but for chance, and accuracies near 1/3, 1/4 and 1/2."""
    need(model)
    scores = dci(NOISE, FACTORS, model=model, **SMALL)
    assert scores["disentanglement"] < 0.05
    assert scores["completeness"] < 0.05
    assert scores["informativeness"] == pytest.approx((1 / 3 + 1 / 4 + 1 / 2) / 3, abs=0.06)


def test_a_rotation_lies_between():
    rotated = PERFECT @ np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0].astype(np.float32)
    scores = dci(rotated, FACTORS, model="random_forest", **SMALL)
    assert 0.02 < scores["disentanglement"] < 0.7


@pytest.mark.parametrize("model", ALL)
def test_dead_codes_change_nothing(model):
    need(model)
    settings = {"model": model, "train": 100, "test": 100}
    codes = PERFECT @ np.array([[1, 0.5, 0], [0, 1, 0], [0, 0.3, 1]], dtype=np.float32)
    expected = dci(codes, FACTORS[:, 1:], **settings)
    assert expected["disentanglement"] < 0.99
    for position in (0, 1, 3):
        assert dci(np.insert(codes, position, np.float32(1 / 3), axis=1), FACTORS[:, 1:], **settings) == expected
    assert dci(np.insert(codes, [0, 0, 2, 3, 3], np.float32(1 / 3), axis=1), FACTORS[:, 1:], **settings) == expected


@pytest.mark.parametrize("model", ALL)
def test_only_dead_codes(model):
    """The most frequent class is predicted, or the mean: an error of one deviation, up to chance."""
    need(model)
    scores = dci(np.ones((1_200, 2)), FACTORS, model=model, **SMALL)
    assert scores["disentanglement"] == scores["completeness"] == 0.0
    chance = 0.0 if model == "lasso" else (1 / 3 + 1 / 4 + 1 / 2) / 3
    assert scores["informativeness"] == pytest.approx(chance, abs=0.06)


def test_a_code_that_varies_outside_the_training_rows_only():
    codes = np.hstack([PERFECT, (np.arange(1_200) >= 900)[:, None].astype(np.float32)])
    split = np.arange(300), np.arange(800, 1_100)
    expected = dci(PERFECT, FACTORS, model="random_forest", split=split)
    assert dci(codes, FACTORS, model="random_forest", split=split) == expected


def test_lasso_finds_the_weights_of_a_linear_mixture():
    """v₀ = z₀ and v₁ = (z₀ + z₁)/√2 with z standard: weights 1 − α, and 1/√2 − α for each of two codes that are
    uncorrelated (the soft threshold). So D₀ has shares (0.98 : 0.687), D₁ = 1, C₀ = 1 and C₁ = 0."""
    z = np.random.default_rng(2).standard_normal((20_000, 2))
    v = np.stack([z[:, 0], z.sum(axis=1) / np.sqrt(2)], axis=1)
    scores = dci(z, v, model="lasso")
    one, half = 0.98, 1 / np.sqrt(2) - 0.02
    p = one / (one + half)
    d0 = 1 + p * np.log2(p) + (1 - p) * np.log2(1 - p)
    assert scores["disentanglement"] == pytest.approx(((one + half) * d0 + half) / (one + 2 * half), abs=0.01)
    assert scores["completeness_factor_0"] == 1.0
    assert scores["completeness_factor_1"] == pytest.approx(0.0, abs=1e-3)
    # What the penalty shrinks away stays as error: α, and √2 α.
    assert scores["informativeness_factor_0"] == pytest.approx(0.98, abs=2e-3)
    assert scores["informativeness_factor_1"] == pytest.approx(1 - 0.02 * np.sqrt(2), abs=2e-3)


def test_lasso_heeds_no_scale():
    v = continuous()
    z = v @ np.array([[1.0, 0.2, 0.0], [0.0, 1.0, 0.0], [0.4, 0.0, 1.0]])
    expected = dci(z, v, model="lasso", **SMALL)
    moved = dci(z * [1e4, -1e-3, 5.0] + 7, v * [3, 1, 0.01] - 2, model="lasso", **SMALL)
    assert moved == pytest.approx(expected, abs=1e-6)


def test_continuous_factors():
    v = continuous()
    scores = dci(v + 0.01, v, model="random_forest", **SMALL)
    assert scores["disentanglement"] > 0.95
    assert scores["informativeness"] > 0.9
    assert dci(NOISE, v[:1_200], model="random_forest", **SMALL)["informativeness"] < 0.05
    with pytest.raises(NotApplicable, match="continuous"):
        dci(v, v, **SMALL)


@pytest.mark.parametrize("model", ["gradient_boosting", "random_forest"])
@pytest.mark.parametrize(("unit", "origin"), [(2.0**-40, 0.0), (2.0**140, 0.0), (1.0, 1e9)])
def test_trees_see_codes_in_any_unit_and_far_from_zero(model, unit, origin):
    """They hold values less than 1e-7 apart for equal, and read single precision."""
    settings = {"model": model, "train": 100, "test": 100}
    codes = PERFECT.astype(np.float64)
    expected = dci(codes, FACTORS[:, 1:], **settings)
    assert expected["informativeness"] > 0.9
    assert dci(codes * unit + origin, FACTORS[:, 1:], **settings) == pytest.approx(expected, abs=0.02)


def test_a_forest_predicts_continuous_factors_in_any_unit():
    """A node whose squared errors are below 2e-16 is a leaf, were it the root."""
    v = continuous()
    assert dci(v, 1e-9 * v, model="random_forest", **SMALL)["informativeness"] > 0.9


def test_a_training_draw_of_one_class_predicts_it():
    fit = Fit(0, np.flatnonzero(FACTORS[:, 0] == 1)[:50], np.flatnonzero(FACTORS[:, 0] != 2)[-200:], 0, "lightgbm", 1)
    value = compute(PERFECT, FACTORS, fit)
    assert value["accuracy"] == (FACTORS[fit.test, 0] == 1).mean()
    assert value["importances"] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("model", TREES)
def test_classes_that_training_does_not_show_are_mistakes(model):
    need(model)
    shown = np.flatnonzero(FACTORS[:, 1] != 2)
    fit = Fit(1, shown[:300], np.setdiff1d(np.arange(1_200), shown[:300]), 0, model, 3)
    value = compute(PERFECT, FACTORS, fit)
    assert value["accuracy"] == pytest.approx((FACTORS[fit.test, 1] != 2).mean(), abs=0.02)


def test_fits_are_those_of_the_downstream_task():
    factors = np.random.default_rng(3).integers(0, 2, size=(16_000, 2))
    codes = factors.astype(float)
    parts, others = dci.declaration.pieces.parts(codes, factors), sample_efficiency.declaration.pieces
    shared = [part.name for part in parts]
    assert len(set(shared)) == 2
    largest = [part for part in others.parts(codes, factors) if len(part.train) == 10_000]
    assert [part.name for part in largest] == shared
    assert dci.declaration.pieces.compute is others.compute
    assert not {part.name for part in others.parts(codes, factors, seed=1)} & set(shared)
    assert not {part.name for part in dci.declaration.pieces.parts(codes, factors, model="lasso")} & set(shared)


def test_names_and_costs():
    fit = Fit(3, np.arange(10), np.arange(10, 15), 0, "gradient_boosting", 4)
    assert fit.name.startswith("gradient_boosting-factor3-train10-test5-") and fit.name.endswith("-s0-v1")
    assert fit.name == Fit(3, np.arange(10, dtype=np.int32), fit.test, 0, "gradient_boosting", 4).name
    assert fit.name != Fit(3, np.arange(10)[::-1], fit.test, 0, "gradient_boosting", 4).name
    assert fit.cost < Fit(3, np.arange(10), fit.test, 0, "gradient_boosting", 40).cost
    assert fit.cost < Fit(3, np.arange(1_000), fit.test, 0, "gradient_boosting", 4).cost


def test_pieces_survive_the_disk():
    pieces = dci.declaration.pieces
    parts = pickle.loads(pickle.dumps(pieces.parts(PERFECT, FACTORS, model="lasso", **SMALL)))
    values = [json.loads(json.dumps(pieces.compute(PERFECT, FACTORS, part))) for part in parts]
    assert pieces.combine(parts, values) == dci(PERFECT, FACTORS, model="lasso", **SMALL)


def test_refusals(monkeypatch):
    with pytest.raises(NotApplicable, match="one factor"):
        dci(PERFECT, np.hstack([FACTORS[:, :1], np.ones((1_200, 1), dtype=int)]), **SMALL)
    with pytest.raises(NotApplicable, match="15,000"):
        dci(PERFECT, FACTORS)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(UsageError, match="LightGBM is not installed"):
        dci(PERFECT, FACTORS, model="lightgbm", **SMALL)


@pytest.mark.parametrize("model", ["gradient_boosting", "random_forest"])
def test_trees_refuse_a_thousand_codes(model):
    """Before anything is fitted; constant codes are not searched, and do not count."""
    wide = np.random.default_rng(0).standard_normal((len(FACTORS), 257))
    with pytest.raises(NotApplicable, match="257 codes are more than 256"):
        dci(wide, FACTORS, model=model, **SMALL)
    wide[:, 0] = 1.0
    assert len(fits_of_factors(wide, FACTORS, model=model, **SMALL)) == FACTORS.shape[1]
