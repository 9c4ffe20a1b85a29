"""A paper's numbers beside ours: the right configuration, the right protocol, and what the intervals say."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmark import registry
from benchmark.choice import read_choice
from benchmark.stages.score_task import check_metrics
from benchmark.suite import expand
from benchmark.table import COLUMNS
from leaderboard import bands, paper_correlations
from leaderboard.levels import Level, stems
from leaderboard.papers import NOT_TRAINED, SETTINGS_OF, comparisons, figures_of
from leaderboard.text_table import TextTable

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
    found = by_title(comparisons("mushom-mini", tables)["dsprites"])["Table 5.3"]
    (row,) = [row for row in found.rows if row[1] == "mig" and row[3] != NOT_TRAINED]
    return list(row)


def by_title(tables: list[TextTable]) -> dict[str, TextTable]:
    return {table.title: table for table in tables}


def stems_of(suite: str) -> set[str]:
    """How the ids begin of what a suite scores, as `levels.stems` says."""
    evaluation = expand(suite, seeds=[0]).evaluation
    found = set()
    for choice in map(read_choice, check_metrics(evaluation.metrics)):
        metric = registry.load("metric", choice.name).declaration
        quick = metric.quick if evaluation.budget == "quick" else {}
        settings = metric.settings.read({**quick, **choice.settings}, choice.name)
        found.add(metric.protocol(settings, "mean", None).rpartition("/")[0])
    return found


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


@pytest.mark.parametrize("better", ["n10000/v1", "n1000/v2"], ids=["points", "version"])
def test_of_two_protocols_the_papers_numbers_stand_beside_one(better):
    """Quick scores, or those of an older version, lie in the table before the others and are not averaged with them."""
    old, new = (table(100, 4, mean, f"mig/bins10-mean-{end}") for mean, end in ((0.1, "n1000/v1"), (0.3, better)))
    row = row_of(pd.concat([old, new]))
    assert row[3].startswith("0.300") and row[6].endswith(better)
    row = row_of(pd.concat([old, new[:2]]))
    assert row[3] == "0.100 ± 0.023 (4)" and row[6].endswith("n1000/v1"), "the one that all runs have"


def test_students_interval():
    low, high = Level(0.0, 1.0, 10).interval
    assert high == -low == pytest.approx(2.262157 / np.sqrt(10), rel=1e-6)
    assert Level(0.0, 1.0, 9).interval is None and Level(0.0, None, None).interval is None


def test_rows_of_a_paper_that_nothing_was_trained_as_say_so():
    found = by_title(comparisons("dsprites-core", table(100, 5, 0.2))["dsprites"])
    assert "Table 5.6, best settings" not in found, "nothing of it is here"
    rows = found["Table 5.3"].rows
    assert [row[0] for row in rows if row[3] != NOT_TRAINED] == ["β-VAE, β = 3"] * 3
    assert {row[0] for row in rows if row[3] == NOT_TRAINED} == {f"β-VAE, β = {beta}" for beta in (1, 10, 30)}
    assert found["Table 5.3"].caption.endswith("Trained here by the suite’s own recipe, for 100 steps.")
    numbers = found["Table 5.3"].numbers.set_index(["row", "score"])
    assert numbers.loc[("β-VAE, β = 3", "mig"), "ours"] == pytest.approx(0.2 - 0.02 / 5)
    assert numbers.loc[("β-VAE, β = 3", "mig"), "ours_runs"] == 5
    assert numbers.loc[("β-VAE, β = 1", "mig"), ["paper", "intervals"]].tolist() == [0.201, NOT_TRAINED]


def configuration(model: str, seeds: int, steps: int = 100, **settings: float) -> pd.DataFrame:
    """A MIG of 20 bins for each seed: of 0, .1, .2, …"""
    rows = table(steps, seeds, 0.0, "mig/bins20-mean-n10000/v1")
    text = {"dataset": {}, "model": settings, "network": {"latents": 10}, "training": {"steps": steps}}
    name = f"{model} {settings}"
    values = np.arange(seeds) / 10
    ids = [f"{name}-s{seed}" for seed in range(seeds)]
    return rows.assign(model=model, settings=json.dumps(text), config_id=name, run_id=ids, value=values)


def test_public_models_stand_beside_ours_of_their_setting_and_of_their_objective():
    ours = [configuration("beta_vae", 3, beta=1), configuration("beta_vae", 2, beta=10), configuration("ae", 2)]
    found = by_title(comparisons("dsprites-core", pd.concat(ours))["dsprites"])[bands.TITLE]
    place = list(found.columns).index("MIG")
    told = [(row[0], row[1], row[place]) for row in found.rows]
    assert told[:2] == [
        ("VAE", bands.THEIRS, "0.101"),
        ("beta_vae β=1", "the same setting, conv64, 100 steps", "0.100 ± 0.100 (3)"),
    ]
    assert told[2:4] == [
        ("β-VAE, β = 4", bands.THEIRS, "0.125"),
        ("beta_vae β=10", "another setting, conv64, 100 steps", "0.050 ± 0.071 (2)"),
    ]
    assert [row[1] for row in told[4:]] == [bands.THEIRS, "not trained here"] * 3
    assert {row[place + 1] for row in found.rows if "setting" in row[1]} == {"not scored"}


def test_a_score_under_our_own_protocol_is_marked_among_the_public_ones():
    own = configuration("beta_vae", 2, beta=1)
    other = own.assign(metric="modularity", score="modularity", protocol="modularity/bins20-mean-n10000/v1")
    found = by_title(comparisons("dsprites-core", pd.concat([own, other]))["dsprites"])[bands.TITLE]
    (row,) = [row for row in found.rows if row[1].startswith("the same setting")]
    assert row[list(found.columns).index("modularity")] == "0.050 ± 0.071 (2)†"
    assert "† Under our own protocol" in found.caption


def correlated(configurations: int) -> pd.DataFrame:
    """MIG of 10 bins and KL that rise together, reconstruction that falls with them."""
    parts = []
    for place in range(configurations):
        own = configuration("beta_vae", 2, beta=place)
        value = place + np.arange(2) / 10
        for metric, protocol, sign in (
            ("mig", "mig/bins10-mean-n10000/v1", 1), ("kl", "kl/mean-n1000/v1", 1),
            ("reconstruction", "reconstruction/mean-n1000/v1", -1),
        ):  # fmt: skip
            parts.append(own.assign(metric=metric, score=metric, protocol=protocol, value=sign * value))
    return pd.concat(parts)


def test_the_papers_correlations_beside_ours():
    found = by_title(comparisons("mushom", correlated(5))["dsprites"])[paper_correlations.TITLE]
    rows = {(row[0], row[1]): tuple(row[2:]) for row in found.rows}
    few = "no interval below 10 configurations"
    assert rows["MIG", "KL"] == ("−0.50", "1.00", few, "10 runs of 5 configurations")
    assert rows["MIG", "reconstruction"][:2] == ("0.44", "−1.00")
    assert rows["MIG", "reconstruction, as a likelihood"][:2] == ("0.44", "1.00")
    assert rows["MIG", "ELBO"][1] == "–" and "no correlation below 5" in rows["MIG", "ELBO"][2]
    with_interval = by_title(comparisons("mushom", correlated(10))["dsprites"])[paper_correlations.TITLE]
    assert {tuple(row[2:5]) for row in with_interval.rows if row[:2] == ["MIG", "KL"]} == {
        ("−0.50", "1.00", "1.00 to 1.00")
    }


def test_over_four_configurations_there_is_no_correlation():
    found = by_title(comparisons("mushom", correlated(4))["dsprites"])[paper_correlations.TITLE]
    assert {row[3] for row in found.rows} == {"–"} and found.numbers["ours"].isna().all()
    assert {row[4] for row in found.rows if row[1] != "ELBO"} >= {"8 runs of 4 configurations: no correlation below 5"}


def test_suites_without_figures():
    assert figures_of("quickstart") is None and comparisons("quickstart", table(1, 1, 0.0)) == {}


@pytest.mark.parametrize("suite", WITH_FIGURES)
def test_every_figure_has_a_configuration_and_a_measure(suite):
    """A suite that trains a part of a paper by a recipe of its own is looked at as the whole."""
    known, runs = figures_of(suite), expand(SETTINGS_OF.get(suite, suite), seeds=[0]).runs
    for choice in {*known["ours"], *known["paper"].dropna()}:
        read = read_choice(choice)
        registry.load("metric", read.name).declaration.settings.read(dict(read.settings), choice)
    scored = stems_of(SETTINGS_OF.get(suite, suite))
    for choice in {*known["ours"], *known["paper"].dropna()}:
        assert scored & set(stems(choice)), f"{suite} scores no {choice}: its row would say so"
    described = [(run.dataset, run.model, run.network) for run in runs]
    for where in known["where"]:
        keys = dict(word.split("=") for word in where.split(" "))
        assert any(
            dataset.name == keys.get("dataset", dataset.name) and model.name == keys["model"]
            for dataset, model, network in described
        ), f"no configuration of {suite} is {where}"
