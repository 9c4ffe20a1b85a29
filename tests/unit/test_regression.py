"""Verdicts in cases that a person can decide."""

import json
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from synthetic_suite import DECLARATIONS, synthetic_suite

from benchmark.errors import UsageError
from benchmark.table import compile_table
from leaderboard.regression import as_json, as_junit, as_markdown, check, counts


def table_of(tmp_path_factory, seeds: int) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("results")
    return compile_table("suite", synthetic_suite(folder, seeds=seeds, pictures=False))


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> pd.DataFrame:
    return table_of(tmp_path_factory, 2)


@pytest.fixture(scope="module")
def six(tmp_path_factory) -> pd.DataFrame:
    return table_of(tmp_path_factory, 6)


def moved(table: pd.DataFrame, score: str, by: float, model: str = "beta_vae") -> pd.DataFrame:
    rows = (table["score"] == score) & (table["model"] == model) & (table["status"] == "ok")
    return table.assign(value=table["value"].where(~rows, table["value"] + by))


def outcomes(new: pd.DataFrame, reference: pd.DataFrame, **options) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for verdict in check(new, reference, DECLARATIONS, **options):
        found.setdefault(verdict.verdict, set()).add(f"{verdict.configuration}: {verdict.score}")
    return found


def test_the_same_table_is_the_same(two, six):
    assert set(outcomes(two, two)) == set(outcomes(six, six)) == {"same"}


def test_two_seeds_by_margin_alone(two):
    worse = outcomes(moved(two, "mig", -0.1), two)["worse"]
    assert worse == {"beta_vae β=4: mig", "beta_vae β=10: mig"}
    assert set(outcomes(moved(two, "mig", -0.04), two)) == {"same"}, "within 5 % of the range"
    verdict = next(v for v in check(two, two, DECLARATIONS) if v.metric == "mig")
    assert verdict.p is None and "fewer than 5 seeds" in verdict.note


def test_lower_is_better(two):
    assert "beta_vae β=4: dto" in outcomes(moved(two, "dto", 1.0), two)["worse"]
    assert "beta_vae β=4: dto" in outcomes(moved(two, "dto", -1.0), two)["better"]


def test_without_a_direction_nothing_is_worse(two):
    verdicts = check(moved(two, "kl", 30), two, DECLARATIONS)
    notes = {v.note for v in verdicts if v.metric == "kl" and v.model == "beta_vae"}
    assert set(counts(verdicts)) >= {"worse"} and counts(verdicts)["worse"] == 0
    assert notes == {"neither direction is better; it moved by more than the margin"}


def test_with_seeds_the_drop_must_also_be_significant(six):
    assert "beta_vae β=4: mig" in outcomes(moved(six, "mig", -0.15), six)["worse"]
    rng = np.random.default_rng(0)
    noisy = six.assign(value=six["value"] + np.where(six["score"] == "mig", rng.normal(0, 0.5, len(six)), 0))
    assert "worse" not in outcomes(moved(noisy, "mig", -0.1), noisy), "far over the margin, and noise"


def test_margins_can_be_given(two):
    assert "worse" not in outcomes(moved(two, "mig", -0.06), two, margins={"mig": 0.1})


def test_few_seeds_that_scatter_widen_the_margin(two):
    rng = np.random.default_rng(0)
    scattered = two.assign(value=two["value"] + np.where(two["score"] == "mig", rng.normal(0, 0.2, len(two)), 0))
    verdicts = [v for v in check(scattered, scattered, DECLARATIONS) if v.metric == "mig" and v.model == "beta_vae"]
    values = scattered.query("score == 'mig' and factor.isna() and representation == 'mean' and model == 'beta_vae'")
    own = values.groupby("config_id")["value"].std(ddof=1)
    assert all(v.margin >= 3 * own[v.config_id] - 1e-9 for v in verdicts if v.representation == "mean"), "1/2 + 1/2 = 1"
    assert any(v.margin > 0.1 for v in verdicts)
    assert "worse" not in outcomes(moved(scattered, "mig", -0.06), scattered)


def test_too_good_is_flagged(two):
    verdicts = check(moved(two, "mig", 0.3), two, DECLARATIONS)
    assert {v.configuration for v in verdicts if v.too_good} == {"beta_vae β=4", "beta_vae β=10"}
    assert not any(v.too_good for v in check(moved(two, "mig", 0.1), two, DECLARATIONS))


def test_missing_and_new(two):
    fewer = two[two["model"] != "vae"]
    assert all(name.startswith("vae") for name in outcomes(fewer, two)["missing"])
    assert all(name.startswith("vae") for name in outcomes(two, fewer)["new"])


def test_a_score_that_now_fails_is_missing(two):
    rows = (two["metric"] == "mig") & (two["model"] == "vae")
    failed = two[~rows | two["factor"].isna()].copy()
    rows = (failed["metric"] == "mig") & (failed["model"] == "vae")
    failed.loc[rows, ["value", "status", "reason"]] = [np.nan, "failed", "it broke"]
    verdicts = [v for v in check(failed, two, DECLARATIONS) if v.verdict == "missing"]
    assert {(v.configuration, v.metric, v.note) for v in verdicts} == {("vae", "mig", "it broke")}


def test_another_protocol_is_not_compared(two):
    other = two.assign(protocol=two["protocol"].str.replace("bins20", "bins10"))
    mig = [v.verdict for v in check(other, two, DECLARATIONS) if v.metric == "mig"]
    assert set(mig) == {"new", "missing"}


def test_undeclared_metric(two):
    with pytest.raises(UsageError, match="not declared"):
        check(two, two, {})


def test_empty_against_empty(two):
    assert check(two.iloc[:0], two.iloc[:0], DECLARATIONS) == []
    assert "nothing to compare" in as_markdown([], "suite")


def test_writers(two):
    verdicts = check(moved(two[two["model"] != "vae"], "mig", -0.1), two, DECLARATIONS)
    number = counts(verdicts)
    assert number["worse"] == 4
    root = ElementTree.fromstring(as_junit(verdicts, "suite"))
    assert (int(root.attrib["tests"]), int(root.attrib["failures"])) == (len(verdicts), 4)
    assert len(root.findall("testcase/failure")) == 4
    assert len(root.findall("testcase/skipped")) == number["missing"]
    assert json.loads(as_json(verdicts))["counts"] == number
    text = as_markdown(verdicts, "suite")
    assert "4 worse" in text and text.count("| **worse** |") == 4 and "had no test" in text
