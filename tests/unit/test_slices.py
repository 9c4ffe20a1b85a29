"""Scores of the combinations of factors that a model was trained on, and of the others, on grids solvable by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark.codes import TRAINED_ON, Codes
from benchmark.metrics.kl import kl
from benchmark.metrics.linear_readout import linear_readout
from benchmark.metrics.sap import sap
from benchmark.spec import Component, Run
from benchmark.stages.aggregate import aggregate
from benchmark.stages.evaluate import evaluate, score_tasks
from benchmark.stages.score_task import Protocol, declarations
from benchmark.stages.supply import load_codes
from benchmark.table import compile_table

SIZES = (3, 4, 5)
FACTORS = np.indices(SIZES).reshape(3, -1).T
SAP = "sap(kind=continuous)"
SMALL = "linear_readout(train=40, test=10)"


def codes(unseen: np.ndarray, **arrays: np.ndarray) -> Codes:
    """Codes that are the factors, but for b, which is 5 − b on what is unseen: 2 and 3 change places there."""
    means = FACTORS.astype(np.float32)
    means[unseen, 1] = 5 - means[unseen, 1]
    variances = np.where(unseen[:, None], 1.0, 0.25).astype(np.float32) * np.ones_like(means)
    arrays = {TRAINED_ON: ~unseen, **arrays}
    return Codes(means, FACTORS, ("a", "b", "c"), SIZES, variances=variances, grid=True, arrays=arrays)


def scores(
    folder: Path, unseen: np.ndarray, *metrics: str, **arrays: np.ndarray
) -> dict[tuple[str, str], dict[str, Any]]:
    """The records of every score, by measure and representation."""
    folder.mkdir(exist_ok=True)
    codes(unseen, **arrays).save(folder / "codes.safetensors")
    load_codes.cache_clear()
    run = Run(Component("grid", 1, {}), Component("made_up", 1, {}), None, None, 0)
    evaluate(score_tasks([(run, folder)], Protocol(metrics)), 0, lambda *_: None)
    records = [json.loads(path.read_text()) for path in (folder / "scores").glob("*.json")]
    return {(record["metric"], record["representation"]): record for record in records}


CORNER = (FACTORS[:, 0] == 2) & (FACTORS[:, 1] >= 2)
"""Recombination of a and b: 1 · 2 · 5 = 10 of 60 points."""
END = FACTORS[:, 2] >= 3
"""Extrapolation of c: 24 points."""


def test_a_read_out_learns_from_seen_points_and_is_tested_on_unseen_ones(tmp_path: Path) -> None:
    found = scores(tmp_path, CORNER, SMALL)
    seen, unseen = found["linear_readout", "seen"], found["linear_readout", "unseen"]
    assert seen["protocol"] == "linear_readout/train40-test10-seen-n50/v1"
    assert unseen["protocol"] == "linear_readout/train40-test10-unseen-n50/v1"
    assert seen["values"]["linear_readout"] == pytest.approx(1.0)
    # b is misread by 1 everywhere, four times its variance of ¼: R² is below 0 and counts 0; c is read exactly.
    assert unseen["values"] == pytest.approx(
        {"linear_readout": 0.5, "linear_readout_factor_0": 0.0, "linear_readout_factor_1": 1.0}, abs=1e-6
    )
    # Of a, one value is unseen: nothing to explain there, and it is left out of both.
    assert seen["factor_names"] == unseen["factor_names"] == ["b", "c"]
    assert (
        seen["notes"]
        == unseen["notes"]
        == ["a is left out, seen and unseen: it takes one value on the unseen combinations"]
    )


def test_groups_are_read_out_as_all_codes_are(tmp_path: Path) -> None:
    """Of c every slice is read exactly from its group. What is learnt of b from seen points is misread by 1 on unseen
    ones, of variance ¼. Learnt within the slice, which has 10 points, there would be no score, and of more too good a
    one: code b is read exactly there as well."""
    found = scores(tmp_path, CORNER, "group_readout(train=40, test=10)", groups=np.array([0, 0, 1]))
    for name, of_b in (("seen", 1.0), ("unseen", 0.0)):
        record = found["group_readout", name]
        assert record["protocol"] == f"group_readout/by=linear-train40-test10-{name}-n50/v1"
        assert record["values"]["group_readout_best"] == pytest.approx((of_b + 1) / 2, abs=1e-6)


def test_the_whole_grid_is_scored_as_ever(tmp_path: Path) -> None:
    whole = scores(tmp_path, CORNER, SAP, "linear_readout(train=40, test=20)")
    plain = codes(CORNER)
    assert whole["sap", "mean"]["values"] == sap(plain.means, FACTORS, kind="continuous", seed=0)
    assert whole["sap", "mean"]["protocol"] == "sap/kind=continuous-mean-n60/v1"
    assert whole["linear_readout", "mean"]["values"] == linear_readout(plain.means, FACTORS, train=40, test=20, seed=0)


def test_other_measures_have_the_points_of_the_slice_alone(tmp_path: Path) -> None:
    found = scores(tmp_path, CORNER, SAP, "kl", "udr", "dto")
    both = np.array([1, 2])
    for name, rows in (("seen", ~CORNER), ("unseen", CORNER)):
        record = found["sap", name]
        assert record["values"] == sap(codes(CORNER).means[rows], FACTORS[rows][:, both], kind="continuous", seed=0)
        assert record["n"] == rows.sum()
        plain = codes(CORNER)
        assert plain.variances is not None
        assert found["kl", name]["values"] == kl(plain.means[rows], plain.variances[rows])
    assert "notes" not in found["kl", "unseen"]
    # Of the agreement of runs, and of arrays at other points, there is no slice.
    assert {name for name, representation in found if representation == "seen"} == {"sap", "kl"}


def test_what_learns_classes_is_not_asked_for_values_that_are_absent(tmp_path: Path) -> None:
    found = scores(tmp_path, END, "explicitness(train=20, test=10)", "linear_readout(train=20, test=10)")
    for name in ("seen", "unseen"):
        assert found["explicitness", name]["factor_names"] == ["a", "b"]
        assert found["linear_readout", name]["factor_names"] == ["a", "b", "c"]
    assert found["explicitness", "unseen"]["notes"] == [
        "c is left out, seen and unseen: 2 of its values are absent in training, and what learns classes cannot name"
        " them"
    ]


def test_where_no_factor_is_left_the_score_says_why(tmp_path: Path) -> None:
    alone = (FACTORS == [2, 3, 4]).all(axis=1)
    record = scores(tmp_path, alone, SAP)["sap", "unseen"]
    assert record["status"] == "not_applicable"
    assert record["reason"].startswith("no factor is left to score: a is left out")
    assert record["reason"].count("it takes one value on the unseen combinations") == 3


def test_too_few_points_for_a_read_out_are_said(tmp_path: Path) -> None:
    record = scores(tmp_path, CORNER, "linear_readout(train=45, test=10)")["linear_readout", "seen"]
    assert record["status"] == "not_applicable"
    assert "more than the 50 and 10 that there are" in record["reason"]


def test_codes_of_a_whole_grid_have_no_slices(tmp_path: Path) -> None:
    whole = codes(CORNER)
    whole.arrays.clear()
    whole.save(tmp_path / "codes.safetensors")
    load_codes.cache_clear()
    run = Run(Component("grid", 1, {}), Component("made_up", 1, {}), None, None, 0)
    assert [task.representation for task in score_tasks([(run, tmp_path)], Protocol(("mig",)))] == ["mean"]


def test_both_slices_stand_side_by_side_in_the_summaries(tmp_path: Path) -> None:
    rows = []
    for seed in range(2):
        found = scores(tmp_path / str(seed), CORNER, SMALL, "kl")
        for (metric, representation), record in found.items():
            value = record["values"][declarations((metric,))[metric].headline] + seed
            rows.append(
                {
                    **dict.fromkeys(compile_table("x", []).columns),
                    "suite": "x",
                    "run_id": f"c-s{seed}",
                    "config_id": "c",
                    "dataset": "grid",
                    "model": "made_up",
                    "settings": '{"dataset":{},"model":{},"network":null,"training":null}',
                    "seed": seed,
                    "metric": metric,
                    "protocol": record["protocol"],
                    "score": declarations((metric,))[metric].headline,
                    "representation": representation,
                    "value": value,
                    "status": "ok",
                    "n": record["n"],
                }
            )
    table = pd.DataFrame(rows).astype(compile_table("x", []).dtypes)
    summaries = aggregate(table, declarations(("linear_readout", "kl")))
    frame = summaries.seen_unseen.set_index("metric")
    readout = frame.loc["linear_readout"]
    assert (readout["seen"], readout["unseen"], readout["difference"]) == pytest.approx((1.5, 1.0, -0.5), abs=1e-6)
    assert (readout["runs"], readout["direction"]) == (2, "higher")
    assert pd.isna(readout["low"])
    assert readout["unseen_protocol"] == "linear_readout/train40-test10-unseen-n50/v1"
    assert set(frame.index) == {"linear_readout", "kl"}
    assert not set(summaries.correlations["representation"]) & {"seen", "unseen"}
    assert "seen_unseen.csv" in summaries.write(tmp_path)
    whole = aggregate(table[table["representation"] == "mean"], declarations(("linear_readout", "kl")))
    assert "seen_unseen.csv" not in whole.write(tmp_path)
    assert not (tmp_path / "seen_unseen.csv").exists()
