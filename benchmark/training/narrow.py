"""Layers whose products are of bfloat16 in native kernels of a CPU, for networks that train one by one.

Weights stay in single precision and are narrowed at every step; gradients of weights and biases come back widened.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from benchmark.networks._doubling import FEW, Doubling, doubled
from benchmark.training.engine import laid_out_as
from benchmark.training.layers import exchange


def narrowed(model: nn.Module) -> nn.Module:
    """A twin of a model that shares its weights, and whose layers multiply numbers of 8 bits (bfloat16).

    Layers of a `Sequential` hand bfloat16 on to the next one; what the last one gives is in single precision.
    Raises `NotImplementedError` where there is nothing to narrow.
    """
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    twin = copy.deepcopy(model, shared)
    if not exchange(twin, lambda layer, inner: NarrowLayer(layer, hands_on=inner)):
        raise NotImplementedError("it has no linear layer or convolution of torch's own")
    for parent in twin.modules():
        for name, child in parent.named_children():
            if type(child) is nn.ReLU:
                setattr(parent, name, NarrowReLU())
    return twin


class NarrowLayer(nn.Module):
    """A linear layer, convolution or transposed convolution in bfloat16, with the weights of another."""

    narrow = True

    def __init__(self, of: nn.Module, *, hands_on: bool) -> None:
        super().__init__()
        assert isinstance(of, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
        self.weight, self.bias, self.hands_on = of.weight, of.bias, hands_on
        self.product: type[Function] = NarrowLinear
        self.options: tuple[Any, ...] = ()
        if isinstance(of, nn.Linear):
            return
        if of.padding_mode != "zeros" or isinstance(of.padding, str):
            raise NotImplementedError(f"a convolution padded by {of.padding_mode}, {of.padding}, has no narrow kernels")
        self.options = (of.stride, of.padding, of.dilation, of.groups)
        self.product = NarrowConvolution
        if isinstance(of, nn.ConvTranspose2d):
            few = isinstance(of, Doubling) and of.out_channels < FEW
            self.product = NarrowDoubling if few else NarrowTransposed
            self.options = (*self.options, of.output_padding)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.product.apply(x.bfloat16(), self.weight, self.bias, *self.options)  # type: ignore[no-untyped-call]
        return y.bfloat16() if self.hands_on else y.float()


class NarrowReLU(nn.Module):
    """A ReLU that takes narrow numbers as the whole numbers of their bits, of which negative ones are negative too:
    several times as fast as torch's own, which widens them. It writes over its input.

    A NaN with a sign becomes 0; the weights that it came from show it at the end of training.
    """

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = OfBits.apply(x) if x.dtype is torch.bfloat16 else functional.relu(x)  # type: ignore[no-untyped-call]
        return y


class OfBits(Function):
    """max(0, x) in place, and its gradient, by the bits of bfloat16."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x.view(torch.int16).clamp_min_(0)
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        bits = torch.ops.aten.threshold_backward(laid_out_as(y, gradient).view(torch.int16), y.view(torch.int16), 0)
        return bits.view(torch.bfloat16)


class _Narrow(Function):
    """y = product(x, W) + b of narrow x. Subclasses say what the product is, and what its gradients are."""

    @staticmethod
    def product(x: Tensor, weight: Tensor, bias: Tensor | None, *options: Any) -> Tensor:
        raise NotImplementedError

    @staticmethod
    def gradients(
        gradient: Tensor, x: Tensor, weight: Tensor, wanted: bool, *options: Any
    ) -> tuple[Tensor | None, Tensor]:
        """Of x, where it is wanted, and of the weights."""
        raise NotImplementedError

    @classmethod
    def forward(cls, ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, *options: Any) -> Tensor:
        narrow = weight.bfloat16()
        ctx.save_for_backward(x, narrow)
        ctx.options, ctx.biased = options, bias is not None
        return cls.product(x, narrow, None if bias is None else bias.bfloat16(), *options)

    @classmethod
    def backward(cls, ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        gradient = gradient.bfloat16()
        of_x, of_weight = cls.gradients(gradient, x, weight, ctx.needs_input_grad[0], *ctx.options)
        axes = [axis for axis in range(gradient.dim()) if axis != 1]
        of_bias = gradient.float().sum(axes) if ctx.biased else None
        return of_x, of_weight.float(), of_bias, *[None] * len(ctx.options)


class NarrowLinear(_Narrow):
    """x Wᵀ."""

    @staticmethod
    def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return functional.linear(x, weight, bias)

    @staticmethod
    def gradients(gradient: Tensor, x: Tensor, weight: Tensor, wanted: bool) -> tuple[Tensor | None, Tensor]:
        return gradient @ weight if wanted else None, gradient.T @ x


class NarrowConvolution(_Narrow):
    """A convolution by native kernels."""

    @staticmethod
    def product(x: Tensor, weight: Tensor, bias: Tensor | None, *options: Any) -> Tensor:
        return functional.conv2d(x, weight, bias, *options)

    @staticmethod
    def gradients(
        gradient: Tensor, x: Tensor, weight: Tensor, wanted: bool, *options: Any
    ) -> tuple[Tensor | None, Tensor]:
        return _of_convolution(gradient, x, weight, (wanted, True), *options)


class NarrowTransposed(_Narrow):
    """A transposed convolution, the adjoint of a convolution by the same weights: so are its gradients, whose kernels
    are the faster ones."""

    @staticmethod
    def product(x: Tensor, weight: Tensor, bias: Tensor | None, *options: Any) -> Tensor:
        stride, padding, dilation, groups, more = options
        return functional.conv_transpose2d(x, weight, bias, stride, padding, more, groups, dilation)

    @staticmethod
    def gradients(
        gradient: Tensor, x: Tensor, weight: Tensor, wanted: bool, *options: Any
    ) -> tuple[Tensor | None, Tensor]:
        *options_of_adjoint, _ = options
        of_x = functional.conv2d(gradient, weight, None, *options_of_adjoint) if wanted else None
        # What the adjoint's weights get where x is the gradient and the gradient its input.
        _, of_weight = _of_convolution(x, gradient, weight, (False, True), *options_of_adjoint)
        return of_x, of_weight


class NarrowDoubling(NarrowTransposed):
    """A transposed convolution to few channels, for which native kernels idle, as one product: its parts are summed in
    single precision."""

    @staticmethod
    def product(x: Tensor, weight: Tensor, bias: Tensor | None, *options: Any) -> Tensor:  # noqa: ARG004
        y = doubled(x, weight)
        return y if bias is None else y + bias.float().view(-1, 1, 1)


def _of_convolution(
    gradient: Tensor, x: Tensor, weight: Tensor, wanted: tuple[bool, bool], *options: Any
) -> tuple[Tensor | None, Tensor]:
    """The gradients of a convolution's input and weights."""
    stride, padding, dilation, groups = options
    of_x, of_weight, _ = torch.ops.aten.convolution_backward(
        gradient, x, weight, None, stride, padding, dilation, False, [0, 0], groups, [*wanted, False]
    )
    return of_x, of_weight
