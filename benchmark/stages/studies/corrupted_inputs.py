"""What a model makes of corrupted test images (M §5.6): flipped pixels, inverted colours, a shape it has never seen.

Nothing is trained on them. The same points, and the same flips, are shown to every run on a dataset.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

from benchmark.datasets import _sprites
from benchmark.datasets._variants import Painted
from benchmark.seeds import stream
from benchmark.stages.studies import Trained

FLIPS = (0.001, 0.01, 0.05)
"""The probabilities with which a pixel is turned into its negative (M Fig. 5.17)."""
POINTS = 500
"""Points whose corrupted codes are kept, at most half of all."""
TRAINING = 4_000
"""Other points whose clean codes are kept, for a classifier to learn from."""
PICTURES = 8
"""Points whose corrupted images and reconstructions are drawn; the first one is traversed too."""
TRAVERSED = 3
"""Coordinates of each traversal, those that carry most."""
STEPS = np.linspace(-3, 3, 7, dtype=np.float32)
SPRITES = ("dsprites", "dsprites_real", "noisy_dsprites", "color_dsprites")


def arrays(trained: Trained) -> dict[str, ndarray]:
    """Codes (m d) of clean points, of the same corrupted (m c d), and of the same with a triangle (m d) in the shape's
    place; then the pictures, by kind: flips by rising probability, inverted and, where there is one, the triangle.

    Nothing for data that are not images, and for embeddings of the fitted points alone.
    """
    if not trained.pictured or not trained.encodes:
        return {}
    drawn = trained.points("corrupted", POINTS + TRAINING)
    chosen, training = np.split(drawn, [min(POINTS, len(drawn) // 2)])
    x = trained.images(chosen)
    kinds = corrupted(x, trained.run.dataset.name)
    found = {
        "corruption_clean": trained.codes.means[chosen],
        "corruption_codes": np.stack([trained.encode(each) for each in kinds], axis=1),
        "corruption_factors": trained.codes.factors[chosen],
        "corruption_training": trained.codes.means[training],
        "corruption_training_factors": trained.codes.factors[training],
    }
    triangles = with_triangles(trained, chosen)
    if triangles is not None:
        kinds.append(triangles)
        found["corruption_triangle"] = trained.encode(triangles)
        found["corruption_triangle_factors"] = found["corruption_factors"].copy()
        found["corruption_triangle_factors"][:, trained.codes.factor_names.index("shape")] = -1
    return found | pictures(trained, x, kinds, found)


def corrupted(x: Float[ndarray, "m c h w"], dataset: str) -> list[Float[ndarray, "m c h w"]]:
    """The images with each pixel flipped at each probability, what is flipped at a lower one at a higher too; then
    inverted."""
    chance = stream(dataset, "studies.flips").random((len(x), 1, *x.shape[2:]), dtype=np.float32)
    return [*(np.where(chance < flip, 1 - x, x) for flip in FLIPS), 1 - x]


def with_triangles(trained: Trained, chosen: Integer[ndarray, " m"]) -> Float[ndarray, "m c h w"] | None:
    """The same points with a triangle in place of their shape; None where the data are not sprites."""
    if trained.run.dataset.name not in SPRITES:
        return None
    data, rows = trained.data, trained.rows[chosen]
    sizes = np.array(data.factor_sizes)
    stride = trained.run.dataset.settings.get("stride", -(-np.array(_sprites.SIZES) // sizes))
    drawn = _sprites.triangles(data.factors[rows] * np.array(stride), data.shape[1])[:, None]
    images = data.images.paint(drawn, rows) if isinstance(data.images, Painted) else drawn
    return images.astype(np.float32) / np.float32(data.maximum)


def pictures(
    trained: Trained, x: Float[ndarray, "m c h w"], kinds: list[Float[ndarray, "m c h w"]], found: dict[str, ndarray]
) -> dict[str, ndarray]:
    """Clean and corrupted images (1 + c, n) and their reconstructions; a traversal (1 + c, t, s) from the first."""
    from benchmark.stages.points import as_bytes

    if not trained.decodes:
        return {}
    shown = np.stack([each[:PICTURES] for each in (x, *kinds)])
    codes = [found["corruption_clean"], *np.moveaxis(found["corruption_codes"], 1, 0)]
    codes += [found["corruption_triangle"]] if "corruption_triangle" in found else []
    z = np.stack([each[:PICTURES] for each in codes])
    order = np.argsort(-trained.weight, kind="stable")[:TRAVERSED]
    moved = np.broadcast_to(z[:, :1, None], (len(z), len(order), len(STEPS), z.shape[2])).copy()
    centre, spread = trained.place
    for row, j in enumerate(order):
        moved[:, row, :, j] = centre[j] + spread[j] * STEPS
    shape = trained.data.shape
    return {
        "picture_corrupted": as_bytes(shown),
        "picture_corrupted_reconstructions": as_bytes(trained.decode(z.reshape(-1, z.shape[2]))).reshape(shown.shape),
        "picture_corrupted_traversals": as_bytes(trained.decode(moved.reshape(-1, z.shape[2]))).reshape(
            *moved.shape[:3], *shape
        ),
        "picture_corrupted_coordinates": order,
    }
