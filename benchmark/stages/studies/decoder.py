"""The decoder as a short list of operations with small whole weights, which a page can run: its latent explorer.

Nothing for data that are not images and models without a way back. Where a decoder is not made of these operations,
`explorer_reason` says so, and the rest is absent. Otherwise:

`explorer_program`: JSON as bytes, the operations in order; `explorer_weights`: their numbers, as bytes.
`explorer_error`: largest and mean difference of a pixel to the exact decoder, the range from black to white being 1.
`explorer_codes` (s d): the codes of the images that the pictures show.
`explorer_draws` (m d): draws of the prior; where codes have none, codes of other points of the data.
`explorer_range` (2 d): centre and spread of each coordinate, whose slider goes three spreads to either side.
`explorer_prior`: 1 where draws and range are the prior's, else 0.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.models._neural import NeuralModel
from benchmark.seeds import stream
from benchmark.stages.points import PICTURES, SAMPLES, Decode, prior_samples, sample
from benchmark.stages.studies import Trained
from benchmark.training.on_device import OnDevice

if TYPE_CHECKING:
    from torch import nn

TOLERANCE = 1e-4
"""How far the operations may be from the decoder before their weights are rounded."""
BITS = (6, 8, 16)
"""Bits of a layer's weights, the fewest that do. Six lie in a byte each: the page's compression takes the rest out."""
MEAN_ERROR = 0.5 / 255
"""Above this mean difference of a pixel, layers get more bits."""
LARGEST = 1_200_000
"""Bytes of weights that a page should not exceed for one decoder."""
RANGE = 3
TOGETHER = 8
"""Images that are computed at once: more of them leave the cache."""
ACTIVATIONS = {"ReLU": "relu", "LeakyReLU": "leaky", "Tanh": "tanh", "Sigmoid": "sigmoid"}


class Inexpressible(Exception):
    """Why a decoder has no program, as a clause."""


@dataclass(frozen=True)
class Operation:
    """One step from codes to images; `weight` has its outputs first.

    kinds: `linear` (weight o × i), `transposed` (weight o × i × h × w, options stride and padding, two numbers each),
    `reshape` (option shape, without the batch), `relu`, `leaky` (option slope), `tanh`, `sigmoid`.
    """

    kind: str
    weight: ndarray | None = None
    bias: ndarray | None = None
    options: dict[str, Any] = field(default_factory=dict)
    bits: int = BITS[0]


def arrays(trained: Trained) -> dict[str, ndarray]:
    model, data, means = trained.model, trained.data, trained.codes.means
    if len(data.shape) != 3:
        return {}
    exact = exact_decoder(trained)
    if exact is None:
        return {}
    decode, trace = exact

    rows, prior = trained.rows, trained.standardised
    if not prior:
        draws = means[sample(trained.run, "explorer", len(rows), SAMPLES)]
    elif isinstance(model, NeuralModel):
        draws = prior_samples(model, trained.run)
    else:
        draws = stream(trained.run.run_id, "encode.samples").standard_normal((SAMPLES, means.shape[1]), np.float32)
    centre, spread = trained.place
    shown = means[sample(trained.run, "pictures", len(rows), PICTURES)]
    return exported(decode, trace, data.shape, Places(shown, draws, centre, spread, prior))


@dataclass(frozen=True)
class Places:
    """Where a decoder is looked at: codes `shown` (s d) to start from, `draws` (m d), and each coordinate's centre and
    spread (d); `prior`: whether these and the draws are the prior's."""

    shown: Float[ndarray, "s d"]
    draws: Float[ndarray, "m d"]
    centre: Float[ndarray, " d"]
    spread: Float[ndarray, " d"]
    prior: bool


