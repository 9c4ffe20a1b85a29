"""Distance to orthogonality: how far the decoder's local principal directions lie from the coordinate axes."""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import BenchmarkError, ScoreWarning, UsageError
from benchmark.metrics._declare import metric

Solver = Literal["assignment", "milp"]
Output = Literal["mean_image", "logits"]

PROGRAM = 50
"""Matrices solved in one block-diagonal program: starting the solver costs more than solving."""

TOLERANCE = 1e-3
"""How far V Vᵀ may be from the identity: singular vectors in single precision, nothing else."""

DEAD = 1e-3
"""Below this share of the point's largest singular value a direction is dead: the decoder hardly moves along it."""


@metric(
    higher_is_better=False,
    bounds=(0.0, float("inf")),
    representations=("mean",),
    rows="all",
    of_latents=True,
    later=("of",),
    instead={"of": {"logits": {"v": "v_logits"}}},
)
def dto(
    v: Float[ndarray, "m d d"],
    singular_values: Float[ndarray, "m r"] | None = None,
    *,
    solver: Solver = "assignment",
    of: Output = "mean_image",
    seed: int = 0,
) -> dict[str, float]:
    """Distance to orthogonality (R eq. 29).

    mean over points i of ‖V_i − P(V_i)‖_F, where U Σ V_iᵀ is the decoder's Jacobian at μ(x_i), `v` holds the right
    singular vectors, and P(V) is the signed permutation nearest in L¹. A permutation σ with signs costs
    Σ_i (1 − 2 |V_iσ(i)|) more than ‖V‖₁, so P is a linear assignment; `solver` = "milp" finds the same optimum by the
    mixed-integer program that R solves. Several P may be nearest, but as ‖V − P‖_F² = 2d − 2 Σ_i |V_iσ(i)| for
    orthogonal V, they are all at one distance: DtO depends neither on ties nor on the solver, nor on whether V's
    columns or rows are the vectors. No random choices: `seed` changes nothing.

    `of` says what the Jacobian is of: E[x|z] ("mean_image", R's decoder), or, under a Bernoulli likelihood, the logits
    before the sigmoid, whose vectors the evaluation then supplies. The sigmoid weighs pixels by its slope, most where
    they are uncertain, and so changes the values and even the order of models: public models of dSprites score 2.20,
    2.33, 1.95 and 1.61 of the logits (VAE, annealed VAE, β-TCVAE, FactorVAE), 2.15, 2.08, 1.93 and 1.84 of the mean
    image. Under a Gaussian likelihood the two are one. Never compare one with the other.

    Returns `dto` in [0, √(2d)), lower is better; 0 means axis-aligned. Haar-random V have mean 0.548 (d = 2),
    1.634 (5), 1.911 (6), 2.849 (10): numbers of different d do not compare, and leaderboards show them apart.
    Cost: 15 ms a thousand 10 × 10 matrices by assignment, 6 s by the program.
    Blind to the size of the singular values: where two are equal, V is arbitrary within their plane, and where
    coordinates are dead so is their part of V, which rounding turns: of ten of which two are alive and aligned, 0 or
    2.4. A note says how many are where the mean image's `singular_values` are given. Says nothing of which factors the
    axes hold.
    Others: R's random-decoder row lies above what Haar-random V give.
    Raises `UsageError` where `v` is not a stack of orthogonal matrices, or `of` is neither.
    """
    if of not in get_args(Output):
        raise UsageError(f'of = {of!r}: "mean_image" or "logits"')
    nearest = signed_permutation(v, solver)
    if singular_values is not None and of == "mean_image":
        _warn_of_dead(v, singular_values)
    return {"dto": float(np.sqrt(((v.astype(np.float64) - nearest) ** 2).sum(axis=(1, 2))).mean())}


def _warn_of_dead(v: Float[ndarray, "m d d"], values: Float[ndarray, "m r"]) -> None:
    d = v.shape[1]
    if values.ndim != 2 or len(values) != len(v) or values.shape[1] > d:
        raise UsageError(f"singular_values of shape {values.shape} do not fit v of shape {v.shape}")
    if not np.isfinite(values).all():
        raise UsageError("singular_values hold NaN or infinite values")
    alive = float((values > DEAD * values.max(axis=1, keepdims=True)).sum(axis=1).mean())
    if d - alive >= 1:
        warnings.warn(
            f"{d - alive:.1f} of {d} directions are dead (singular values below {DEAD:g} of the largest, mean over"
            " points): rounding turns them, and the distance is of them, too",
            ScoreWarning,
            stacklevel=3,
        )


def signed_permutation(v: Float[ndarray, "m d d"], solver: Solver = "assignment") -> Float[ndarray, "m d d"]:
    """The signed permutation matrix nearest to each orthogonal matrix in L¹ (R §5.1 and supplement B.2)."""
    v = _check_orthogonal(v)
    if solver == "assignment":
        return np.stack([_assignment(matrix) for matrix in v])
    if solver == "milp":
        return np.concatenate([_milp(v[start : start + PROGRAM]) for start in range(0, len(v), PROGRAM)])
    raise UsageError(f'solver = {solver!r}: "assignment" or "milp"')


def _check_orthogonal(v: Float[ndarray, "m d d"]) -> Float[ndarray, "m d d"]:
    v = np.asarray(v)
    if v.ndim != 3 or v.shape[1] != v.shape[2] or 0 in v.shape:
        raise UsageError(f"v must be a stack of square matrices (m, d, d), not an array of shape {v.shape}")
    v = v.astype(np.float64)
    if not np.isfinite(v).all():
        raise UsageError("v holds NaN or infinite values")
    if np.abs(v @ v.transpose(0, 2, 1) - np.eye(v.shape[1])).max() > TOLERANCE:
        raise UsageError("v must hold orthogonal matrices: the right singular vectors of Jacobians")
    return v


def _assignment(v: Float[ndarray, "d d"]) -> Float[ndarray, "d d"]:
    """By linear assignment: the cost of an entry is that of its better sign, which is its own."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(1.0 - 2.0 * np.abs(v))
    nearest = np.zeros_like(v)
    nearest[rows, columns] = np.where(v[rows, columns] < 0, -1.0, 1.0)
    return nearest


def _milp(v: Float[ndarray, "m d d"]) -> Float[ndarray, "m d d"]:
    """By PuLP's bundled CBC: binary P⁺, P⁻ with one entry in each row and column of P⁺ + P⁻, for all blocks at once."""
    import pulp

    program = pulp.LpProblem("signed_permutation", pulp.LpMinimize)
    positive, negative = (
        np.array([program.add_variable(f"{sign}{i}", cat="Binary") for i in range(v.size)]).reshape(v.shape)
        for sign in ("p", "n")
    )
    program.setObjective(
        pulp.LpAffineExpression(
            (variable, float(cost))
            for variables, sign in ((positive, 1.0), (negative, -1.0))
            for variable, cost in zip(variables.flat, (np.abs(v - sign) - np.abs(v)).flat, strict=True)
        )
    )
    for p, n in zip(positive, negative, strict=True):
        for line in (*np.hstack([p, n]), *np.hstack([p.T, n.T])):
            program += pulp.lpSum(line) == 1
    status = program.solve(pulp.PULP_CBC_CMD(msg=False, threads=1))
    if pulp.LpStatus[status] != "Optimal":
        raise BenchmarkError(f"CBC ended with {pulp.LpStatus[status]} on {len(v)} signed permutations, not an optimum")
    value = np.vectorize(lambda variable: round(variable.value()), otypes=[float])
    return value(positive) - value(negative)
