"""Whether a model beats the cheap baselines: cases that a person can decide."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from benchmark.stages.baselines import against_baselines
from leaderboard.baselines import baselines

REFERENCES = ("rotated", "noise")
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
    assert of.loc[("rotated", "ae_ica"), ["seeds", "better_seeds"]].tolist() == [5, 5]


def test_p_is_adjusted_over_the_models_of_a_score_and_baseline():
    """Two models with the same p: Holm doubles both."""
    of = found({"rotated": 0.2 + SPREAD, "vae": 0.25 + SPREAD[::-1], "ae": 0.25 + SPREAD[::-1]})
    assert of["p_holm"].tolist() == pytest.approx((2 * of["p"]).tolist())


def test_lower_may_be_better():
    of = found({"ae_ica": 20 + SPREAD, "vae": 10 + SPREAD}, metric="dto", direction="lower")
    assert of.loc[("ae_ica", "vae"), "difference"] == pytest.approx(10)


def test_only_seeds_that_both_have_are_pairs_and_few_are_not_tested():
    of = found({"rotated": 0.2 + SPREAD, "vae": [0.9, 0.9, 0.9]})
    row = of.loc[("rotated", "vae")]
    assert (row["seeds"], row["note"]) == (3, "3 seeds: not tested below 5")
    assert np.isnan(row["p"]) and np.isnan(row["p_holm"]) and row["difference"] == pytest.approx(0.71)


def test_no_common_seed_is_said():
    rows = headlines({"rotated": [0.2], "vae": [0.3]})
    of = against_baselines(rows.assign(seed=range(2)))
    assert of["note"].tolist() == ["no seed has both scores"] and of["difference"].isna().all()


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
    assert better.startswith("vae +0.300 (5 of 5 seeds, p = ") and worse.startswith("ae −0.100 (0 of 5 seeds, p = ")
    assert open_ == "pca +0.000 (2 of 5 seeds, p = 1)" or open_.startswith("pca ")
    few = baselines({"baselines": against_baselines(headlines({"rotated": [0.1], "vae": [0.2]}))}, {"mig": "MIG"})
    assert few is not None and few.rows[0][2:4] == ["–", "–"] and few.caption.endswith("Not tested: 1 seed, below 5.")
    assert baselines({"baselines": frame}, {"dci": "DCI"}) is None