def exported(
    decode: Decode, trace: Callable[[], list[Operation]], shape: tuple[int, ...], places: Places
) -> dict[str, ndarray]:
    """The arrays of a decoder to images of `shape` (c h w): its program, or the reason why there is none."""
    d = len(places.centre)
    ends = [places.centre + side * RANGE * np.diag(places.spread) for side in (-1, 1)]
    points = np.concatenate([places.draws, places.shown, *ends]).astype(np.float32)
    try:
        program = trace()
        expected = decode(points)
        check(program, points, expected)
        program, error = rounded(program, points, expected)
        listing, weights = packed(program)
        if len(weights) > LARGEST:
            raise Inexpressible(f"its decoder has {len(weights) / 1e6:.1f} MB of weights, too many for a page")
    except Inexpressible as reason:
        return {"explorer_reason": letters(str(reason))}
    return {
        "explorer_program": letters(json.dumps({"inputs": d, "shape": shape, "operations": listing})),
        "explorer_weights": np.frombuffer(weights, np.uint8),
        "explorer_error": np.array(error),
        "explorer_codes": places.shown.astype(np.float32),
        "explorer_draws": places.draws.astype(np.float32),
        "explorer_range": np.stack([places.centre, places.spread]).astype(np.float32),
        "explorer_prior": np.array([int(places.prior)], np.uint8),
    }


def letters(text: str) -> ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def exact_decoder(trained: Trained) -> tuple[Decode, Callable[[], list[Operation]]] | None:
    """The model's own decoding of codes to images, and how it is traced; None where there is no way back."""
    model, shape = trained.model, trained.data.shape
    if isinstance(model, NeuralModel):
        return (lambda z: decoded_by(model, z)), (lambda: traced(model))
    if model.decode(trained.codes.means[:1]) is None:
        return None
    embedding = model

    def decode(z: Float[ndarray, "m d"]) -> Float[ndarray, "m c h w"]:
        return np.asarray(embedding.decode(z)).reshape(len(z), *shape)

    def trace() -> list[Operation]:
        # Any map is taken for affine; the check finds those that are not.
        weight, bias = affine(lambda z: decode(z).reshape(len(z), -1), trained.codes.means.shape[1])
        return [Operation("linear", weight, bias), Operation("reshape", options={"shape": list(shape)})]

    return decode, trace


def decoded_by(model: NeuralModel, z: Float[ndarray, "m d"]) -> Float[ndarray, "m c h w"]:
    import torch

    with torch.no_grad():
        return model.mean_image(model.decode(torch.from_numpy(z))).numpy()


def seen_by(layer: nn.Module, model: NeuralModel, z: Float[ndarray, "m d"]) -> list[Float[ndarray, "m e"]]:
    """What a layer of the decoder sees of these codes, which some models map first; an array a call."""
    seen: list[ndarray] = []
    model = model.here if isinstance(model, OnDevice) else model  # its layers are those that are asked about
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].numpy()))
    try:
        decoded_by(model, z)
    finally:
        hook.remove()
    return seen


def affine(
    function: Callable[[Float[ndarray, "m d"]], Float[ndarray, "m o"]], d: int
) -> tuple[Float[ndarray, "o d"], Float[ndarray, " o"]]:
    """The matrix and the offset of an affine function, from its values at 0 and at the unit vectors."""
    values = function(np.concatenate([np.zeros((1, d)), np.eye(d)]).astype(np.float32)).astype(np.float64)
    return (values[1:] - values[0]).T.astype(np.float32), values[0].astype(np.float32)


def traced(model: NeuralModel) -> list[Operation]:
    """The operations of `model.decoder`, the affine map that may come before it, and the likelihood's mean after it."""
    from torch import nn

    decoder = getattr(model, "decoder", None)
    if not isinstance(decoder, nn.Module):
        raise Inexpressible("it has no part called decoder")

    def given(z: Float[ndarray, "m d"]) -> Float[ndarray, "m e"]:
        seen = seen_by(decoder, model, z)
        if len(seen) != 1:
            raise Inexpressible("it does not call its decoder once for a batch of codes")
        return seen[0]

    program = operations(decoder)
    weight, bias = affine(given, model.latents)
    if not (np.array_equal(weight, np.eye(model.latents)) and not bias.any()):
        first = program[0]
        if first.kind == "linear" and first.weight is not None and first.bias is not None:
            program[0] = replace(first, weight=first.weight @ weight, bias=first.weight @ bias + first.bias)
        else:
            program.insert(0, Operation("linear", weight, bias))
    return [*program, Operation("sigmoid")] if model.settings.likelihood == "bernoulli" else program


