"""A paper's numbers beside ours: the right configuration, the right protocol, and what the intervals say."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmark import registry
from benchmark.choice import read_choice
from benchmark.suite import expand
from benchmark.table import COLUMNS
from leaderboard.papers import Level, comparisons, figures_of

WITH_FIGURES = [name for name in registry.names("suite") if figures_of(name) is not None]


def table(steps: int, runs: int, mean: float, protocol: str = "mig/bins10-mean-n10000/v1") -> pd.DataFrame:
    settings = {"dataset": {}, "model": {"beta": 3}, "network": {"latents": 10}, "training": {"steps": steps}}
    values = mean + 0.02 * np.where(np.arange(runs) % 2, 1, -1)
    rows = [
        dict.fromkeys(COLUMNS)
        | {
            "run_id": f"{steps}-s{seed}",
            "config_id": str(steps),
            "dataset": "dsprites",
            "model": "beta_vae",
            "seed": seed,
        }
        | {"settings": json.dumps(settings), "metric": "mig", "protocol": protocol, "score": "mig", "value": value}
        | {"representation": "mean", "status": "ok", "network": "conv64", "seed": seed}
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def row_of(tables: pd.DataFrame) -> list[str]:
    (found,) = comparisons("mushom-mini", tables)["dsprites"]
    (row,) = [row for row in found.rows if row[1] == "mig"]
    return list(row)


@pytest.mark.parametrize(("mean", "said"), [(0.269, "overlap"), (0.5, "apart")])
def test_intervals(mean, said):
    row = row_of(table(100, 10, mean))
    assert row[0] == "β-VAE, β = 3" and row[2] == "0.269 ± 0.028" and row[5] == said
    assert float(row[4].replace("−", "-")) == pytest.approx(mean - 0.269, abs=1e-9)


def test_too_few_runs_are_not_judged():
    assert row_of(table(100, 9, 0.269))[5] == "too few runs to say"


def test_the_longest_training_is_compared():
    assert row_of(pd.concat([table(100, 2, 0.1), table(900, 2, 0.4)]))[3].startswith("0.400")


def test_another_protocol_is_not_the_papers():
    row = row_of(table(100, 2, 0.2, "mig/bins20-mean-n10000/v1"))
    assert row[3] == "not scored"


def test_students_interval():
    low, high = Level(0.0, 1.0, 10).interval
    assert high == -low == pytest.approx(2.262157 / np.sqrt(10), rel=1e-6)
    assert Level(0.0, 1.0, 9).interval is None and Level(0.0, None, None).interval is None


def test_suites_without_figures():
    assert figures_of("quickstart") is None and comparisons("quickstart", table(1, 1, 0.0)) == {}


@pytest.mark.parametrize("suite", WITH_FIGURES)
def test_every_figure_has_a_configuration_and_a_measure(suite):
    known, runs = figures_of(suite), expand(suite, seeds=[0]).runs
    for choice in {*known["ours"], *known["paper"].dropna()}:
        read = read_choice(choice)
        registry.load("metric", read.name).declaration.settings.read(dict(read.settings), choice)
    described = [(run.dataset, run.model, run.network) for run in runs]
    for where in known["where"]:
        keys = dict(word.split("=") for word in where.split(" "))
        assert any(
            dataset.name == keys.get("dataset", dataset.name) and model.name == keys["model"]
            for dataset, model, network in described
        ), f"no configuration of {suite} is {where}"
