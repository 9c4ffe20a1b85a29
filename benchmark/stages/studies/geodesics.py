"""Between two images: along straight lines, and along the Fisher–Rao geodesic of their posteriors (P §2.3)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from benchmark.stages.studies import Trained
from benchmark.stages.studies._fisher_rao import geodesic

PAIRS = 2
CANDIDATES = 40
"""Points among which the second image of a pair is looked for: one that differs from the first in the first factor."""
STEPS = 9
CURVE = 41
"""Points of each curve in the (μ, σ) plane."""


def arrays(trained: Trained) -> dict[str, ndarray]:
    """Of some pairs of points the geodesic (pairs, CURVE, d) and, of images, P Fig. 5's five rows of STEPS pictures:

    the images' own mixtures; decoded mixtures of the means; of one sample of each posterior; along the geodesic, a
    sample at each step, then its means. Nothing without the variances of a diagonal Gaussian.
    """
    codes = trained.codes
    if codes.variances is None or codes.samples is None or not trained.decodes:
        return {}
    ends = pairs(trained)
    deviations = np.sqrt(codes.variances.astype(np.float64))

    def curves(steps: int) -> tuple[ndarray, ndarray]:
        t = np.linspace(0, 1, steps)
        each = [geodesic(codes.means[a], deviations[a], codes.means[b], deviations[b], t) for a, b in ends]
        means, spreads = zip(*each, strict=True)
        return np.stack(means), np.stack(spreads)

    means, spreads = curves(CURVE)
    found = {"geodesic_means": means.astype(np.float32), "geodesic_deviations": spreads.astype(np.float32)}
    return found | (pictures(trained, ends, *curves(STEPS)) if trained.pictured else {})


def pairs(trained: Trained) -> Integer[ndarray, "p 2"]:
    """Positions of pairs of points, of two classes where the first factor has classes to tell apart."""
    drawn = trained.points("geodesics", CANDIDATES)
    factor = trained.codes.factors[drawn, 0] if trained.codes.factors.shape[1] else np.arange(len(drawn))
    found: list[tuple[int, int]] = []
    left = list(range(len(drawn)))
    while len(left) > 1 and len(found) < PAIRS:
        first = left.pop(0)
        second = next((other for other in left if factor[other] != factor[first]), left[0])
        left.remove(second)
        found.append((drawn[first], drawn[second]))
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def pictures(trained: Trained, ends: Integer[ndarray, "p 2"], means: ndarray, spreads: ndarray) -> dict[str, ndarray]:
    """The images at the ends (p 2) and the five rows (p 5 s), `means` and `spreads` (p s d) along the geodesics."""
    from benchmark.stages.points import as_bytes

    codes, (a, b) = trained.codes, ends.T
    assert codes.samples is not None
    t = np.linspace(0, 1, STEPS, dtype=np.float32)

    def line(table: ndarray) -> ndarray:
        first, last = table[a][:, None], table[b][:, None]
        along = t.reshape(1, -1, *(1,) * (table.ndim - 1))
        return first + along * (last - first)

    noise = trained.rng("geodesics").standard_normal(means.shape)
    z = np.stack([line(codes.means), line(codes.samples), means + spreads * noise, means], axis=1)
    decoded = trained.decode(z.reshape(-1, z.shape[-1])).reshape(*z.shape[:3], *trained.data.shape)
    images = trained.images(ends.ravel()).reshape(len(ends), 2, *trained.data.shape)
    mixed = images[:, :1] + t.reshape(1, -1, 1, 1, 1) * (images[:, 1:] - images[:, :1])
    return {
        "picture_interpolation_ends": as_bytes(images),
        "picture_interpolations": as_bytes(np.concatenate([mixed[:, None], decoded], axis=1)),
    }
