"""The engine for many small networks: one step of all members as one recorded list of batched operations."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from benchmark.errors import ModelError
from benchmark.models._neural import Batch, NeuralModel, Posterior
from benchmark.spec import TrainingSettings
from benchmark.training.adam import StackedAdam
from benchmark.training.engine import Engine, logged, optimiser_of, split_parameters
from benchmark.training.folding import Step
from benchmark.training.layers import exchange_layers
from benchmark.training.recording import rewrite
from benchmark.training.schedule import rate_factor


class StackedEngine(Engine):
    """Parameters, and buffers in which members differ, stacked along a leading axis of members.

    The author's loss on one batch is mapped over the members, differentiated, recorded once and rewritten; every step
    replays the recorded operations, which saves the mapping's own cost.
    """

    def __init__(self, members: list[NeuralModel], trainings: list[TrainingSettings]) -> None:
        self.members = members
        self.training = trainings[0]
        self.base = copy.deepcopy(members[0]).to("meta")
        for name, buffer in members[0].named_buffers():
            _assign(self.base, name, buffer)
        self._exchange_layers()
        self.settings = members[0].settings
        self.base.settings = _Shared(members[0])  # type: ignore[assignment]
        self.groups = split_parameters(members[0])
        tensors = [dict(member.named_parameters()) for member in members]
        self.parameters = {
            name: torch.stack([each[name].detach() for each in tensors]).requires_grad_(first.requires_grad)
            for name, first in tensors[0].items()
        }
        self.trained = [name for name, stacked in self.parameters.items() if stacked.requires_grad]
        self.parameters |= _own_buffers(members)
        names = type(members[0].settings).stackable_names()
        self.scalars = {
            name: torch.tensor([float(getattr(member.settings, name)) for member in members]) for name in names
        }
        self.optimisers = {group: self._optimiser(group, trainings) for group in self.groups}
        self._recorded: Step | None = None
        self._terms: list[str] = []

    def _exchange_layers(self) -> None:
        """Put other layers in the place of the author's, where these do not compute what the settings ask for."""
        if self.training.precision != "float32":
            exchange_layers(self.base, "grouped", self.training.precision)

    def _optimiser(self, group: str, trainings: list[TrainingSettings]) -> StackedAdam:
        optimisers = [optimiser_of(m, t, group) for m, t in zip(self.members, trainings, strict=True)]
        return StackedAdam({name: self.parameters[name].detach() for name in self.groups[group]}, optimisers)

    def _losses(
        self,
        parameters: dict[str, Tensor],
        scalars: dict[str, Tensor],
        x: Tensor,
        x2: Tensor | None,
        noise: dict[str, Tensor],
        step: Tensor,
        labels: Tensor | None,
    ) -> tuple[Any, Any]:
        def one(parameters: Any, scalars: Any, x: Tensor, x2: Tensor | None, noise: Any, labels: Tensor | None) -> Any:
            settings = self.settings.model_copy(update=scalars)
            return functional_call(self.base, parameters, (Batch(x, noise, step, x2, labels), settings))

        axes = (0, 0, 0, None if x2 is None else 0, 0, None if labels is None else 0)
        return vmap(one, in_dims=axes)(parameters, scalars, x, x2, noise, labels)

    def _gradients(self, *arguments: Any) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        parameters = arguments[0]
        objective, critics = self._losses(*arguments)
        gradients: dict[str, Tensor] = {}
        losses = {"": objective.loss, **critics}
        for group, names in self.groups.items():
            wanted = [parameters[name] for name in names]
            found = torch.autograd.grad(losses[group].sum(), wanted, retain_graph=bool(critics), materialize_grads=True)
            gradients |= dict(zip(names, found, strict=True))
        terms = logged(objective.loss, objective.terms, critics)
        return gradients, {name: value.detach() for name, value in terms.items()}

    def _record(
        self, x: Tensor, x2: Tensor | None, noise: dict[str, Tensor], step: Tensor, labels: Tensor | None
    ) -> Step:
        """Record the step: a function of such arguments one by one, without those that are None."""

        def flat(*tensors: Tensor) -> list[Tensor]:
            left = iter(tensors)
            parameters, scalars = ({name: next(left) for name in names} for names in (self.parameters, self.scalars))
            gradients, terms = self._gradients(
                parameters,
                scalars,
                next(left),
                None if x2 is None else next(left),
                {name: next(left) for name in noise},
                next(left),
                None if labels is None else next(left),
            )
            self._terms = list(terms)
            return [*(gradients[name] for name in self.trained), *terms.values()]

        fixed = [*self.parameters.values(), *self.scalars.values()]
        return rewrite(make_fx(flat)(*fixed, *present(x, x2, noise, step, labels)), fixed)

    def step(
        self, x: Tensor, x2: Tensor | None, noise: dict[str, Tensor], step: int, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        arguments = (x, x2, noise, torch.tensor(float(step)), labels)
        if self._recorded is None:
            self._recorded = self._record(*arguments)
        with torch.no_grad():
            results = self._recorded(*present(*arguments))
            gradients = dict(zip(self.trained, results, strict=False))
            for group, optimiser in self.optimisers.items():
                optimiser.schedule(rate_factor(self.training, step))
                optimiser.step([gradients[name] for name in self.groups[group]])
        return dict(zip(self._terms, results[len(gradients) :], strict=True))

    @torch.no_grad()
    def posterior(self, x: Tensor) -> Posterior:
        def one(parameters: Any) -> Any:
            posterior = functional_call(_Encode(self.base), {f"model.{n}": p for n, p in parameters.items()}, (x,))
            return {name: part for name, part in posterior._asdict().items() if part is not None}

        return Posterior(**vmap(one)(self.parameters))

    def state(self) -> dict[str, Tensor]:
        tensors = {f"weights.{name}": value.detach() for name, value in self.parameters.items()}
        for optimiser in self.optimisers.values():
            tensors |= optimiser.state()
        return tensors

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        for name, parameter in self.parameters.items():
            parameter.copy_(state[f"weights.{name}"])
        for optimiser in self.optimisers.values():
            optimiser.restore(state)

    @torch.no_grad()
    def member(self, index: int) -> NeuralModel:
        model = self.members[index]
        own = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        for name, stacked in self.parameters.items():
            own[name].copy_(stacked[index])
        return model


def present(
    x: Tensor, x2: Tensor | None, noise: dict[str, Tensor], step: Tensor, labels: Tensor | None
) -> list[Tensor]:
    """What changes from step to step, as a list."""
    return [each for each in (x, x2, *noise.values(), step, labels) if each is not None]


class _Encode(torch.nn.Module):
    """A module whose forward is a model's posterior, so that its parameters can be swapped."""

    def __init__(self, model: NeuralModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Posterior:
        return self.model.posterior(x)


class _Shared:
    """What a mapped module may read as `self.settings`: the settings that all members share."""

    def __init__(self, model: NeuralModel) -> None:
        self._name, self._settings = type(model).__name__, model.settings
        self._stackable = set(type(model.settings).stackable_names())

    def __getattr__(self, name: str) -> Any:
        if name in self._stackable:
            raise ModelError(
                f"{self._name} reads self.settings.{name}, of which every run that trains beside others has its own:"
                f" read settings.{name}, of the settings that `loss` is given, or declare {name} static"
            )
        return getattr(self._settings, name)


def _own_buffers(members: list[NeuralModel]) -> dict[str, Tensor]:
    """The buffers that differ from member to member, such as fixed random features, stacked."""
    buffers = [dict(member.named_buffers()) for member in members]
    differ = (name for name, first in buffers[0].items() if not all(torch.equal(first, each[name]) for each in buffers))
    return {name: torch.stack([each[name] for each in buffers]) for name in differ}


def _assign(model: NeuralModel, name: str, buffer: Tensor) -> None:
    module, _, attribute = name.rpartition(".")
    model.get_submodule(module).register_buffer(attribute, buffer, persistent=False)
