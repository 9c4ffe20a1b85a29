"""Annealed VAE: the KL is held at a capacity that grows linearly through training (Burgess et al. 2018)."""

from __future__ import annotations

from benchmark.models._gaussian import Batch, GaussianModel, Objective
from benchmark.spec import Number, stackable


class AnnealedVAE(GaussianModel):
    """rec + γ·|KL − C(t)|, C(t) = C_max · min(t/T, 1) nats (Burgess et al. 2018, eq. 8).

    KL is the batch's mean, as in the published implementations: the capacity is what the code carries on average.
    The paper's C goes from 0 to 25 nats in 100,000 steps at γ = 1,000; shorter trainings need a smaller T.
    """

    class Settings(GaussianModel.Settings):
        gamma: Number = stackable(1000.0, "weight γ of the distance to the capacity", ge=0, allow_inf_nan=False)
        capacity: Number = stackable(25.0, "the capacity C_max at the end, in nats", ge=0, allow_inf_nan=False)
        annealing_steps: Number = stackable(100_000.0, "steps T over which the capacity grows from 0", ge=1)

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        terms, *_ = self.elbo_terms(batch)
        terms["capacity"] = settings.capacity * (batch.step / settings.annealing_steps).clamp(max=1)
        return Objective(terms["rec"] + settings.gamma * (terms["kl"] - terms["capacity"]).abs(), terms)
