"""An explorer or a picture on its own, for a notebook or a file: what `explore` and `traversals` give."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from benchmark.atomic import write_atomically
from benchmark.errors import UsageError
from leaderboard.explorer import coordinates, fragment
from leaderboard.pictures.traversals import PASSIVE
from leaderboard.style import Figure
from leaderboard.tiles import as_rgb, png

if TYPE_CHECKING:
    from markupsafe import Markup

HERE = Path(__file__).parent
HEIGHT = 640
"""Pixels that an explorer takes in a notebook."""


@dataclass(frozen=True, repr=False)
class Explorer:
    """A page with sliders, which a notebook shows and `save` writes. `reason`: why its pictures were drawn in advance,
    None where the page runs the decoder itself."""

    html: str = field(repr=False)
    label: str
    reason: str | None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, one file that opens offline, and return its path."""
        return _written(Path(path), ".html", self.html.encode())

    def __repr__(self) -> str:
        how = "the page runs the decoder" if self.reason is None else f"drawn in advance: {self.reason}"
        return f"latent explorer of {self.label} ({how}), {len(self.html) / 1e6:.1f} MB"

    def _repr_html_(self) -> str:
        # A frame of its own: neither its styles nor its script touch the notebook.
        return (
            f'<iframe title="Latent explorer of {escape(self.label)}" sandbox="allow-scripts"'
            f' srcdoc="{escape(self.html)}" style="width: 100%; height: {HEIGHT}px; border: 0"></iframe>'
        )


@dataclass(frozen=True, repr=False)
class Picture:
    """A finished picture, which a notebook shows with its caption and `save` writes as PNG."""

    figure: Figure

    @property
    def caption(self) -> str:
        return self.figure.caption

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture, and return its path."""
        return _written(Path(path), f".{self.figure.kind}", self.figure.data)

    def __repr__(self) -> str:
        return self.figure.alt

    def _repr_html_(self) -> str:
        one = self.figure
        return (
            f'<figure style="margin: 0"><img src="{one.uri}" alt="{escape(one.alt)}" style="max-width: 100%">'
            f"<figcaption>{escape(one.caption)}</figcaption></figure>"
        )


def explorer_alone(arrays: Mapping[str, ndarray], label: str) -> Explorer:
    """The explorer of a decoder, from what `stages.foreign_decoder` makes of it."""
    environment = _environment()
    assets = HERE / "assets"
    reason = arrays["explorer_reason"].tobytes().decode() if "explorer_reason" in arrays else None
    body = fragment(arrays, label, "alone") if reason is None else _walked(arrays, label, reason)
    page = environment.get_template("alone.html").render(
        label=label,
        body=body,
        css="\n".join((assets / name).read_text() for name in ("page.css", "explorer.css")),
        script=(assets / "explorer.js").read_text() if reason is None else "",
    )
    return Explorer(page, label, reason)


def _walked(arrays: Mapping[str, ndarray], label: str, reason: str) -> Markup:
    """The explorer whose pictures are drawn in advance."""
    from markupsafe import Markup

    walked, chosen = arrays["walked"], arrays["walked_coordinates"]
    codes, (centre, spread) = arrays["walked_codes"], arrays["explorer_range"]
    named = {row["index"]: row for row in coordinates(arrays)}
    rows = [named[j] for j in chosen.tolist()]
    images = as_rgb(arrays["picture_images"][: len(walked)])
    data = {
        "sheets": [_uri(_sheet(as_rgb(own), image)) for own, image in zip(walked, images, strict=True)],
        "places": [(centre[j] + spread[j] * arrays["walked_steps"]).round(4).tolist() for j in chosen],
        "codes": codes[:, chosen].round(4).tolist(),
        "names": [row["name"] for row in rows],
        "prior": bool(arrays["explorer_prior"][0]),
    }
    return Markup(
        _environment()
        .get_template("walked_explorer.html")
        .render(
            label=label,
            reason=reason,
            rows=rows,
            starts=[_uri(image) for image in images],
            size=walked.shape[-2:],
            steps=walked.shape[2],
            left_out=codes.shape[1] - len(chosen),
            sorted_by="mean KL" if "picture_coordinate_kl" in arrays else "how much the picture changes",
            passive=PASSIVE,
            prior=data["prior"],
            payload=Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")),
        )
    )


def _sheet(tiles: UInt8[ndarray, "k t h w 3"], start: UInt8[ndarray, "h w 3"]) -> UInt8[ndarray, "H W 3"]:
    """The pictures of every coordinate below one another, without gaps, and the start itself in a last row."""
    k, t, h, w, _ = tiles.shape
    walks = tiles.transpose(0, 2, 1, 3, 4).reshape(k * h, t * w, 3)
    last = np.zeros((h, t * w, 3), np.uint8)
    last[:, :w] = start
    return np.concatenate([walks, last])


def _uri(image: UInt8[ndarray, "h w 3"]) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(image)).decode()}"


def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def _written(path: Path, ending: str, content: bytes) -> Path:
    if path.suffix.lower() != ending:
        raise UsageError(f"{path}: this is saved as {ending}")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}; make it first")
    write_atomically(path, lambda scratch: scratch.write_bytes(content))
    return path
