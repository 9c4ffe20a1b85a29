"""How often the check cries wolf, and how often it sees one."""

import numpy as np
import pandas as pd
import pytest
from error_rates import RERUNS, SCATTERS, SEEDS, SUITES, caught, falls, false_alarms, zeros

from benchmark.metrics._declare import metric
from benchmark.published import folder
from benchmark.spec import Component, Run, canonical_json
from benchmark.table import COLUMNS
from leaderboard.regression import check
from leaderboard.verdicts import alone


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


def test_through_tables() -> None:
    """Ten seeds with noise far over the margin: a drop of seven standard errors is seen, and nothing else."""
    rng = np.random.default_rng(0)
    then, now = 0.5 + 0.1 * rng.normal(size=(2, 20, 10))
    now[0] -= 7 * 0.1 * np.sqrt(2 / 10)
    verdicts = [verdict.verdict for verdict in alone(check(table(now), table(then), DECLARATIONS))]
    assert verdicts[0] == "worse" and verdicts.count("worse") == 1


CHECKS = 100


@pytest.mark.parametrize("reruns", RERUNS)
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_false_alarms(seeds: int, reruns: int) -> None:
    """Noise without any margin to hide behind: at most 5 % of whole checks may call anything worse."""
    rng = np.random.default_rng([seeds, reruns])
    scatters = [scatter for scatter in SCATTERS for _ in range(CHECKS // len(SCATTERS))]
    alarms = [false_alarms(rng, 20, seeds, scatter, reruns, 1)[0] for scatter in scatters]
    assert np.mean(alarms) <= 0.05


def test_drops_are_caught() -> None:
    """Five standard errors of the difference, twice the default margin, among 20 tests: at least 90 %."""
    rng = np.random.default_rng(0)
    cases = [(2, 10), (3, 10), (5, 10), (10, 0), (20, 0)]
    assert np.mean([caught(rng, 20, seeds, "normal", reruns, CHECKS) for seeds, reruns in cases]) >= 0.9


@pytest.mark.parametrize("reference", ["noise", "untrained"])
def test_falls_to_a_reference_are_caught(reference: str) -> None:
    """At three seeds, by the scores of a configuration together, where each alone may stay within its margin."""
    rng = np.random.default_rng(0)
    assert np.mean([falls(rng, 100, 3, scatter, 10, 12, reference) for scatter in SCATTERS]) >= 0.99


def test_a_measure_without_its_lead_is_caught() -> None:
    rng = np.random.default_rng(0)
    assert np.mean([zeros(rng, 100, 3, scatter, 10, 6) for scatter in SCATTERS]) >= 0.95


def test_the_published_rates() -> None:
    """What the check promises, at three seeds with reruns; single rows of 100 checks scatter by some in a hundred."""
    rates = pd.read_csv(folder() / "error_rates.csv")
    assert len(rates) == len(SCATTERS) * len(RERUNS) * len(SUITES) * len(SEEDS)
    assert rates["checks"].min() >= 100 and rates["checks"].max() >= 200
    promised = rates[(rates["reruns"] == 10) & (rates["seeds"] == 3)]
    assert promised["false_alarms"].max() <= 0.05
    assert promised[["caught_noise", "caught_untrained"]].min().min() >= 0.99
    assert promised["caught_zero"].min() >= 0.95
    assert rates.groupby("scatter")["false_alarms"].mean().max() <= 0.05
    assert rates["false_alarms"].max() <= 0.1
    few = rates[(rates["reruns"] == 10) & (rates["tests"] == 20)]
    assert few["caught"].min() >= 0.8
