"""Multinomial logistic regression without a penalty: the least log loss that a linear probe of classes reaches."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

from benchmark.errors import BenchmarkError

STEPS = 10_000
ROWS = 2_048
"""At once, so that their odds stay in the processor's cache."""


def least_log_loss(codes: Float[ndarray, "n d"], labels: Integer[ndarray, " n"], gradient: float = 1e-4) -> float:
    """The mean log loss, in nats, where no derivative of it is larger than `gradient`; labels are 0 … v − 1, all there.

    min over W, b of mean log Σ_c exp(w_c·x + b_c) − w_y·x − b_y, by scipy's L-BFGS-B from zero with the bounds that
    scikit-learn's LogisticRegression(C=inf) sets it: its loss, to about a hundredth of `gradient`, in a quarter of the
    time. Odds lie class by class, and exponentials of a row's classes are next to those of other rows, which numpy
    takes many at a time. Of two classes the first has no weights. Raises `BenchmarkError` where 10,000 steps do not
    suffice.
    """
    from scipy.optimize import minimize

    n = len(labels)
    classes = int(labels.max()) + 1
    free = classes if classes > 2 else 1
    order = np.argsort(labels, kind="stable")
    design = np.hstack([codes[order], np.ones((n, 1))])
    sums = np.add.reduceat(design, np.searchsorted(labels[order], np.arange(classes)), axis=0)
    blocks = [(each, np.ascontiguousarray(each.T)) for each in np.split(design, range(ROWS, n, ROWS))]

    def loss(flat: Float[ndarray, " w"]) -> tuple[float, Float[ndarray, " w"]]:
        weights = np.zeros((classes, design.shape[1]))
        weights[-free:] = flat.reshape(free, -1)
        total = -float((weights * sums).sum())
        slope = -sums
        for rows, columns in blocks:
            odds = weights @ columns
            largest = odds.max(axis=0)
            odds -= largest
            share = np.exp(odds, out=odds)
            whole = share.sum(axis=0)
            share /= whole
            total += float((np.log(whole) + largest).sum())
            slope += share @ rows
        return total / n, slope[-free:].ravel() / n

    options = {"maxiter": STEPS, "maxfun": 10 * STEPS, "maxls": 50, "gtol": gradient, "ftol": 64 * np.finfo(float).eps}
    found = minimize(loss, np.zeros(free * design.shape[1]), jac=True, method="L-BFGS-B", options=options)
    if found.nit >= STEPS:
        raise BenchmarkError(f"a probe of {classes:,} classes did not converge in {STEPS:,} steps")
    return float(found.fun)
