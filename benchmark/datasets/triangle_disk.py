"""A sampled triangular disk, and the wrong edges that its neighbour graph is to get (convex flow embedding, fig. 5)."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from pydantic import AfterValidator

from benchmark.datasets._manifold import Manifold
from benchmark.seeds import stream
from benchmark.spec import Number, static

Edge = Literal["AB", "AC", "BC"]
HEIGHT = np.sqrt(3) / 2
CORNERS = {"A": (-0.5, -HEIGHT / 3), "B": (0.5, -HEIGHT / 3), "C": (0.0, 2 * HEIGHT / 3)}
"""The equilateral triangle of side 1 around the origin, C on top."""


def _different(edges: tuple[Edge, ...]) -> tuple[Edge, ...]:
    if len(set(edges)) < len(edges):
        raise ValueError("wrong edges are different ones")
    return tuple(sorted(edges))


class TriangleDisk(Manifold):
    """Uniform points x (N 2) of an equilateral triangle of side 1 around the origin; the factors are x itself.

    The points are right, and a wrong edge is no part of them: it joins two corners in the graph of a model that
    builds one, as if the points there were neighbours, and shortest paths leak through it. Such a model asks the
    dataset for `wrong_edges` when its settings are resolved, and gives them the length `wrong_length`.
    The figure shows none, AC, and AC with BC; where its A, B and C lie is not printed: here they are the corners.
    """

    class Settings(Manifold.Settings):
        points: int = static(500, "points drawn from the triangle", ge=3)
        wrong_edges: Annotated[tuple[Edge, ...], AfterValidator(_different)] = static(
            ("AC", "BC"), "corners that are joined wrongly in neighbour graphs; C is the top"
        )
        wrong_length: Number = static(
            0.05, "length of a wrong edge in sides of the triangle", gt=0, allow_inf_nan=False
        )

    name = "triangle_disk"
    factor_names = ("x", "y")
    # σ_x is to the deviation of a coordinate, 1/√24, as 0.1 is in `synth_linear` to that along its larger direction.
    sigma = 0.035
    settings: Settings

    def draw(self) -> tuple[Float[ndarray, "n 2"], Float[ndarray, "n 2"]]:
        u, v = stream(self.name, self.settings.seed).random((self.settings.points, 2)).T
        # The half of the unit square beyond its diagonal is folded back onto the other half.
        u, v = np.where(u + v > 1, [1 - u, 1 - v], [u, v])
        a, b, c = (np.array(CORNERS[corner]) for corner in "ABC")
        x = a + u[:, None] * (b - a) + v[:, None] * (c - a)
        return x, x

    def wrong_edges(self) -> Float[ndarray, "m 2 2"]:
        """Both ends of each wrong edge as places in the plane: it joins the points of a graph that lie nearest."""
        ends = [[CORNERS[corner] for corner in edge] for edge in self.settings.wrong_edges]
        return np.array(ends, dtype=float).reshape(-1, 2, 2)
