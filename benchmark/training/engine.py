"""What an engine is: it takes the members of a fleet one step further, and gives each back as an ordinary module."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from benchmark.errors import ModelError
from benchmark.models._neural import NeuralModel, Posterior
from benchmark.seeds import integer
from benchmark.spec import TrainingSettings


class Engine(ABC):
    """Trains m members at once; every array has a leading axis of members."""

    members: list[NeuralModel]
    """The members as ordinary modules on the CPU; `member` gives one its present weights."""
    device: torch.device = torch.device("cpu")
    resident: ClassVar[bool] = False
    """Whether data lies on its device, and inputs are looked up there."""

    @abstractmethod
    def step(
        self, x: Tensor, x2: Tensor | None, noise: dict[str, Tensor], step: int, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """One step on batches x (m b …), of classes `labels` (m b) where the model asks for them.

        Returns `loss` and the named terms, each (m,), in nats.
        """

    @abstractmethod
    def posterior(self, x: Tensor) -> Posterior:
        """The posteriors (m n d), on the CPU, of the same points x (n …) under every member."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Weights and optimiser state, by name."""

    @abstractmethod
    def restore(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""

    @abstractmethod
    def member(self, index: int) -> NeuralModel:
        """One member as an ordinary module with its present weights."""


def split_parameters(model: NeuralModel) -> dict[str, list[str]]:
    """Parameter names by who is trained on them: "" for the model itself, and each critic.

    What an author froze (`requires_grad = False`) is trained by none, and who has nothing else is left out.
    """
    groups: dict[str, list[str]] = {"": [], **{critic: [] for critic in model.critics}}
    for name, parameter in model.named_parameters():
        prefix = name.split(".")[0]
        if parameter.requires_grad:
            groups[prefix if prefix in model.critics else ""].append(name)
    return {group: names for group, names in groups.items() if names}


class Optimiser(NamedTuple):
    """Adam's rate, its moments, the decoupled decay of weights, and whether the rate follows the schedule."""

    rate: float
    betas: tuple[float, float]
    decay: float
    scheduled: bool


def optimiser_of(model: NeuralModel, training: TrainingSettings, group: str) -> Optimiser:
    """What trains one member's model, or one of its critics: these keep their rate, and their weights."""
    if group:
        critic = model.critics[group]
        return Optimiser(getattr(model.settings, critic.rate), critic.betas, 0.0, scheduled=False)
    return Optimiser(training.learning_rate, (training.beta1, training.beta2), training.weight_decay, scheduled=True)


def logged(loss: Tensor, terms: Mapping[str, Tensor], critics: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All terms of a step, by the columns of the history. Raises `ModelError` where two would share one."""
    columns = {"loss": loss, **{f"{name}_loss": value for name, value in critics.items()}}
    for name in terms:
        if name in (*columns, "step", "active", "delta_kl") or name.startswith("probe_"):
            raise ModelError(f'the history has a column "{name}" of its own: call this term of the objective otherwise')
    return {"loss": loss, **terms, **columns}


def laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """The gradient in the parameter's memory layout: the fused Adam reads both by position and ignores strides."""
    return gradient if gradient.stride() == parameter.stride() else torch.empty_like(parameter).copy_(gradient)


@contextmanager
def seeded(*names: object) -> Iterator[None]:
    """Run torch's own generator from a named stream inside the block, and leave it untouched outside."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(integer(*names))
        yield
