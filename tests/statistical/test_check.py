"""How often the check cries wolf, and how often it sees one."""

import numpy as np
import pandas as pd

from benchmark.metrics._declare import metric
from benchmark.spec import Component, Run, canonical_json
from benchmark.table import COLUMNS
from leaderboard.regression import check


@metric(supervised=True)
def score(codes: object, factors: object) -> dict[str, float]:
    return {}


DECLARATIONS = {"score": score.declaration}  # type: ignore[attr-defined]


def table(values: np.ndarray) -> pd.DataFrame:
    """A results table of (configurations × seeds) values of one score."""
    runs = [
        (Run(Component("data", 1, {}), Component("model", 1, {"beta": i}), None, None, seed), float(value))
        for i, row in enumerate(values)
        for seed, value in enumerate(row)
    ]
    rows = [
        {
            "run_id": run.run_id,
            "config_id": run.config_id,
            "dataset": "data",
            "model": "model",
            "settings": canonical_json({"dataset": {}, "model": run.model.settings, "network": None, "training": None}),
            "seed": run.seed,
            "metric": "score",
            "protocol": "score/mean-n1/v1",
            "score": "score",
            "representation": "mean",
            "status": "ok",
            "value": value,
        }
        for run, value in runs
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def worse(rng: np.random.Generator, seeds: int, deviation: float, drop: float) -> tuple[bool, bool]:
    """Whether the check of 20 configurations calls the first worse, which drops, and any of the others, which stay."""
    then = 0.5 + deviation * rng.normal(size=(20, seeds))
    now = 0.5 + deviation * rng.normal(size=(20, seeds))
    now[0] -= drop
    verdicts = [verdict.verdict for verdict in check(table(now), table(then), DECLARATIONS)]
    return verdicts[0] == "worse", "worse" in verdicts[1:]


def test_error_rates() -> None:
    """Ten seeds with noise far over the margin, so that the test alone decides.

    At most 5 % of checks without a change may raise an alarm; a drop of seven standard errors must be seen.
    """
    rng = np.random.default_rng(0)
    deviation = 0.1
    error = deviation * np.sqrt(2 / 10)
    found = [worse(rng, 10, deviation, 7 * error) for _ in range(60)]
    assert np.mean([seen for seen, _ in found]) >= 0.9
    assert np.mean([alarm for _, alarm in found]) <= 0.05
