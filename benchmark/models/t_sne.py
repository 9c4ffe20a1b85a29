"""t-distributed stochastic neighbour embedding, with any degrees of freedom (van der Maaten & Hinton 2008; E)."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import ModelError
from benchmark.models._model import Transductive
from benchmark.models._neighbours import classical_scaling
from benchmark.spec import Number, static


class TSNE(Transductive):
    """KL(P ‖ Q): p_ij Gaussian with a width for each point, q_ij ∝ (1 + ‖z_i − z_j‖²/n)^{−(n+1)/2} over all pairs (E).

    n = 1 is t-SNE and n = ∞ symmetric SNE. scikit-learn ties n to the number of coordinates, hence the descent here:
    exact, over all pairs, from principal components of deviation 10⁻⁴, with the paper's momenta and gains.
    E's eq. 6 adds the gradient where it must subtract.
    """

    class Settings(Transductive.Settings):
        latents: int = static(2, "number of coordinates d", ge=1)
        perplexity: Number = static(30.0, "effective number of neighbours", gt=1, allow_inf_nan=False)
        degrees: Number = static(1.0, "degrees of freedom n; inf is SNE", gt=0)
        iterations: int = static(1_000, "steps of gradient descent", ge=1)
        exaggeration: Number = static(12.0, "factor on P in the first quarter of the steps", ge=1, allow_inf_nan=False)

    settings: Settings

    def embed(self, x: ndarray, rng: np.random.Generator) -> ndarray:
        from sklearn.metrics import pairwise_distances

        options, n = self.settings, len(x)
        distances = pairwise_distances(x.astype(np.float64))
        p = affinities(np.square(distances), options.perplexity).astype(np.float32)
        z = classical_scaling(distances, options.latents)
        z *= 1e-4 / z[:, 0].std()
        rate = n / options.exaggeration / 4  # the largest at which exaggerated attraction alone is stable
        update, gains = np.zeros_like(z), np.ones_like(z)
        for step in range(options.iterations):
            early = step < options.iterations / 4
            slope = gradient(p * np.float32(options.exaggeration) if early else p, z, options.degrees)
            agrees = update * slope > 0  # the last step went uphill in this coordinate
            gains = np.maximum(np.where(agrees, gains * 0.8, gains + 0.2), 0.01)
            update = (0.5 if early else 0.8) * update - rate * gains * slope
            z = z + update
        if not np.isfinite(z).all():
            raise ModelError("the descent left the finite numbers; lower model.exaggeration")
        return z - z.mean(0)


def affinities(squared: Float[ndarray, "n n"], perplexity: float) -> Float[ndarray, "n n"]:
    """p_ij = (p_{i|j} + p_{j|i})/2n (E, eq. 2), each row's width bisected until its entropy is log perplexity."""
    n = len(squared)
    if perplexity >= n - 1:
        raise ModelError(f"a perplexity of {perplexity:g} needs more than {n} points; lower model.perplexity")
    away = squared[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    away -= away.min(1, keepdims=True)
    low, high = np.full((n, 1), -60.0), np.full((n, 1), 60.0)  # of log 1/2σ², in units of the mean square distance
    away /= max(away.mean(), np.finfo(float).tiny)
    for _ in range(50):
        middle = (low + high) / 2
        precision = np.exp(middle)
        weights = np.exp(-away * precision)
        total = weights.sum(1, keepdims=True)
        entropy = np.log(total) + precision * (away * weights).sum(1, keepdims=True) / total
        wide = entropy > math.log(perplexity)
        low, high = np.where(wide, middle, low), np.where(wide, high, middle)
    p = np.zeros((n, n))
    p[~np.eye(n, dtype=bool)] = (weights / total).ravel()
    return (p + p.T) / (2 * n)


def gradient(p: Float[ndarray, "n n"], z: Float[ndarray, "n d"], degrees: float) -> Float[ndarray, "n d"]:
    """∂KL/∂z_i = 4 Σ_j (p_ij − q_ij)(z_i − z_j) · (n+1)/2n / (1 + ‖z_i − z_j‖²/n), at n = 1 E's eq. 5.

    In p's precision.
    """
    z = z.astype(p.dtype)
    lengths = np.square(z).sum(1)
    squared = np.maximum(lengths[:, None] + lengths - 2 * z @ z.T, 0)
    np.fill_diagonal(squared, np.inf)
    if math.isinf(degrees):
        q, slope, factor = np.exp((squared.min() - squared) / 2), np.ones((), p.dtype), 0.5
    else:
        slope = np.reciprocal(1 + squared / p.dtype.type(degrees))
        q = slope if degrees == 1 else slope ** p.dtype.type((degrees + 1) / 2)
        factor = (degrees + 1) / (2 * degrees)
    pull = (p - q * p.dtype.type(1 / q.sum())) * slope
    return 4 * factor * (pull.sum(1, keepdims=True) * z - pull @ z).astype(np.float64)
