"""The least log loss of a linear probe, against entropies worked out on paper and against scikit-learn."""

import numpy as np
import pytest

from benchmark.errors import BenchmarkError
from benchmark.metrics import _multinomial
from benchmark.metrics._multinomial import least_log_loss


def test_what_a_bit_leaves_of_three_classes():
    """z = 0 holds classes 0, 0, 1 and z = 1 classes 1, 2, 2, 2: two columns of weights reach every share, so what is
    left is H(v | z) = 3/7 H(2/3, 1/3) + 4/7 H(1/4, 3/4)."""
    codes = np.tile([0, 0, 0, 1, 1, 1, 1], 400)[:, None].astype(float)
    labels = np.tile([0, 0, 1, 1, 2, 2, 2], 400)
    left = sum(
        weight * -sum(p * np.log(p) for p in shares)
        for weight, shares in ((3 / 7, (2 / 3, 1 / 3)), (4 / 7, (1 / 4, 3 / 4)))
    )
    assert least_log_loss(codes, labels, gradient=1e-7) == pytest.approx(left, abs=1e-6)
    assert least_log_loss(codes, labels) == pytest.approx(left, abs=1e-3)


def test_two_classes_that_a_code_knows_nothing_of():
    codes = np.tile([-1.0, 1.0], 600)[:, None]
    labels = np.repeat([0, 1, 1], 400)
    assert least_log_loss(codes, labels) == pytest.approx(np.log(3) - 2 / 3 * np.log(2), abs=1e-6)


@pytest.mark.parametrize("values", [2, 3, 20])
def test_it_stops_where_scikit_learn_stops(values):
    """Rotated codes of noise and a noisy factor, in more rows than one block."""
    from scipy.special import logsumexp
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    labels = rng.integers(values, size=3_000)
    codes = np.column_stack([labels / values + 0.1 * rng.standard_normal(3_000), rng.standard_normal((3_000, 3))])
    codes = codes @ np.linalg.qr(rng.standard_normal((4, 4)))[0]
    odds = LogisticRegression(C=np.inf, tol=1e-4, max_iter=10_000).fit(codes, labels).decision_function(codes)
    odds = np.stack([np.zeros_like(odds), odds], axis=1) if odds.ndim == 1 else odds
    theirs = (logsumexp(odds, axis=1) - odds[np.arange(3_000), labels]).mean()
    assert least_log_loss(codes, labels) == pytest.approx(theirs, abs=1e-5)


def test_a_probe_that_does_not_converge_is_no_number(monkeypatch):
    monkeypatch.setattr(_multinomial, "STEPS", 1)
    labels = np.arange(600) % 3
    with pytest.raises(BenchmarkError, match="3 classes did not converge in 1 steps"):
        least_log_loss(np.sin(np.arange(1_200.0)).reshape(600, 2) + labels[:, None], labels)
