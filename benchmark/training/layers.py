"""Layers for stacked weights: convolutions as grouped ones or as batched products, in single precision or bfloat16."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from benchmark.spec import Precision

Convolution: TypeAlias = Literal["grouped", "space_to_depth"]

HALVING = {"kernel_size": (4, 4), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
"""The convolutions that become products: they halve an image or, transposed, double it."""


def exchange_layers(model: nn.Module, convolution: Convolution, precision: Precision) -> None:
    """Put layers that stack well in the place of a model's convolutions and linear layers; names of weights stay.

    In bfloat16 these layers multiply numbers of 8 bits and hand them on as such; what the last one of a `Sequential`
    or a layer by itself gives, and all other arithmetic, is in single precision. The casts are written out, since
    autocast under a mapping casts other operations on a CPU than on a GPU.
    """
    exchange(model, lambda layer, inner: Layer(layer, convolution, precision, hands_on=inner))


def exchange(model: nn.Module, make: Callable[[nn.Module, bool], nn.Module]) -> int:
    """Put what `make` gives in the place of every linear layer and convolution, and count them.

    It is told whether another one of the same `Sequential` follows.
    """
    exchanged = 0
    for parent in list(model.modules()):
        names = [name for name, child in parent.named_children() if _is_known(child)]
        for name in names:
            inner = isinstance(parent, nn.Sequential) and name != names[-1]
            setattr(parent, name, make(parent.get_submodule(name), inner))
        exchanged += len(names)
    return exchanged


def _is_known(layer: nn.Module) -> bool:
    """Layers of torch and of this package's networks; an author's subclass computes what its author wrote."""
    theirs = type(layer).__module__.startswith(("torch.nn.", "benchmark.networks."))
    return theirs and isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)


class Layer(nn.Module):
    """A linear layer, convolution or transposed convolution with the weights of another."""

    def __init__(self, of: nn.Module, convolution: Convolution, precision: Precision, *, hands_on: bool) -> None:
        super().__init__()
        assert isinstance(of, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
        self.weight, self.bias = of.weight, of.bias
        self.narrow, self.hands_on = precision == "bfloat16", hands_on
        self.options: dict[str, Any] = {}
        self.compute: Callable[..., Tensor]
        if isinstance(of, nn.Linear):
            self.compute = functional.linear
            return
        transposed = isinstance(of, nn.ConvTranspose2d)
        names = ["stride", "padding", "dilation", "groups", *(["output_padding"] if transposed else [])]
        halves = all(getattr(of, name) == value for name, value in HALVING.items()) and of.padding_mode == "zeros"
        if convolution == "space_to_depth" and halves and getattr(of, "output_padding", (0, 0)) == (0, 0):
            self.compute = doubled if transposed else halved
            return
        if of.padding_mode != "zeros":
            raise NotImplementedError(f"a convolution padded by {of.padding_mode} does not stack; set stacks = False")
        self.compute = functional.conv_transpose2d if transposed else functional.conv2d
        self.options = {name: getattr(of, name) for name in names}

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight, self.bias
        if self.narrow:
            x, weight = x.bfloat16(), weight.bfloat16()
            bias = None if bias is None else bias.bfloat16()
        y = self.compute(x, weight, bias, **self.options)
        return y if self.hands_on else y.to(self.weight.dtype)


def halved(x: Float[Tensor, "b c 2h 2w"], weight: Float[Tensor, "o c 4 4"], bias: Tensor | None) -> Tensor:
    """A convolution by 4 × 4 of stride 2 and padding 1, (b o h w), over blocks of 2 × 2 pixels as channels.

    Of many channels, blocks are multiplied by all four blocks of the kernel and neighbours summed: a product of 4c by
    4o numbers reads and writes half of what one of 16c by o does. Of few, as in an image, the sum is what costs, and
    neighbours are put side by side before.
    """
    (_, c, height, width), o = x.shape, weight.shape[0]
    h, w = height // 2, width // 2
    padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    blocks = padded.reshape(-1, h + 1, 2, w + 1, 2, c).transpose(2, 3).flatten(3)
    kernel = weight.reshape(o, c, 2, 2, 2, 2)  # row 2u + s and column 2v + t of block (u, v)
    if 4 * c <= o:
        windows = blocks.unfold(1, 2, 1).unfold(2, 2, 1).reshape(-1, 16 * c)
        y = (windows @ kernel.permute(3, 5, 1, 2, 4, 0).reshape(16 * c, o)).reshape(-1, h, w, o)
    else:
        products = blocks.reshape(-1, 4 * c) @ kernel.flip(2, 4).permute(3, 5, 1, 2, 4, 0).reshape(4 * c, 4 * o)
        y = SumOfNeighbours.apply(products.reshape(-1, h + 1, w + 1, 2, 2, o))  # type: ignore[no-untyped-call]
    return (y if bias is None else y + bias).permute(0, 3, 1, 2)


def doubled(x: Float[Tensor, "b c h w"], weight: Float[Tensor, "c o 4 4"], bias: Tensor | None) -> Tensor:
    """A transposed convolution by 4 × 4 of stride 2 and padding 1, (b o 2h 2w): the adjoint of `halved`, step by step.

    Of many resulting channels, neighbours are put side by side before the product; of few, summed after it.
    """
    (_, c, h, w), o = x.shape, weight.shape[1]
    pixels = x.permute(0, 2, 3, 1)
    kernel = weight.reshape(c, o, 2, 2, 2, 2)
    if 4 * o <= c:
        products = pixels.reshape(-1, c) @ kernel.permute(0, 2, 4, 3, 5, 1).reshape(c, 16 * o)
        blocks = SumIntoNeighbours.apply(products.reshape(-1, h, w, 2, 2, 4 * o))  # type: ignore[no-untyped-call]
    else:
        # A window reaches block (i, j) from the pixels before it: its order is the kernel's turned round.
        padded = functional.pad(pixels, (0, 0, 1, 1, 1, 1))
        windows = padded.unfold(1, 2, 1).unfold(2, 2, 1).permute(0, 1, 2, 4, 5, 3).reshape(-1, 4 * c)
        blocks = windows @ kernel.flip(2, 4).permute(2, 4, 0, 3, 5, 1).reshape(4 * c, 4 * o)
    blocks = blocks.reshape(-1, h + 1, w + 1, 2, 2, o).transpose(2, 3).flatten(3, 4).flatten(1, 2)
    y = functional.pad(blocks, (0, 0, -1, -1, -1, -1))
    return (y if bias is None else y + bias).permute(0, 3, 1, 2)


class _OfImages(Function):
    """A linear map of images one by one, whose adjoint torch would not take in one sweep."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        pass

    @classmethod
    def vmap(cls, info: Any, in_dims: tuple[int], p: Tensor) -> tuple[Tensor, int]:  # noqa: ARG003
        # Every member's images are images: the mapped axis joins theirs.
        p = p.movedim(in_dims[0], 0)
        y: Tensor = cls.apply(p.flatten(0, 1))  # type: ignore[no-untyped-call]
        return y.reshape(*p.shape[:2], *y.shape[1:]), 0


