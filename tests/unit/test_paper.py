"""Figures for papers: their width, the size and kind of their type, and that nothing leaves them."""

import re
import warnings
import zlib
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark.errors import UsageError
from leaderboard import style
from leaderboard.charts.improvement import improvement
from leaderboard.charts.seed_spread import seed_spread
from leaderboard.charts.trade_off import trade_off
from leaderboard.charts.training_curves import training_curves
from leaderboard.charts.variance import variance
from leaderboard.columns import Column
from leaderboard.paper import SCREEN, WIDTHS, Paper, paper, printed_on, read_font, read_width
from leaderboard.pictures.traversals import traversals

LABELS = {"ae": "ae", "vae": "vae", "beta_vae β=4": "beta_vae", "dip_vae λ_diagonal=10 λ_off_diagonal=10": "dip_vae"}
TITLES = {"mig": "MIG", "dci": "DCI: disentanglement", "accuracy": "sample efficiency: accuracy @\xa01,000"}


def drawn_charts(kind: str) -> list[style.Figure]:
    """One of each kind of layout: panels, rows of a height of their own, a matrix, bars, lines with a long legend."""
    looks = style.looks(LABELS)
    rng = np.random.default_rng(0)
    rows = [(label, column, rng.normal(0, 100)) for label in LABELS for column in TITLES for _ in range(3)]
    values = pd.DataFrame(rows, columns=["label", "column", "value"])
    wide = pd.DataFrame({"label": list(LABELS)} | {name: rng.normal(0, 100, len(LABELS)) for name in TITLES})
    pairs = pd.DataFrame(
        [{"a_label": a, "b_label": b, "p": 0.12, "n_a": 5, "n_b": 5} for a in LABELS for b in LABELS if a != b]
    )
    shares = pd.DataFrame({"column": list(TITLES), "n": [18, 18, 15], "configurations": 6})
    shares = shares.assign(share_objective=0.5, share_hyperparameter=0.2, share_seed=0.3, note="")
    scores = [Column(*[name, of, name, name, None, "v1", "higher", True, "", True]) for name, of in TITLES.items()]
    terms = {name: np.linspace(-9.0, 1, 50) for name in ("loss", "dimension_kl", "mi")}
    history = pd.DataFrame({"step": np.arange(50) * 30_000, **terms})
    found = [
        seed_spread(values, list(TITLES.items()), looks, kind),
        trade_off(wide, scores[0], scores, looks, kind),
        improvement(pairs.assign(low=0.1, high=0.2), "MIG", kind),
        variance(shares, TITLES, kind),
        training_curves({label: [history] for label in LABELS}, looks, kind),
    ]
    assert all(found)
    return [figure for figure in found if figure]


def streams(pdf: bytes) -> str:
    """The text of a PDF's streams that are packed."""
    found = []
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(packed).decode("latin-1"))
        except zlib.error:
            continue
    return "\n".join(found)


@pytest.mark.parametrize("width", sorted(WIDTHS))
def test_a_pdf_has_the_width_of_the_paper_and_type_of_8_points_as_true_type(monkeypatch, width):
    """Read from the files themselves; and nothing that is drawn leaves the sheet, or finds no room."""
    inches, fit = WIDTHS[width], style.fit

    def watched(figure):
        fit(figure)
        box = figure.get_tightbbox()
        assert box.x0 > -0.01 and box.x1 < inches + 0.01 and box.y0 > -0.01 and box.y1 < figure.get_figheight() + 0.01

    monkeypatch.setattr(style, "fit", watched)
    with warnings.catch_warnings(), printed_on(Paper(inches)):
        warnings.simplefilter("error")
        figures = drawn_charts("pdf")
    for figure in figures:
        assert b"/Type3" not in figure.data and b"/FontFile2" in figure.data
        (box,) = set(re.findall(rb"/MediaBox \[ ?([\d. ]+?) ?\]", figure.data))
        assert float(box.split()[2]) == pytest.approx(72 * inches, abs=0.1)
        sizes = {float(size) for size in re.findall(r"/F\d+ ([\d.]+) Tf", streams(figure.data))}
        assert sizes == {8.0}, figure.name


def test_without_a_width_figures_have_no_type_3_and_keep_their_own_size():
    sizes = {figure.name: figure.size for figure in drawn_charts("svg")}
    assert sizes["variance"][0] > 96 * 5
    assert all(b"/Type3" not in figure.data for figure in drawn_charts("pdf"))


def test_fonts_are_those_of_the_paper():
    with printed_on(Paper(3.25, read_font("serif"))):
        names = [set(re.findall(rb"/BaseFont /\w+\+([\w-]+)", figure.data)) for figure in drawn_charts("pdf")]
    assert all(any(name.startswith(b"STIX") for name in found) for found in names)
    assert not any(b"DejaVuSans" in found for found in names)
    assert read_font("dejavu serif") == ("DejaVu Serif", "DejaVu Sans")
    with pytest.raises(UsageError, match='--font Dejavu Serf: no such font is installed; did you mean "DejaVu Serif"'):
        read_font("Dejavu Serf")


def test_a_sheet_of_images_has_the_width_too_and_fine_type():
    moved = np.zeros((6, 10, 1, 16, 16), np.uint8)
    own = traversals(moved, np.ones(6), "vae")
    with printed_on(Paper(3.25)):
        printed = traversals(moved, np.ones(6), "vae")
    with Image.open(BytesIO(printed.data)) as image:
        dots = image.info["dpi"][0]
        assert image.width / dots == pytest.approx(3.25, abs=0.02) and dots >= 199
    with Image.open(BytesIO(own.data)) as image:
        assert "dpi" not in image.info


def test_what_is_printed_ends_with_its_block():
    with pytest.raises(ZeroDivisionError), printed_on(Paper(3.25)):
        raise ZeroDivisionError
    assert paper() is SCREEN


@pytest.mark.parametrize(("text", "inches"), [("column", 3.25), ("text", 5.5), ("7.16", 7.16)])
def test_widths_are_names_or_inches(text, inches):
    assert read_width(text) == inches


@pytest.mark.parametrize("text", ["", "colum", "0", "-3", "nan", "inf", "1e9"])
def test_a_width_that_is_none_is_told(text):
    with pytest.raises(UsageError, match="write column"):
        read_width(text)
