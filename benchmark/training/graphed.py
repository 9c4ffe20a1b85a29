"""The engine for a GPU: stacked members, convolutions included, whose whole step is one CUDA graph."""

from __future__ import annotations

import copy
import warnings
from itertools import groupby
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from benchmark.errors import ModelError
from benchmark.models._neural import NeuralModel, Posterior
from benchmark.spec import TrainingSettings
from benchmark.training.engine import adam_options, laid_out_as
from benchmark.training.layers import Convolution, exchange_layers
from benchmark.training.stacked import StackedEngine

WARM_UP = 3
"""Steps before a capture: libraries choose their kernels and memory in the first ones."""
ENCODED_AT_ONCE = 64
"""Points of the probe that all members encode together: the layers of all of them would take more than training."""


class GraphedEngine(StackedEngine):
    """Parameters, inputs and optimiser state at fixed places on a device; a step is one replay of what is captured.

    It computes what `StackedEngine` does, with layers that stack well. On a CPU everything is the same but for the
    capture. States of the two engines are interchangeable. `members` stay on the CPU.
    """

    resident: ClassVar[bool] = True

    def __init__(
        self,
        members: list[NeuralModel],
        trainings: list[TrainingSettings],
        device: str = "cpu",
        convolution: Convolution = "space_to_depth",
    ) -> None:
        self.device = torch.device(device)
        super().__init__([copy.deepcopy(member).to(self.device) for member in members], trainings)
        self.members = members
        self.scalars = {name: value.to(self.device) for name, value in self.scalars.items()}
        exchange_layers(self.base, convolution, trainings[0].precision)
        self._inputs: Any = None
        self._graph: torch.cuda.CUDAGraph | None = None
        self._names: list[str] = []
        self._terms: Tensor

    def _optimiser(self, group: str, trainings: list[TrainingSettings]) -> torch.optim.Adam:
        options = [adam_options(m, t, group) for m, t in zip(self.members, trainings, strict=True)]
        parts, start = [], 0
        for rate, same in groupby(option["lr"] for option in options):
            stop = start + len(list(same))
            parts.append({"params": [self.parameters[n].detach()[start:stop] for n in self.groups[group]], "lr": rate})
            start = stop
        optimiser = torch.optim.Adam(parts, fused=True, capturable=True, betas=options[0]["betas"])
        # At their places before the first step, so that a checkpoint is copied into what a graph reads.
        for part in optimiser.param_groups:
            for parameter in part["params"]:
                moments = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
                optimiser.state[parameter] = {"step": torch.zeros((), device=self.device), **moments}
        return optimiser

    def step(
        self, x: Tensor, x2: Tensor | None, noise: dict[str, Tensor], step: int, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        if self._inputs is None:
            place = {name: torch.empty_like(value, device=self.device) for name, value in noise.items()}
            others = [None if each is None else torch.empty_like(each, device=self.device) for each in (x, x2, labels)]
            self._inputs = (*others[:2], place, torch.empty((), device=self.device), others[2])
        own, own2, own_noise, own_step, own_labels = self._inputs
        for target, value in ((own, x), (own2, x2), (own_labels, labels)):
            if target is not None:
                target.copy_(value, non_blocking=True)
        for name, value in noise.items():
            own_noise[name].copy_(value, non_blocking=True)
        own_step.fill_(float(step))
        if self._recorded is None:
            self._recorded = self._record()
            if self.device.type == "cuda":
                self._capture()
        if self._graph is None:
            self._advance()
        else:
            self._graph.replay()
        return dict(zip(self._names, self._terms.clone(), strict=True))

    def _record(self) -> GraphModule:
        """The mapped loss and its gradients as a list of operations."""
        # A GPU's gradients are taken in a thread of their own, which a recording does not follow.
        with torch.autograd.set_multithreading_enabled(False):
            recorded = make_fx(self._gradients)(self.parameters, self.scalars, *self._inputs)
        # A graph cannot fetch an author's constant from here.
        for node in recorded.graph.find_nodes(op="get_attr"):
            setattr(recorded, node.target, getattr(recorded, node.target).to(self.device))
        return recorded

    def _advance(self) -> None:
        """Gradients of all members and their update, from inputs and into terms at fixed places."""
        with torch.no_grad():
            gradients, terms = self._recorded(self.parameters, self.scalars, *self._inputs)
        for group, optimiser in self.optimisers.items():
            start = 0
            for part in optimiser.param_groups:
                for name, parameter in zip(self.groups[group], part["params"], strict=True):
                    parameter.grad = laid_out_as(parameter, gradients[name][start : start + len(parameter)])
                start += len(part["params"][0])
            optimiser.step()
            optimiser.zero_grad()
        self._names, self._terms = list(terms), torch.stack([value.float() for value in terms.values()])

    def _capture(self) -> None:
        """Record one step as a CUDA graph; weights and optimiser state are afterwards what they were before."""
        before = {name: value.clone() for name, value in self.state().items()}
        stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "This instance was constructed with capturable=True", UserWarning)
            for _ in range(WARM_UP):
                self._advance()
        torch.cuda.current_stream(self.device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self._advance()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise ModelError(
                f"a step of this model cannot be captured as a CUDA graph ({error}); train it with --device cpu"
            ) from error
        self.restore(before)
        self._graph = graph

    def posterior(self, x: Tensor) -> Posterior:
        parts = [StackedEngine.posterior(self, part.to(self.device)) for part in torch.split(x, ENCODED_AT_ONCE)]
        joined = (None if each[0] is None else torch.cat(each, dim=1).cpu() for each in zip(*parts, strict=True))
        return Posterior(*joined)  # type: ignore[arg-type]

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        for name, value in self.state().items():
            value.copy_(state[name])
