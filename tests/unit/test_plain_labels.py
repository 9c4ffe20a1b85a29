"""Texts on charts and pictures are drawn as they were given: a dollar sign in a name begins no formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from leaderboard import style
from leaderboard.charts.training_curves import training_curves
from leaderboard.pictures.gradient_estimators import pictures as gradient_estimators
from leaderboard.pictures.spectrum import pictures as spectrum
from leaderboard.style import looks

RNG = np.random.default_rng(0)


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """All that stands on the figures that are drawn from now on."""
    found: set[str] = set()
    plain = style.finished

    def watched(figure: Any, *others: Any) -> bytes:
        data = plain(figure, *others)
        found.update(text.get_text() for text in figure.findobj(Text) if text.get_visible())
        return data

    monkeypatch.setattr(style, "finished", watched)
    return found


@pytest.mark.parametrize("label", ["x $y$", "cost $^$ x"])
def test_a_name_keeps_its_dollars(label: str) -> None:
    """The second is no formula that could be drawn: it ended the whole report."""
    history = pd.DataFrame({"step": range(3), "rec": [3.0, 2, 1]})
    figure = training_curves({label: [history]}, looks({label: "vae"}))
    assert figure is not None
    drawn = figure.data.decode().split(f"<!-- {label} -->")[1].split("</g>")[0]
    assert drawn.count("<use ") == len(label), "a glyph for each letter"


def test_the_numbers_of_logarithmic_axes_are_plain(texts: set[str]) -> None:
    """Matplotlib writes them as formulas, which would be shown as they are."""
    variances = {f"gradient_variance_{name}": RNG.random((8, 2, 2)) + 0.1 for name in ("score", "baseline", "pathwise")}
    assert gradient_estimators(variances, "vae")
    assert spectrum({"means": RNG.standard_normal((50, 3)) * [1, 1e-1, 1e-3]}, "vae")
    assert training_curves({"vae": [pd.DataFrame({"step": range(3), "rec": [900.0, 9, 1]})]}, looks({"vae": "vae"}))
    assert spectrum({"means": RNG.standard_normal((5000, 3)) * 0.1}, "vae")
    assert {"1e-05", "0.01", "100"} <= texts and sum(text.startswith("0.00") for text in texts) > 1, "each has some"
    assert not any("$" in text for text in texts)
