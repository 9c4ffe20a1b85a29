"""Latent traversals, coordinates sorted by KL (M Figs. 5.5, 5.8, 5.10)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from leaderboard.style import INK, MUTED, Figure
from leaderboard.tiles import as_rgb, faded, sheet

NEEDS = {"picture_traversals"}
USES = {"picture_coordinate_kl", "picture_samples"}
PASSIVE = 0.1
"""Below this mean KL, in nats, a coordinate is passive on every picture. Early in training such ones have some 0.01."""


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    kl = arrays.get("picture_coordinate_kl")
    return [traversals(arrays["picture_traversals"][0], kl, title, prior=has_prior(arrays))]


def has_prior(arrays: Mapping[str, ndarray]) -> bool:
    """Whether codes are moved on the prior's scale, or on that of their own deviations, as where nothing is drawn."""
    return "picture_samples" in arrays


def way(*, prior: bool) -> str:
    """From where to where a coordinate moves, in words."""
    return "from −3 to 3" if prior else "from three standard deviations of the codes below their mean to three above"


def traversals(
    moved: UInt8[ndarray, "d s c h w"],
    kl: Float[ndarray, " d"] | None,
    title: str,
    limit: int = 12,
    *,
    prior: bool = True,
) -> Figure:
    """What the decoder draws as one coordinate moves from −3 to 3, coordinates sorted by mean KL in nats.

    Without a `prior` these are standard deviations of the codes to either side of their mean. Without KLs (a
    deterministic encoder) they are sorted by how much the picture changes.
    """
    change = moved.astype(np.float32).std(axis=1).mean(axis=(1, 2, 3))
    weight = change if kl is None else kl
    order = np.argsort(-weight, kind="stable")[:limit]
    active = np.full(len(moved), True) if kl is None else kl >= PASSIVE
    grid = np.stack([as_rgb(moved[j]) if active[j] else faded(as_rgb(moved[j])) for j in order])
    names = [f"z{subscript(int(j))}" + ("" if kl is None else f"  {kl[j]:.2f} nats") for j in order]
    left_out = len(moved) - len(order)
    by = "mean KL" if kl is not None else "how much the picture changes (no KL: no variances are known)"
    passive = (
        "" if active.all() else f" Faded: passive, KL below {PASSIVE} nats ({int((~active).sum())} of {len(moved)})."
    )
    return Figure(
        "traversals",
        sheet(
            grid,
            names,
            [INK if active[j] else MUTED for j in order],
            ["−3", "0", "3"] if prior else ["−3 σ", "mean", "3 σ"],
        ),
        "png",
        f"Latent traversals of {title}: {len(order)} rows of {moved.shape[1]} images, "
        f"{int(active.sum())} coordinates active.",
        f"Traversals: one coordinate at a time {way(prior=prior)}, sorted by {by}.{passive}"
        + (f" {left_out} further coordinates are not shown." if left_out else ""),
    )


def subscript(number: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(number))
