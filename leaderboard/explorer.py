"""The latent explorer of one run: its decoder runs in the page, with a slider for each coordinate."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.codes import read_arrays
from leaderboard.pictures.traversals import PASSIVE, subscript
from leaderboard.tiles import as_rgb, png

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

STARTS = 8
"""Images to start from."""
NEEDS = {f"explorer_{name}" for name in ("program", "weights", "error", "codes", "draws", "range", "prior")}
USES = {"explorer_reason", "picture_images", "picture_traversals", "picture_coordinate_kl"}


def explorer(codes: Path, label: str, key: str) -> Markup | None:
    """The explorer of a run as HTML for `assets/explorer.js` and `explorer.css`; why there is none, where that is
    known; None for runs without pictures.

    codes: the run's codes file. label: its configuration, for people. key: what makes ids on the page unique.
    """
    return fragment(read_arrays(codes, NEEDS | USES), label, key)


def fragment(arrays: Mapping[str, ndarray], label: str, key: str) -> Markup | None:
    """The same of a run's arrays."""
    from markupsafe import Markup

    if "explorer_reason" in arrays:
        return Markup(_template().render(label=label, reason=arrays["explorer_reason"].tobytes().decode()))
    if not arrays.keys() >= NEEDS:
        return None
    largest, mean = arrays["explorer_error"].tolist()
    images = list(as_rgb(arrays["picture_images"][:STARTS])) if "picture_images" in arrays else []
    return Markup(
        _template().render(
            label=label,
            key=key,
            reason=None,
            payload=Markup(payload(arrays)),
            rows=coordinates(arrays),
            sorted_by="mean KL" if "picture_coordinate_kl" in arrays else "how much the picture changes",
            passive=PASSIVE,
            prior=bool(arrays["explorer_prior"][0]),
            size=json.loads(arrays["explorer_program"].tobytes())["shape"][1:],
            starts=[f"data:image/png;base64,{base64.b64encode(png(image)).decode()}" for image in images],
            largest=f"{largest:.2g}",
            mean=f"{mean:.1g}",
        )
    )


def coordinates(arrays: Mapping[str, ndarray]) -> list[dict[str, Any]]:
    """The coordinates as their sliders are named and ordered: by mean KL, else by how much the picture changes."""
    kl, moved = arrays.get("picture_coordinate_kl"), arrays.get("picture_traversals")
    d = arrays["explorer_range"].shape[1]
    weight: Float[ndarray, " d"] = np.zeros(d)
    if kl is not None:
        weight = kl
    elif moved is not None:
        weight = moved[0].astype(np.float32).std(axis=1).mean(axis=(1, 2, 3))
    found = []
    for j in np.argsort(-weight, kind="stable").tolist():
        passive = kl is not None and bool(kl[j] < PASSIVE)
        note = "" if kl is None else "passive" if passive else f"{kl[j]:.2f} nats"
        found.append({"index": j, "name": f"z{subscript(j)}", "note": note, "passive": passive})
    return found


def payload(arrays: Mapping[str, ndarray]) -> str:
    """What the script reads, as JSON that may stand inside a script element; the weights are deflated, in base 64."""
    found = {
        "program": json.loads(arrays["explorer_program"].tobytes()),
        "weights": base64.b64encode(zlib.compress(arrays["explorer_weights"].tobytes(), 9)).decode(),
        "starts": arrays["explorer_codes"][:STARTS].round(4).tolist(),
        "draws": arrays["explorer_draws"].round(4).tolist(),
        "range": arrays["explorer_range"].tolist(),
        "prior": bool(arrays["explorer_prior"][0]),
    }
    return json.dumps(found, separators=(",", ":")).replace("<", "\\u003c")


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("explorer.html")
