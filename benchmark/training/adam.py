"""Adam on stacked parameters, whose members may differ in their rate (Kingma & Ba 2015, algorithm 1)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from benchmark.training.engine import laid_out_as

EPSILON = 1e-8


class Part(NamedTuple):
    """Members start … stop − 1, side by side and of one rate: views of their parameters and of both moments."""

    start: int
    stop: int
    rate: float
    parameters: list[Tensor]
    first: list[Tensor]
    second: list[Tensor]


class StackedAdam:
    """torch's fused kernel, which is elementwise, called directly: its optimiser's own bookkeeping in Python costs as
    much as the kernel does on a fleet of tiny networks."""

    def __init__(self, parameters: dict[str, Tensor], rates: Sequence[float], betas: tuple[float, float]) -> None:
        """`parameters` (m …) by name; `rates`, of the m members."""
        self.parameters = parameters
        self.betas = betas
        self.steps = torch.zeros((), device=next(iter(parameters.values())).device)
        self.moments = [{name: torch.zeros_like(each) for name, each in parameters.items()} for _ in range(2)]
        self.parts, start = [], 0
        for rate, same in groupby(rates):
            stop = start + len(list(same))
            slices = [[each[start:stop] for each in of.values()] for of in (parameters, *self.moments)]
            self.parts.append(Part(start, stop, rate, *slices))
            start = stop

    def step(self, gradients: list[Tensor]) -> None:
        """One step along gradients (m …), in the parameters' order."""
        self.steps += 1
        beta1, beta2 = self.betas
        for start, stop, rate, parameters, first, second in self.parts:
            own = [
                laid_out_as(parameter, gradient if stop - start == len(gradient) else gradient[start:stop])
                for parameter, gradient in zip(parameters, gradients, strict=True)
            ]
            torch._fused_adam_(
                parameters,
                own,
                first,
                second,
                [],
                [self.steps] * len(own),
                lr=rate,
                beta1=beta1,
                beta2=beta2,
                weight_decay=0.0,
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