class SumOfNeighbours(_OfImages):
    """y[b, i, j] = Σ_{k, l} p[b, i + 1 − k, j + 1 − l, k, l], of p (b h+1 w+1 2 2 o): in this order its adjoint is a
    view."""

    @staticmethod
    def forward(p: Tensor) -> Tensor:
        y = p[:, :-1, :-1, 1, 1] + p[:, :-1, 1:, 1, 0]
        return y.add_(p[:, 1:, :-1, 0, 1]).add_(p[:, 1:, 1:, 0, 0])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
        padded = functional.pad(gradient, (0, 0, 1, 1, 1, 1))
        return padded.unfold(1, 2, 1).unfold(2, 2, 1).permute(0, 1, 2, 4, 5, 3)


class SumIntoNeighbours(_OfImages):
    """y[b, i, j] = Σ_{u, v} p[b, i − u, j − v, u, v] over what is inside, (b h+1 w+1 o) of p (b h w 2 2 o)."""

    @staticmethod
    def forward(p: Tensor) -> Tensor:
        _, h, w, _, _, o = p.shape
        y = p.new_zeros(p.shape[0], h + 1, w + 1, o)
        for u in range(2):
            for v in range(2):
                y[:, u : u + h, v : v + w].add_(p[:, :, :, u, v])
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
        return gradient.unfold(1, 2, 1).unfold(2, 2, 1).permute(0, 1, 2, 4, 5, 3)
