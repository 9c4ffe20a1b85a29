"""β-VAE with free bits: a coordinate's KL costs nothing below `free` nats (after Kingma et al. 2016)."""

from benchmark import GaussianModel, Number, Objective, kl_coordinates, stackable


class MyVAE(GaussianModel):
    """rec + β · Σ_j max(free, KL_j), KL_j the batch mean of coordinate j's KL to the prior."""

    class Settings(GaussianModel.Settings):
        beta: Number = stackable(1.0, "weight β of the KL term", ge=0)
        free: Number = stackable(0.1, "nats of KL in each coordinate that cost nothing", ge=0)

    def loss(self, batch, settings):
        terms, mu, logvar, _ = self.elbo_terms(batch)
        by_coordinate = kl_coordinates(mu, logvar).mean(0)
        terms["kl_paid"] = by_coordinate.maximum(settings.free).sum()
        return Objective(terms["rec"] + settings.beta * terms["kl_paid"], terms)