def operations(layer: nn.Module) -> list[Operation]:
    """A layer as operations, a sequence of layers as all of theirs. Raises `Inexpressible` on any other."""
    from torch import nn

    if isinstance(layer, nn.Sequential):
        return [operation for part in layer for operation in operations(part)]
    if isinstance(layer, nn.Identity):
        return []
    if isinstance(layer, nn.Linear):
        return [Operation("linear", numbers(layer.weight), offsets(layer, layer.out_features))]
    if isinstance(layer, nn.Unflatten) and layer.dim == 1:
        return [Operation("reshape", options={"shape": list(layer.unflattened_size)})]
    if isinstance(layer, nn.ConvTranspose2d):
        if layer.groups != 1 or layer.dilation != (1, 1) or layer.output_padding != (0, 0):
            raise Inexpressible("its decoder has a transposed convolution with groups, dilation or output padding")
        options = {"stride": list(layer.stride), "padding": [int(size) for size in layer.padding]}
        weight = numbers(layer.weight).transpose(1, 0, 2, 3)
        return [Operation("transposed", weight, offsets(layer, layer.out_channels), options)]
    for name, kind in ACTIVATIONS.items():
        if isinstance(layer, getattr(nn, name)):
            return [Operation(kind, options={"slope": layer.negative_slope} if kind == "leaky" else {})]
    raise Inexpressible(f"its decoder has a layer {type(layer).__name__}, which the page cannot run")


def numbers(parameter: Any) -> ndarray:
    return parameter.detach().cpu().numpy().astype(np.float32)


def offsets(layer: Any, outputs: int) -> ndarray:
    return np.zeros(outputs, np.float32) if layer.bias is None else numbers(layer.bias)


def evaluate(program: list[Operation], z: Float[ndarray, "m d"]) -> Float[ndarray, "m ..."]:
    """What a program makes of codes: the page's arithmetic, in numpy. Raises `ValueError` where sizes do not fit."""
    x = z.astype(np.float32)
    for step in program:
        if x.ndim != {"linear": 2, "reshape": 2, "transposed": 4}.get(step.kind, x.ndim):
            raise ValueError(f"{step.kind} does not take an array of shape {x.shape}")
        if step.kind == "linear":
            assert step.weight is not None and step.bias is not None
            x = x @ step.weight.T + step.bias
        elif step.kind == "transposed":
            x = transposed_convolution(step, x)
        elif step.kind == "reshape":
            x = x.reshape(len(x), *step.options["shape"])
        elif step.kind == "sigmoid":
            x = 0.5 * (1 + np.tanh(0.5 * x))
        elif step.kind == "tanh":
            x = np.tanh(x)
        else:
            x = np.where(x > 0, x, np.float32(step.options.get("slope", 0)) * x)
    return x


def transposed_convolution(step: Operation, x: Float[ndarray, "m i h w"]) -> Float[ndarray, "m o h2 w2"]:
    return np.concatenate([_transposed(step, x[start : start + TOGETHER]) for start in range(0, len(x), TOGETHER)])


def _transposed(step: Operation, x: Float[ndarray, "m i h w"]) -> Float[ndarray, "m o h2 w2"]:
    """What every pixel adds to its outputs, in one product, then all of it added up where it falls."""
    assert step.weight is not None and step.bias is not None
    (down, right), (top, left) = step.options["stride"], step.options["padding"]
    m, inputs, h, w = x.shape
    outputs, _, high, wide = step.weight.shape
    taps = step.weight.transpose(2, 3, 0, 1).reshape(-1, inputs) @ x.transpose(1, 0, 2, 3).reshape(inputs, -1)
    taps = taps.reshape(high, wide, outputs, m, h, w)
    full = np.zeros((outputs, m, (h - 1) * down + high, (w - 1) * right + wide), np.float32)
    for i in range(high):
        for j in range(wide):
            full[:, :, i : i + h * down : down, j : j + w * right : right] += taps[i, j]
    full = full[:, :, top : full.shape[2] - top, left : full.shape[3] - left]
    return full.transpose(1, 0, 2, 3) + step.bias[:, None, None]


