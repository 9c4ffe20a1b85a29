"""How well a linear classifier reads each factor's class from means, from means and variances, and from samples."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import (
    check_factors,
    check_posterior,
    check_table,
    is_discrete,
    need_few_classes,
    varying_codes,
    varying_factors,
)
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import Count, Positive
from benchmark.metrics._split import Split, learning_rows


@metric(
    also=("linear_separability_mean_variance", "linear_separability_sample"),
    supervised=True,
    readout="classes",
    rows="all",
    judges="whole",
    representations=("mean",),
    quick={"train": 1_000, "test": 1_000},
    trial={"train": 600, "test": 300},
)
def linear_separability(
    means: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    variances: Float[ndarray, "n d"] | None = None,
    samples: Float[ndarray, "n d"] | None = None,
    *,
    c: Positive = 1.0,
    train: Count = 10_000,
    test: Count = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """The linear separability of P §2.2: test accuracy of logistic regression on what the encoder says of a point.

    accuracy = mean over discrete factors of the share of test rows whose class is predicted right, by multinomial
    logistic regression (L2, scikit-learn's `c` = 1, run to convergence) learnt on `train` rows from the means μ; from
    [μ, σ²], the diagonal of the covariance beside it; and from one sampled z. Every feature is standardised by its
    mean and deviation over the training rows, so that neither units nor the penalty favour μ over σ²; features that
    are constant there are left out, and with none left the most frequent class is predicted. The rows are the same
    for all three. Where the training rows show one class only, it is predicted; classes that they do not show are
    mistakes. Constant and continuous factors are dropped.

    Returns `linear_separability` (from μ), `linear_separability_mean_variance` and `linear_separability_sample` where
    `variances` and `samples` are given, and each of them with `_factor_I`; in [0, 1], higher is better. Chance is the
    share of the most frequent class. Cost: 1 s a feature set on 10,000 × 10 codes with five factors of up to 40 values.
    Blind to how codes are arranged up to invertible linear maps, and to information that no hyperplane reads:
    of 40 equally spaced values on one axis, it tells apart about a third.
    Others: P says neither whether features were scaled nor how the fit was penalised.
    Raises `NotApplicable` on fewer than `train` + `test` rows and without a discrete factor that varies, `UsageError`
    on unusable input.
    """
    features = {"linear_separability": check_table(means, "means")}
    if variances is not None:
        features["linear_separability_mean_variance"] = np.hstack(check_posterior(means, variances))
    if samples is not None:
        if np.shape(samples) != np.shape(means):
            raise UsageError(f"samples of shape {np.shape(samples)} do not fit means of shape {np.shape(means)}")
        features["linear_separability_sample"] = check_table(samples, "samples")
    factors = check_factors(factors, len(means))
    discrete = [k for k in varying_factors(factors) if is_discrete(factors[:, k])]
    if not discrete:
        raise NotApplicable("every factor that varies is continuous: there are no classes to tell apart")
    need_few_classes(factors, discrete)
    training, testing = learning_rows(len(means), train, test, seed, split)
    scores = {}
    for name, table in features.items():
        known, asked = standardised(table[training], table[testing])
        found = [_accuracy(known, asked, factors[training, k], factors[testing, k], c) for k in discrete]
        scores[name] = float(np.mean(found))
        scores |= {f"{name}_factor_{k}": accuracy for k, accuracy in zip(discrete, found, strict=True)}
    return scores


def standardised(
    train: Float[ndarray, "a d"], test: Float[ndarray, "b d"]
) -> tuple[Float[ndarray, "a e"], Float[ndarray, "b e"]]:
    """Both tables less the mean and over the deviation of `train`, without the columns that are constant there."""
    varying = varying_codes(train)
    train, test = (table[:, varying].astype(np.float64) for table in (train, test))
    mean = train.mean(axis=0)
    # By the largest value first: squares of what is smaller than 1e-154 would vanish.
    size = np.abs(train - mean).max(axis=0)
    train, test = (train - mean) / size, (test - mean) / size
    deviation = train.std(axis=0)
    return train / deviation, test / deviation


def _accuracy(
    train: Float[ndarray, "a e"],
    test: Float[ndarray, "b e"],
    known: Num[ndarray, " a"],
    asked: Num[ndarray, " b"],
    c: float,
) -> float:
    """The share of `asked` that is predicted right from `test`, after learning `known` from `train`."""
    from sklearn.linear_model import LogisticRegression

    values, labels = np.unique(known, return_inverse=True)
    if len(values) == 1 or not train.shape[1]:
        return float((asked == values[np.bincount(labels).argmax()]).mean())
    classifier = LogisticRegression(C=c, max_iter=10_000).fit(train, labels)
    return float((values[classifier.predict(test)] == asked).mean())
