"""Whether a model beats the cheap baselines: cases that a person can decide."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from benchmark.stages.baselines import against_baselines
from leaderboard.baselines import baselines

REFERENCES = ("perfect", "rotated", "noise")
SPREAD = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])


def headlines(scores: dict[str, Sequence[float]], metric: str = "mig", direction: str = "higher") -> pd.DataFrame:
    """By model, the values of seeds 0, 1, …"""
    return pd.DataFrame(
        [
            {"dataset_label": "shapes", "representation": "mean", "column": metric, "model": model, "config_id": model}
            | {"label": model, "seed": seed, "value": value, "direction": direction, "supervision": "none"}
            | {"reference": model in REFERENCES, "by_construction": False, "supervised": True}
            for model, values in scores.items()
            for seed, value in enumerate(values)
        ]
    )


def found(scores: dict[str, Sequence[float]], **options: str) -> pd.DataFrame:
    return against_baselines(headlines(scores, **options)).set_index(["baseline", "label"])


def test_every_model_is_compared_with_each_baseline_and_none_with_itself():
    scores = {"rotated": 0.2 + SPREAD, "ae_ica": 0.3 + SPREAD, "vae": 0.25 + SPREAD[::-1], "noise": SPREAD}
    of = found(scores)
    assert set(of.index) == {("rotated", "ae_ica"), ("rotated", "vae"), ("ae_ica", "vae")}
    assert of.loc[("rotated", "ae_ica"), "difference"] == pytest.approx(0.1)
    assert of.loc[("ae_ica", "vae"), "difference"] == pytest.approx(-0.05)
    assert of.loc[("rotated", "ae_ica"), ["runs", "baseline_runs"]].tolist() == [5, 5]


def test_p_is_adjusted_over_the_models_of_a_score_and_baseline():
    """Two models with the same p: Holm doubles both."""
    of = found({"rotated": 0.2 + SPREAD, "vae": 0.25 + SPREAD[::-1], "ae": 0.25 + SPREAD[::-1]})
    assert of["p_holm"].tolist() == pytest.approx((2 * of["p"]).tolist())


def test_lower_may_be_better():
    of = found({"ae_ica": 20 + SPREAD, "vae": 10 + SPREAD}, metric="dto", direction="lower")
    assert of.loc[("ae_ica", "vae"), "difference"] == pytest.approx(10)


def test_few_runs_are_not_tested():
    of = found({"rotated": 0.2 + SPREAD, "vae": [0.9, 0.9, 0.9]})
    row = of.loc[("rotated", "vae")]
    assert (row["runs"], row["baseline_runs"], row["note"]) == (3, 5, "3 runs: not tested below 5")
    assert np.isnan(row["p"]) and np.isnan(row["p_holm"]) and row["difference"] == pytest.approx(0.7)


def test_which_seeds_stand_beside_each_other_matters_not():
    """Nothing is shared by two runs of one seed, so their pairs are arbitrary."""
    level = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    along, against = (found({"rotated": level, "vae": level[::order] + 0.1}) for order in (1, -1))
    pd.testing.assert_frame_equal(along, against)
    assert along.loc[("rotated", "vae"), "p"] == pytest.approx(0.347, abs=5e-4)  # t = 1 of 8 degrees of freedom


def test_a_rotation_is_no_baseline_of_what_it_leaves_as_it_was():
    """What can be read out linearly is the same of rotated codes: they are the ceiling, which nobody beats."""
    level = {"ae_ica": 0.3 + SPREAD, "vae": 0.25 + SPREAD}
    kept = found({"perfect": 0.9 + SPREAD, "rotated": 0.899 + SPREAD, **level})
    assert set(kept.index) == {("ae_ica", "vae")}
    lost = found({"perfect": 0.9 + SPREAD, "rotated": 0.5 + SPREAD, **level})
    assert set(lost.index) == {("rotated", "ae_ica"), ("rotated", "vae"), ("ae_ica", "vae")}
    dto = found({"perfect": 0 * SPREAD, "rotated": 1 + SPREAD, "vae": SPREAD}, metric="dto", direction="lower")
    assert set(dto.index) == {("rotated", "vae")}


def test_a_score_that_is_the_same_for_all_tells_nothing():
    assert found({"rotated": [0.1167] * 5, "vae": [0.1167] * 5}).empty


def test_what_sees_labels_or_is_true_by_construction_wins_nothing():
    rows = headlines({"rotated": [0.2], "siamese": [0.9], "pca": [0.5]})
    rows.loc[rows["model"] == "siamese", "supervision"] = "labels"
    rows.loc[rows["model"] == "pca", "by_construction"] = True
    assert against_baselines(rows).empty
    assert against_baselines(headlines({"rotated": [0.1], "vae": [0.2]}, direction="none")).empty
    assert against_baselines(headlines({"vae": [0.2]})).empty
    unlabelled = headlines({"rotated": [0.1], "vae": [0.2]}).assign(supervised=False)
    assert against_baselines(unlabelled).empty, "a rotation of perfect codes was never fitted to anything"


def test_the_words():
    level = 0.2 + SPREAD
    scores = {"rotated": level, "vae": 0.5 + SPREAD[::-1], "ae": 0.1 + SPREAD[::-1], "pca": 0.2 + SPREAD[::-1]}
    frame = against_baselines(headlines(scores))
    table = baselines({"baselines": frame}, {"mig": "MIG"})
    assert table is not None
    ((score, against, better, worse, open_, above),) = table.rows
    assert (score, against, above) == ("MIG", "a random rotation of perfect codes", "1 of 3")
    assert better.startswith("vae +0.300 (p = ") and worse.startswith("ae −0.100 (p = ")
    assert open_.startswith("pca ") and open_.endswith("(p = 1)")
    few = baselines({"baselines": against_baselines(headlines({"rotated": [0.1], "vae": [0.2]}))}, {"mig": "MIG"})
    assert few is not None and few.rows[0][2:4] == ["–", "–"] and few.caption.endswith("Not tested: 1 run, below 5.")
    assert baselines({"baselines": frame}, {"dci": "DCI"}) is None
