"""β-VAE: rec + β·KL, with β optionally growing linearly from 0 (Higgins et al. 2017)."""

from benchmark.models._gaussian import Batch, GaussianModel, Objective
from benchmark.spec import Number, stackable


class BetaVAE(GaussianModel):
    """rec + β·KL (M §4.2); with `annealing_steps`, β grows linearly from 0 over so many steps (M §5.3)."""

    class Settings(GaussianModel.Settings):
        beta: Number = stackable(4.0, "weight β of the KL term", ge=0, allow_inf_nan=False)
        annealing_steps: Number = stackable(0.0, "steps over which β grows from 0; 0 is at once", ge=0)

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        terms, *_ = self.elbo_terms(batch)
        # Counting from 1 makes no annealing (0 steps) exact without a branch.
        share = ((batch.step + 1) / (settings.annealing_steps + 1)).clamp(max=1)
        return Objective(terms["rec"] + settings.beta * share * terms["kl"], terms)
