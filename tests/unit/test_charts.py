"""Charts of a dataset's results: each is a valid file, says what it shows, and is left out where there is nothing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark.codes import Codes
from benchmark.metrics._declare import Metric, metric
from leaderboard.board import Board
from leaderboard.charts import alignment, corrupted_training, embeddings, rate_distortion, sweeps
from leaderboard.charts.improvement import NUMBERED, improvement
from leaderboard.charts.improvement import charts as improvement_charts
from leaderboard.charts.profiles import charts as profile_charts
from leaderboard.charts.profiles import profiles
from leaderboard.charts.seed_spread import PANELS
from leaderboard.charts.seed_spread import charts as seed_charts
from leaderboard.charts.trade_off import best_corner, trade_off
from leaderboard.charts.trade_off import charts as trade_off_charts
from leaderboard.charts.training_curves import thinned, training_curves
from leaderboard.charts.variance import variance
from leaderboard.columns import SHOWN, Column, columns, primary
from leaderboard.places import headed
from leaderboard.results import Results
from leaderboard.style import MARKERS, PALETTE, Figure, looks

RNG = np.random.default_rng(0)


def column(name: str, metric: str = "", *, supervised: bool = True, first: bool = True) -> Column:
    return Column(
        name=name, title=name.upper(), metric=metric or name, score=name, budget=None, protocol=f"{name}/v1",
        direction="higher", supervised=supervised, numbers=True, what="", anchors="", group="disentanglement",
        bounds=(0.0, 1.0), first=first,
    )  # fmt: skip


def rows_of(configurations: dict[str, dict[str, Any]], columns: list[Column], seeds: int = 2) -> pd.DataFrame:
    """Headline rows of runs whose settings of model `beta_vae` are given by their labels."""
    rows = [
        {"label": label, "config_id": label, "run_id": f"{label}-s{seed}", "seed": seed, "model": "beta_vae",
         "dataset": "shapes", "metric": one.metric, "column": one.name, "value": float(RNG.random()),
         "reference": False, "by_construction": False,
         "settings": json.dumps({"dataset": {}, "network": None, "training": None, "model": own})}
        for label, own in configurations.items() for seed in range(seeds) for one in columns
    ]  # fmt: skip
    return pd.DataFrame(rows)


def results(rows: pd.DataFrame, columns: list[Column], records: dict[str, Any] | None = None) -> Results:
    labels = list(dict.fromkeys(rows["label"]))
    shown = looks(dict.fromkeys(labels, "beta_vae"))

    board = Board("shapes", "mean", columns, [SimpleNamespace(label=label) for label in labels])  # type: ignore[misc]
    return Results(board, rows, rows, pd.DataFrame(), records or {}, shown)


def drawn(figure: Figure | None, *words: str) -> Figure:
    """A valid SVG whose text or caption says each of the words."""
    assert figure is not None
    assert figure.data.startswith(b"<?xml") and figure.data.rstrip().endswith(b"</svg>")
    said = figure.alt + figure.caption
    assert all(word in said for word in words), said
    return figure


def ticks(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The labels of the horizontal axis of each panel that is drawn from now on."""
    from matplotlib.axes import Axes

    found: list[list[str]] = []
    plain = Axes.set_xticks

    def noted(self: Axes, places: Any, labels: Any = None, **options: Any) -> Any:
        if labels:
            found.append(list(labels))
        return plain(self, places, labels, **options)

    monkeypatch.setattr(Axes, "set_xticks", noted)
    return found


@metric(supervised=True)
def measure(codes: Any, factors: Any) -> dict[str, float]:
    return {}


MEASURE: Metric = measure.declaration  # type: ignore[attr-defined]
MIG, KL = column("mig"), column("kl", supervised=False)


