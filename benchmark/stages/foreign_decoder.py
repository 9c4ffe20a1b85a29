"""A decoder that is none of ours, looked at: the arrays behind its traversals and its latent explorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from torch import nn

from benchmark.errors import UsageError
from benchmark.metrics._boundary import as_array
from benchmark.models._neural import NeuralModel
from benchmark.seeds import stream
from benchmark.stages.encode import TRAVERSAL, walks
from benchmark.stages.foreign_encoder import Encoder, evaluating, is_pythae
from benchmark.stages.points import SAMPLES, as_bytes
from benchmark.stages.studies.decoder import Inexpressible, Operation, Places, exported, operations, traced

STARTS = 8
"""Codes to start from: those that a page shows."""
WALKED = 4
"""Codes to start from where every picture is drawn in advance."""
STEPS = np.linspace(-3, 3, 13, dtype=np.float32)
"""Where a coordinate is put in pictures drawn in advance."""
MOST = 20
"""Coordinates of which pictures are drawn in advance."""
TOGETHER = 250
OUTSIDE = 0.5
"""How far pixels may lie outside 0 to 1: a linear output overshoots, logits and bytes are something else."""


@dataclass(frozen=True)
class Decoder:
    """How a decoder is called, and what becomes of its output: `logits` go through a sigmoid, rows become `shape`."""

    caller: Encoder
    logits: bool
    shape: tuple[int, int, int] | None
    module: nn.Module | None
    """What is called, where that is a module whose layers can be read."""

    def decode(self, z: Float[ndarray, "m d"]) -> Float[ndarray, "m c h w"]:
        """Images from 0 to 1. Raises `UsageError` where the decoder fails, or gives something else."""
        with evaluating(self.caller.module):
            parts = [self._part(z[start : start + TOGETHER]) for start in range(0, len(z), TOGETHER)]
        return np.concatenate(parts)

    def _part(self, z: Float[ndarray, "m d"]) -> Float[ndarray, "m c h w"]:
        who = self.caller.name
        try:
            output = self.caller.call(self.caller.given(z.astype(np.float32)))
        except Exception as error:  # of the user's decoder: whatever it says is what is wrong
            said = (str(error).splitlines() or [""])[0]
            raise UsageError(
                f"{who} fails on codes of shape {z.shape}: {type(error).__name__}: {said}; where it wants another form,"
                " hand over a function that calls it"
            ) from error
        if isinstance(output, Mapping):
            if "reconstruction" not in output:
                raise UsageError(f"{who} gives a dictionary of {', '.join(map(str, output))}; images are read from an"
                                 " array, or from `reconstruction`")  # fmt: skip
            output = output["reconstruction"]
        images = self._shaped(as_array(f"{who}: the images", output), len(z))
        if not np.isfinite(images).all():
            raise UsageError(f"{who} gives images with NaN or infinite values")
        if self.logits:
            images = 0.5 * (1 + np.tanh(0.5 * images))
        low, high = float(images.min()), float(images.max())
        if low < -OUTSIDE or high > 1 + OUTSIDE:
            raise UsageError(
                f"{who} gives values from {low:.3g} to {high:.3g}; images go from 0 (black) to 1 (white): say"
                " logits=True where a sigmoid is missing, or hand over a function that scales them"
            )
        return images

    def _shaped(self, images: ndarray, m: int) -> Float[ndarray, "m c h w"]:
        if self.shape is not None and images.size == m * np.prod(self.shape):
            return images.reshape(m, *self.shape).astype(np.float32)
        if images.ndim == 3 and len(images) == m:
            images = images[:, None]
        if images.ndim == 4 and len(images) == m and self.shape is None:
            if images.shape[1] in (1, 3):
                return images.astype(np.float32)
            if images.shape[3] in (1, 3):
                return np.moveaxis(images, 3, 1).astype(np.float32)
        wanted = "(images, c, h, w), (images, h, w, c) or (images, h, w), with c 1 or 3"
        raise UsageError(
            f"{self.caller.name} gives an array of shape {images.shape} for {m} codes; images are {wanted}; rows of"
            f" pixels need shape=(c, h, w){'' if self.shape is None else f', and {self.shape} does not fit'}"
        )

    def trace(self) -> list[Operation]:
        """Its layers as operations that a page can run. Raises `Inexpressible` on others."""
        if isinstance(self.caller.module, NeuralModel):
            return traced(self.caller.module)
        if self.module is None:
            raise Inexpressible("it is a function or method, whose layers cannot be read")
        found = operations(self.module)
        if self.shape is not None:
            found.append(Operation("reshape", options={"shape": list(self.shape)}))
        return [*found, Operation("sigmoid")] if self.logits else found


def decoder_of(decoder: Any, shape: Any, logits: bool, tensors: bool | None) -> Decoder:
    """How a decoder is called: one of our models by its mean image, one of pythae's by its `decoder`, any
    other module by `decode` where it has one, else as it is; a function itself. Raises `UsageError` on others."""
    if shape is not None:
        sizes = tuple(shape) if isinstance(shape, tuple | list) else ()
        if len(sizes) != 3 or not all(isinstance(size, int) and size > 0 for size in sizes):
            raise UsageError(f"shape = {shape!r} must be the (c, h, w) of an image")
        shape = (sizes[0], sizes[1], sizes[2])
    owner = decoder if isinstance(decoder, nn.Module) else getattr(decoder, "__self__", None)
    module = owner if isinstance(owner, nn.Module) else None
    kind = type(decoder).__name__
    if isinstance(decoder, NeuralModel):
        if not decoder.decodes:
            raise UsageError(f"{kind} has no way back from codes to images")
        own = decoder
        call: Callable[[Any], Any] = lambda z: own.mean_image(own.decode(z))  # noqa: E731
        return Decoder(Encoder(decoder, call, f"{kind}.decode", True), False, shape, None)
    called = decoder
    if isinstance(decoder, nn.Module):
        name = "decoder" if is_pythae(decoder) else "decode" if callable(getattr(decoder, "decode", None)) else None
        called, kind = (decoder, kind) if name is None else (getattr(decoder, name), f"{kind}.{name}")
    elif callable(decoder):
        kind = getattr(decoder, "__qualname__", kind)
    else:
        raise UsageError(f"{kind} is no torch module and no function; hand over what turns codes (n d) into images")
    caller = Encoder(module, called, kind, module is not None if tensors is None else tensors)
    return Decoder(caller, logits, shape, called if isinstance(called, nn.Module) else None)


@dataclass(frozen=True)
class Subject:
    """A decoder and the codes (n d) that it is looked at with, of a model whose prior is N(0, I) where `prior`."""

    decoder: Decoder
    codes: Float[ndarray, "n d"]
    variances: Float[ndarray, "n d"] | None
    prior: bool

    @property
    def starts(self) -> Float[ndarray, "s d"]:
        """A seeded sample of the codes, the same for all models with as many points."""
        n = len(self.codes)
        return self.codes[np.sort(stream("explore", "starts").choice(n, min(n, STARTS), replace=False))]

    @property
    def places(self) -> Places:
        """Codes to start from and to draw, and where each coordinate lies and how far it spreads."""
        n, d = self.codes.shape
        rng = stream("explore", "draws")
        if self.prior:
            draws = rng.standard_normal((SAMPLES, d), dtype=np.float32)
            return Places(self.starts, draws, np.zeros(d), np.ones(d), prior=True)
        draws = self.codes[rng.choice(n, min(n, SAMPLES), replace=False)]
        return Places(self.starts, draws, self.codes.mean(0), self.codes.std(0), prior=False)

    @property
    def coordinate_kl(self) -> Float[ndarray, " d"] | None:
        """Each coordinate's mean KL to N(0, 1) in nats, where there are variances."""
        if self.variances is None:
            return None
        means, variances = self.codes, self.variances
        return 0.5 * (means**2 + variances - np.log(variances) - 1).mean(0, dtype=np.float64)


