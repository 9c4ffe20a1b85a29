"""What a model makes of corrupted images: reconstructions, and traversals from them (M Figs. 5.17, 5.18)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from leaderboard.pictures.traversals import has_prior, subscript, way
from leaderboard.style import INK, MUTED, Figure
from leaderboard.tiles import as_rgb, sheet

NEEDS = {
    "picture_corrupted",
    "picture_corrupted_reconstructions",
    "picture_corrupted_traversals",
    "picture_corrupted_coordinates",
}
USES = {"picture_samples"}
KINDS = ("clean", "flips 0.001", "flips 0.01", "flips 0.05", "inverted", "triangle")


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    """Rows of images with the reconstructions below, then a traversal from the first image of each row."""
    images, others = arrays["picture_corrupted"], arrays["picture_corrupted_reconstructions"]
    kinds = KINDS[: len(images)]
    grid = np.concatenate([np.stack([as_rgb(a), as_rgb(b)]) for a, b in zip(images, others, strict=True)])
    names = [name for kind in kinds for name in (kind, "decoded")]
    moved, order = as_rgb(arrays["picture_corrupted_traversals"]), arrays["picture_corrupted_coordinates"]
    rows, labels, colours = [], [], []
    for kind, image, own in zip(kinds, as_rgb(images[:, 0]), moved, strict=True):
        for place, (j, row) in enumerate(zip(order, own, strict=True)):
            first = image if place == 0 else np.full_like(image, 255)
            rows.append(np.concatenate([first[None], row]))
            labels.append(f"{kind}   z{subscript(int(j))}" if place == 0 else f"z{subscript(int(j))}")
            colours.append(INK if place == 0 else MUTED)
    return [
        Figure(
            "corrupted",
            sheet(grid, names, [INK, MUTED] * len(kinds)),
            "png",
            f"{images.shape[1]} images, corrupted in {len(kinds) - 1} ways, and what {title} reconstructs of each.",
            "Corrupted inputs, which the model was not trained on, and their reconstructions: each pixel flipped with"
            " a probability, colours inverted" + (", a triangle in the shape's place." if len(kinds) > 5 else "."),
        ),
        Figure(
            "corrupted-traversals",
            sheet(np.stack(rows), labels, colours),
            "png",
            f"Latent traversals of {title} from one image as it is and corrupted in {len(kinds) - 1} ways.",
            f"Traversals from corrupted inputs (left): the {len(order)} coordinates that carry most,"
            f" {way(prior=has_prior(arrays))}."
            " Where all blocks look alike, the model ignores what it was shown.",
        ),
    ]
