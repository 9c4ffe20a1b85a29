"""A model that is none of ours, run over a dataset of ours: any torch module, or any function from images to codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import nn

from benchmark.datasets._dataset import Data
from benchmark.errors import UsageError
from benchmark.models._neural import NeuralModel
from benchmark.stages.encoder_outputs import Output, read_output
from benchmark.stages.points import images

Layout = Literal["nchw", "nhwc", "flat"]


@dataclass(frozen=True)
class Encoder:
    """How a model is called: what is called, and what it gets.

    `module` is put to eval() and is None for a plain function; `name` is what was called, for people; `tensors`:
    whether it gets torch's tensors, on the module's device, or arrays of numpy. `channels` repeats a grey image's only
    one.
    """

    module: nn.Module | None
    call: Callable[[Any], Any]
    name: str
    tensors: bool
    layout: Layout = "nchw"
    channels: int | None = None

    def given(self, x: Float[ndarray, "b ..."]) -> Any:
        """Images (b c h w) or points (b D) as the model gets them."""
        if self.channels is not None and x.ndim == 4:
            x = x.repeat(self.channels, axis=1) if x.shape[1] == 1 else x
        if self.layout == "flat":
            x = x.reshape(len(x), -1)
        elif self.layout == "nhwc" and x.ndim == 4:
            x = np.ascontiguousarray(np.moveaxis(x, 1, 3))
        if not self.tensors:
            return x
        weight = next((each for each in self.parameters() if each.is_floating_point()), None)
        tensor = torch.from_numpy(x)
        return tensor if weight is None else tensor.to(weight.device, weight.dtype)

    def parameters(self) -> list[torch.Tensor]:
        return [] if self.module is None else [*self.module.parameters(), *self.module.buffers()]

    def encode(self, x: Float[ndarray, "b ..."]) -> Output:
        """What the model says of a batch. Raises `UsageError` with its own words where it fails."""
        given = self.given(x)
        who = f"encode: {self.name}"
        try:
            output = self.call(given)
        except Exception as error:  # of the user's model: whatever it says is what is wrong
            said = (str(error).splitlines() or [""])[0]
            raise UsageError(f"{who} fails on {shown(given)}: {type(error).__name__}: {said}") from error
        return read_output(output, len(x), who)


def encoder_of(model: Any, layout: str, channels: int | None, tensors: bool | None) -> Encoder:
    """How a model is called.

    A module of torch by its `posterior` if it is one of ours, by its `encoder` if it is one of pythae's, else by
    `encode` where it has one, else as it is (`forward`). A function or a method is called itself. Modules and their
    methods get tensors, other functions arrays, unless `tensors` says otherwise.
    Raises `UsageError` on what cannot be called.
    """
    if layout not in get_args(Layout):
        raise UsageError(f"encode: layout = {layout!r} must be one of {', '.join(get_args(Layout))}")
    if channels is not None and (isinstance(channels, bool) or not isinstance(channels, int) or channels < 1):
        raise UsageError(f"encode: channels = {channels!r} must be a whole number from 1 on")
    owner = model if isinstance(model, nn.Module) else getattr(model, "__self__", None)
    module = owner if isinstance(owner, nn.Module) else None
    kind = type(model).__name__
    if isinstance(model, nn.Module):
        name = next((name for name in _entries(model) if callable(getattr(model, name, None))), None)
        call, called = (model, kind) if name is None else (getattr(model, name), f"{kind}.{name}")
    elif callable(model):
        call, called = model, getattr(model, "__qualname__", kind)
    else:
        raise UsageError(
            f"encode: {kind} is no torch module and no function; hand over the model itself, or a function from images"
            " (n c h w) to codes (n d)"
        )
    wanted = module is not None if tensors is None else tensors
    return Encoder(module, call, called, wanted, layout, channels)  # type: ignore[arg-type]


def _entries(model: nn.Module) -> tuple[str, ...]:
    """The methods that encode, the likeliest first."""
    if isinstance(model, NeuralModel):
        return ("posterior",)
    return ("encoder",) if is_pythae(model) else ("encode",)


def is_pythae(model: nn.Module) -> bool:
    """Whether a model has the interface of pythae's: an encoder and a decoder as parts, and a `model_config`.

    Its `forward` takes a dictionary and gives a loss.
    """
    return hasattr(model, "model_config") and isinstance(getattr(model, "decoder", None), nn.Module)


@contextmanager
def evaluating(module: nn.Module | None) -> Iterator[None]:
    """Within the block a module is in eval() mode and no gradients are kept; then every part is as it was."""
    modes = [] if module is None else [(part, part.training) for part in module.modules()]
    if module is not None:
        module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


def encode_foreign(
    encoder: Encoder, data: Data, batch: int, on_rows: Callable[[int], None]
) -> tuple[Float[ndarray, "n d"], Float[ndarray, "n d"] | None, list[str]]:
    """Means and variances of every evaluation point of `data`, and notes on how they were read.

    Raises `UsageError` where the model does not take the images or what it gives is no codes, with what it takes where
    another layout would do.
    """
    _check_channels(encoder, data)
    rows = data.evaluation_rows
    with evaluating(encoder.module):
        first, notes = _tried(encoder, images(data, rows[[0, -1]]))
        means = np.empty((len(rows), first.means.shape[1]), first.means.dtype)
        variances = None if first.variances is None else np.empty(means.shape, first.variances.dtype)
        for start in range(0, len(rows), batch):
            chunk = rows[start : start + batch]
            found = encoder.encode(images(data, chunk))
            if found.form != first.form or found.means.shape[1:] != first.means.shape[1:]:
                raise UsageError(
                    f"encode: {encoder.name} gives other codes from point {start:,} on: {found.means.shape[1]} of them,"
                    f" from {found.form}; before {first.means.shape[1]}, from {first.form}"
                )
            means[start : start + len(chunk)] = found.means
            if variances is not None and found.variances is not None:
                variances[start : start + len(chunk)] = found.variances
            on_rows(start + len(chunk))
    return means, variances, notes


def _tried(encoder: Encoder, x: Float[ndarray, "b ..."]) -> tuple[Output, list[str]]:
    """What a model says of two images, and notes on it. Raises `UsageError` with what may be done."""
    try:
        first = encoder.encode(x)
    except UsageError as error:
        raise UsageError(f"{error}; {_advice(encoder, x)}") from error.__cause__
    notes = [f"{encoder.name} gets {shown(encoder.given(x))}, and gives {first.form}"]
    if "pair" in first.form and first.variances is not None and first.variances.min() > 1:
        notes.append(
            "the pair's second array is nowhere negative: if it is variances or deviations, hand over a function that"
            " returns (mean, log variance)"
        )
    again = encoder.encode(x)
    if _differ(again.means, first.means):
        notes.append(
            f"{encoder.name} gives other codes each time that it sees an image: these are draws, not means; hand over a"
            " function that returns the means"
        )
    elif _differ(encoder.encode(x[[0, 0]]).means[:1], first.means[:1]):
        notes.append(
            f"{encoder.name} gives an image other codes beside other images, as a network in train mode does: call"
            " .eval() on it first"
        )
    return first, notes


def _differ(one: Float[ndarray, "b d"], other: Float[ndarray, "b d"]) -> bool:
    """Whether codes are further apart than one computation from another."""
    return not np.allclose(one, other, rtol=1e-3, atol=1e-4)


def _advice(encoder: Encoder, x: Float[ndarray, "b ..."]) -> str:
    """What to ask for where a model does not take these images: what it takes, if that is among what can be asked."""
    if x.ndim == 4:
        channels = (None, 3) if x.shape[1] == 1 and encoder.channels is None else (encoder.channels,)
        for wanted in channels:
            for layout in get_args(Layout):
                other = replace(encoder, layout=layout, channels=wanted)
                if other == encoder or not _takes(other, x):
                    continue
                words = [f'layout="{layout}"'] if layout != encoder.layout else []
                words += [f"channels={wanted}"] if wanted != encoder.channels else []
                return f"it takes {shown(other.given(x))}: say {', '.join(words)}"
    size = "images of another size are another dataset (its settings); " if x.ndim == 4 else ""
    return f"{size}for other forms hand over a function of your own that calls the model"


def _takes(encoder: Encoder, x: Float[ndarray, "b ..."]) -> bool:
    try:
        encoder.encode(x)
    except UsageError:
        return False
    return True


def _check_channels(encoder: Encoder, data: Data) -> None:
    if encoder.channels is None:
        return
    if len(data.shape) != 3 or data.shape[0] not in (1, encoder.channels):
        raise UsageError(
            f"encode: channels={encoder.channels} repeats the one channel of grey images; these points are {data.shape}"
        )


def shown(given: Any) -> str:
    """What a model gets, for people: images of shape (2, 1, 64, 64), float32."""
    kind = str(given.dtype).removeprefix("torch.")
    shape = tuple(given.shape)
    what = "images" if len(shape) == 4 else "rows"
    where = f" on {given.device}" if hasattr(given, "detach") and str(given.device) != "cpu" else ""
    return f"{what} of shape {shape}, {kind}{where}"
