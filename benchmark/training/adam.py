"""Adam on stacked parameters, whose members may differ in their rate and in how their weights decay (Kingma & Ba 2015,
algorithm 1; Loshchilov & Hutter 2019, algorithm 2)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from benchmark.training.engine import Optimiser, laid_out_as

EPSILON = 1e-8


class Part(NamedTuple):
    """Members start … stop − 1, side by side, of one rate and decay: views of their parameters and of both moments."""

    start: int
    stop: int
    rate: float
    decay: float
    parameters: list[Tensor]
    first: list[Tensor]
    second: list[Tensor]


class StackedAdam:
    """torch's fused kernel, which is elementwise, called directly: its optimiser's own bookkeeping in Python costs as
    much as the kernel does on a fleet of tiny networks."""

    def __init__(self, parameters: dict[str, Tensor], optimisers: Sequence[Optimiser]) -> None:
        """`parameters` (m …) by name; what trains each of the m members, which share all but rate and decay."""
        self.parameters = parameters
        self.betas, self.scheduled = optimisers[0].betas, optimisers[0].scheduled
        device = next(iter(parameters.values())).device
        self.steps = torch.zeros((), device=device)
        self.factor = torch.ones((), device=device)
        """What rates are multiplied by, where a captured graph can read it."""
        self.moments = [{name: torch.zeros_like(each) for name, each in parameters.items()} for _ in range(2)]
        self.parts, start = [], 0
        for (rate, decay), same in groupby((each.rate, each.decay) for each in optimisers):
            stop = start + len(list(same))
            slices = [[each[start:stop] for each in of.values()] for of in (parameters, *self.moments)]
            self.parts.append(Part(start, stop, rate, decay, *slices))
            start = stop

    def schedule(self, factor: float) -> None:
        """Multiply the rates by this from now on, where they follow the schedule."""
        if self.scheduled:
            self.factor.fill_(factor)

    def step(self, gradients: list[Tensor]) -> None:
        """One step along gradients (m …), in the parameters' order."""
        self.steps += 1
        beta1, beta2 = self.betas
        # A graph would keep a number as it was when captured; here a number is what the kernel takes fastest.
        factor = self.factor if self.factor.is_cuda else self.factor.item()
        for start, stop, rate, decay, parameters, first, second in self.parts:
            own = [
                laid_out_as(parameter, gradient if stop - start == len(gradient) else gradient[start:stop])
                for parameter, gradient in zip(parameters, gradients, strict=True)
            ]
            torch._fused_adamw_(
                parameters,
                own,
                first,
                second,
                [],
                [self.steps] * len(own),
                lr=rate * factor,
                beta1=beta1,
                beta2=beta2,
                weight_decay=decay,
                eps=EPSILON,
                amsgrad=False,
                maximize=False,
            )

    def state(self) -> dict[str, Tensor]:
        """The moments and the number of steps, by part and parameter."""
        tensors: dict[str, Tensor] = {}
        for index, part in enumerate(self.parts):
            for name, first, second in zip(self.parameters, part.first, part.second, strict=True):
                found = {"step": self.steps, "exp_avg": first, "exp_avg_sq": second}
                tensors |= {f"adam.{index}.{name}.{key}": value for key, value in found.items()}
        return tensors

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""
        for index, part in enumerate(self.parts):
            for name, first, second in zip(self.parameters, part.first, part.second, strict=True):
                first.copy_(state[f"adam.{index}.{name}.exp_avg"])
                second.copy_(state[f"adam.{index}.{name}.exp_avg_sq"])
                self.steps.copy_(state[f"adam.{index}.{name}.step"])
