"""The geometry of diagonal Gaussians under the Fisher–Rao metric: distances and geodesics in closed form.

The metric of N(μ, σ²) is (dμ² + 2 dσ²)/σ²: twice that of the hyperbolic half-plane of points (μ/√2, σ). The family of
diagonal Gaussians is a product of such planes, so its geodesics go through each at constant speed, all with one t.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

ROOT_TWO = np.sqrt(2.0)


def distance(
    mu_1: Float[ndarray, "*n d"],
    sigma_1: Float[ndarray, "*n d"],
    mu_2: Float[ndarray, "*n d"],
    sigma_2: Float[ndarray, "*n d"],
) -> Float[ndarray, "*n"]:
    """The length of the geodesic between diagonal Gaussians: √2 times the root of the planes' squared distances."""
    apart = (((mu_1 - mu_2) / ROOT_TWO) ** 2 + (sigma_1 - sigma_2) ** 2) / (4 * sigma_1 * sigma_2)
    return ROOT_TWO * np.sqrt(((2 * np.arcsinh(np.sqrt(apart))) ** 2).sum(axis=-1))


def geodesic(
    mu_1: Float[ndarray, " d"],
    sigma_1: Float[ndarray, " d"],
    mu_2: Float[ndarray, " d"],
    sigma_2: Float[ndarray, " d"],
    t: Float[ndarray, " s"],
) -> tuple[Float[ndarray, "s d"], Float[ndarray, "s d"]]:
    """Means and deviations along the geodesic from the first Gaussian (t = 0) to the second (t = 1), in equal steps.

    A half-plane's geodesic is an arc x = c + r tanh u, y = r / cosh u about a point c of the axis, at unit speed in u:
    u goes in a straight line from sinh u₁ = (x₁ − c)/y₁ to sinh u₂ = (x₂ − c)/y₂. For equal means it is a vertical
    line, σ₁^{1−t} σ₂^t. Differences of large numbers are avoided: also an arc that is nearly vertical is exact.
    """
    x_1, y_1, x_2, y_2 = (np.asarray(a, np.float64) for a in (mu_1 / ROOT_TWO, sigma_1, mu_2 / ROOT_TWO, sigma_2))
    t = np.asarray(t, np.float64)[:, None]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        tilt = (y_2 - y_1) * (y_2 + y_1) / (2 * (x_2 - x_1))
        sinh_1, sinh_2 = ((x_1 - x_2) / 2 - tilt) / y_1, ((x_2 - x_1) / 2 - tilt) / y_2
    arc = np.isfinite(sinh_1) & np.isfinite(sinh_2)
    u_1, u_2 = np.arcsinh(np.where(arc, sinh_1, 0)), np.arcsinh(np.where(arc, sinh_2, 0))
    u = u_1 + t * (u_2 - u_1)
    x = x_1 + y_1 * np.sinh(u - u_1) * np.exp(-_log_cosh(u))
    y = y_1 * np.exp(_log_cosh(u_1) - _log_cosh(u))
    x, y = np.where(arc, x, x_1 + t * (x_2 - x_1)), np.where(arc, y, y_1 ** (1 - t) * y_2**t)
    return ROOT_TWO * x, y


def _log_cosh(u: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    return np.abs(u) + np.log1p(np.exp(-2 * np.abs(u))) - np.log(2)
