"""Where values and words lie on a finished chart, held against the chart's own pixels."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib import rc_context
from numpy import ndarray
from PIL import Image

from leaderboard import style
from leaderboard.charts.seed_spread import seed_spread
from leaderboard.charts.training_curves import training_curves
from leaderboard.places import Mark, Spot, Words, headed, written
from leaderboard.style import REFERENCE, STYLE, Look, canvas, drawn

RED = np.array([255, 0, 0])


@pytest.fixture
def chart(monkeypatch: pytest.MonkeyPatch) -> style.Figure:
    """Three red points far apart, one of them outside of its axes, drawn as pixels for a page."""
    monkeypatch.setattr(style, "VECTORS", 0)
    points = {"a": (0.25, 2.0), "b": (0.75, 8.0), "out": (3.0, 5.0)}
    with rc_context(STYLE):
        figure, (left, right) = canvas(2, 2, 3.0, 2.0)
        for name, (x, y) in points.items():
            right.scatter([x], [y], s=60, color="#ff0000", linewidth=0, label=name)
        right.set(xlim=(0, 1), ylim=(0, 10))
        left.set_title("mutual\ninformation\xa0↑")
        marks = [Mark(right, x, y, name, f"{y:g}") for name, (x, y) in points.items()]
        return drawn("chart", figure, "page", "alt", "caption", marks)


def pixels(figure: style.Figure) -> ndarray:
    with Image.open(BytesIO(figure.data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_pointer_at_a_spot_is_at_what_was_drawn(chart: style.Figure) -> None:
    image = pixels(chart)
    assert [spot.name for spot in chart.spots] == ["a", "b"], "what lies outside of its axes was not drawn"
    for spot in chart.spots:
        row, column = round(spot.y * image.shape[0]), round(spot.x * image.shape[1])
        assert np.abs(image[row, column] - RED).max() < 60, spot
        around = image[row - 30 : row + 31, column - 30 : column + 31]
        rows, columns = np.nonzero(np.abs(around - RED).max(axis=2) < 60)
        assert abs(rows.mean() - 30) < 1.5 and abs(columns.mean() - 30) < 1.5, "and at its middle"


def test_the_box_of_a_text_holds_its_ink(chart: style.Figure) -> None:
    image = pixels(chart)
    (word,) = (each for each in chart.words if "mutual" in each.text)
    assert word.text == "mutual information ↑"
    left, top, width, height = (share * side for share, side in zip(word.box, image.shape[1::-1] * 2, strict=True))
    inside = image[round(top) : round(top + height), round(left) : round(left + width)]
    assert (inside.min(axis=2) < 100).mean() > 0.1
    assert (image[: round(top) - 1, : round(left + width)].min(axis=2) < 200).sum() == 0, "no ink above it"


def test_a_file_has_neither() -> None:
    with rc_context(STYLE):
        figure, (axis,) = canvas(1, 1, 3.0, 2.0)
        found = drawn("chart", figure, "svg", "alt", "caption", [Mark(axis, 0.5, 0.5, "a", "1")])
    assert (found.spots, found.words) == ((), ())


def test_a_title_has_its_card_with_and_without_an_arrow() -> None:
    box = (0.0, 0.0, 0.1, 0.1)
    found = [Words(text, box) for text in ("MIG ↑", "MIG", "accuracy @ 1,000 ↑", "MIG-sup ↑", "step")]
    cards = {"MIG": "card-0", "accuracy @\xa01,000": "card-1", "MIG-sup": "card-2", "KL": "card-3"}
    assert [card for _, card in headed(found, cards)] == ["card-0", "card-0", "card-1", "card-2"]


def test_spots_are_written_short() -> None:
    found = [Spot(0.5, 0.25, "vae", "1.0"), Spot(0.1, 1.0, "ae", "2"), Spot(0.2, 0, "vae", "</b>")]
    rows = [[5000, 2500, 0, "1.0"], [1000, 10000, 1, "2"], [2000, 0, 0, "</b>"]]
    assert json.loads(written(found)) == {"names": ["vae", "ae"], "rows": rows}


def test_runs_of_a_reference_beyond_the_models_are_arrowheads_and_no_spots() -> None:
    """A perfect code at 1 beside models from .04 to .06 would leave them a tenth of the panel."""
    runs = {"ae": [0.04, 0.05], "vae": [0.05, 0.06], "perfect": [1.0, 1.0], "noise": [0.045, 0.05]}
    values = pd.DataFrame([{"label": n, "column": "mig", "value": v} for n, own in runs.items() for v in own])
    looks = {name: Look(REFERENCE if name in ("perfect", "noise") else "#0072B2", "o", "-") for name in runs}
    found = seed_spread(values, [("mig", "MIG")], looks, "page")
    assert found is not None and {spot.name for spot in found.spots} == {"ae", "vae", "noise"}
    places = [spot.x for spot in found.spots if spot.name in ("ae", "vae")]
    assert max(places) - min(places) > 0.3
    assert "an arrowhead says that runs of one lie beyond the scale" in found.caption


def test_terms_of_an_objective_are_not_the_scores_of_that_name() -> None:
    history = pd.DataFrame({"step": range(100), "kl": np.linspace(1, 2, 100)})
    found = training_curves({"vae": [history]}, {"vae": Look("#0072B2", "o", "-")}, "page")
    assert found is not None and not found.words
    assert 20 <= len(found.spots) <= 25
    assert (found.spots[0].text, found.spots[-1].text) == ("step 0: 1.000", "step 99: 2.000"), "both ends"
