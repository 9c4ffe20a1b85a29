"""What scores lose on combinations of factors that were absent in training (after Schott et al. 2022)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark.datasets._shift import in_words
from benchmark.stages.slices import SLICES
from leaderboard.cells import shortened
from leaderboard.columns import Column, title
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.style import STYLE, Figure, Look, Wanted, canvas, drawn, looks, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

READOUTS = ("linear_readout", "mlp_readout")
"""They come first: their two sides are learnt on the same points."""
PANELS = 8


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    frame = results.summaries.get("seen_unseen", pd.DataFrame())
    if frame.empty:
        return []
    values = pd.concat([_values(results.table, row) for row in frame.to_dict("records")])
    panels = shown(frame, results.board.columns)
    own = {row.label: results.looks[row.label] for row in results.board.rows}
    return [seen_unseen(values, panels, own, kind)]


def shown(frame: pd.DataFrame, columns: Sequence[Column], most: int = PANELS) -> list[tuple[str, str]]:
    """At most so many scores with their titles: read-outs, then those that the leaderboard shows at first, then others.

    Scores of which neither direction is better are left out.
    """
    first = [column.metric for column in sorted(columns, key=lambda column: not column.first)]
    order = [*READOUTS, *first, *frame["metric"]]
    directed = frame[frame["direction"] != "none"].drop_duplicates("column")
    places = directed["metric"].map({name: place for place, name in reversed(list(enumerate(order)))})
    chosen = directed.assign(place=places).sort_values("place", kind="stable").head(most)
    arrows = {"higher": "↑", "lower": "↓"}
    return [(row["column"], f"{_plain(row)}\xa0{arrows[row['direction']]}") for row in chosen.to_dict("records")]


def _plain(row: Mapping[Hashable, Any]) -> str:
    """A score's title without the words of its protocol that say which slice it is of."""
    return title(str(row["column"]).replace(f" ({row['unseen_protocol']})", ""))


def _values(table: pd.DataFrame, row: Mapping[Hashable, Any]) -> pd.DataFrame:
    """Every run's score on both slices behind one row of the summary."""
    own = (table["config_id"] == row["config_id"]) & (table["score"] == row["score"]) & table["factor"].isna()
    own &= table["protocol"].isin([row["seen_protocol"], row["unseen_protocol"]])
    own &= table["budget"].isna() if pd.isna(row["budget"]) else table["budget"] == row["budget"]
    found = table.loc[own, ["representation", "value"]]
    return found.assign(label=row["configuration"], column=row["column"])


def across(rows: pd.DataFrame, kind: Wanted) -> list[Figure | None]:
    """Every split of a suite in one chart, where it has two or more: `rows` are its headline scores with a number."""
    own = rows[rows["representation"].isin(SLICES) & rows["metric"].isin(READOUTS)]
    if own["dataset_label"].nunique() < 2:
        return []
    splits = _splits(own)
    own = own.assign(
        configuration=own["label"],
        label=[f"{splits[data]}: {label}" for data, label in zip(own["dataset_label"], own["label"], strict=True)],
        column=own["metric"],
    )
    known = own.drop_duplicates("configuration")
    models = dict(zip(known["configuration"], known["model"], strict=True))
    # One configuration has one look, whatever it was trained on.
    of_configuration = looks(models, list(known.loc[known["reference"], "configuration"]))
    rows_of = own.drop_duplicates("label")
    found = {
        label: of_configuration[name] for label, name in zip(rows_of["label"], rows_of["configuration"], strict=True)
    }
    panels = [(name, f"{title(name)}\xa0↑") for name in READOUTS if name in set(own["column"])]
    return [seen_unseen(own, panels, found, kind, name="seen-unseen-by-split")]


def _splits(rows: pd.DataFrame) -> dict[str, str]:
    """The split of each dataset in words, with the dataset's label where another one is split alike."""
    each = rows.drop_duplicates("dataset_label")
    words = {
        label: in_words(json.loads(text)["dataset"] or {})
        for label, text in zip(each["dataset_label"], each["settings"], strict=True)
    }
    shared = [text for text, number in Counter(words.values()).items() if number > 1]
    return {label: f"{label}, {text}" if text in shared else text for label, text in words.items()}


def seen_unseen(
    values: pd.DataFrame,
    panels: Sequence[tuple[str, str]],
    looks_of: Mapping[str, Look],
    kind: Wanted = "svg",
    name: str = "seen-unseen",
) -> Figure | None:
    """A panel per score, a row per configuration: filled on seen combinations, hollow on unseen ones.

    `values` has `label`, `column`, `representation` (seen or unseen) and `value`, a row a run. Large marks are means,
    joined by a line, small ones the runs.
    """
    from matplotlib import rc_context
    from matplotlib.lines import Line2D

    labels = [label for label in looks_of if label in set(values["label"])]
    if not labels or not panels:
        return None
    with rc_context(STYLE):
        figure, axes = canvas(
            len(panels), 4, 2.2 + text_width(labels) / min(len(panels), 4), 0.75 + 0.24 * len(labels), sharey=True,
            keep_height=True,
        )  # fmt: skip
        places: list[Mark] = []
        for (column, heading), axis in zip(panels, axes, strict=True):
            of_column = values[values["column"] == column]
            for row, label in enumerate(labels):
                places += _draw_row(axis, row, of_column[of_column["label"] == label], looks_of[label].colour, label)
            axis.set_title(fill(heading, 26))
            axis.set_yticks(range(len(labels)), labels)
            axis.set_ylim(len(labels) - 0.4, -0.6)
            axis.grid(axis="y", visible=False)
            axis.tick_params(axis="y", length=0)
            axis.locator_params(axis="x", nbins=5)
        marks = [
            Line2D([], [], linestyle="", marker="o", markersize=6, color="#666c75", markerfacecolor=face)
            for face in ("#666c75", "white")
        ]
        figure.set_figheight(figure.get_figheight() + 0.25)
        figure.legend(marks, ["seen in training", "absent in training"], loc="outside lower left", ncols=2)
        return drawn(
            name,
            figure,
            kind,
            f"Dot plots of {', '.join(heading for _, heading in panels)} on combinations of factors that were trained"
            f" on and on others, for {', '.join(labels)}.",
            "Scores on the combinations of factors that were trained on (filled) and on those that were absent"
            " (hollow): large marks are means over runs, small ones the runs. Read-outs learn from seen combinations in"
            " both; other measures have the points of one side alone, whose factors are distributed otherwise. A model"
            " that was trained on everything loses on the hollow side, too: compare falls with each other.",
            places,
        )


def _draw_row(axis: Axes, row: int, runs: pd.DataFrame, colour: Any, label: str) -> list[Mark]:
    """Draws both sides of one configuration in one panel, and returns the places of its means."""
    sides = {str(side): group for side, group in runs.groupby("representation")["value"]}
    means = {side: float(group.mean()) for side, group in sides.items()}
    if len(means) == len(SLICES):
        axis.plot(list(means.values()), [row, row], color=colour, linewidth=1.4, alpha=0.7, zorder=1)
    for side, group in sides.items():
        inside, offset = (colour, -0.2) if side == "seen" else ("white", 0.2)
        axis.scatter(group, [row + offset] * len(group), s=5, color=[colour], alpha=0.45, linewidth=0)
        axis.scatter([means[side]], [row], s=30, facecolor=[inside], edgecolor=[colour], linewidth=1.2, zorder=3)
    return [Mark(axis, mean, row, label, f"{side} {shortened(mean)}") for side, mean in means.items()]
