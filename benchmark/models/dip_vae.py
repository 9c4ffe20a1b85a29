"""DIP-VAE: ELBO and a penalty on the covariance of the aggregate posterior (Kumar et al. 2018)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from benchmark.models._gaussian import GaussianModel
from benchmark.models._neural import Batch, Objective
from benchmark.spec import Number, stackable, static


class DIPVAE(GaussianModel):
    """rec + KL + λ_od Σ_{k≠l} C_kl² + λ_d Σ_k (C_kk − 1)² (Kumar et al. 2018, eqs. 6 and 7; M §4.3).

    C = Cov[μ] for kind "i", Cov[μ] + E[diag σ²] for kind "ii"; both centred over the batch.
    """

    class Settings(GaussianModel.Settings):
        kind: Literal["i", "ii"] = static("ii", "which covariance is matched to the identity")
        lambda_off_diagonal: Number = stackable(10.0, "weight λ_od", ge=0, allow_inf_nan=False)
        lambda_diagonal: Number = stackable(10.0, "weight λ_d", ge=0, allow_inf_nan=False)

    settings: Settings

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        terms, mu, logvar, _ = self.elbo_terms(batch)
        covariance = covariance_of_means(mu)
        if settings.kind == "ii":
            covariance = covariance + torch.diag_embed(logvar.exp().mean(0))
        diagonal = torch.diagonal(covariance, dim1=-2, dim2=-1)
        terms["off_diagonal"] = covariance.square().sum() - diagonal.square().sum()
        terms["diagonal"] = (diagonal - 1).square().sum()
        penalty = settings.lambda_off_diagonal * terms["off_diagonal"] + settings.lambda_diagonal * terms["diagonal"]
        return Objective(terms["rec"] + terms["kl"] + penalty, terms)


def covariance_of_means(mu: Tensor) -> Tensor:
    """Cov[μ] (d d) over the batch, centred over the batch, divided by its size."""
    centred = mu - mu.mean(0)
    return centred.T @ centred / mu.shape[0]
