"""The author's contract: an ordinary module, declared noise, and a loss on one batch that returns named terms."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from benchmark.datasets._dataset import Dataset
from benchmark.models._model import Model
from benchmark.networks._network import Network
from benchmark.spec import Number, Settings, static


class Batch(NamedTuple):
    """What one training step sees: data `x` (b, *shape), the declared noise, the step counted from 0, and,
    for models with `second_batch`, an independent second batch `x2` (b, *shape)."""

    x: Tensor
    noise: dict[str, Tensor]
    step: Tensor
    x2: Tensor | None = None


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
    neither for a deterministic encoder."""

    mu: Tensor
    logvar: Tensor | None = None
    scale: Tensor | None = None


class NeuralModel(Model, nn.Module):
    """Base of every model trained by gradients.

    An author writes `build`, which makes the submodules from the network, and `loss`, on one batch of one model.
    Settings declared `stackable` arrive in `loss` as scalars of the batch's tensors; `static` ones are plain values.
    Use neither randomness of your own nor Python branches on tensor values: thousands of runs may be stacked.
    """

    class Settings(Model.Settings):
        likelihood: Literal["auto", "bernoulli", "gaussian", "gaussian_learned"] = static(
            "auto", "p(x|z): Bernoulli logits, or Gaussian of fixed or learned σ_x; auto is the dataset's own"
        )
        sigma: Number = static(0.0, "σ_x of the Gaussian likelihood; 0 is the dataset's own", ge=0)

    needs_network = True
    settings: Settings
    critics: ClassVar[dict[str, Adam]] = {}
    """Submodules with a loss of their own, trained beside the model, and their optimisers."""
    stacks: ClassVar[bool] = True
    """False for what cannot be stacked, such as batch normalisation or dropout: its runs train alone."""
    second_batch: ClassVar[bool] = False
    trained: ClassVar[bool] = True
    """False for the random network, which is encoded as it was drawn."""
    latents: int

    def __init__(self, settings: Settings, network: Network, points: int) -> None:
        """`points`: the size of the training set, which some estimators need."""
        nn.Module.__init__(self)
        self.settings = settings
        self.latents = network.latents
        self.points = points
        self.build(network)
        if settings.likelihood == "gaussian_learned":
            self.log_sigma = nn.Parameter(torch.zeros(()))

    @classmethod
    def resolve(cls, settings: Model.Settings, dataset: Dataset) -> Model.Settings:
        assert isinstance(settings, NeuralModel.Settings)
        likelihood = dataset.likelihood if settings.likelihood == "auto" else settings.likelihood
        gaussian = likelihood == "gaussian"
        sigma = (settings.sigma or dataset.sigma) if gaussian else 0.0
        return settings.model_copy(update={"likelihood": likelihood, "sigma": sigma})

    @classmethod
    def extra_weights(cls, settings: Any) -> int:
        """About how many weights it adds to the network's own, such as a critic's."""
        return 0

    @abstractmethod
    def build(self, network: Network) -> None:
        """Make the submodules."""

    def noise(self, batch: int) -> dict[str, Noise]:
        """The noise that one step needs, by name."""
        return {"eps": Noise((batch, self.latents))}

    @abstractmethod
    def loss(self, batch: Batch, settings: Any) -> Objective:
        """The objective on one batch; `settings` holds this run's own values."""

    def critic_losses(self, shared: dict[str, Tensor], batch: Batch, settings: Any) -> dict[str, Tensor]:
        """Each critic's loss; its gradient reaches that critic's parameters alone."""
        return {}

    @abstractmethod
    def posterior(self, x: Float[Tensor, "b ..."]) -> Posterior: ...

    @abstractmethod
    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b ..."]:
        """Logits or means of p(x|z)."""

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
            return nn.functional.binary_cross_entropy_with_logits(output, x, reduction="none").sum(1)
        learned = self.settings.likelihood == "gaussian_learned"
        log_sigma = self.log_sigma if learned else x.new_tensor(math.log(self.settings.sigma))
        scaled = (x - output) * torch.exp(-log_sigma)
        return 0.5 * scaled.square().sum(1) + x.shape[1] * (log_sigma + HALF_LOG_TWO_PI)

    def log_prior(self, z: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
        """log p(z) in nats; the standard normal unless a model says otherwise."""
        return -0.5 * z.square().sum(1) - z.shape[1] * HALF_LOG_TWO_PI

    def mean_image(self, output: Float[Tensor, "b ..."]) -> Float[Tensor, "b ..."]:
        """E[x|z] in the data's units, from the decoder's output."""
        return output.sigmoid() if self.settings.likelihood == "bernoulli" else output


HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
