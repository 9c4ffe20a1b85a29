"""Variational autoencoder: rec + KL (Kingma & Welling 2014)."""

from benchmark.models._gaussian import Batch, GaussianModel, Objective


class VAE(GaussianModel):
    """rec + KL(q(z|x) ‖ N(0, I)), the negative ELBO (R eq. 2; M §3.3)."""

    def loss(self, batch: Batch, settings: GaussianModel.Settings) -> Objective:
        terms, *_ = self.elbo_terms(batch)
        return Objective(terms["rec"] + terms["kl"], terms)
