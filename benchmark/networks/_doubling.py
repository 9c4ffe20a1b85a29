"""A transposed convolution that doubles an image's height and width: torch's own layer, computed faster on a CPU."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

FEW = 8
"""Output channels below which native kernels idle: they fill vectors of sixteen with channels."""


class Doubling(nn.ConvTranspose2d):
    """`ConvTranspose2d` of 4 × 4 kernels, stride 2 and padding 1: equal parameters, outputs and gradients."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 4, stride=2, padding=1)

    def forward(
        self, x: Float[Tensor, "*b i h w"], output_size: list[int] | None = None
    ) -> Float[Tensor, "*b o 2*h 2*w"]:
        if x.device.type != "cpu" or x.dim() != 4 or output_size is not None:
            return super().forward(x, output_size)
        assert self.bias is not None
        if self.out_channels < FEW:
            doubled = Product.apply(x, self.weight)  # type: ignore[no-untyped-call]
        else:
            doubled = nn.functional.conv_transpose2d(x, self.weight, None, stride=2, padding=1)
        # The native gradient of the bias takes as long as that of the weights, a sum a twentieth of it.
        return doubled + self.bias.view(-1, 1, 1)


class Product(torch.autograd.Function):
    """The transposed convolution without bias as one matrix product, with the native kernels' gradients."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor) -> Tensor:
        return doubled(x, weight)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        wanted = [*ctx.needs_input_grad, False]
        found = torch.ops.aten.convolution_backward(
            gradient, x, weight, None, [2, 2], [1, 1], [1, 1], True, [0, 0], 1, wanted
        )
        return found[0], found[1]

    @staticmethod
    def jvp(ctx: Any, x_tangent: Tensor | None, weight_tangent: Tensor | None) -> Tensor:
        x, weight = ctx.saved_tensors
        parts = []
        if x_tangent is not None:
            parts.append(doubled(x_tangent, weight))
        if weight_tangent is not None:
            parts.append(doubled(x, weight_tangent))
        return sum(parts[1:], parts[0])


def doubled(x: Float[Tensor, "b i h w"], weight: Float[Tensor, "i o 4 4"]) -> Float[Tensor, "b o 2*h 2*w"]:
    """What every pixel adds to its 4 × 4 outputs, then the four parts of every output summed.

    Pixel p and tap 2s + r meet in output 2(p + s) + r − 1, along either axis: odd outputs have r = 0, even ones r = 1,
    and each has a part from two neighbours.
    """
    b, i, h, w = x.shape
    o = weight.shape[1]
    taps = weight.permute(2, 3, 1, 0).reshape(16 * o, i) @ x.permute(0, 2, 3, 1).reshape(b * h * w, i).T
    # Products of bfloat16 are summed in single precision.
    taps = taps.to(torch.promote_types(taps.dtype, torch.float32)).view(2, 2, 2, 2, o, b, h, w)
    even, odd = taps[0, 1], taps[1, 0]
    even[..., 1:, :] += taps[1, 1, ..., :-1, :]
    odd[..., :-1, :] += taps[0, 0, ..., 1:, :]
    image = taps.new_empty(b, o, h, 2, w, 2)
    for parity, rows in enumerate((even, odd)):
        left, right = rows[0, 1], rows[1, 0]
        left[..., 1:] += rows[1, 1, ..., :-1]
        right[..., :-1] += rows[0, 0, ..., 1:]
        image[..., parity, :, 0] = left.transpose(0, 1)
        image[..., parity, :, 1] = right.transpose(0, 1)
    return image.view(b, o, 2 * h, 2 * w)
