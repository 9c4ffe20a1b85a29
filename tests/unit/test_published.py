"""Published summaries: a row a configuration and score, what single factors and coordinates score left out."""

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from benchmark.published import anchors, folder, publish, spelled, summarise
from benchmark.table import COLUMNS

ROOT = Path(__file__).parents[2]


def table(*rows: dict) -> pd.DataFrame:
    frame = pd.DataFrame([dict.fromkeys(COLUMNS) | {"status": "ok"} | row for row in rows])
    return frame.astype(COLUMNS)


def row(model: str, run: str, value: float | None, **more) -> dict:
    fixed = {"dataset": "d", "metric": "mig", "protocol": "mig/x/v1", "score": "mig", "representation": "mean"}
    return fixed | {"model": model, "config_id": model, "run_id": run, "value": value} | more


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """The summary of configurations that are called by their ids."""
    ids = frame["config_id"].drop_duplicates()
    return summarise(frame, pd.DataFrame({"config_id": ids, "label": ids, "dataset_label": "d"}))


def test_runs_become_a_mean_with_its_range():
    found = summary(table(row("a", "a0", 0.2), row("a", "a1", 0.4), row("b", "b0", 0.5)))
    a, b = (found[found["model"] == model].iloc[0] for model in "ab")
    assert (a["runs"], a["low"], a["high"]) == (2, 0.2, 0.4)
    assert a["mean"] == pytest.approx(0.3)
    assert b["runs"] == 1 and pd.isna(b["std"])
    assert spelled(a) == "0.300 (0.200 to 0.400)" and spelled(b) == "0.500"


def test_two_configurations_of_a_model_are_two_rows():
    found = summary(table(row("a", "a0", 0.2), row("a", "b0", 0.4, config_id="a β=4")))
    assert list(found["model"]) == ["a", "a"]
    assert dict(zip(found["label"], found["mean"], strict=True)) == {"a": 0.2, "a β=4": 0.4}


def test_what_is_of_one_factor_coordinate_code_or_run_is_left_out():
    singles = [row("a", "a0", 1.0, score=score) for score in ("kl_coordinate_0", "irs_code_12", "udr_run_1")]
    found = summary(table(row("a", "a0", 0.2), row("a", "a0", 0.9, factor="shape"), *singles))
    assert list(found["score"]) == ["mig"]


def test_what_has_no_number_says_why(tmp_path):
    frame = table(row("a", "a0", None, status="not_applicable", reason="no factors"))
    (found,) = pd.read_csv(publish(summary(frame), tmp_path / "some-summary.csv")).to_dict("records")
    assert (found["status"], found["reason"]) == ("not_applicable", "no factors")
    assert spelled(pd.Series(found)) == "n/a"


def test_the_anchors_of_every_supervised_measure_are_published():
    from benchmark.metrics.mig import mig

    rows = anchors(mig.__name__)
    headline = rows[(rows["score"] == "mig") & (rows["representation"] == "mean")].set_index("model")["mean"]
    assert set(headline.index) == {"perfect", "perfect_dead", "rotated", "noise", "pca", "untrained"}
    # 20 bins hold no 32 or 40 values: the ceiling of perfect codes is 0.896 in expectation.
    assert headline["perfect"] == pytest.approx(0.896, abs=0.01)
    assert headline["noise"] < 0.01
    assert anchors("no_such_measure").empty


def test_every_package_ships():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert folder().resolve() == (ROOT / setuptools["package-dir"]["benchmark.published"]).resolve()
    modules = [path.parent for path in (*ROOT.glob("benchmark/**/*.py"), *ROOT.glob("leaderboard/**/*.py"))]
    packages = {".".join(path.relative_to(ROOT).parts) for path in modules}
    assert packages <= set(setuptools["packages"])
