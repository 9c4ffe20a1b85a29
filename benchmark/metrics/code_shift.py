"""How far the mean code of an image moves when its pixels are flipped, its colours inverted or its shape exchanged."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import check_table, need_rows
from benchmark.metrics._declare import metric

CORRUPTIONS = ("flips_0.001", "flips_0.01", "flips_0.05", "inverted")
"""The second axis of `corruption_codes`: pixels flipped at each probability, and inverted colours."""


@metric(
    headline="code_shift",
    higher_is_better=False,
    bounds=(0.0, float("inf")),
    rows="all",
    minimum_rows=2,
    representations=("mean",),
)
def code_shift(
    corruption_clean: Float[ndarray, "m d"],
    corruption_codes: Float[ndarray, "m c d"],
    corruption_triangle: Float[ndarray, "m d"] | None = None,
    *,
    seed: int = 0,
) -> dict[str, float]:
    """Code shift under the corruptions of M §5.6, which M shows by traversals and does not measure: the unit is ours.

    shift = √(E‖μ(x') − μ(x)‖² / Σ_j Var μ_j(x)), x' the corrupted image of x, over m test points: 0 where the encoder
    does not notice, √2 where μ(x') is as far from μ(x) as the code of another image. Coordinates are pooled before
    the ratio: each in its own deviation, passive ones, which hardly vary and decode to nothing, would be most of it.
    `corruption_codes` are of pixels flipped with probability 0.001, 0.01 and 0.05 and of inverted colours;
    `corruption_triangle` of images of sprites with a triangle in place of the shape. No random choices: `seed` changes
    nothing.

    Returns `code_shift` (pixels flipped with probability 0.01, M's middle one), `code_shift_C` for each corruption C
    and, for the headline's, `code_shift_coordinate_J`, the root mean square shift of coordinate J in its own
    deviation, where that is not zero; all at least 0, lower is better. Cost: none.
    Blind to whether what moved is of use, and to what the decoder makes of it; constant codes of no use at all would
    be the most robust, and are refused. How strong a flip is depends on the image's size: on 8 × 8 pixels a
    probability of 0.001 leaves 94 images of 100 as they are.
    Others: `robustness` is the loss of accuracy; adversarial noise moves codes further than random noise.
    Raises `NotApplicable` where no code varies, `UsageError` on codes that do not fit together or are not finite.
    """
    clean = check_table(corruption_clean, "corruption_clean").astype(np.float64)
    need_rows(len(clean), 2, "a variance")
    variances = clean.var(axis=0)
    if clean.min(axis=0).tolist() == clean.max(axis=0).tolist():
        raise NotApplicable("every code is constant: there is no unit for a shift")
    shifts = {
        name: codes - clean for name, codes in by_corruption(clean, corruption_codes, corruption_triangle).items()
    }
    sizes = {name: float(np.sqrt((shift**2).sum(1).mean() / variances.sum())) for name, shift in shifts.items()}
    varies = clean.min(axis=0) != clean.max(axis=0)
    own = np.sqrt((shifts["flips_0.01"][:, varies] ** 2).mean(axis=0) / variances[varies])
    return {
        "code_shift": sizes["flips_0.01"],
        **{f"code_shift_{name}": size for name, size in sizes.items()},
        **{f"code_shift_coordinate_{j}": float(s) for j, s in zip(np.flatnonzero(varies), own, strict=True)},
    }


def by_corruption(
    clean: Float[ndarray, "m d"], corrupted: Float[ndarray, "m c d"], triangle: Float[ndarray, "m d"] | None
) -> dict[str, Float[ndarray, "m d"]]:
    """The codes of each corruption by its name, or `UsageError` where they do not fit the clean ones."""
    corrupted = np.asarray(corrupted)
    wanted = (len(clean), len(CORRUPTIONS), clean.shape[1])
    if corrupted.shape != wanted:
        raise UsageError(f"corruption_codes of shape {corrupted.shape} do not fit clean ones: expected {wanted}")
    found = {name: corrupted[:, c] for c, name in enumerate(CORRUPTIONS)}
    if triangle is not None:
        if np.shape(triangle) != clean.shape:
            raise UsageError(f"corruption_triangle of shape {np.shape(triangle)} does not fit codes of {clean.shape}")
        found["triangle"] = triangle
    return {name: check_table(codes, f"codes of {name}").astype(np.float64) for name, codes in found.items()}