def test_a_sweep_has_room_for_zero_and_infinity(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ticks(monkeypatch)
    swept = {f"β={value}": {"beta": value, "latents": 6} for value in (1, 0, "-inf", 100, "inf")}
    (figure,) = sweeps.charts(results(rows_of(swept, [MIG, KL]), [MIG, KL]), "svg")
    assert drawn(figure, "MIG", "KL", "β", "means over seeds").name == "sweep-beta_vae-β"
    assert found == [["−∞", "0", "1", "100", "∞"]] * 2


def test_a_grid_of_two_settings_is_two_sweeps_of_several_lines() -> None:
    grid = {f"{b} {g}": {"beta": b, "gamma": g} for b in (1, 2, 4) for g in (0, 10, 20)}
    (by_beta, rows), (by_gamma, _) = sweeps.swept(results(rows_of(grid, [MIG]), [MIG]))
    assert (by_beta, by_gamma) == ("model.beta", "model.gamma")
    assert dict(rows.groupby("line")["value_of"].nunique()) == {"γ=0": 3, "γ=10": 3, "γ=20": 3}
    drawn(sweeps.sweep(rows, by_beta, [("mig", "MIG")]), "MIG")


def test_runs_that_a_setting_left_out_at_its_default_tells_apart_are_on_two_lines() -> None:
    grid = {f"{b} {m}": {"beta": b} | m for b in (1, 2, 4) for m in ({}, {"kind": "new"})}
    rows = rows_of({str(name): own for name, own in grid.items()}, [MIG])
    ((_, rows),) = sweeps.swept(results(rows, [MIG]))
    assert dict(rows.groupby("line")["value_of"].nunique()) == {"kind=default": 3, "kind=new": 3}
    trained = {False: {"steps": 10}, True: {"steps": 10, "weight_decay": 0.1}}
    parts = [json.loads(text) for text in rows["settings"]]
    settings = [
        json.dumps(part | {"model": {"beta": part["model"]["beta"]}, "training": trained["kind" in part["model"]]})
        for part in parts
    ]
    ((_, rows),) = sweeps.swept(results(rows.assign(settings=settings), [MIG]))
    assert set(rows["line"]) == {"weight_decay=0", "weight_decay=0.1"}


@pytest.mark.parametrize(
    "settings",
    [
        [{"beta": b, "gamma": 10 * b} for b in (1, 2, 4)],
        [{"beta": b} for b in (1, 2)],
        [{"kind": kind} for kind in ("a", "b", "c")],
        [{"flag": flag, "beta": 1} for flag in (True, False)],
    ],
    ids=["together", "two values", "words", "switch"],
)
def test_no_sweep(settings: list[dict[str, Any]]) -> None:
    rows = rows_of({str(i): own for i, own in enumerate(settings)}, [MIG])
    assert sweeps.charts(results(rows, [MIG]), "svg") == []


def test_a_sweep_of_scores_that_nobody_has_is_none() -> None:
    rows = rows_of({str(b): {"beta": b} for b in (1, 2, 4)}, [MIG]).assign(value_of=1.0, line="beta_vae")
    assert sweeps.sweep(rows, "model.beta", [("dci", "DCI")]) is None


LOOKS = looks({"vae": "vae", "β=4": "beta_vae"})
PLANE = pd.DataFrame({"label": ["vae", "β=4"], "kl": [15.0, 9.0], "distortion": [3.0, 12.0]})


def test_the_plane_has_its_bound_where_the_entropy_is_known() -> None:
    assert "H =" not in drawn(rate_distortion.rate_distortion(PLANE, LOOKS, None), "vae", "β=4").caption
    drawn(rate_distortion.rate_distortion(PLANE, LOOKS, 13.5), "H = 13.50 nats")
    assert rate_distortion.rate_distortion(PLANE[:0], LOOKS, 13.5) is None


@pytest.mark.parametrize(("grid", "likelihood"), [(True, "bernoulli"), (False, "bernoulli"), (True, "gaussian")])
def test_the_entropy_is_that_of_a_full_grid_and_bounds_no_density(tmp_path: Path, grid: bool, likelihood: str) -> None:
    factors = np.stack(np.meshgrid(np.arange(4), np.arange(5), indexing="ij"), axis=-1).reshape(-1, 2)
    factors = factors if grid else np.zeros_like(factors)
    sizes = (4, 5) if grid else (0, 0)
    Codes(RNG.standard_normal((20, 2)).astype(np.float32), factors, ("a", "b"), sizes, grid=grid).save(
        tmp_path / "codes.safetensors"
    )
    columns = [column("kl"), column("elbo")]
    runs = rows_of({"vae": {"likelihood": likelihood}}, columns, seeds=1)
    (figure,) = rate_distortion.charts(results(runs, columns, {"vae-s0": {"folder": tmp_path}}), "svg")
    assert (f"H = {np.log(20):.2f}" in drawn(figure).caption) == (grid and likelihood == "bernoulli")


def test_distortion_is_the_loss_of_sampled_codes_as_the_rate_is_theirs() -> None:
    """−ELBO = R + D; at the mean code the loss of noisy codes is smaller, and no bound holds for it."""
    wide = pd.DataFrame({"label": ["vae", "ae"], "run_id": ["a", "b"], "kl": [9.0, np.nan], "elbo": [-40.0, np.nan]})
    assert rate_distortion.plane(wide)[["kl", "distortion"]].to_numpy().tolist() == [[9.0, 31.0]]


def test_no_plane_without_a_rate() -> None:
    assert rate_distortion.charts(results(rows_of({"ae": {}}, [MIG]), [MIG]), "svg") == []


def test_alignment_is_drawn_against_disentanglement() -> None:
    columns = [column("dto", supervised=False), MIG, column("sap")]
    (figure,) = alignment.charts(results(rows_of({"vae": {}}, columns), columns), "svg")
    assert drawn(figure, "DTO", "MIG", "orthogonality").name == "alignment"
    assert figure is not None and "SAP" not in figure.alt
    assert alignment.charts(results(rows_of({"vae": {}}, [MIG]), [MIG]), "svg") == []


def test_a_trade_off_says_which_way_is_better_and_in_what_unit() -> None:
    loss = replace(column("reconstruction", supervised=False), title="reconstruction", direction="lower")
    (figure,) = trade_off_charts(results(rows_of({"vae": {}}, [MIG, loss]), [MIG, loss]), "page")
    assert figure is not None and "Best is the upper left corner." in figure.caption
    known = headed(figure.words, {"MIG": "card-0", "reconstruction": "card-1"})
    assert {(word.text, card) for word, card in known} == {("MIG ↑", "card-0"), ("reconstruction", "card-1")}
    assert figure.spots[0].text.startswith("MIG 0.") and ", reconstruction 0." in figure.spots[0].text
    (figure,) = trade_off_charts(results(rows_of({"vae": {}}, [MIG, loss]), [MIG, loss]), "svg")
    assert "<!-- reconstruction, nats\xa0↓ -->" in drawn(figure).data.decode()
    values = pd.DataFrame({"label": ["vae"], "dto": [1.0], "mig": [0.5]})
    dto = replace(column("dto", supervised=False), direction="lower")
    assert "<!-- DTO\xa0↓ -->" in drawn(trade_off(values, dto, [MIG], LOOKS)).data.decode(), "which has no unit"


def test_the_best_corner_is_said_where_there_is_one() -> None:
    low, none = replace(MIG, direction="lower"), replace(MIG, direction="none")
    assert [best_corner(x, [y]) for x in (MIG, low) for y in (MIG, low)] == [
        f"Best is the {corner} corner." for corner in ("upper right", "lower right", "upper left", "lower left")
    ]
    for x, ys in ((none, [MIG]), (MIG, [none]), (MIG, [MIG, low])):
        assert best_corner(x, ys) == "Arrows say which way is better."


def test_scores_that_no_run_has_both_of_have_no_panel() -> None:
    columns = [column("dto", supervised=False), MIG, column("dci")]
    rows = rows_of({"vae": {}, "pca": {}}, columns)
    rows = rows[~((rows["label"] == "vae") & (rows["column"] == "dci"))]
    rows = rows[~((rows["label"] == "pca") & (rows["column"] == "dto"))]
    (figure,) = alignment.charts(results(rows, columns), "svg")
    assert "DCI" not in drawn(figure, "MIG").alt and "pca" not in drawn(figure).alt
    without = rows[rows["column"] != "mig"]
    assert alignment.charts(results(without, columns), "svg") == []


def with_codes(folder: Path, label: str, d: int, names: tuple[str, ...] = ("class",)) -> dict[str, Any]:
    path = folder / label
    path.mkdir()
    factors = RNG.integers(0, 30, (40, len(names)))
    Codes(RNG.standard_normal((40, d)).astype(np.float32), factors, names, (30,) * len(names)).save(
        path / "codes.safetensors"
    )
    return {f"{label}-s0": {"folder": path}}


def test_embeddings_are_those_of_two_coordinates(tmp_path: Path) -> None:
    records = with_codes(tmp_path, "pca", 2) | with_codes(tmp_path, "isomap", 2) | with_codes(tmp_path, "vae", 6)
    rows = rows_of({"pca": {}, "isomap": {}, "vae": {}}, [MIG], seeds=1)
    (figure,) = embeddings.charts(results(rows, [MIG], records), "svg")
    assert "vae" not in drawn(figure, "pca", "isomap", "class").alt
    one = rows[rows["label"] != "isomap"]
    assert embeddings.charts(results(one, [MIG], records), "svg") == []


def test_a_factor_of_few_values_has_a_colour_for_each() -> None:
    z = RNG.standard_normal((40, 2)).astype(np.float32)
    few = {"a": (z, np.arange(40) % 10), "b": (z, np.arange(40) % 3)}
    drawn(embeddings.embeddings(few, "digit", "svg"), "digit", "a colour a value")
    drawn(embeddings.embeddings({"a": (z, np.arange(40)), "b": (z, np.arange(40))}, "angle", "svg"), "dark")


def pairs(number: int, low: float = np.nan) -> pd.DataFrame:
    """Every configuration is ahead of those after it."""
    found = [
        {"a_label": f"m{a:02}", "b_label": f"m{b:02}", "p": 0.9 if a < b else 0.1, "low": low if a < b else 0.0,
         "high": 1.0 if a < b else 1 - low, "n_a": 3, "n_b": 3}
        for a in range(number) for b in range(number) if a != b
    ]  # fmt: skip
    return pd.DataFrame(found, columns=["a_label", "b_label", "p", "low", "high", "n_a", "n_b"])


def test_improvement_says_who_is_ahead_and_what_is_sure() -> None:
    drawn(improvement(pairs(3).assign(low=np.nan, high=np.nan), "MIG"), "m00 is ahead", "m02 least", "Too few runs")
    drawn(improvement(pairs(3, 0.7), "MIG"), "Bold")
    drawn(improvement(pairs(NUMBERED + 1, 0.7), "MIG"), "A dot")
    assert improvement(pairs(0), "MIG") is None
    assert improvement(pairs(3).assign(n_a=1, n_b=1), "MIG") is None
    drawn(improvement(pairs(3).assign(p=0.5), "MIG"), "none is ahead")


def test_variance_leaves_out_what_has_no_shares() -> None:
    frame = pd.DataFrame(
        {
            "column": ["mig", "dci", "sap", "only"],
            "share_objective": [0.5, np.nan, 0.2, 0.0],
            "share_hyperparameter": [0.2, np.nan, 0.2, 0.0],
            "share_seed": [0.3, np.nan, 0.6, 1.0],
            "note": "hyperparameters vary in 1 model alone",
            "n": 20,
            "configurations": [4, 4, 4, 1],
        }
    )
    titles = {"mig": "MIG", "dci": "DCI", "sap": "SAP", "only": "of one configuration"}
    figure = drawn(
        variance(frame, titles), "MIG", "SAP", "20 runs of 4 configurations", "Note: hyperparameters vary in 1 model"
    )
    assert "DCI" not in figure.alt and "of one" not in figure.alt
    assert figure.alt.index("MIG") < figure.alt.index("SAP"), "by the seed's share"
    assert variance(frame[1:2], titles) is None


@pytest.mark.parametrize(("runs", "words"), [(6, "no bands"), (12, "Bands: 95")])
def test_profiles_have_bands_from_ten_runs_on(runs: int, words: str) -> None:
    rows = pd.DataFrame({"label": ["vae"] * runs + ["β=4"] * runs, "value": RNG.random(2 * runs)})
    drawn(profiles(rows, "MIG ↑", LOOKS), "MIG ↑", "vae", words)
    assert profiles(rows[:0], "MIG ↑", LOOKS) is None


@pytest.mark.parametrize(("direction", "words"), [("higher", "lies above another"), ("lower", "lies below another")])
def test_profiles_say_which_curve_is_better(direction: str, words: str) -> None:
    one = replace(MIG, direction=direction)
    (figure,) = profile_charts(results(rows_of({"vae": {}, "ae": {}}, [one], seeds=5), [one]), "svg")
    drawn(figure, words)


def test_what_runs_share_has_neither_bands_nor_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite led by UDR: its runs are no sample, and that is why, however many there are."""
    from matplotlib.axes import Axes

    bands: list[Any] = []
    monkeypatch.setattr(Axes, "fill_between", lambda *_, **__: bands.append(1))
    why = "the runs of a model share this score, and are no sample"
    udr = replace(column("udr", supervised=False), shared=True)
    found = results(rows_of({"m00": {}, "m01": {}}, [udr], seeds=12), [udr])
    (figure,) = profile_charts(found, "svg")
    assert "95 %" not in drawn(figure, why).caption and not bands
    (figure,) = improvement_charts(
        replace(found, summaries={"improvement": pairs(2).assign(column="udr", supervision="none", low=np.nan)}), "svg"
    )
    assert "Too few" not in drawn(figure, why).caption


def corrupted(setting: str, values: tuple[float, ...]) -> pd.DataFrame:
    rows = rows_of({str(v): {"latents": k} for k in (2, 4) for v in (0,)}, [column("reconstruction")])
    found = []
    for value in values:
        for k in (2, 4):
            settings = {"dataset": {setting: value} if value else {}, "model": {}, "network": {"latents": k}}
            found.append(rows.assign(settings=json.dumps(settings), representation="mean"))
    return pd.concat(found, ignore_index=True)


def test_corrupted_training_needs_corruption() -> None:
    (figure,) = corrupted_training.across(corrupted("noise", (0, 0.5)), "svg")
    assert drawn(figure, "noise", "latent size", "beta_vae").name == "corrupted-data-shapes"
    (figure,) = corrupted_training.across(corrupted("ratio", (0, 0.1)), "svg")
    drawn(figure, "share of outliers")
    assert corrupted_training.across(corrupted("noise", (0,)), "svg") == []
    assert corrupted_training.across(corrupted("noise", (0, 0.5)).assign(metric="mig"), "svg") == []
    assert corrupted_training.across(corrupted("noise", (0, 0.5)).assign(representation="sample"), "svg") == []


def test_seeds_show_the_tables_first_scores_of_several_configurations() -> None:
    columns = [column(f"score {i:02}", first=i > 10) for i in range(PANELS + 6)] + [column("of one")]
    rows = rows_of({"vae": {}, "pca": {}}, columns)
    rows = rows[(rows["column"] != "of one") | (rows["label"] == "vae")]
    (figure,) = seed_charts(results(rows, columns), "svg")
    shown = re.findall(r"SCORE (\d\d)", drawn(figure, "7 further scores").alt)
    assert len(shown) == PANELS and {f"{i:02}" for i in range(11, PANELS + 6)} <= set(shown)
    assert shown == sorted(shown) and figure is not None and "OF ONE" not in figure.alt


def test_training_curves_are_those_of_terms_that_most_share() -> None:
    steps = {"step": [1, 2, 3], "rec": [30.0, 1, 0.5]}
    own = [pd.DataFrame(steps | {f"of_{label}_{i}": [1.0, 2, 3] for i in range(5)}) for label in "ab"]
    found = drawn(training_curves({"vae": [own[0]], "β=4": [own[1]]}, LOOKS), "reconstruction", "beside their runs")
    assert len(re.findall(r"of [ab] \d", found.alt)) == 8


@pytest.mark.parametrize("rows", [0, 1, 2, 199, 200, 201, 1000])
def test_what_is_thinned_keeps_both_ends(rows: int) -> None:
    kept = thinned(pd.DataFrame({"step": range(rows)}), 200)["step"].tolist()
    assert len(kept) == len(set(kept)) == min(rows, 200) and kept == sorted(kept)
    assert not rows or (kept[0], kept[-1]) == (0, rows - 1)


def test_forty_models_look_unlike_each_other() -> None:
    found = looks({f"m{i}": f"m{i}" for i in range(40)})
    assert len({(look.colour, look.marker) for look in found.values()}) == 40
    assert len({(look.colour, str(look.dash)) for look in found.values()}) == 40
    assert len(PALETTE) == len(MARKERS)


def test_the_primary_score_is_not_an_exceptions() -> None:
    """Where a run has fewer points, its protocol says so: the score that orders the board is that of the others."""
    names = [f"measure_{i}" for i in range(SHOWN)]
    common = {"budget": pd.NA, "status": "ok", "direction": "higher", "supervised": True, "representation": "mean"}
    rows = [
        common
        | {"metric": name, "score": name, "run_id": run, "protocol": f"{name}/n{n}/v1", "column": f"{name} (n{n})"}
        for name in names for n, run in ((300, "a"), (360, "b"), (360, "c"))
    ]  # fmt: skip
    frame = pd.DataFrame(rows).astype({"budget": "Int64"})
    found = columns(frame, {name: replace(MEASURE, name=name) for name in names})
    first = primary(found)
    assert first is not None and "n360" in first.protocol
    assert {column.protocol for column in found if column.first} == {f"{name}/n360/v1" for name in names}


def test_a_page_gets_vectors_while_they_are_small() -> None:
    few, many = (improvement(pairs(number, 0.7), "MIG", "page") for number in (3, NUMBERED + 10))
    assert few and many
    assert (few.kind, few.data[:5]) == ("svg", b"<?xml")
    assert (many.kind, many.data[1:4]) == ("png", b"PNG")
