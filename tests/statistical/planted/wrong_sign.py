"""A planted fault: β-VAE with the wrong sign of one term of its KL."""

from benchmark.models._gaussian import Objective
from benchmark.models.beta_vae import BetaVAE


class WrongSign(BetaVAE):
    """½ Σ (−μ² + σ² − log σ² − 1) in place of ½ Σ (μ² + σ² − log σ² − 1)."""

    def loss(self, batch, settings):
        terms, mu, logvar, _ = self.elbo_terms(batch)
        wrong = 0.5 * (logvar.exp() - mu.square() - logvar - 1).sum(1).mean()
        return Objective(terms["rec"] + settings.beta * wrong, terms)