def check(program: list[Operation], z: Float[ndarray, "m d"], expected: Float[ndarray, "m c h w"]) -> None:
    """Raise `Inexpressible` unless the program gives the images expected."""
    try:
        found = evaluate(program, z)
    except ValueError:
        raise Inexpressible("the sizes of its decoder's layers do not follow from one another") from None
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE):
        raise Inexpressible("it does more than its decoder's layers, one after the other")


def rounded(
    program: list[Operation], z: Float[ndarray, "m d"], expected: Float[ndarray, "m c h w"]
) -> tuple[list[Operation], tuple[float, float]]:
    """The program with the bits that each layer needs, and the largest and the mean error of a shown pixel.

    Six everywhere, if the mean error allows it; else eight, then sixteen, for the layers that alone do the most harm,
    one by one.
    """
    shown = np.clip(expected, 0, 1)

    def error(bits: dict[int, int]) -> tuple[float, float]:
        # 0 bits: as it is
        found = [restored(replace(step, bits=bits[i])) if bits.get(i) else step for i, step in enumerate(program)]
        difference = np.abs(np.clip(evaluate(found, z), 0, 1) - shown)
        return float(difference.max()), float(difference.mean(dtype=np.float64))

    bits = {i: BITS[0] for i, step in enumerate(program) if step.weight is not None}
    total = error(bits)
    for few, more in pairwise(BITS):
        if total[1] <= MEAN_ERROR:
            break
        harm = {i: error({i: few})[1] for i in bits}
        for i in sorted(harm, key=harm.__getitem__, reverse=True):
            bits[i] = more
            total = error(bits)
            if total[1] <= MEAN_ERROR:
                break
    return [replace(step, bits=bits.get(i, step.bits)) for i, step in enumerate(program)], total


def quantised(weight: ndarray, bits: int) -> tuple[ndarray, ndarray]:
    """Whole numbers of so many bits, and the scale (o) that takes each output's back."""
    limit = 2 ** (bits - 1) - 1
    largest = np.abs(weight).reshape(len(weight), -1).max(1)
    scale = (np.where(largest > 0, largest, 1) / limit).astype(np.float32)
    whole = np.rint(weight / scale.reshape(-1, *[1] * (weight.ndim - 1)))
    return whole.astype("<i1" if bits <= 8 else "<i2"), scale


def restored(step: Operation) -> Operation:
    """The operation that the page runs: with its weights rounded."""
    if step.weight is None:
        return step
    whole, scale = quantised(step.weight, step.bits)
    return replace(step, weight=whole * scale.reshape(-1, *[1] * (whole.ndim - 1)))


def packed(program: list[Operation]) -> tuple[list[dict[str, Any]], bytes]:
    """The operations as JSON has them, and all numbers behind one another, each array from a multiple of 4 bytes."""
    data = bytearray()

    def put(values: ndarray) -> int:
        start = len(data)
        data.extend(values.tobytes())
        data.extend(bytes(-len(data) % 4))
        return start

    listing = []
    for step in program:
        found: dict[str, Any] = {"kind": step.kind, **step.options}
        if step.weight is not None and step.bias is not None:
            whole, scale = quantised(step.weight, step.bits)
            found |= {"size": list(whole.shape), "bits": step.bits, "weights": put(whole)}
            found |= {"scales": put(scale.astype("<f4")), "biases": put(step.bias.astype("<f4"))}
        listing.append(found)
    return listing, bytes(data)
