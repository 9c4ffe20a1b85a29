"""Figures: each is a valid file, says what it shows, and is left out where there is nothing to show."""

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_suite import DECLARATIONS, blob, synthetic_suite

from benchmark.stages.aggregate import aggregate, headline_rows
from benchmark.stages.configurations import configurations
from benchmark.table import compile_table
from leaderboard.charts.correlations import correlation_heatmap
from leaderboard.charts.seed_spread import seed_spread
from leaderboard.charts.trade_off import trade_off
from leaderboard.charts.training_curves import training_curves
from leaderboard.columns import Column
from leaderboard.pictures.reconstructions import difference, reconstructions
from leaderboard.pictures.samples import samples
from leaderboard.pictures.traversals import traversals
from leaderboard.style import Figure, Look, looks


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return compile_table("suite", synthetic_suite(tmp_path_factory.mktemp("results"), seeds=5, pictures=False))


@pytest.fixture(scope="module")
def by_label(suite: pd.DataFrame) -> dict[str, Look]:
    described = configurations(suite)
    references = list(described.loc[described["reference"], "label"])
    return looks(dict(zip(described["label"], described["model"], strict=True)), references)


def column(name: str) -> Column:
    return Column(name, name, name, name, None, f"{name}/v1", "higher", True, "", True)


def is_picture(figure: Figure | None) -> bool:
    assert figure is not None
    assert len(figure.alt) > 20 and len(figure.caption) > 20
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[figure.kind]
    return figure.data.startswith(start) and figure.uri.startswith("data:")


def pixels(figure: Figure) -> np.ndarray:
    from PIL import Image

    with Image.open(BytesIO(figure.data)) as image:
        return np.asarray(image.convert("RGB"))


def test_looks_differ(by_label):
    assert len({(look.colour, look.marker, str(look.dash)) for look in by_label.values()}) == len(by_label) - 1
    assert by_label["perfect"] == by_label["noise"], "references share theirs"
    assert by_label["beta_vae β=4"].marker == by_label["beta_vae β=10"].marker


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_charts(suite, by_label, kind):
    rows = headline_rows(suite, DECLARATIONS).query("status == 'ok' and representation == 'mean'")
    names = {name: name for name in rows["column"].drop_duplicates()}
    histories = {"vae": [pd.DataFrame({"step": [0, 1, 2], "rec": [9.0, 5, 1], "probe_kl_0": 1.0}) for _ in range(2)]}
    wide = rows.pivot(index=["label", "run_id"], columns="column", values="value").reset_index()
    assert is_picture(seed_spread(rows, list(names.items()), by_label, kind))
    assert is_picture(correlation_heatmap(aggregate(suite, DECLARATIONS).correlations, names, kind=kind))
    assert is_picture(trade_off(wide, column("reconstruction"), [column("mig")], by_label, kind))
    assert is_picture(training_curves(histories, by_label, kind))


def test_legend_of_many_configurations_has_room():
    """A legend that leaves the axes no room would be a warning, and warnings are errors here."""
    labels = {f"dip_vae λ_diagonal={i} λ_off_diagonal={i}": "dip_vae" for i in range(20)}
    values = pd.DataFrame({"label": list(labels), "rec": 1.0 * np.arange(20), "mig": 0.5})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert is_picture(trade_off(values, column("rec"), [column("mig")], looks(labels)))


def test_same_figure_same_bytes(suite, by_label):
    rows = headline_rows(suite, DECLARATIONS).query("status == 'ok' and representation == 'mean'")
    first, second = (seed_spread(rows, [("mig", "MIG")], by_label) for _ in range(2))
    assert first == second


def test_nothing_to_show(by_label):
    empty = pd.DataFrame({"label": [], "column": [], "value": []})
    assert training_curves({}, by_label) is None
    assert training_curves({"vae": []}, by_label) is None
    assert seed_spread(empty, [("mig", "MIG")], by_label) is None
    assert correlation_heatmap(pd.DataFrame(columns=["a", "b", "rho"]), {"mig": "MIG"}) is None
    assert trade_off(empty, column("a"), [], by_label) is None


@pytest.mark.parametrize("runs", [1, 2, 5, 10])
def test_any_number_of_seeds(runs):
    values = pd.DataFrame({"label": "vae", "column": "mig", "value": np.linspace(0, 1, runs)})
    figure = seed_spread(values, [("mig", "MIG")], {"vae": Look("red", "o", "-")})
    assert is_picture(figure)
    said = "violins" if runs >= 10 else "boxes" if runs >= 5 else "too few seeds"
    assert figure is not None and said in figure.caption


def test_difference_says_which_way():
    black, white = np.zeros((1, 1, 4, 4), np.uint8), np.full((1, 1, 4, 4), 255, np.uint8)
    blue, orange = difference(black, white)[0, 0, 0], difference(white, black)[0, 0, 0]
    assert blue[2] > blue[0] and orange[0] > orange[2]
    assert (difference(white, white) == 255).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 64])
def test_pictures_of_any_size(channels, side):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, channels, side, side), dtype=np.uint8)
    moved = rng.integers(0, 256, (3, 10, channels, side, side), dtype=np.uint8)
    assert is_picture(reconstructions(images, images, "vae"))
    assert is_picture(traversals(moved, np.array([1.0, 0.0, 2.0]), "vae"))
    assert is_picture(samples(images[:10], "vae"))


def test_traversals_are_sorted_by_kl_and_passive_ones_faded():
    place = np.full(10, 32.0)
    still, moving = blob(place, place, np.full(10, 12.0)), blob(np.linspace(10, 54, 10), place, np.full(10, 12.0))
    figure = traversals(np.stack([still, moving]), np.array([0.001, 3.0]), "vae")
    assert "1 coordinates active" in figure.alt and "1 of 2" in figure.caption
    image = pixels(figure)
    half = len(image) // 2
    assert image[:half].min() < 10, "the active one is first, in full contrast"
    dark = (image[half + 6 : half + 60].mean(axis=2) < 100).mean()
    assert dark < 0.05, "the passive one is pale, but for its label"


def test_traversals_without_kl_say_so():
    moved = np.zeros((20, 10, 1, 8, 8), np.uint8)
    caption = traversals(moved, None, "ae").caption
    assert "no variances are known" in caption and "8 further coordinates are not shown" in caption


def test_pixels_are_not_resampled(tmp_path: Path):
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)[None, None].repeat(10, axis=0)
    image = pixels(reconstructions(board, board, "vae"))
    rows = np.flatnonzero((image.min(axis=2) < 5).mean(axis=1) > 0.3)
    centre = image[rows[10], -60:-20, 0]
    assert set(np.unique(centre // 128)) == {0, 1} and (np.abs(np.diff(centre.astype(int))) > 200).all()
