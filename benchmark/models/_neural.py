"""The author's contract: an ordinary module, declared noise, and a loss on one batch that returns named terms."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor, nn

from benchmark.datasets._dataset import Dataset
from benchmark.errors import UsageError
from benchmark.models._model import Model
from benchmark.networks._network import Network
from benchmark.spec import Number, Settings, static


class Batch(NamedTuple):
    """What one training step sees: data `x` (b, *shape), the declared noise, the step counted from 0, and, for models
    that ask, a second batch `x2` (b, *shape), independent of x or the partners of its points, and the classes of x as
    integers `labels` (b)."""

    x: Tensor
    noise: dict[str, Tensor]
    step: Tensor
    x2: Tensor | None = None
    labels: Tensor | None = None


class Objective(NamedTuple):
    """A loss with the named terms to log, all scalars in nats: sums over dimensions, means over the batch.

    `shared` tensors are handed, detached, to the critics' losses.
    """

    loss: Tensor
    terms: dict[str, Tensor]
    shared: dict[str, Tensor] = {}  # noqa: RUF012


class Noise(NamedTuple):
    """A declared source of randomness, drawn by the engine from the run's own stream."""

    shape: tuple[int, ...]
    kind: Literal["normal", "uniform"] = "normal"


class Adam(NamedTuple):
    """The optimiser of a critic: the name of its learning-rate setting, and Adam's moments."""

    rate: str
    betas: tuple[float, float] = (0.9, 0.999)


class Posterior(NamedTuple):
    """q(z|x): means (b d), with log-variances (b d) of a diagonal Gaussian or the scale L (b d d) of a full one;
    neither for a deterministic encoder, or where a model has a `sample` of its own.

    Measures take log-variances at their word, with N(0, I) as the prior: where either is something else, the means
    stand alone here.
    """

    mu: Tensor
    logvar: Tensor | None = None
    scale: Tensor | None = None


class Sample(NamedTuple):
    """One draw from each posterior of a batch: codes z (b d), None from a deterministic encoder, and log q(z|x) (b,)
    in nats, None where q has no density to evaluate."""

    posterior: Posterior
    z: Tensor | None = None
    log_q: Tensor | None = None


