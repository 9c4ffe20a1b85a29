"""The engine for what does not stack, on a GPU: one member, as it stands, moved there."""

from __future__ import annotations

import copy
from typing import ClassVar

import torch
from torch import Tensor

from benchmark.models._neural import NeuralModel, Posterior
from benchmark.spec import TrainingSettings
from benchmark.training.single import SingleEngine


class PlacedEngine(SingleEngine):
    """`SingleEngine` on a device. States of the two are interchangeable; `members` stay on the CPU."""

    resident: ClassVar[bool] = True

    def __init__(self, members: list[NeuralModel], trainings: list[TrainingSettings], device: str = "cpu") -> None:
        self.device = torch.device(device)
        super().__init__([copy.deepcopy(member).to(self.device) for member in members], trainings)
        self.members = members
        scalars = {name: getattr(self.settings, name).to(self.device) for name in self.settings.stackable_names()}
        self.settings = self.settings.model_copy(update=scalars)

    @torch.no_grad()
    def posterior(self, x: Tensor) -> Posterior:
        found = super().posterior(x.to(self.device))
        return Posterior(*(None if part is None else part.cpu() for part in found))  # type: ignore[arg-type]

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        super().restore({name: value.to(self.device) for name, value in state.items()})

    @torch.no_grad()
    def member(self, index: int) -> NeuralModel:
        model = self.members[index]
        for name, value in model.state_dict().items():
            value.copy_(self.model.state_dict()[name])
        return model
