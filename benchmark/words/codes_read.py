"""What was read of codes from elsewhere: in a sentence, and their factors and groups in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from benchmark.stages.external import External


def sentence(external: External) -> str:
    """What was read, and what was done to it."""
    codes, run = external.codes, external.run
    points, latents = codes.means.shape
    factors = f"factors {described(codes.factor_names, codes.factor_sizes)}" if codes.factor_names else "no factors"
    grid = ", a full grid" if codes.grid else ""
    groups = f" in {described_groups(codes.arrays['groups'])}" if "groups" in codes.arrays else ""
    about = (
        f"{run.model.name} seed {run.seed} on {run.dataset.name}: {points:,} points × {latents} codes{groups},"
        f" {factors}{grid}"
    )
    return "; ".join([about, *external.source.reading.notes])


def described(names: tuple[str, ...], sizes: tuple[int, ...]) -> str:
    """Each factor and what it was taken for, such as: shape 3 values, time continuous."""
    return ", ".join(
        f"{name} {f'{size:,} value' + 's' * (size != 1) if size else 'continuous'}"
        for name, size in zip(names, sizes, strict=True)
    )


def described_groups(groups: Sequence[int] | ndarray) -> str:
    """Such as: 3 groups of 2, 2 and 4 columns."""
    sizes = [str(size) for size in np.unique(groups, return_counts=True)[1]]
    if len(sizes) == 1 or len(set(sizes)) == 1:
        each = " each" if len(sizes) > 1 else ""
        return f"{len(sizes)} group{'s' * (len(sizes) > 1)} of {sizes[0]} column{'s' * (sizes[0] != '1')}{each}"
    listed = (
        f"{', '.join(sizes[:-1])} and {sizes[-1]}"
        if len(sizes) <= 12
        else f"{min(sizes, key=int)} to {max(sizes, key=int)}"
    )
    return f"{len(sizes)} groups of {listed} columns"
