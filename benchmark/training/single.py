"""The engine for convolutions on a CPU: one member, native kernels in channels_last, one thread."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.models._neural import Batch, NeuralModel, Posterior
from benchmark.spec import TrainingSettings
from benchmark.training.engine import Engine, laid_out_as, logged, optimiser_of, split_parameters
from benchmark.training.narrow import narrowed
from benchmark.training.schedule import rate_factor


class SingleEngine(Engine):
    """Trains one module as it stands."""

    def __init__(self, members: list[NeuralModel], trainings: list[TrainingSettings]) -> None:
        (self.model,) = self.members = [member.to(memory_format=torch.channels_last) for member in members]  # type: ignore[call-overload]
        # Stackable settings are scalars of tensors here too: an author's loss sees the same in either engine.
        names = type(self.model.settings).stackable_names()
        scalars = {name: torch.tensor(float(getattr(self.model.settings, name))) for name in names}
        self.settings = self.model.settings.model_copy(update=scalars)
        parameters = dict(self.model.named_parameters())
        self.groups = {
            group: [parameters[name] for name in names] for group, names in split_parameters(self.model).items()
        }
        (self.training,) = trainings
        self.options = {group: optimiser_of(self.model, self.training, group) for group in self.groups}
        self.optimisers = {
            group: torch.optim.AdamW(
                tensors,
                fused=True,
                lr=self.options[group].rate,
                betas=self.options[group].betas,
                weight_decay=self.options[group].decay,
            )
            for group, tensors in self.groups.items()
        }
        # The module that is differentiated: where products are narrow, a twin that shares the weights.
        self.differentiated = narrowed(self.model) if self.training.precision == "bfloat16" else self.model

    def step(
        self, x: Tensor, x2: Tensor | None, noise: dict[str, Tensor], step: int, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        noise = {name: value[0] for name, value in noise.items()}
        second, classes = (None if each is None else each[0] for each in (x2, labels))
        batch = Batch(x[0], noise, torch.tensor(float(step)), second, classes)
        objective, critics = self.differentiated(batch, self.settings)
        losses = {"": objective.loss, **critics}
        # All gradients are taken before any update, so that the order of the optimisers does not matter.
        last = next(reversed(self.groups), None)
        gradients = {
            group: torch.autograd.grad(losses[group], tensors, retain_graph=group != last, materialize_grads=True)
            for group, tensors in self.groups.items()
        }
        for group, tensors in self.groups.items():
            for parameter, gradient in zip(tensors, gradients[group], strict=True):
                parameter.grad = laid_out_as(parameter, gradient)
            if self.options[group].scheduled:
                (settings,) = self.optimisers[group].param_groups
                settings["lr"] = self.options[group].rate * rate_factor(self.training, step)
            self.optimisers[group].step()
        terms = logged(objective.loss, objective.terms, critics)
        return {name: value.detach()[None] for name, value in terms.items()}

    @torch.no_grad()
    def posterior(self, x: Tensor) -> Posterior:
        # What an author's module keeps beside its weights, such as batch statistics, sees training batches alone.
        self.model.eval()
        posterior = self.model.posterior(x)
        self.model.train()
        return Posterior(*(None if part is None else part[None] for part in posterior))  # type: ignore[arg-type]

    def state(self) -> dict[str, Tensor]:
        tensors = {f"weights.{name}": value for name, value in self.model.state_dict().items()}
        for group, optimiser in self.optimisers.items():
            for index, parameter in enumerate(self.groups[group]):
                for key, value in optimiser.state[parameter].items():
                    tensors[f"adam.{group}.{index}.{key}"] = value
        return tensors

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        for name, value in self.model.state_dict().items():
            value.copy_(state[f"weights.{name}"])
        for group, optimiser in self.optimisers.items():
            for index, parameter in enumerate(self.groups[group]):
                keys = ("step", "exp_avg", "exp_avg_sq")
                optimiser.state[parameter] = {
                    # The layout of the parameter decides the order of the arithmetic, hence the bits.
                    key: torch.empty_like(parameter).copy_(state[f"adam.{group}.{index}.{key}"])
                    if key != "step"
                    else state[f"adam.{group}.{index}.{key}"].clone()
                    for key in keys
                }

    def member(self, index: int) -> NeuralModel:  # noqa: ARG002
        return self.model
