"""Logistic regressions of every class against the rest, all at once: a hundred small problems share each product."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

from benchmark.errors import BenchmarkError

STEPS = 100
HALVINGS = 40
TOLERANCE = 1e-8
"""Of the gradient, as a share of the largest that a row can have a part in."""


def one_against_rest(
    x: Float[ndarray, "n d"], labels: Integer[ndarray, " n"], classes: Integer[ndarray, " v"], c: float
) -> tuple[Float[ndarray, "d v"], Float[ndarray, " v"]]:
    """Weights and intercept of each class's regression, to convergence.

    min ½ ‖w‖² + C Σ log(1 + exp(−y (w·x + b))), y = 1 on the class's rows and −1 on all others, the intercept free:
    what scikit-learn's LogisticRegression minimises, class by class. Newton steps with halving. Every class must have
    rows, and not all of them.
    """
    from scipy.special import expit

    n, d = x.shape
    design = np.hstack([x, np.ones((n, 1))])
    rows, columns = np.triu_indices(d + 1)
    products = design[:, rows] * design[:, columns]
    target = (labels[:, None] == classes).astype(np.float64)
    penalty = np.r_[np.ones(d), 0.0][:, None]
    weights = np.zeros((d + 1, len(classes)))
    size = c * np.abs(design).sum(axis=0).max()

    def loss(weights: ndarray) -> tuple[ndarray, ndarray]:
        """Each class's loss, and the decisions."""
        decision = design @ weights
        misfit = np.maximum(decision, 0) - decision * target + np.log1p(np.exp(-np.abs(decision)))
        return c * misfit.sum(axis=0) + 0.5 * (penalty * weights**2).sum(axis=0), decision

    value, decision = loss(weights)
    for _ in range(STEPS):
        share = expit(decision)
        gradient = c * design.T @ (share - target) + penalty * weights
        if np.abs(gradient).max() <= TOLERANCE * size:
            return weights[:-1], weights[-1]
        hessian = np.empty((len(classes), d + 1, d + 1))
        hessian[:, rows, columns] = hessian[:, columns, rows] = c * (share * (1 - share)).T @ products
        hessian += np.diag(penalty[:, 0])
        step = np.linalg.solve(hessian, gradient.T[:, :, None])[:, :, 0].T
        length = np.ones(len(classes))
        for _ in range(HALVINGS):
            moved = weights - length * step
            reached, decision = loss(moved)
            worse = reached > value + 1e-12 * np.abs(value)
            if not worse.any():
                break
            length[worse] /= 2
        weights, value = moved, reached
    raise BenchmarkError(f"logistic regressions did not converge in {STEPS} Newton steps")
