"""A planted fault: β-VAE whose codes are those of other points, as an encoder does that mixes up its rows."""

from benchmark.models._neural import Posterior, Sample
from benchmark.models.beta_vae import BetaVAE


class ShuffledCodes(BetaVAE):
    """Each point has the codes of the one before it in its batch; training is as it should be."""

    def sample(self, x, eps):
        (mu, logvar, _), z, log_q = super().sample(x, eps)
        return Sample(Posterior(mu.roll(1, 0), logvar.roll(1, 0)), z.roll(1, 0), log_q)
