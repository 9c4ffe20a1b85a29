"""Convex-flow distances on graphs solved by hand, against shortest paths, and on the disk with wrong edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy import ndarray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path
from scipy.spatial import procrustes

from benchmark.datasets.triangle_disk import TriangleDisk
from benchmark.errors import ModelError
from benchmark.models.convex_flow import ConvexFlow, flow_distances
from benchmark.models.isomap import Isomap

RATIOS = (1.0, 2.0, 4.0)


def graph(n: int, edges: dict[tuple[int, int], float]) -> csr_array:
    matrix = np.zeros((n, n))
    for (u, v), length in edges.items():
        matrix[u, v] = matrix[v, u] = length
    return csr_array(matrix)


def disk(points: int, *edges: str) -> tuple[TriangleDisk, ndarray]:
    dataset = TriangleDisk(TriangleDisk.Settings(points=points, wrong_edges=edges))
    return dataset, dataset.load().images[:]


def embedded(cls: type, dataset: TriangleDisk, x: ndarray, **settings: float) -> ndarray:
    options = cls.resolve(cls.Settings(latents=2, neighbours=8, **settings), dataset)
    model = cls(options).fit(x, np.random.default_rng(0))
    return model.codes if cls.transductive else model.embedding


def test_two_units_over_one_edge_pay_its_second_segment() -> None:
    # 0 —1— 1 —1— 2: from 0 two units cross the first edge, 1.5 of them cheaply; from 1 each edge carries one.
    found = flow_distances(graph(3, {(0, 1): 1, (1, 2): 1}), RATIOS, 1.5)
    np.testing.assert_allclose(found, [[0, 2, 3], [1, 0, 1], [3, 2, 0]], atol=1e-9)


def test_six_units_pay_the_third_segment() -> None:
    # A star around 1: two of the six units from 0 pay 1, two pay 2, the last two 4; the leaves are 1 further.
    star = graph(7, {(0, 1): 1, **{(1, leaf): 1 for leaf in range(2, 7)}})
    np.testing.assert_allclose(flow_distances(star, RATIOS, 2)[0], [0, 4, 5, 5, 5, 5, 5], atol=1e-9)
    np.testing.assert_allclose(flow_distances(star, RATIOS, 2)[1], [1, 0, 1, 1, 1, 1, 1], atol=1e-9)


def test_a_crowded_path_shares_its_flow_with_a_detour() -> None:
    # From 0 to 2 by 1 costs 2, directly 2.5. With 1.5 units at most at the first price, half a unit goes directly:
    # 2 is at 2.5, and 1 is one edge before it, at 1.5, between the first segment's price 1 and the second's 2.
    found = flow_distances(graph(3, {(0, 1): 1, (1, 2): 1, (0, 2): 2.5}), RATIOS, 1.5)
    np.testing.assert_allclose(found, [[0, 1.5, 2.5], [1, 0, 1], [2.5, 1.5, 0]], atol=1e-9)


@pytest.mark.parametrize("capacity", [40.0, math.inf])
def test_where_the_first_segment_takes_all_distances_are_shortest_paths(capacity: float) -> None:
    _, x = disk(40)
    edges = ConvexFlow(ConvexFlow.Settings(neighbours=4)).graph(x)
    np.testing.assert_allclose(flow_distances(edges, RATIOS, capacity), shortest_path(edges), atol=1e-9)


def test_dearer_segments_never_bring_points_closer() -> None:
    _, x = disk(40)
    edges = ConvexFlow(ConvexFlow.Settings(neighbours=4)).graph(x)
    one, other = flow_distances(edges, RATIOS, 4.3), shortest_path(edges)
    assert (one > other - 1e-9).all()
    assert (one > 1.1 * other).mean() > 0.2


def test_of_unlimited_capacity_it_is_isomap_on_the_same_wrong_edges() -> None:
    dataset, x = disk(60, "AC", "BC")
    same = embedded(ConvexFlow, dataset, x, capacity=math.inf)
    np.testing.assert_allclose(np.abs(same), np.abs(embedded(Isomap, dataset, x)), atol=1e-5)


def test_wrong_edges_join_the_corners() -> None:
    dataset, x = disk(60, "AC")
    model = ConvexFlow(ConvexFlow.resolve(ConvexFlow.Settings(neighbours=8), dataset))
    right = ConvexFlow(ConvexFlow.Settings(neighbours=8)).graph(x)
    different = (model.graph(x) != right).tocoo()
    (a, c) = sorted(different.coords[0], key=lambda row: x[row, 1])
    np.testing.assert_allclose(x[[a, c]], dataset.wrong_edges()[0], atol=0.15)
    assert model.graph(x)[a, c] == model.graph(x)[c, a] == 0.05


def test_flows_leak_less_through_wrong_edges_than_shortest_paths_do() -> None:
    """E, fig. 5: both recover the disk without wrong edges; with them convex flow suffers less."""
    dataset, x = disk(80)
    assert procrustes(x, embedded(Isomap, dataset, x))[2] < 0.02
    assert procrustes(x, embedded(ConvexFlow, dataset, x))[2] < 0.05
    dataset, x = disk(80, "AC", "BC")
    leaked = procrustes(x, embedded(Isomap, dataset, x))[2]
    assert leaked > 0.1
    assert procrustes(x, embedded(ConvexFlow, dataset, x))[2] < 0.4 * leaked


def test_costs_that_are_not_convex_are_refused() -> None:
    with pytest.raises(ModelError, match="not convex"):
        ConvexFlow(ConvexFlow.Settings(second=3.0, third=2.0)).fit(disk(20)[1], np.random.default_rng(0))
