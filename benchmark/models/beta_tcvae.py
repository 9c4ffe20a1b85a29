"""β-TCVAE: the KL split into index-code information, total correlation and dimension-wise KL (Chen et al. 2018)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from benchmark.errors import UsageError
from benchmark.models._gaussian import GaussianModel
from benchmark.models._neural import Batch, Objective
from benchmark.spec import Number, stackable, static


class BetaTCVAE(GaussianModel):
    """rec + α·MI + β·TC + λ·ΣKL_j by minibatch-weighted sampling (Chen et al. 2018, eqs. 4 and S3; M §4.3).

    α = β = λ = 1 is the VAE, with KL estimated. M's β adds to the ELBO: its 1, 3, 6, 10 are 2, 4, 7, 11 here.
    """

    class Settings(GaussianModel.Settings):
        alpha: Number = stackable(1.0, "weight α of the index-code mutual information", ge=0, allow_inf_nan=False)
        beta: Number = stackable(6.0, "weight β of the total correlation", ge=0, allow_inf_nan=False)
        lambda_: Number = stackable(1.0, "weight λ of the dimension-wise KL", ge=0, allow_inf_nan=False)
        stratified: bool = static(False, "minibatch-stratified sampling (Chen et al. eq. S8) instead of weighted")

    settings: Settings

    def check_fit(self, x: Float[Tensor, "n ..."], batch: int) -> None:
        super().check_fit(x, batch)
        if self.settings.stratified and self.points < batch - 1:
            raise UsageError(
                f"stratified weights are of at least training.batch − 1 = {batch - 1:,} training points, and there are"
                f" {self.points:,}; set training.batch to {self.points + 1:,} or less, or model.stratified to false"
            )

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        elbo, mu, logvar, z = self.elbo_terms(batch)
        log_q_zx, log_q_z, log_q_zj, log_p = log_densities(z, mu, logvar, self.points, settings.stratified)
        terms = {
            **elbo,
            "mi": (log_q_zx - log_q_z).mean(),
            "tc": (log_q_z - log_q_zj).mean(),
            "dimension_kl": (log_q_zj - log_p).mean(),
        }
        penalty = settings.alpha * terms["mi"] + settings.beta * terms["tc"] + settings.lambda_ * terms["dimension_kl"]
        return Objective(terms["rec"] + penalty, terms)


def log_normal(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """log N(z; μ, σ²), entry by entry."""
    return -0.5 * ((z - mu).square() * torch.exp(-logvar) + logvar + math.log(2 * math.pi))


def log_densities(
    z: Float[Tensor, "b d"], mu: Float[Tensor, "b d"], logvar: Float[Tensor, "b d"], points: int, stratified: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """log q(z|x), and estimates of log q(z) and log Π q(z_j), and log p(z), each (b,) in nats.

    Weighted: q(z_i) ≈ Σ_j q(z_i|x_j) / (MN), whose log(MN) is kept, or the reported total correlation is shifted.
    """
    b = z.shape[0]
    pairs = log_normal(z.unsqueeze(1), mu.unsqueeze(0), logvar.unsqueeze(0))  # (b, b, d): z_i under x_j
    if stratified:
        weights = stratified_log_weights(b, points, z)
        log_q_z = torch.logsumexp(pairs.sum(2) + weights, dim=1)
        log_q_zj = torch.logsumexp(pairs + weights.unsqueeze(2), dim=1).sum(1)
    else:
        constant = math.log(b * points)
        log_q_z = torch.logsumexp(pairs.sum(2), dim=1) - constant
        log_q_zj = (torch.logsumexp(pairs, dim=1) - constant).sum(1)
    log_q_zx = log_normal(z, mu, logvar).sum(1)
    log_p = log_normal(z, torch.zeros_like(z), torch.zeros_like(z)).sum(1)
    return log_q_zx, log_q_z, log_q_zj, log_p


def stratified_log_weights(b: int, points: int, like: Tensor) -> Tensor:
    """log importance weights (b b) of minibatch-stratified sampling (Chen et al. 2018, eq. S8).

    A point's own posterior weighs 1/N, one other (N − b + 1)/(N(b − 1)), the remaining 1/(b − 1).
    """
    rest = torch.full((b, b), 1 / (b - 1), dtype=like.dtype, device=like.device)
    own = torch.eye(b, dtype=like.dtype, device=like.device)
    other = own.roll(1, dims=1)
    weights = rest * (1 - own - other) + own / points + other * (points - b + 1) / (points * (b - 1))
    return weights.log()
