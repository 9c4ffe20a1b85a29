"""The sentence on each dataset: small tables whose answer is known by hand, each with its exact sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from synthetic_suite import DECLARATIONS as SMALL

from benchmark.stages.aggregate import aggregate
from benchmark.stages.score_task import declarations
from leaderboard.board import boards
from leaderboard.finding import Finding, finding
from leaderboard.records import completeness
from leaderboard.sections import _turn
from leaderboard.sentences import sentence
from leaderboard.strip import strip
from leaderboard.style import looks

Scores = Mapping[str, Sequence[float] | str]
DECLARATIONS = SMALL | {"udr": declarations()["udr"]}
TEN = np.linspace(-0.01, 0.01, 10)
"""What ten runs differ by: an interval of about ±0.005 around their middle."""


def around(middle: float) -> list[float]:
    return list(middle + TEN)


def table(scores: Mapping[str, Scores], dataset: str = "shapes") -> pd.DataFrame:
    """A results table: by metric and model the values of seeds 0, 1, …, or the reason why there are none."""
    rows = []
    for metric, by_model in scores.items():
        for model, given in by_model.items():
            status, reason = ("ok", None) if not isinstance(given, str) else given.split(": ")
            for seed, value in enumerate([float("nan")] if isinstance(given, str) else given):
                rows.append(
                    {"run_id": f"{model}-s{seed}", "config_id": model, "suite": "s", "dataset": dataset, "model": model}
                    | {"dataset_version": 1, "model_version": 1, "network": None, "seed": seed, "metric": metric}
                    | {"settings": '{"dataset": {}, "model": {}, "network": null, "training": null}'}
                    | {"protocol": f"{metric}/mean-n10000/v1", "score": metric, "factor": None, "budget": pd.NA}
                    | {"representation": "mean", "value": value, "status": status, "reason": reason, "n": 10000}
                    | {"evaluation_seed": 0, "seconds": 0.1, "metric_version": 1}
                )
    return pd.DataFrame(rows).astype({"budget": "Int64", "factor": "str"}).assign(factor=None)


def found(scores: Mapping[str, Scores], failed: Mapping[str, int] | None = None) -> Finding:
    of = table(scores)
    summaries = aggregate(of, DECLARATIONS)
    return finding(boards(of, DECLARATIONS, summary=summaries.summary, ranking=summaries.ranking)[0], failed)


REFERENCES = {"perfect": [1.0] * 3, "rotated": [0.14, 0.15, 0.16], "noise": [0.0, 0.001, 0.002]}
THREE = {"ae": [0.06, 0.07, 0.08], "beta_vae": [0.08, 0.09, 0.10], "pca": [0.05, 0.06, 0.07]}
SENTENCES: dict[str, tuple[Mapping[str, Scores], str]] = {
    "no model above the rotation, three seeds": (
        {"mig": THREE | REFERENCES},
        "shapes: no model beats a random rotation of perfect codes (MIG 0.150 ± 0.010); beta_vae is first with "
        "0.090 ± 0.010 (perfect codes 1.000), 0.020 ahead of ae; ranks are tested from ten seeds on, and there are "
        "three.",
    ),
    "an average above the rotation of three seeds is no victory": (
        {"mig": {"ae": [0.06, 0.07, 0.08], "beta_vae": [0.19, 0.20, 0.21]} | REFERENCES},
        "shapes: beta_vae is first by MIG with 0.200 ± 0.010 (perfect codes 1.000), 0.130 ahead of ae; ranks are "
        "tested from ten seeds on, and there are three; whether it beats a random rotation of perfect codes (0.150 "
        "± 0.010) is open below ten seeds.",
    ),
    "ten seeds, everything apart, and the rotation beaten": (
        {"mig": {"ae": around(0.1), "beta_vae": around(0.5), "rotated": around(0.15), "noise": around(0.02)}},
        "shapes: beta_vae leads by MIG with 0.500 [0.494, 0.506], 0.400 ahead of ae, and can be told from it; it beats "
        "a random rotation of perfect codes (0.150 [0.144, 0.156]).",
    ),
    "ten seeds, and no telling the first two": (
        {"mig": {"ae": around(0.1), "beta_vae": around(0.5), "vae": around(0.501)}},
        "shapes: vae is first by MIG with 0.501 [0.495, 0.507], 0.001 ahead of beta_vae, from which it cannot be told.",
    ),
    "ten seeds, and no telling the first from either other": (
        {"mig": {"ae": around(0.499), "beta_vae": around(0.5), "vae": around(0.5004)}},
        "shapes: vae is first by MIG with 0.500 [0.494, 0.507], less than 0.001 ahead of beta_vae, and cannot be told "
        "from beta_vae and ae.",
    ),
    "an interval that touches the rotation's leaves it open": (
        {"mig": {"ae": around(0.1), "beta_vae": around(0.155), "rotated": around(0.15)}},
        "shapes: beta_vae leads by MIG with 0.155 [0.149, 0.161], 0.055 ahead of ae, and can be told from it; whether "
        "it beats a random rotation of perfect codes (0.150 [0.144, 0.156]) is open.",
    ),
    "what the runs of a model share is not tested however many there are": (
        {"udr": {"ae": around(0.25), "vae": around(0.33)}},
        "shapes: vae is first by UDR with 0.330 ± 0.007, 0.080 ahead of ae; the runs of a model share this score, and "
        "are no sample to test its rank by.",
    ),
    "everything below the floor": (
        {"mig": {"ae": [0.01, 0.02], "vae": [0.02, 0.04], "untrained": [0.1, 0.12], "rotated": [0.2, 0.2]}},
        "shapes: no model beats even an untrained network (MIG 0.110 ± 0.014); vae is first with 0.030 ± 0.014, 0.015 "
        "ahead of ae; ranks are tested from ten seeds on, and there are two.",
    ),
    "some below the floor": (
        {"mig": {"ae": around(0.1), "vae": around(0.2), "beta_vae": around(0.5), "untrained": around(0.3)}},
        "shapes: beta_vae leads by MIG with 0.500 [0.494, 0.506], 0.300 ahead of vae, and can be told from every "
        "other; vae and ae are on average no better than an untrained network (0.300 [0.294, 0.306]).",
    ),
    "lower is better": (
        {"reconstruction": {"ae": [9.0, 9.2], "vae": [12.0, 12.4], "untrained": [80.0, 82.0]}},
        "shapes: ae is first by reconstruction (lower is better) with 9.100 ± 0.141, 3.100 ahead of vae; ranks are "
        "tested from ten seeds on, and there are two.",
    ),
    "lower is better, and the floor is": (
        {"dto": {"ae": [2.0, 2.2], "vae": [2.4, 2.6], "untrained": [1.0, 1.2]}},
        "shapes: no model beats an untrained network (DtO 1.100 ± 0.141, lower is better); ae is first with "
        "2.100 ± 0.141, 0.400 ahead of vae; ranks are tested from ten seeds on, and there are two.",
    ),
    "without factors the picture speaks": (
        {
            "mig": {"ae": "not_applicable: no factors", "vae": "not_applicable: no factors"},
            "reconstruction": {"ae": around(9.0), "vae": around(12.0)},
        },
        "shapes: ae leads by reconstruction (lower is better) with 9.000 [8.994, 9.006], 3.000 ahead of vae, and can "
        "be told from it.",
    ),
    "one model, one seed": (
        {"mig": {"vae": [0.2]}},
        "shapes: vae is the only model that is ranked by MIG: 0.200, one seed.",
    ),
    "one model of ten seeds beats the floor": (
        {"mig": {"vae": around(0.2), "noise": around(0.1), "rotated": around(0.3)}},
        "shapes: no model beats a random rotation of perfect codes (MIG 0.300 [0.294, 0.306]); vae is the only model "
        "that is ranked: 0.200 [0.194, 0.206], ten seeds.",
    ),
    "equals share the place": (
        {"mig": {"ae": [0.5], "vae": [0.5], "beta_vae": [0.4], "noise": [0.6]}},
        "shapes: no model beats noise (MIG 0.600); ae and vae share the first place with 0.500.",
    ),
    "of equals one may not beat the rotation": (
        {"mig": {"ae": [0.5] * 10, "vae": [0.0, 0.0, *[0.5] * 8], "rotated": around(0.45)}},
        "shapes: ae and vae share the first place by MIG with 0.500; whether they beat a random rotation of perfect "
        "codes (0.450 [0.444, 0.456]) is open.",
    ),
    "only references": (
        {"mig": REFERENCES},
        "shapes: no model is ranked; references by MIG: noise 0.001 ± 0.001, a random rotation of perfect codes "
        "0.150 ± 0.010, perfect codes 1.000 ± 0.000.",
    ),
    "nothing that says what is better": (
        {"kl": {"vae": [12.0, 13.0]}},
        "shapes: no configuration has a score that says which is better.",
    ),
    "a model whose score failed, and one of fewer seeds": (
        {"mig": {"ae": around(0.1), "vae": around(0.5), "beta_vae": [0.9], "pca": "failed: it diverged"}},
        "shapes: vae leads by MIG with 0.500 [0.494, 0.506], 0.400 ahead of ae, and can be told from it; beta_vae has "
        "too few runs to be ranked; MIG failed for pca.",
    ),
    "a model that sees labels is not the first": (
        {"mig": {"ae": [0.1, 0.2], "siamese": [0.8, 0.9]}},
        "shapes: ae is the only model that is ranked by MIG among unsupervised models: 0.150 ± 0.071, two seeds.",
    ),
    "a weakly supervised model is not the first": (
        {"mig": {"ae": [0.1, 0.2], "ada_gvae": [0.8, 0.9], "siamese": [0.9, 0.9]}},
        "shapes: ae is the only model that is ranked by MIG among unsupervised models: 0.150 ± 0.071, two seeds.",
    ),
    "a weakly supervised model beats what no unsupervised one does": (
        {"mig": {"ae": [0.1, 0.12], "vae": [0.2, 0.22], "ada_gvae": [0.8, 0.9], "rotated": [0.3, 0.3]}},
        "shapes: no unsupervised model beats a random rotation of perfect codes (MIG 0.300 ± 0.000); vae is first with "
        "0.210 ± 0.014, 0.100 ahead of ae; ranks are tested from ten seeds on, and there are two.",
    ),
    "a weakly supervised model has more than the one that leads": (
        {"mig": {"ae": around(0.1), "vae": around(0.2), "ada_gvae": around(0.8)}},
        "shapes: vae leads by MIG among unsupervised models with 0.200 [0.194, 0.206], 0.100 ahead of ae, and can be "
        "told from it.",
    ),
    "only a weakly supervised model has a number": (
        {"mig": {"vae": "failed: it diverged", "ada_gvae": [0.8, 0.9]}},
        "shapes: no unsupervised model is ranked by MIG; MIG failed for vae.",
    ),
    "only weakly supervised models": (
        {"mig": {"ada_gvae": [0.8, 0.9], "siamese": [0.9, 0.9], "noise": [0.1, 0.1]}},
        "shapes: no unsupervised model is here, only weakly supervised ones are ranked; ada_gvae is the only model "
        "that is ranked by MIG: 0.850 ± 0.071, two seeds.",
    ),
    "only models that see labels": (
        {"mig": {"siamese": [0.8, 0.9]}},
        "shapes: only models that see labels are here; siamese is the only model that is ranked by MIG: 0.850 ± 0.071, "
        "two seeds.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SENTENCES)
def test_sentences(case):
    scores, expected = SENTENCES[case]
    assert sentence(found(scores)) == expected


def test_failed_runs_are_told():
    said = sentence(found({"mig": {"vae": [0.2, 0.3]}}, {"factor_vae": 3, "vae": 1}))
    assert said.endswith("two seeds; three runs of factor_vae failed; one run of vae failed.")


def test_one_outlying_run_does_not_beat_a_reference():
    """Nine runs have no interval, so that nothing is beaten, however far they lie."""
    nine = found({"mig": {"vae": [0.9] * 9, "ae": [0.1] * 9, "rotated": around(0.15)}})
    assert nine.rotated is not None and nine.beats(nine.rotated) == "open"
    few = found({"mig": {"vae": around(0.9), "ae": around(0.1), "rotated": [0.15] * 3}})
    assert few.rotated is not None and few.beats(few.rotated) == "open", "nor has the rotation one"


def test_an_unranked_model_above_a_reference_leaves_it_open():
    of = found({"mig": {"vae": around(0.1), "ae": around(0.05), "beta_vae": [0.9], "rotated": around(0.15)}})
    assert of.rotated is not None and of.beats(of.rotated) == "open"
    assert "no model beats" not in sentence(of)


def test_the_strip_follows_the_models_and_puts_far_references_at_its_ends():
    of = found({"mig": {"ae": [0.1, 0.2], "vae": [0.2, 0.3]} | REFERENCES})
    drawn = strip(of, looks({name: name for name in ("ae", "vae", *REFERENCES)}, list(REFERENCES)))
    assert drawn is not None and (drawn.low, drawn.high) == ("0.001", "0.300")
    assert [(dot.label, dot.low < dot.place < dot.high) for dot in drawn.dots] == [("vae", True), ("ae", True)]
    assert {tick.name: tick.beyond for tick in drawn.ticks} == {"noise": "", "rotated": "", "perfect": "›"}
    assert drawn.dots[0].high == 96.0, "the highest run ends the scale"


def test_a_strip_needs_two_numbers():
    assert strip(found({"mig": {"vae": [0.2]}}), looks({"vae": "vae"})) is None


def test_images_come_before_synthetic_data():
    names = ["synth_linear", "digits", "swiss_roll", "my_own", "dsprites stride=4", "mnist", "dsprites_real"]
    assert sorted(names, key=_turn) == [
        "dsprites stride=4", "dsprites_real", "mnist", "digits", "my_own", "synth_linear", "swiss_roll",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((103, 0, 103), "All 103 planned runs finished."),
        ((91, 3, 103), "12 of 103 planned runs are missing: 3 failed, 9 have not run."),
        ((2, 1, 3), "1 of 3 planned runs is missing: 1 failed."),
        ((5, 0, 6), "1 of 6 planned runs is missing: 1 has not run."),
        ((5, 1, None), "5 runs finished, 1 failed."),
    ],
)
def test_how_much_of_the_plan_is_there(counts, text):
    assert completeness(*counts) == text
