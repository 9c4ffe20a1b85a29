"""Independent component analysis of a trained VAE's mean codes: a cheap baseline for what an objective adds."""

from benchmark.models._gaussian import Batch, Objective, kl_diagonal, reparametrise
from benchmark.models._ica_of_codes import IcaOfCodes
from benchmark.models._neural import NeuralModel
from benchmark.models.vae import VAE


class VAEICA(IcaOfCodes, VAE):
    """rec + KL(q(z|x) ‖ N(0, I)), as `vae`; then FastICA (Hyvärinen & Oja 2000) of the active mean codes (R §2.2).

    These are whitened on training points, so that what measures linear dependence of mean codes is 0 but for the
    passive ones and the choice of points.
    """

    by_construction = ("gaussian_total_correlation", "wasserstein_correlation")

    def loss(self, batch: Batch, settings: NeuralModel.Settings) -> Objective:
        mu, logvar, _ = VAE.posterior(self, batch.x)
        assert logvar is not None
        rec = self.nats(batch.x, self.decoder(reparametrise(mu, logvar, batch.noise["eps"]))).mean()
        kl = kl_diagonal(mu, logvar)
        return Objective(rec + kl, {"rec": rec, "kl": kl})
