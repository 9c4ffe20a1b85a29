"""A planted fault: β-VAE that does not look at its β."""

from benchmark.models._gaussian import Objective
from benchmark.models.beta_vae import BetaVAE


class IgnoredBeta(BetaVAE):
    """rec + KL, whatever β is."""

    def loss(self, batch, settings):
        terms, *_ = self.elbo_terms(batch)
        return Objective(terms["rec"] + terms["kl"], terms)
