"""How much the gradient of the ELBO scatters by its estimator (M §3.3; E): by the score function, and reparametrised.

At the end of training, in the encoder's outputs μ and log σ at some points: what follows, through the encoder, is the
same for both. Through training it would take the weights of more steps.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from benchmark.models._neural import NeuralModel
from benchmark.stages.studies import Trained
from benchmark.stages.studies._gradients import gradients

POINTS = 8
DRAWS = 64
"""Draws of the noise at each point: the variances' relative error is about √(2 / (8 · 64)), 6 %, in all."""


def arrays(trained: Trained) -> dict[str, ndarray]:
    """The variance of each estimator of the derivatives of the ELBO, over draws: (points, μ and log σ, d) each.

    Nothing where the posterior is not a diagonal Gaussian under a normal prior.
    """
    if not isinstance(trained.model, NeuralModel) or trained.codes.variances is None or not trained.model.decodes:
        return {}
    import torch
    from torch import Tensor

    from benchmark.models._neural import log_normal

    model = trained.model
    chosen = trained.points("gradients", POINTS)
    noise = trained.rng("gradients").standard_normal((len(chosen), DRAWS, model.latents), dtype=np.float32)
    found: dict[str, list[ndarray]] = {}
    for place, eps in zip(chosen, torch.from_numpy(noise), strict=True):
        x = torch.from_numpy(trained.images(place[None])).expand(DRAWS, *trained.data.shape)

        def elbo(z: Tensor, mu: Tensor, log_sigma: Tensor, x: Tensor = x) -> Tensor:
            log_q = log_normal((z - mu) * torch.exp(-log_sigma)) - log_sigma.sum(1)
            return log_normal(z) - model.nats(x, model.decode(z)) - log_q

        mu = torch.from_numpy(trained.codes.means[place])
        log_sigma = 0.5 * torch.from_numpy(trained.codes.variances[place]).log()
        for name, estimates in gradients(elbo, mu, log_sigma, eps)._asdict().items():
            found.setdefault(name, []).append(estimates.double().var(0).numpy())
    return {f"gradient_variance_{name}": np.stack(variances) for name, variances in found.items()}