class NeuralModel(Model, nn.Module):
    """Base of every model trained by gradients.

    An author writes `build`, which makes the submodules from the network, and `loss`, on one batch of one model.
    Settings declared `stackable` arrive in `loss` as scalars of the batch's tensors, and are read there alone: a stack
    knows no member's `self.settings`. `static` ones are plain values.
    Use neither randomness of your own nor Python branches on tensor values: thousands of runs may be stacked.
    """

    class Settings(Model.Settings):
        likelihood: Literal["auto", "bernoulli", "gaussian", "gaussian_learned"] = static(
            "auto", "p(x|z): Bernoulli logits, or Gaussian of fixed or learned σ_x; auto is the dataset's own"
        )
        sigma: Number = static(0.0, "σ_x of the Gaussian likelihood; 0 is the dataset's own", ge=0, allow_inf_nan=False)

    needs_network = True
    settings: Settings
    critics: ClassVar[dict[str, Adam]] = {}
    """Submodules with a loss of their own, trained beside the model, and their optimisers."""
    stacks: ClassVar[bool] = True
    """False for what cannot be stacked, such as batch normalisation or dropout: its runs train alone."""
    narrows: ClassVar[bool] = True
    """False for what needs its layers' products in single precision, such as differences of nearly equal numbers."""
    second_batch: ClassVar[bool] = False
    paired: ClassVar[bool] = False
    """Whether its second batch holds a partner of each point, which differs from it in `changed_factors` factors and
    shares the rest; such a model is `weakly_supervised` too, and needs a dataset that is a grid."""
    labelled: ClassVar[bool] = False
    """Whether its loss sees `Batch.labels`; such a model is `supervised` too."""
    decodes: ClassVar[bool] = True
    """False for what has no way back from codes to data, and is encoded only."""
    matches_prior: ClassVar[bool] = False
    """Whether codes of a deterministic encoder are trained to match the prior, which pictures then draw from."""
    trained: ClassVar[bool] = True
    """False for the random network, which is encoded as it was drawn."""
    latents: int
    noise_size: int
    """Entries of the standard normal noise behind one draw of the posterior: d unless `build` says otherwise."""

    def __init__(self, settings: Settings, network: Network, points: int) -> None:
        """`points`: the size of the training set, which some estimators need."""
        nn.Module.__init__(self)
        for name, critic in self.critics.items():
            if critic.rate not in type(settings).model_fields:
                raise UsageError(
                    f'the critic "{name}" has its rate from the setting model.{critic.rate}, which is not there'
                )
        self.settings = settings
        self.latents = self.noise_size = network.latents
        self.points = points
        self.build(network)
        if settings.likelihood == "gaussian_learned":
            self.log_sigma = nn.Parameter(torch.zeros(()))

    @classmethod
    def resolve(cls, settings: Model.Settings, dataset: Dataset) -> Model.Settings:
        assert isinstance(settings, NeuralModel.Settings)
        likelihood = dataset.likelihood if settings.likelihood == "auto" else settings.likelihood
        gaussian = likelihood == "gaussian"
        if settings.sigma and not gaussian:
            raise UsageError(
                f"model.sigma = {settings.sigma:g} decides nothing under the likelihood {likelihood}: leave it out, or"
                ' set model.likelihood = "gaussian"'
            )
        sigma = (settings.sigma or dataset.sigma) if gaussian else 0.0
        return settings.model_copy(update={"likelihood": likelihood, "sigma": sigma})

    @classmethod
    def extra_weights(cls, settings: Any) -> int:
        """About how many weights it adds to the network's own, such as a critic's."""
        return 0

    @classmethod
    def decoded(cls, settings: Any) -> int:
        """How many points a step decodes for each of its batch."""
        samples = getattr(settings, "samples", 1)
        return samples if isinstance(samples, int) else 1  # an author's own may be anything

    @abstractmethod
    def build(self, network: Network) -> None:
        """Make the submodules."""

    def check_fit(self, x: Float[Tensor, "n ..."], batch: int) -> None:
        """Raise `UsageError` where it cannot be trained in batches of so many points like these, a sample."""
        low, high = float(x.min()), float(x.max())
        if self.decodes and self.settings.likelihood == "bernoulli" and (low < -ROUNDING or high > 1 + ROUNDING):
            raise UsageError(
                f"the likelihood bernoulli is of data from 0 to 1, and this has values from {low:.3g} to {high:.3g}, of"
                ' which the loss has no floor; set model.likelihood = "gaussian", or scale the data'
            )

    def noise(self, batch: int) -> dict[str, Noise]:
        """The noise that one step needs, by name."""
        return {"eps": Noise((batch, self.latents))}

    @property
    def changed_factors(self) -> int:
        """In how many factors the two points of a pair differ; 0: in one or more, as many as chance says."""
        return 0

    @abstractmethod
    def loss(self, batch: Batch, settings: Any) -> Objective:
        """The objective on one batch; `settings` holds this run's own values."""

    def critic_losses(self, shared: dict[str, Tensor], batch: Batch, settings: Any) -> dict[str, Tensor]:
        """Each critic's loss; its gradient reaches that critic's parameters alone."""
        return {}

    @abstractmethod
    def posterior(self, x: Float[Tensor, "b ..."]) -> Posterior: ...

    def sample(self, x: Float[Tensor, "b ..."], eps: Float[Tensor, "n e"]) -> Sample:
        """One draw for each row of standard normal noise; b is n, or 1: many draws from one posterior.

        A model whose posterior is no Gaussian, or whose `posterior` gives the means alone, writes its own.
        """
        return draw(self.posterior(x), eps)

    @abstractmethod
    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b ..."]:
        """Logits or means of p(x|z)."""

    def finish(self, z: Float[ndarray, "n d"], rng: np.random.Generator) -> None:
        """Called once after training, with the mean codes of training points: for what is fitted to them."""

    def forward(self, batch: Batch, settings: Settings) -> tuple[Objective, dict[str, Tensor]]:
        """The objective and the critics' losses: what the engines differentiate."""
        objective = self.loss(batch, settings)
        if not self.critics:
            return objective, {}
        shared = {name: tensor.detach() for name, tensor in objective.shared.items()}
        return objective, self.critic_losses(shared, batch, settings)

    def nats(self, x: Float[Tensor, "b ..."], output: Float[Tensor, "b ..."]) -> Float[Tensor, " b"]:
        """−log p(x|z) of each point, in nats, from the decoder's output (S eqs. 15, 16; R eq. 11)."""
        x, output = x.flatten(1), output.flatten(1)
        if self.settings.likelihood == "bernoulli":
            # Not torch's cross-entropy: in a recorded step that is some twenty passes over the pixels, and this seven.
            return (nn.functional.softplus(output) - x * output).sum(1)
        learned = self.settings.likelihood == "gaussian_learned"
        log_sigma = self.log_sigma if learned else x.new_tensor(math.log(self.settings.sigma))
        scaled = (x - output) * torch.exp(-log_sigma)
        return 0.5 * scaled.square().sum(1) + x.shape[1] * (log_sigma + HALF_LOG_TWO_PI)

    def log_prior(self, z: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
        """log p(z) in nats; the standard normal unless a model says otherwise."""
        return log_normal(z)

    def prior_noise(self, batch: int) -> dict[str, Noise]:
        """The noise behind so many draws from the prior, by name: a model that trains on them adds it to `noise`."""
        return {"prior": Noise((batch, self.latents))}

    def sample_prior(self, noise: dict[str, Tensor]) -> Float[Tensor, "b d"]:
        """Draws z ~ p(z) made of `prior_noise`."""
        return noise["prior"]

    def mean_image(self, output: Float[Tensor, "b ..."]) -> Float[Tensor, "b ..."]:
        """E[x|z] in the data's units, from the decoder's output."""
        return output.sigmoid() if self.settings.likelihood == "bernoulli" else output


ROUNDING = 1e-5
"""How far data from 0 to 1 may be out, as scaling in single precision leaves it."""
HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def log_normal(z: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
    """log N(z; 0, I) in nats."""
    return -0.5 * z.square().sum(1) - z.shape[1] * HALF_LOG_TWO_PI


def draw(posterior: Posterior, eps: Float[Tensor, "n d"]) -> Sample:
    """One draw z = μ + L ε of a Gaussian posterior for each row of noise."""
    mu, logvar, scale = posterior
    if logvar is not None:
        z, log_scale = mu + torch.exp(0.5 * logvar) * eps, 0.5 * logvar.sum(1)
    elif scale is not None:
        z = mu + (scale @ eps.unsqueeze(2)).squeeze(2)
        log_scale = torch.diagonal(scale, dim1=1, dim2=2).log().sum(1)
    else:
        return Sample(posterior)
    return Sample(posterior, z, log_normal(eps) - log_scale)
