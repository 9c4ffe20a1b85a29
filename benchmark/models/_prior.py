"""Autoencoders with a Gaussian posterior and a prior of their own: KL by Monte Carlo, optional MMD to the prior."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from benchmark.models._gaussian import GaussianModel
from benchmark.models._mmd import mmd2
from benchmark.models._neural import Batch, Noise, Objective, Posterior, Sample, draw
from benchmark.spec import Number, stackable


class PriorModel(GaussianModel):
    """rec + β·KL(q(z|x) ‖ p(z)) + λ·MMD²(q(z), p(z)) (Mathieu et al. 2019, eq. 7; S §2.6.2, M Fig. 4.1).

    KL = log q(z|x) − log p(z) at the sampled z, which no closed form is needed for. An author writes `log_prior` and
    `sample_prior`, from static settings alone. Its `posterior` gives the means alone: what the measures know of KL
    and ELBO is for the prior N(0, I); the ELBO under this prior is `renyi_bound` of α = 1.
    """

    class Settings(GaussianModel.Settings):
        beta: Number = stackable(1.0, "weight β of the KL term", ge=0, allow_inf_nan=False)
        lambda_: Number = stackable(0.0, "weight λ of the MMD² from codes to prior", ge=0, allow_inf_nan=False)

    def noise(self, batch: int) -> dict[str, Noise]:
        return {**super().noise(batch), **self.prior_noise(batch)}

    def posterior(self, x: Float[Tensor, "b ..."]) -> Posterior:
        return Posterior(super().posterior(x).mu)

    def sample(self, x: Float[Tensor, "b ..."], eps: Float[Tensor, "n d"]) -> Sample:
        (mu, *_), z, log_q = draw(super().posterior(x), eps)
        return Sample(Posterior(mu), z, log_q)

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        _, z, log_q = self.sample(batch.x, batch.noise["eps"])
        assert z is not None and log_q is not None
        terms = {
            "rec": self.nats(batch.x, self.decode(z)).mean(),
            "kl": (log_q - self.log_prior(z)).mean(),
            "mmd": mmd2(z, self.sample_prior(batch.noise)),
        }
        return Objective(terms["rec"] + settings.beta * terms["kl"] + settings.lambda_ * terms["mmd"], terms)
