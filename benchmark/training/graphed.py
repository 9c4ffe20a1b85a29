"""The engine for a GPU: stacked members, convolutions included, whose whole step is one CUDA graph."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from benchmark.errors import ModelError
from benchmark.models._neural import NeuralModel, Posterior
from benchmark.spec import TrainingSettings
from benchmark.training.layers import Convolution, exchange_layers
from benchmark.training.schedule import rate_factor
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
        self.device, self.convolution = torch.device(device), convolution
        super().__init__([copy.deepcopy(member).to(self.device) for member in members], trainings)
        self.members = members
        self.scalars = {name: value.to(self.device) for name, value in self.scalars.items()}
        self._inputs: Any = None
        self._module: GraphModule | None = None
        self._graph: torch.cuda.CUDAGraph | None = None
        self._names: list[str] = []
        self._values: Tensor

    def _exchange_layers(self) -> None:
        exchange_layers(self.base, self.convolution, self.training.precision)

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
        if self._module is None:
            self._module = self._traced()
            if self.device.type == "cuda":
                self._capture()
        for optimiser in self.optimisers.values():
            optimiser.schedule(rate_factor(self.training, step))
        if self._graph is None:
            self._advance()
        else:
            self._graph.replay()
        return dict(zip(self._names, self._values.clone(), strict=True))

    def _traced(self) -> GraphModule:
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
        assert self._module is not None
        with torch.no_grad():
            gradients, terms = self._module(self.parameters, self.scalars, *self._inputs)
            for group, optimiser in self.optimisers.items():
                optimiser.step([gradients[name] for name in self.groups[group]])
        self._names, self._values = list(terms), torch.stack([value.float() for value in terms.values()])

    def _capture(self) -> None:
        """Record one step as a CUDA graph; weights and optimiser state are afterwards what they were before."""
        before = {name: value.clone() for name, value in self.state().items()}
        stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream):
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