def traversal_arrays(subject: Subject) -> dict[str, ndarray]:
    """`picture_traversals` (1 d t c h w) of one code, and `picture_coordinate_kl` (d) where there are variances."""
    places = subject.places
    walked = walks(places.shown[:1].astype(np.float32), places.centre, places.spread, TRAVERSAL)
    images = subject.decoder.decode(walked.reshape(-1, walked.shape[-1]))
    kl = subject.coordinate_kl
    found = {"picture_traversals": as_bytes(images).reshape(*walked.shape[:3], *images.shape[1:])}
    return found if kl is None else found | {"picture_coordinate_kl": kl}


def explorer_arrays(subject: Subject) -> dict[str, ndarray]:
    """The arrays of an explorer in a page: `explorer_…`, the decoder itself where a page can run it.

    Where it cannot, `explorer_reason` says why, and there are pictures drawn in advance: `walked` (s k t c h w) of each
    start, coordinate and step, `walked_coordinates` (k), `walked_codes` (s d), `walked_steps` (t) and
    `explorer_range` (2 d).
    """
    places = subject.places
    found = traversal_arrays(subject)
    shape = found["picture_traversals"].shape[3:]
    found |= {"picture_images": as_bytes(subject.decoder.decode(places.shown))}
    found |= exported(subject.decoder.decode, subject.decoder.trace, shape, places)
    if "explorer_reason" not in found:
        return found
    kl = found.get("picture_coordinate_kl")
    moved = found["picture_traversals"][0].astype(np.float32).std(axis=1).mean(axis=(1, 2, 3))
    coordinates = np.argsort(-(moved if kl is None else kl), kind="stable")[:MOST]
    starts = places.shown[:WALKED].astype(np.float32)
    walked = walks(starts, places.centre, places.spread, STEPS)[:, coordinates]
    images = subject.decoder.decode(walked.reshape(-1, walked.shape[-1]))
    return found | {
        "walked": as_bytes(images).reshape(*walked.shape[:3], *shape),
        "walked_coordinates": coordinates,
        "walked_codes": starts,
        "walked_steps": STEPS,
        "explorer_range": np.stack([places.centre, places.spread]).astype(np.float32),
        "explorer_prior": np.array([int(places.prior)], np.uint8),
    }
