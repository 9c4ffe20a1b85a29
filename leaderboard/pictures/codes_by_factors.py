"""Which code is which factor: mutual information, correlation and importance of every code for every factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.stages.matrices import CodesByFactors
from leaderboard.paper import paper
from leaderboard.pictures.traversals import subscript
from leaderboard.run_scores import FactorScore, absent, factor_scores, matrices
from leaderboard.style import INK, MUTED, PALETTE, STYLE, Figure, drawn, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEEDS = {"scores"}
"""Those of the run, as `leaderboard.run_scores` reads them."""
ROWS = 20
"""Codes that are drawn, unless more are matched to a factor."""
FACTORS = 40
"""Factors that are drawn."""
NUMBERED = 10
"""Factors up to which every cell has its number."""
SCORES = 16
"""Scores per factor that are drawn."""
TITLES = {
    "mutual_information": "mutual information",
    "correlation": "correlation",
    "importance": "importance",
}
OUTLINE = PALETTE[1]
DARK = 0.62
"""The share from which numbers are white."""
LEVEL = 4
"""Letters of a name that fits below its cell."""
TYPE: dict[Any, Any] = {"font.size": 6.8, "axes.titlesize": 8.5}
"""On a screen; numbers in cells have the size of the text."""
CELL = 0.4
"""Inches that a numbered cell is wide."""


def pictures(arrays: Mapping[str, Any], title: str) -> list[Figure]:
    found, scores = matrices(arrays["scores"]), factor_scores(arrays["scores"])
    return [codes_by_factors(found, scores, absent(arrays["scores"]), title)] if found else []


@dataclass(frozen=True)
class Shown:
    """The codes and factors that are drawn, in their order, and how many codes are left out, the strongest of them."""

    codes: Sequence[int]
    factors: Sequence[int]
    left_out: int
    strongest: float


def shown(first: CodesByFactors) -> Shown:
    """Matched pairs on the diagonal, then the codes without a factor that say most of any."""
    codes, factors = first.matrix.order()
    matching, factors = first.matrix.matching(), factors[:FACTORS]
    matched = [matching[factor] for factor in factors if factor in matching]
    others = [code for code in codes if code not in set(matched)]
    room = max(ROWS - len(matched), 0)
    strongest = dict(zip(first.matrix.codes, first.matrix.shares.max(axis=1, initial=0.0), strict=True))
    away = others[room:]
    return Shown(
        [*matched, *others[:room]], factors, len(away), max((float(strongest[code]) for code in away), default=0.0)
    )


def codes_by_factors(
    found: Sequence[CodesByFactors], scores: Sequence[FactorScore], missing: Mapping[str, str], title: str
) -> Figure:
    """A heat map for each matrix, rows and columns as the first orders them, and the scores per factor beside them;
    on paper below each other where they have no room beside."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure as Canvas

    part = shown(found[0])
    names = [str(found[0].factors[factor]) for factor in part.factors]
    listed = [score for score in scores if any(name in score.values for name in names)]
    listed = listed[:SCORES] if len(names) <= NUMBERED else []
    cell = CELL if len(names) <= NUMBERED else 0.2
    labels = [f"z{subscript(code)}" for code in part.codes]
    room = text_width([score.title for score in listed]) + 0.15 if listed else 0.0
    panel = max(cell * len(names), 1.15)
    panels = len(found) + bool(listed)
    width = panel * panels + 0.3 * (len(found) - 1) + room + text_width(labels) + 0.9
    height = (
        max(0.25 * len(labels), 0.21 * len(listed), 1.0)
        + (0.75 * text_width(names) if max(map(len, names)) > LEVEL else 0.1)
        + 0.45
    )
    columns = panels
    if (printed := paper().width) is not None and printed < width:
        columns = max(1, int((printed - 0.9) / (panel + 0.3)))
        columns = min(columns, len(found))  # the table's names would take the room of the matrices beside it
    with rc_context(STYLE | TYPE | paper().type() | {"axes.grid": False}):
        rows = -(-panels // columns)
        figure = Canvas(figsize=(printed or width, height * rows), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
        for axis in axes[panels:]:
            axis.remove()
        colours = LinearSegmentedColormap.from_list("share", ["#FBFAF6", "#B9D6E8", "#5A9CC8", "#0B5C93", "#08304D"])
        for place, (axis, matrix) in enumerate(zip(axes, found, strict=False)):
            image = _panel(axis, matrix, part, colours, numbered=len(names) <= NUMBERED)
            axis.set_title(TITLES[matrix.kind])
            _named(axis, names)
            axis.set_yticks(range(len(labels)), labels if place % columns == 0 else [""] * len(labels))
            if place == len(found) - 1:
                figure.colorbar(image, ax=axes[: len(found)], shrink=0.7, aspect=18, pad=0.01, ticks=[0, 0.5, 1])
        if listed:
            _table(axes[panels - 1], listed, names)
        return drawn(
            "codes-by-factors",
            figure,
            "png",
            _alt(found[0], title),
            _caption(found, part, missing, len(scores) - len(listed)),
        )


def _panel(axis: Axes, found: CodesByFactors, part: Shown, colours: Any, *, numbered: bool) -> Any:
    """One matrix; a cell that has no number has a dot, matched pairs are outlined."""
    from matplotlib.patches import Rectangle

    shares, values = (_placed(found, of, part) for of in (found.matrix.shares, found.matrix.values))
    image = axis.imshow(shares, vmin=0, vmax=1, cmap=colours, aspect="auto", interpolation="nearest")
    for row, column in np.argwhere(~np.isfinite(shares)):
        axis.text(column, row, "·", ha="center", va="center", color=MUTED)
    if numbered:
        for row, column in np.argwhere(np.isfinite(shares)):
            text = _number(values[row, column] if found.kind == "correlation" else shares[row, column])
            colour = "white" if shares[row, column] > DARK else INK
            axis.text(column, row, text, ha="center", va="center", color=colour)
    for factor, code in found.matrix.matching().items():
        if factor in part.factors and code in part.codes:
            row, column = part.codes.index(code), part.factors.index(factor)
            axis.add_patch(
                Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor=OUTLINE, linewidth=1.8)
            )
    return image


def _placed(found: CodesByFactors, table: Float[ndarray, "r c"], part: Shown) -> Float[ndarray, "codes factors"]:
    """The entries of the drawn codes and factors, NaN where the matrix has none."""
    placed = np.full((len(part.codes), len(part.factors)), np.nan)
    rows = {code: row for row, code in enumerate(found.matrix.codes)}
    columns = {factor: column for column, factor in enumerate(found.matrix.factors)}
    for i, code in enumerate(part.codes):
        for j, factor in enumerate(part.factors):
            if code in rows and factor in columns:
                placed[i, j] = table[rows[code], columns[factor]]
    return placed


def _table(axis: Axes, scores: Sequence[FactorScore], names: Sequence[str]) -> None:
    """Numbers alone: their scales differ, so that no colour could be common to them."""
    axis.set_xlim(-0.5, len(names) - 0.5)
    axis.set_ylim(len(scores) - 0.5, -0.5)
    axis.set_title("scores per factor")
    _named(axis, names)
    axis.set_yticks(range(len(scores)), [score.title for score in scores])
    for row, score in enumerate(scores):
        for column, name in enumerate(names):
            text = _number(score.values[name]) if name in score.values else "–"
            axis.text(column, row, text, ha="center", va="center", color=INK)


def _named(axis: Axes, names: Sequence[str]) -> None:
    """The factors' names below a panel, slanted where they are long; no marks and no frame."""
    slanted: dict[str, Any] = (
        {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names)) > LEVEL else {}
    )
    axis.set_xticks(range(len(names)), names, **slanted)
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)


