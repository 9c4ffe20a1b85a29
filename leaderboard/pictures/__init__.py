"""Pictures of one run, a file each, drawn from what its codes file holds.

A file has `NEEDS`, the arrays without which it draws nothing, maybe `USES`, those that it can do without, and
`pictures(arrays, title)`, its figures; `kind`s other than PNG only where a file says so. Arrays are those that `encode`
kept, and, of at most POINTS points, the codes themselves: `means`, `variances`, `samples`, `factors`, with
`factor_names` and `factor_sizes`; and `scores`, those of the run's mean codes, where it has any. A name that the file
lacks, or the representation does not have, is not there.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from benchmark.codes import Codes, read_arrays
from benchmark.integrity.run_seal import CODES
from benchmark.seeds import stream
from leaderboard.run_scores import read_scores
from leaderboard.style import Figure

ORDER = (
    "reconstructions",
    "traversals",
    "codes_by_factors",
    "samples",
    "densities",
    "manifold",
    "scatter",
    "dictionary",
    "posterior_densities",
    "aggregate_posterior",
    "spectrum",
    "pruning",
    "interpolations",
    "geodesics",
    "corrupted_inputs",
    "gradient_estimators",
)
"""The files of this folder, in the order in which a page shows them."""

POINTS = 10_000
"""Points of the codes that a picture is drawn from (M Figs. 5.6, 5.12)."""


def draw(codes: Path, title: str) -> list[Figure]:
    """Every picture that a run's codes file, and the scores beside it, have the arrays for.

    A published run has a file of arrays alone.
    """
    modules = [import_module(f"{__name__}.{name}") for name in ORDER]
    names = {name for module in modules for name in module.NEEDS | getattr(module, "USES", set())}
    scores = read_scores(codes.parent)
    arrays: dict[str, Any] = read_arrays(codes, names) | ({"scores": scores} if scores else {})
    if codes.name == CODES:
        arrays = points(Codes.load(codes, names=set())) | arrays
    return [figure for module in modules if arrays.keys() >= module.NEEDS for figure in module.pictures(arrays, title)]


def undrawn(arrays: Collection[str]) -> list[str]:
    """The pictures that nobody can draw of these arrays alone, as a sentence calls them."""
    needs = {name: import_module(f"{__name__}.{name}").NEEDS for name in ORDER}
    return [name.replace("_", " ") for name in ORDER if not needs[name] <= set(arrays)]


def points(codes: Codes) -> dict[str, ndarray]:
    """The codes of a seeded sample of points as arrays, with what is known of their factors."""
    n = len(codes.means)
    rows = np.sort(stream("pictures", "points").choice(n, POINTS, replace=False)) if n > POINTS else np.arange(n)
    found = {"means": codes.means[rows]}
    if codes.variances is not None:
        found["variances"] = codes.variances[rows]
    if codes.samples is not None:
        found["samples"] = codes.samples[rows]
    if codes.factors.shape[1]:
        found["factors"] = codes.factors[rows]
        found["factor_names"] = np.array(codes.factor_names)
        found["factor_sizes"] = np.array(codes.factor_sizes)
    return found
