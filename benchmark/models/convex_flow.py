"""Convex-flow embedding: Isomap whose distances are potentials of flows that crowded edges slow (Efros et al. 2004)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import ModelError
from benchmark.models._model import Transductive
from benchmark.models._neighbours import PathEmbedding, classical_scaling
from benchmark.spec import Number, static


class ConvexFlow(PathEmbedding, Transductive):
    """Classical scaling of node potentials in the symmetric k-nearest-neighbour graph (E, figs. 4, 5).

    From each source a unit flows to every other point at least cost. A unit over an edge of length d₁ costs d₁, then
    d₂, then d₃, each of the first two up to a capacity; a point's distance is what one more unit to it would cost.
    The slides leave capacities and ratios open: the defaults are ours, of a dozen tried on triangular disks of 80 to
    250 points a middle way. Smaller capacities leak less through wrong edges and bend a right graph more, which even
    these do a little more than Isomap. With capacity ∞ the distances are Isomap's. Codes are uncorrelated by the
    scaling: what measures linear dependence is 0 up to the choice of points.
    """

    by_construction = ("gaussian_total_correlation", "wasserstein_correlation")

    class Settings(PathEmbedding.Settings):
        subset: int = static(500, "points embedded, drawn by the run's seed", ge=3)
        capacity: Number = static(0.15, "share of the whole flow after which an edge gets dearer, and again", gt=0)
        second: Number = static(10.0, "d₂/d₁", ge=1, allow_inf_nan=False)
        third: Number = static(100.0, "d₃/d₁, at least the second", ge=1, allow_inf_nan=False)

    settings: Settings

    def embed(self, x: ndarray, rng: np.random.Generator) -> ndarray:
        options = self.settings
        if options.third < options.second:
            raise ModelError("model.third below model.second makes the cost not convex")
        ratios = (1.0, options.second, options.third)
        distances = flow_distances(self.graph(x), ratios, options.capacity * (len(x) - 1))
        return classical_scaling((distances + distances.T) / 2, options.latents)


def flow_distances(graph: Any, ratios: tuple[float, float, float], capacity: float) -> Float[ndarray, "n n"]:
    """The potential of every node (columns) under the flow of one unit to each from every source (rows).

    `graph`: sparse symmetric edge lengths (n n); `ratios`: d₁, d₂, d₃ over the length, ascending; `capacity`: units
    that each of the first two segments carries, in either direction. Potentials are the linear program's dual values;
    where a segment is exactly full they are one choice between its cost and the next.
    """
    from scipy.sparse.csgraph import depth_first_order, shortest_path

    if math.isinf(capacity):
        return shortest_path(graph, method="D", directed=False)
    n = graph.shape[0]
    solver = _program(graph.tocoo(), ratios, capacity)
    distances = np.zeros((n, n))
    last = None
    # From one source to its neighbour little of the flow changes: the solver goes on from the flow before.
    for source in depth_first_order(graph, 0, directed=False, return_predecessors=False).tolist():
        if last is not None:
            solver.changeRowBounds(last, 1, 1)
        solver.changeRowBounds(source, 1 - n, 1 - n)
        last = source
        solver.run()
        status = solver.modelStatusToString(solver.getModelStatus())
        if status != "Optimal":
            raise ModelError(f"the flow from one of the points was not found: the solver says {status}")
        potentials = np.array(solver.getSolution().row_dual)
        distances[source] = potentials - potentials[source]
    return distances


def _program(arcs: Any, ratios: tuple[float, float, float], capacity: float) -> Any:
    """The linear program whose rows say that every node keeps one unit, with a variable a segment of an arc."""
    import highspy
    from scipy.sparse import csc_array, hstack

    n, m = arcs.shape[0], arcs.nnz
    ends = (np.concatenate([arcs.col, arcs.row]), np.tile(np.arange(m), 2))
    incidence = csc_array((np.repeat([1.0, -1.0], m), ends), shape=(n, m))
    balance = hstack([incidence] * 3, format="csc")
    program = highspy.HighsLp()
    program.num_row_, program.num_col_ = balance.shape
    program.col_cost_ = np.concatenate([ratio * arcs.data for ratio in ratios])
    program.col_lower_ = np.zeros(3 * m)
    program.col_upper_ = np.repeat([capacity, capacity, math.inf], m)
    program.row_lower_ = program.row_upper_ = np.ones(n)
    matrix = program.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kColwise
    matrix.start_, matrix.index_, matrix.value_ = balance.indptr, balance.indices, balance.data
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    solver.passModel(program)
    return solver
