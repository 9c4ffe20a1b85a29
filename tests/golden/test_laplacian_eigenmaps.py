"""Laplacian eigenmaps of graphs whose eigenvectors are known: a path, a ring, and three points by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy import ndarray

from benchmark.errors import ModelError
from benchmark.models._neighbours import neighbour_graph
from benchmark.models.laplacian_eigenmaps import LaplacianEigenmaps


def embed(x: ndarray, **settings: Any) -> ndarray:
    return LaplacianEigenmaps(LaplacianEigenmaps.Settings(**settings)).fit(x, np.random.default_rng(0)).codes


def ring(n: int) -> ndarray:
    angles = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_a_path_has_cosines() -> None:
    # L of a path has the eigenvectors cos(π k (i + ½)/n), k = 0, 1, …; the first is constant and skipped.
    n = 40
    z = embed(np.arange(n, dtype=float)[:, None], latents=3, graph="epsilon", epsilon=1.5)
    expected = math.sqrt(2) * np.cos(np.pi * np.outer(np.arange(n) + 0.5, [1, 2, 3]) / n)
    np.testing.assert_allclose(z * np.sign(z[:1]), expected, atol=1e-4)


def test_a_ring_stays_a_ring() -> None:
    # A cosine and a sine of the ring's own angle, of unit variance: a circle of radius √2 in even steps.
    z = embed(ring(50), latents=2, neighbours=4)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), math.sqrt(2), atol=1e-4)
    steps = np.diff(np.unwrap(np.arctan2(z[:, 1], z[:, 0])))
    np.testing.assert_allclose(np.abs(steps), 2 * np.pi / 50, atol=1e-4)
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-5)


@pytest.mark.parametrize("t", [2.0, math.inf])
def test_three_points_by_hand(t: float) -> None:
    # Edges 0—1 of length 1 and 1—3 of length 2, weights a and b: λ = a + b ∓ √(a² − ab + b²) after 0.
    z = embed(np.array([[0.0], [1.0], [3.0]]), latents=1, graph="epsilon", epsilon=2.5, t=t)[:, 0].astype(float)
    a, b = math.exp(-1 / t), math.exp(-4 / t)
    laplacian = np.array([[a, -a, 0], [-a, a + b, -b], [0, -b, b]])
    smallest = a + b - math.sqrt(a**2 - a * b + b**2)
    np.testing.assert_allclose(laplacian @ z, smallest * z, atol=1e-5)
    assert abs(np.square(z).mean() - 1) < 1e-5


def test_symmetric_and_mutual_graphs() -> None:
    # Nearest neighbours: 0 → 1, 1 → 0, 2.5 → 1. The last edge is not mutual.
    x = np.array([[0.0], [1.0], [2.5]])
    symmetric = neighbour_graph(x, "symmetric", 1, 0).toarray()
    np.testing.assert_allclose(symmetric, [[0, 1, 0], [1, 0, 1.5], [0, 1.5, 0]])
    np.testing.assert_allclose(neighbour_graph(x, "mutual", 1, 0).toarray(), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(neighbour_graph(x, "epsilon", 1, 1.2).toarray(), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])


def test_equal_points_are_neighbours() -> None:
    graph = neighbour_graph(np.array([[0.0], [0.0], [5.0]]), "symmetric", 1, 0)
    assert graph[0, 1] > 0
    assert graph.nnz == 4


def test_a_wide_heat_kernel_weighs_all_edges_alike() -> None:
    x = ring(30) * [1, 0.4]
    one, other = embed(x, latents=2, neighbours=3, t=1e9), embed(x, latents=2, neighbours=3)
    np.testing.assert_allclose(np.abs(one), np.abs(other), atol=1e-4)
    assert not np.allclose(np.abs(embed(x, latents=2, neighbours=3, t=0.01)), np.abs(other), atol=1e-2)


def test_a_graph_in_pieces_is_refused_with_its_count() -> None:
    x = np.concatenate([ring(20), ring(20) + 100])
    with pytest.raises(ModelError, match=r"falls into 2 pieces; raise model\.neighbours"):
        embed(x, latents=1, neighbours=4)


def test_a_graph_that_weights_all_but_cut_is_refused() -> None:
    # The one edge between the rings weighs e^{−50}: two eigenvectors of λ = 0 within rounding, none of them constant.
    x = np.concatenate([ring(20), ring(20) + np.array([12.0, 0])])
    with pytest.raises(ModelError, match="all but cut"):
        embed(x, latents=1, graph="epsilon", epsilon=10.01, t=2.0)
