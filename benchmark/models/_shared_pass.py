"""One pass of a critic for two losses: the model's, which reaches the codes, and its own, which reaches the weights."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from benchmark.networks._network import kaiming

SLOPE = 0.2
"""Of the leaky ReLU below zero."""


class Critic(nn.Sequential):
    """Layers of `width` with leaky ReLUs, then two logits."""

    def __init__(self, inputs: int, width: int, layers: int) -> None:
        hidden = [(nn.Linear(i, o), nn.LeakyReLU(SLOPE)) for i, o in pairwise([inputs, *[width] * layers])]
        super().__init__(*(module for pair in hidden for module in pair), nn.Linear(width, 2))
        kaiming(self)

    def log_ratio(self, z: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
        """The first logit less the second."""
        logits = self(z)
        return logits[:, 0] - logits[:, 1]

    def log_ratio_for_both(
        self, z: Float[Tensor, "b d"], others: Float[Tensor, "n d"]
    ) -> tuple[Float[Tensor, " b"], Float[Tensor, " b+n"]]:
        """The log-ratio of the codes, whose gradient reaches them alone; that of both, whose own reaches the weights.

        The two gradients need the same slopes but for a factor a row: taken once.
        """
        # Every second module is linear, whatever class an engine has put in its place.
        layers = list(self)[::2]
        parameters = [tensor for layer in layers for tensor in (layer.weight, layer.bias)]
        dtype = torch.bfloat16 if getattr(layers[0], "narrow", False) else z.dtype
        for_codes, for_weights, *_ = SharedPass.apply(dtype, z, others, *parameters)  # type: ignore[no-untyped-call]
        return for_codes, for_weights


class SharedPass(torch.autograd.Function):
    """Leaky-ReLU layers ending in two logits: their difference for the codes, for all rows, and what gradients need.

    Products are of numbers of type `dtype`; what is handed on, and sums over rows, are of the codes' own.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(dtype: torch.dtype, z: Tensor, others: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
        weights, biases = ([each.to(dtype) for each in of] for of in (parameters[::2], parameters[1::2]))
        inputs = [torch.cat([z, others]).to(dtype)]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            inputs.append(nn.functional.leaky_relu(nn.functional.linear(inputs[-1], weight, bias), SLOPE))
        logits = nn.functional.linear(inputs[-1], weights[-1], biases[-1]).to(z.dtype)
        ratio = logits[:, 0] - logits[:, 1]
        # From the last layer down: ∂ratio/∂(what a layer adds up), row by row; the last one's is (1, −1).
        slope = (weights[-1][0] - weights[-1][1]).expand_as(inputs[-1])
        slopes = []
        for weight, output in zip(reversed(weights[:-1]), reversed(inputs[1:]), strict=True):
            slopes.append(torch.ops.aten.leaky_relu_backward(slope, output, SLOPE, True))
            slope = slopes[-1] @ weight
        return ratio[: len(z)].clone(), ratio, slope[: len(z)].to(z.dtype, copy=True), *inputs, *reversed(slopes)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        _, _, *kept = output
        ctx.mark_non_differentiable(*kept)
        ctx.save_for_backward(*kept)
        ctx.set_materialize_grads(False)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, for_codes: Tensor | None, for_weights: Tensor | None, *_: None) -> tuple[Tensor | None, ...]:
        slope, *kept = ctx.saved_tensors
        layers = len(kept) // 2 + 1
        inputs, slopes = kept[:layers], kept[layers:]
        codes = None if for_codes is None else for_codes[:, None] * slope
        if for_weights is None:
            return None, codes, None, *[None] * (2 * layers)
        dtype = inputs[0].dtype
        pulls = [for_weights[:, None] * slope for slope in slopes]
        pulls.append(torch.stack([for_weights, -for_weights], 1))
        gradients = [
            ((pull.to(dtype).T @ seen).to(pull.dtype), pull.sum(0)) for pull, seen in zip(pulls, inputs, strict=True)
        ]
        return None, codes, None, *(gradient for pair in gradients for gradient in pair)
