"""What half precision moves: a published network beside the one that was trained, on a few points of its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark import registry
from benchmark.archive.weights import halved
from benchmark.datasets._dataset import Data
from benchmark.errors import NotApplicable
from benchmark.kinds import encoded
from benchmark.seeds import stream
from benchmark.spec import Run

if TYPE_CHECKING:
    from benchmark.models._neural import NeuralModel

POINTS = 1_000
SCORED = ("mig", "mcc", "modularity", "mig_sup")
"""Measures of codes and factors that need no training: seconds for all networks of an archive."""
COLUMNS = [
    "config_id", "run_id", "points", "codes_difference", "codes_deviation",
    *(f"{name}{ending}" for name in ("reconstruction", *SCORED) for ending in ("", "_float16")),
]  # fmt: skip
"""Of an archive's table of them; archives of before know of `reconstruction` and `mig` alone."""


def moved(run: Run, weights: Mapping[str, ndarray], data: Data) -> dict[str, Any]:
    """Both networks on the same POINTS evaluation points, drawn by the dataset's name.

    `codes_difference`: the largest difference of a mean code; `codes_deviation`: the largest standard deviation of a
    coordinate over these points, to compare it with; `reconstruction`: mean nats at z = μ; and the headline
    scores of `SCORED`, absent where these points have no factors for them. Names that end in `_float16` are of the
    halved one. Raises `UsageError` where a plug-in was edited since: other code would be measured.
    """
    registry.check_sources(run)
    rows = data.evaluation_rows
    drawn = np.sort(stream(run.dataset.name, "archive.float16").permutation(len(rows))[:POINTS])
    exact, rounded = (_seen(_network(run, data, each), data, rows[drawn]) for each in (weights, halved(weights)))
    found: dict[str, Any] = {
        "points": len(drawn),
        "codes_difference": float(np.abs(exact[0] - rounded[0]).max()),
        "codes_deviation": float(exact[0].std(axis=0).max()),
    }
    for ending, (means, nats) in (("", exact), ("_float16", rounded)):
        found[f"reconstruction{ending}"] = nats
        found |= {f"{name}{ending}": _score(name, means, data, rows[drawn]) for name in SCORED}
    return found


def _network(run: Run, data: Data, weights: Mapping[str, ndarray]) -> NeuralModel:
    import torch

    from benchmark.stages.encode import prepare
    from benchmark.training.loop import build

    model = build(run, data)
    model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
    prepare(model)
    return model


def _seen(model: NeuralModel, data: Data, rows: ndarray) -> tuple[Float[ndarray, "m d"], float | None]:
    """Mean codes of these points, and their mean −log p(x|z) in nats where the model decodes."""
    import torch

    from benchmark.stages.points import images

    with torch.no_grad():
        x = torch.from_numpy(images(data, rows))
        mu = model.posterior(x).mu
        return mu.numpy(), float(model.nats(x, model.decode(mu)).double().mean()) if model.decodes else None


def _score(name: str, means: Float[ndarray, "m d"], data: Data, rows: ndarray) -> float | None:
    if not data.factor_names:
        return None
    metric = registry.load("metric", name).declaration
    factors = encoded(data.factors[rows], [size > 0 for size in data.factor_sizes])
    try:
        scores, _ = metric.measured(means, factors, seed=0, **metric.settings().model_dump())
    except NotApplicable:
        return None
    return float(scores[metric.headline])
