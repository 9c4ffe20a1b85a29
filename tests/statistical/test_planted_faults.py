"""Faults in the published quickstart turn the check red; CI trains the others (`planted_faults.py`)."""

from pathlib import Path

import pandas as pd
import pytest
from planted_faults import (
    ALARMS,
    CONFIGURATION,
    GREENS,
    MEASURES,
    MODELS,
    PLANTED,
    in_place_of,
    returning_zero,
    suite_of_faults,
)

from benchmark import registry
from benchmark.published import folder
from benchmark.stages.score_task import declarations
from benchmark.suite import expand
from benchmark.table import read_table
from leaderboard.margins import read_margins
from leaderboard.regression import check
from leaderboard.verdicts import Verdict


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    return read_table(folder() / "quickstart.csv")


def worse(table: pd.DataFrame, published: pd.DataFrame) -> list[Verdict]:
    margins = read_margins(folder() / "quickstart-margins.csv")
    return [each for each in check(table, published, declarations(), margins) if each.verdict == "worse"]


def test_nothing_planted_is_green(published: pd.DataFrame) -> None:
    assert not worse(published, published)


def test_measures_of_one_configuration_that_return_zero(published: pd.DataFrame) -> None:
    """Seven measures of β-TCVAE on dSprites: each alone had a margin wider than the score, and all passed."""
    measures = ["mig", "dci", "sap", "dcimig", "jemmig", "rmig", "disentanglement_score"]
    own = (published["dataset"] == "dsprites") & (published["model"] == "beta_tcvae") & (published["status"] == "ok")
    broken = own & published["metric"].isin(measures)
    found = worse(published.assign(value=published["value"].where(~broken, 0.0)), published)
    assert {each.model for each in found if each.level == "score"} == {"beta_tcvae"}
    assert {each.metric for each in found} >= set(measures) - {"dci", "rmig"}


@pytest.mark.parametrize("reference", ["noise", "untrained"])
def test_a_configuration_that_falls_to_a_reference(published: pd.DataFrame, reference: str) -> None:
    key = ["seed", "metric", "score", "representation", "budget"]
    ok = published[(published["dataset"] == "dsprites") & (published["status"] == "ok")]
    fallen = ok[ok["model"] == "vae"].merge(
        ok[ok["model"] == reference][[*key, "value"]], on=key, suffixes=("", "_low")
    )
    fallen = fallen.assign(value=fallen["value_low"])[list(published)]
    kept = published[(published["dataset"] != "dsprites") | (published["model"] != "vae")]
    found = worse(pd.concat([kept, fallen], ignore_index=True), published)
    assert [each.model for each in found if each.level == "configuration"] == ["vae"]


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_that_returns_zero(published: pd.DataFrame, measure: str) -> None:
    assert measure in {each.metric for each in worse(returning_zero(published, measure), published)}


def test_the_faults_are_of_the_quickstart_s_configuration(
    published: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_plugins", {})
    for name in MODELS:
        registry.add_plugin(PLANTED / f"{name}.py")
    planted, quickstart = expand(str(suite_of_faults(tmp_path / "planted.toml", 3))), expand("quickstart")
    healthy = next(run for run in quickstart.runs if (run.dataset.name, run.model.name) == CONFIGURATION)
    parts = [(run.dataset, run.network, run.training, run.model.settings) for run in (healthy, *planted.runs)]
    assert len(parts) == 1 + 3 * len(MODELS) and all(part == parts[0] for part in parts)
    assert (planted.evaluation, planted.encoding) == (quickstart.evaluation, quickstart.encoding)
    scores = published[published["model"] == "beta_vae"].assign(model="wrong_sign", config_id="of a fault")
    swapped = in_place_of(published, scores[scores["dataset"] == CONFIGURATION[0]])
    assert swapped.groupby("config_id").size().to_dict() == published.groupby("config_id").size().to_dict()


def test_the_published_faults() -> None:
    """What `planted_faults.py` found with all of them trained, and in checks of seeds against seeds."""
    found = pd.read_csv(folder() / "planted_faults.csv").set_index("planted")["red"]
    assert set(MODELS) <= set(found.index) and found[list(MODELS)].all()
    assert found[[f"{name} returns 0" for name in MEASURES]].all()
    assert not found["nothing"]
    deals = found[found.index.str.startswith("nothing, deal")]
    assert len(deals) == GREENS and deals.mean() <= ALARMS
