"""Scores less what chance gives: on few points, where the plain ones are mostly bias."""

import jaxtyping
import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.corrected import corrected
from benchmark.metrics.med import med
from benchmark.metrics.mig import mig
from benchmark.metrics.modularity import modularity

PLAIN = {"mig": mig, "modularity": modularity, "med": med}


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(4, size=(n, 2)), rng.standard_normal((n, 5))


@pytest.mark.parametrize("of", PLAIN)
def test_the_plain_score_is_the_measures_own(of):
    factors, noise = table(1_200)
    codes = factors @ [[1.0, 0.5], [0.0, 1.0]] + noise[:, :2]
    found = corrected(codes, factors, of=of, shuffles=3)
    assert found["corrected_plain"] == pytest.approx(PLAIN[of](codes, factors)[of])
    assert found["corrected"] == pytest.approx(found["corrected_plain"] - found["corrected_chance"])


@pytest.mark.parametrize("of", PLAIN)
def test_noise_scores_nothing_on_average(of):
    """Twenty tables of noise: their mean lies within four standard errors of nothing, and most within two deviations.

    Uncorrected, modularity's mean is 0.3.
    """
    found = [
        corrected(noise, factors, of=of, shuffles=30) for factors, noise in (table(300, seed) for seed in range(20))
    ]
    scores = np.array([each["corrected"] for each in found])
    spread = np.mean([each["corrected_chance_deviation"] for each in found])
    assert abs(scores.mean()) < 4 * spread / np.sqrt(len(scores))
    assert (np.abs(scores) < 2 * spread).mean() > 0.7
    assert of != "modularity" or np.mean([each["corrected_plain"] for each in found]) > 0.2


def test_perfect_codes_stay_far_above_chance():
    factors, _ = table(300)
    found = corrected(factors.astype(float), factors)
    assert found["corrected"] > 0.85
    assert found["corrected"] > 20 * found["corrected_chance_deviation"]


def test_codes_that_determine_each_other_are_no_signal():
    """Copies of one noise code: a shuffle keeps them copies, and the gap between them is 0 either way."""
    factors, noise = table(300)
    found = corrected(noise[:, [0, 0]], factors)
    assert found["corrected_plain"] == found["corrected_chance"] == pytest.approx(0)


def test_shuffles_that_leave_modularity_undefined_are_left_out():
    """One code of two values, each combination 13 times: under a shuffle in twenty both its halves hold as many of
    each value of either factor, and it tells nothing. By seed 15 one of two is so, and one score has no spread."""
    factors = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (13, 1))
    codes = factors[:, :1].astype(float)
    found = corrected(codes, factors, of="modularity")
    assert found["corrected_plain"] == pytest.approx(1)
    assert 0 < found["corrected_chance"] < 1
    with pytest.raises(NotApplicable, match="1 of 2 shuffles"):
        corrected(codes, factors, of="modularity", shuffles=2, seed=15)


def test_refusals():
    factors, noise = table(49)
    with pytest.raises(NotApplicable, match="at least 50"):
        corrected(noise, factors)
    factors, wide = table(1_000)[0], np.ones((1_000, 1_000))
    with pytest.raises(NotApplicable, match="ask for 500 shuffles"):
        corrected(wide, factors, shuffles=501)
    factors, noise = table(100)
    for wrong in ({"of": "dci"}, {"shuffles": 1}):
        with pytest.raises((UsageError, jaxtyping.TypeCheckError), match=r"of|shuffles"):
            corrected.declaration.function(noise, factors, **wrong)