def _number(value: float) -> str:
    return f"{round(value, 2) + 0:.2f}".replace("-", "−")


def _alt(first: CodesByFactors, title: str) -> str:
    """What the first matrix says, in words."""
    shares, matching = first.matrix.shares, first.matrix.matching()
    pairs = [
        f"{first.factors[k]} is z{j} with {shares[first.matrix.codes.index(j), first.matrix.factors.index(k)]:.2f}"
        for k, j in list(matching.items())[:NUMBERED]
    ]
    what = TITLES[first.kind]
    return f"Which code of {title} is which factor, by {what}: {'; '.join(pairs) or 'no code says anything'}."


MEANINGS = {
    "mutual_information": "mutual information as a share of the factor’s entropy",
    "correlation": "Pearson’s correlation (colour: its size)",
    "importance": "importance for predicting the factor as a share of that of all codes",
}


def _caption(found: Sequence[CodesByFactors], part: Shown, missing: Mapping[str, str], scores_left_out: int) -> str:
    means = "; ".join(f"{MEANINGS[each.kind]} ({each.of['protocol']})" for each in found)
    said = [
        f"Which code is which factor: {means}.",
        "Outlined: the pairs, each code used once, whose shares sum to most.",
        f"Codes are in the order in which those of {TITLES[found[0].kind]} are a diagonal, the others below by their"
        " largest share.",
    ]
    if part.left_out:
        said.append(
            f"{part.left_out:,} further codes are not drawn; the largest share of any of them is {part.strongest:.2f}."
        )
    varying = len(found[0].matrix.factors)
    if len(part.factors) < varying:
        said.append(f"{varying - len(part.factors):,} further factors are not drawn.")
    if any(len(each.matrix.codes) < len(found[0].matrix.codes) for each in found):
        said.append("A dot: the code is constant and has no correlation.")
    if scores_left_out:
        said.append(f"{scores_left_out:,} scores per factor are not drawn; they are in the table.")
    said += [f"No {TITLES[kind]}: {reason}." for kind, reason in missing.items()]
    return " ".join(said)
