"""Linear independent component analysis of a trained autoencoder's codes: what both such baselines share."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from benchmark.models._neural import NeuralModel, Posterior, Sample, draw
from benchmark.models.ica import ICA, ROUNDING
from benchmark.networks._network import Network
from benchmark.spec import Number, static


class IcaOfCodes(NeuralModel):
    """Codes U (z − c) of the model that it is mixed into, fitted after training by FastICA to the mean codes.

    Coordinates whose mean code hardly varies stay as they are, apart from their centre: whitened they would be noise
    of the loudness of the rest. So do directions along which codes do not vary at all, which come last where there are
    any. Decoding takes the codes back, so that likelihoods are the model's own; the posterior and the prior are carried
    along, and neither is a diagonal or a standard normal any more: means stand alone.
    """

    class Settings(NeuralModel.Settings):
        active: Number = static(0.01, "least variance of a mean code that is unmixed", ge=0, allow_inf_nan=False)
        iterations: int = static(5_000, "FastICA's iterations at most", ge=1)
        tolerance: Number = static(1e-3, "change of the unmixing matrix at which FastICA stops", gt=0)
        starts: int = static(5, "random starts at most: another one where FastICA did not converge", since=1, ge=1)

    settings: Settings
    centre: Tensor
    unmixing: Tensor
    mixing: Tensor

    def build(self, network: Network) -> None:
        super().build(network)  # type: ignore[safe-super]
        self.register_buffer("centre", torch.zeros(network.latents))
        self.register_buffer("unmixing", torch.eye(network.latents))
        self.register_buffer("mixing", torch.eye(network.latents))

    def finish(self, z: Float[ndarray, "n d"], rng: np.random.Generator) -> None:
        z = z.astype(np.float64)
        (active,) = np.nonzero(z.var(0) > self.settings.active)
        unmixing = np.eye(z.shape[1])
        if len(active):
            unmixing[np.ix_(active, active)] = self._unmixing(z[:, active], rng)
        for name, value in {"centre": z.mean(0), "unmixing": unmixing, "mixing": np.linalg.inv(unmixing)}.items():
            self.get_buffer(name).copy_(torch.from_numpy(value))

    def _unmixing(self, z: Float[ndarray, "n a"], rng: np.random.Generator) -> Float[ndarray, "a a"]:
        """The independent components of codes in rows, and below them the directions along which codes do not vary."""
        variances, directions = np.linalg.eigh(np.cov(z.T).reshape(z.shape[1], -1))
        flat = variances <= ROUNDING * variances[-1]
        options = ICA.Settings(
            latents=int((~flat).sum()),
            iterations=self.settings.iterations,
            tolerance=self.settings.tolerance,
            starts=self.settings.starts,
        )
        if not flat.any():
            return ICA(options).fit(z, rng).unmixing
        along = directions[:, ~flat]
        return np.concatenate([ICA(options).fit(z @ along, rng).unmixing @ along.T, directions[:, flat].T])

    def unmixed(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        return (z - self.centre) @ self.unmixing.T

    def mixed(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        return z @ self.mixing.T + self.centre

    def posterior(self, x: Float[Tensor, "b ..."]) -> Posterior:
        return Posterior(self.unmixed(super().posterior(x).mu))  # type: ignore[safe-super]

    def sample(self, x: Float[Tensor, "b ..."], eps: Float[Tensor, "n d"]) -> Sample:
        (mu, *_), z, log_q = draw(super().posterior(x), eps)  # type: ignore[safe-super]
        posterior = Posterior(self.unmixed(mu))
        if z is None or log_q is None:
            return Sample(posterior)
        return Sample(posterior, self.unmixed(z), log_q - torch.linalg.slogdet(self.unmixing).logabsdet)

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b ..."]:
        return super().decode(self.mixed(z))  # type: ignore[safe-super]

    def log_prior(self, z: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
        return super().log_prior(self.mixed(z)) - torch.linalg.slogdet(self.unmixing).logabsdet

    def sample_prior(self, noise: dict[str, Tensor]) -> Float[Tensor, "b d"]:
        return self.unmixed(super().sample_prior(noise))
