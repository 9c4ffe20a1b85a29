"""The chart and the table of what is lost on combinations that were absent in training."""

from typing import Any

import pandas as pd

from benchmark.datasets._shift import in_words
from benchmark.stages.seen_unseen import SEEN_UNSEEN
from benchmark.stages.seen_unseen import seen_unseen as of_slices
from leaderboard.chart_groups import grouped
from leaderboard.charts.seen_unseen import across, seen_unseen, shown
from leaderboard.statistics_tables import seen_unseen as table
from leaderboard.style import looks


def row(configuration: str, metric: str, seen: float, unseen: float, direction: str = "higher") -> dict[str, Any]:
    return {
        **dict.fromkeys(SEEN_UNSEEN),
        "configuration": configuration,
        "metric": metric,
        "column": metric,
        "direction": direction,
        "runs": 3,
        "unseen_protocol": f"{metric}/unseen-n9/v1",
        "seen": seen,
        "unseen": unseen,
        "difference": unseen - seen,
    }


FRAME = pd.DataFrame(
    [
        row("vae", "sap", 0.25, 0.2499),
        row("vae", "kl", 20.0, 21.0, "none"),
        row("vae", "mlp_readout", 0.9, 0.5),
        row("vae", "linear_readout", 0.75, 0.25),
        row("ae", "linear_readout", 0.5, 0.75),
    ]
)


def test_read_outs_come_first_and_what_has_no_better_direction_is_not_drawn() -> None:
    assert shown(FRAME, ()) == [
        ("linear_readout", "linear readout\xa0↑"),
        ("mlp_readout", "MLP readout\xa0↑"),
        ("sap", "SAP\xa0↑"),
    ]
    assert [name for name, _ in shown(FRAME, (), 1)] == ["linear_readout"]


def test_the_table_says_both_sides_and_their_difference() -> None:
    found = table({"seen_unseen": FRAME})
    assert found is not None
    assert found.columns == ["configuration", "linear readout\xa0↑", "MLP readout\xa0↑", "SAP\xa0↑", "over"]
    assert found.rows == [
        ["vae", "0.750 → 0.250 (−0.500)", "0.900 → 0.500 (−0.400)", "0.250 → 0.250 (+0.000)", "3 runs"],
        ["ae", "0.500 → 0.750 (+0.250)", "–", "–", "3 runs"],
    ]
    assert table({"seen_unseen": FRAME[:0]}) is table({}) is None


def test_a_run_scored_on_two_numbers_of_points_counts_once() -> None:
    """As after [evaluation] points was changed: the number that most runs have, the most points of equal ones."""

    def scores(points: int, seen: float, unseen: float, runs: int = 2) -> list[dict[str, Any]]:
        return [
            dict.fromkeys(["dataset_label", "label", "model", "reference", "metric", "column", "direction"], "x")
            | {"config_id": "c", "run_id": f"c-s{seed}", "representation": side, "status": "ok", "budget": pd.NA}
            | {"protocol": f"mig/bins20-{side}-n{points}/v1", "score": "mig", "value": value}
            for seed in range(runs)
            for side, value in (("seen", seen), ("unseen", unseen))
        ]

    once = of_slices(pd.DataFrame(scores(5_000, 0.5, 0.25)), 0)
    again = of_slices(pd.DataFrame([*scores(1_000, 0.9, 0.1), *scores(5_000, 0.5, 0.25)]), 0)
    pd.testing.assert_frame_equal(once, again)
    assert (once.loc[0, "runs"], once.loc[0, "difference"]) == (2, -0.25)
    most = of_slices(pd.DataFrame([*scores(1_000, 0.9, 0.1), *scores(5_000, 0.5, 0.25, runs=1)]), 0)
    assert most["seen_protocol"].tolist() == ["mig/bins20-seen-n1000/v1"]


def values(label: str, split: str, seen: float, unseen: float) -> list[dict[str, Any]]:
    common = {
        "label": label,
        "model": label,
        "metric": "linear_readout",
        "column": "linear_readout",
        "budget": pd.NA,
        "dataset_label": f"dsprites split={split}",
        "reference": False,
        "settings": f'{{"dataset": {{"split": "{split}", "split_factors": ["posX"], "split_share": 0.5}}}}',
    }
    sides = {"seen": seen, "unseen": unseen}
    return [{**common, "representation": side, "value": value} for side, value in sides.items()]


def test_every_configuration_has_both_marks_and_a_line_between_them() -> None:
    rows = pd.DataFrame(values("vae", "extrapolation", 0.9, 0.4) + values("ae", "extrapolation", 0.8, 0.6))
    figure = seen_unseen(rows, [("linear_readout", "R²")], looks({"vae": "vae", "ae": "ae"}), "svg")
    assert figure is not None and figure.data.startswith(b"<?xml")
    assert "for vae, ae" in figure.alt and "hollow" in figure.caption
    assert [group.title for group in grouped([figure])] == ["Seen and unseen in training"]
    assert seen_unseen(rows[:0], [("linear_readout", "R²")], looks({"vae": "vae"}), "svg") is None
    assert seen_unseen(rows, [], looks({"vae": "vae"}), "svg") is None


def test_splits_stand_side_by_side_where_there_are_two() -> None:
    one, two = values("vae", "extrapolation", 0.9, 0.4), values("vae", "interpolation", 0.9, 0.8)
    (figure,) = across(pd.DataFrame(one + two), "svg")
    assert figure is not None
    assert "for extrapolation of posX, 50%: vae, interpolation of posX, 50%: vae." in figure.alt
    assert across(pd.DataFrame(one), "svg") == []
    whole = pd.DataFrame(one + two).assign(representation="mean")
    assert across(whole, "svg") == []


def test_two_datasets_that_are_split_alike_are_no_one_row() -> None:
    one = pd.DataFrame(values("vae", "extrapolation", 0.9, 0.4))
    other = pd.DataFrame(values("vae", "extrapolation", 0.7, 0.1)).assign(dataset_label="shapes3d")
    (figure,) = across(pd.concat([one, other]), "svg")
    assert figure is not None
    assert "shapes3d, extrapolation of posX, 50%: vae." in figure.alt
    assert f"for {one['dataset_label'].iloc[0]}, extrapolation of posX, 50%: vae, shapes3d" in figure.alt


def test_a_training_distribution_in_words() -> None:
    assert in_words({}) == "all combinations alike"
    assert in_words({"split": "random", "split_share": 0.25}) == "random 25%"
    both = {"split": "recombination", "split_factors": ["posX", "shape"], "correlated": [["a", "b"], ["a", "c"]]}
    assert in_words(both) == "recombination of posX, shape, 50%; a with b, a with c at σ = 0.2"
    assert in_words({"correlated": [["a", "b"]], "correlation_sigma": "inf"}) == "a with b at σ = ∞"
