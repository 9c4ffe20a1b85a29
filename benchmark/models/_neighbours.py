"""Neighbour graphs and what embeddings make of them: the pieces they fall into, and coordinates from distances."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.datasets._dataset import Dataset
from benchmark.errors import ModelError
from benchmark.models._model import Embedding, Model
from benchmark.spec import Number, static

Kind = Literal["symmetric", "mutual", "epsilon"]
TINY = float(np.finfo(np.float64).tiny)
"""The length of an edge between two equal points: a sparse graph takes 0 for no edge."""


def neighbour_graph(x: Float[ndarray, "n D"], kind: Kind, neighbours: int, radius: float) -> Any:
    """Edge lengths (n n), sparse and symmetric, between points at most `radius` apart (`epsilon`), or between each
    point and its `neighbours` nearest: where either is among the other's (`symmetric`), or both are (`mutual`)."""
    from sklearn.neighbors import kneighbors_graph, radius_neighbors_graph

    x = x.astype(np.float64)
    if kind == "epsilon":
        graph = radius_neighbors_graph(x, radius, mode="distance")
    else:
        graph = kneighbors_graph(x, neighbours, mode="distance")
    graph.data = np.maximum(graph.data, TINY)
    return graph.minimum(graph.T) if kind == "mutual" else graph.maximum(graph.T)


def pieces(graph: Any) -> int:
    """How many connected pieces a graph has."""
    from scipy.sparse.csgraph import connected_components

    return int(connected_components(graph, directed=False)[0])


def joined(graph: Any, x: Float[ndarray, "n D"]) -> Any:
    """The graph with the shortest edges between its pieces that make it one."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree
    from sklearn.metrics import pairwise_distances

    if pieces(graph) == 1:
        return graph
    lengths = np.maximum(pairwise_distances(x.astype(np.float64)), 2 * TINY)
    lengths[graph.nonzero()] = TINY  # the tree takes the known edges first, and others only between pieces
    tree = minimum_spanning_tree(csr_array(lengths)).tocoo()  # a dense one takes TINY for no edge
    new = tree.data > TINY
    edges = csr_array((tree.data[new], (tree.row[new], tree.col[new])), shape=tree.shape)
    return graph.maximum(edges).maximum(edges.T)


def classical_scaling(distances: Float[ndarray, "n n"], d: int) -> Float[ndarray, "n d"]:
    """Classical multidimensional scaling (Torgerson 1952): the leading eigenvectors of −½ J D² J, scaled by √λ.

    Distances that no Euclidean space has give negative eigenvalues, which count as 0.
    """
    from scipy.linalg import eigh

    squared = np.square(distances, dtype=np.float64)
    products = -0.5 * (squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean())
    n = len(products)
    values, vectors = eigh(products, subset_by_index=[n - d, n - 1])
    return vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))


class PathEmbedding(Embedding):
    """An embedding of paths through the symmetric k-nearest-neighbour graph, made one by the shortest edges between
    its pieces, and with the wrong edges that the dataset asks for (E, fig. 5)."""

    class Settings(Embedding.Settings):
        neighbours: int = static(10, "neighbours k of each point", ge=1)
        wrong_edges: tuple[Number, ...] = static((), "wrong edges added: both ends, 2·D numbers each, in data units")
        wrong_length: Number = static(0.0, "length of a wrong edge, in data units", ge=0, allow_inf_nan=False)

    settings: Settings

    @classmethod
    def resolve(cls, settings: Model.Settings, dataset: Dataset) -> Model.Settings:
        assert isinstance(settings, PathEmbedding.Settings)
        edges = getattr(dataset, "wrong_edges", None)
        if edges is None or settings.wrong_edges:
            return settings
        length = getattr(dataset.settings, "wrong_length", 0.0)
        return settings.model_copy(update={"wrong_edges": tuple(edges().ravel().tolist()), "wrong_length": length})

    def graph(self, x: Float[ndarray, "n D"]) -> Any:
        """Edge lengths (n n) between n data points, sparse and symmetric."""
        graph = joined(neighbour_graph(x, "symmetric", self.settings.neighbours, 0), x).tolil()
        if len(self.settings.wrong_edges) % (2 * x.shape[1]):
            raise ModelError(
                f"model.wrong_edges has {len(self.settings.wrong_edges)} numbers; an edge has {2 * x.shape[1]}, both of"
                f" its ends in {x.shape[1]} dimensions"
            )
        for ends in np.array(self.settings.wrong_edges).reshape(-1, 2, x.shape[1]):
            u, v = (int(np.linalg.norm(x - end, axis=1).argmin()) for end in ends)
            graph[u, v] = graph[v, u] = max(self.settings.wrong_length, TINY)
        return graph.tocsr()
