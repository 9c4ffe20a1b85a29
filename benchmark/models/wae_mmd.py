"""Wasserstein autoencoder: reconstruction, and the discrepancy of q(z) to the prior (Tolstikhin et al. 2018)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from benchmark.models._gaussian import GaussianModel, reparametrise
from benchmark.models._mmd import mmd2
from benchmark.models._neural import Batch, Noise, Objective, Posterior
from benchmark.networks._network import Network
from benchmark.spec import Number, stackable, static


class WAEMMD(GaussianModel):
    """rec + λ·MMD²(q(z), p(z)) without bias (Tolstikhin et al. 2018, eq. 4 and algorithm 2; M §4.3).

    The cost of transport is rec, −log p(x|z): under a Gaussian likelihood ‖x − x̂‖²/2σ_x² where the paper has ‖x − x̂‖²,
    whose λ is 2σ_x² times this one. The paper's encoder is deterministic, z = μ(x); `gaussian` samples z ~ q(z|x).
    """

    class Settings(GaussianModel.Settings):
        encoder: Literal["deterministic", "gaussian"] = static(
            "deterministic", "whether z is μ(x) or drawn from q(z|x)"
        )
        lambda_: Number = stackable(10.0, "weight λ of the squared discrepancy", ge=0, allow_inf_nan=False)

    matches_prior = True
    settings: Settings

    @property
    def deterministic(self) -> bool:
        return self.settings.encoder == "deterministic"

    def build(self, network: Network) -> None:
        super().build(network)
        if self.deterministic:
            self.encoder = network.encoder(network.latents)

    def noise(self, batch: int) -> dict[str, Noise]:
        return {**({} if self.deterministic else super().noise(batch)), **self.prior_noise(batch)}

    def posterior(self, x: Tensor) -> Posterior:
        return Posterior(self.encoder(x)) if self.deterministic else super().posterior(x)

    def rec_and_codes(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """rec in nats, and the codes z (b d) that it was taken at."""
        mu, logvar, _ = self.posterior(batch.x)
        z = mu if logvar is None else reparametrise(mu, logvar, batch.noise["eps"])
        return self.nats(batch.x, self.decode(z)).mean(), z

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        rec, z = self.rec_and_codes(batch)
        mmd = mmd2(z, self.sample_prior(batch.noise))
        return Objective(rec + settings.lambda_ * mmd, {"rec": rec, "mmd": mmd})
