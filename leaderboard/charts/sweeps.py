"""Scores against a setting that was swept: violins' other axis (M Fig. 5.15; P Figs. 2, 3)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd

from benchmark.stages.configurations import symbol, trained_by
from leaderboard.cells import shortened
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.style import DASHES, MARKERS, PALETTE, STYLE, Figure, Look, Wanted, canvas, drawn, legend

PANELS = 6
FIRST = (
    "mig", "factor_vae_score", "dci", "dto", "informative_components", "linear_separability", "renyi_bound",
    "log_likelihood", "reconstruction", "kl", "active_units", "elbo",
)  # fmt: skip
"""Measures that are drawn before others."""
LEAST = 3
"""Values of a setting from which on it counts as swept."""
DEFAULT = "default"
"""The value of a setting that is left out of a configuration."""


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    ranked = [column for column in results.scored if "@" not in column.name]
    ranked.sort(key=lambda column: FIRST.index(column.metric) if column.metric in FIRST else len(FIRST))
    # Further protocols of a measure after all other measures: a bound at five orders would fill the chart.
    first = {column.metric: column for column in reversed(ranked)}.values()
    ranked.sort(key=lambda column: column not in first)
    panels = [(column.name, column.heading) for column in ranked[:PANELS]]
    return [sweep(rows, key, panels, kind) for key, rows in swept(results)]


def swept(results: Results) -> list[tuple[str, pd.DataFrame]]:
    """Each swept setting of a model with the rows of its runs, which gain `value_of` it and the `line` they are on.

    Runs of one line differ in that setting, and in the seed, alone.
    """
    rows = results.rows[~results.rows["reference"]]
    settings = {str(c): _flat(text) for c, text in rows.groupby("config_id")["settings"].first().items()}
    found = []
    for model, own in rows.groupby("model", sort=False):
        configs = {config: settings[config] for config in own["config_id"].drop_duplicates()}
        # What stays out of a configuration at its default tells it from another one all the same.
        every = dict.fromkeys(key for flat in configs.values() for key in flat)
        keys = [key for key in every if len({repr(flat.get(key)) for flat in configs.values()}) > 1]
        for key in keys:
            values = [flat.get(key) for flat in configs.values()]
            numbers = {value for value in values if _number(value) is not None}
            if len(numbers) < LEAST or len({repr(value) for value in values}) != len(numbers):
                continue
            others = [other for other in keys if other != key]
            lines = {
                config: " ".join(f"{symbol(other.partition('.')[2])}={flat.get(other, DEFAULT)}" for other in others)
                for config, flat in configs.items()
            }
            # A setting that moves together with another one leaves lines of one point each: no sweep of its own.
            if max(pd.Series(lines).value_counts()) < LEAST:
                continue
            line = own["config_id"].map(lines)
            value = own["config_id"].map({config: _number(flat.get(key)) for config, flat in configs.items()})
            found.append((key, own.assign(value_of=value.astype(float), line=line.where(line != "", str(model)))))
    return found


def _flat(text: str) -> dict[str, Any]:
    parts = json.loads(text)
    parts["training"] = trained_by(parts["training"])
    return {f"{part}.{key}": value for part in parts if parts[part] for key, value in parts[part].items()}


def _number(value: Any) -> float | None:
    if value in ("inf", "-inf"):
        return float(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def sweep(rows: pd.DataFrame, key: str, panels: Sequence[tuple[str, str]], kind: Wanted = "svg") -> Figure | None:
    """A panel per score: each line's mean over seeds against the setting `key`, with every run as a dot.

    `rows` has `column`, `value`, `value_of`, `line` and `model`.
    """
    from matplotlib import rc_context

    panels = [panel for panel in panels if panel[0] in set(rows["column"])]
    if not panels:
        return None
    lines = list(dict.fromkeys(rows["line"]))
    looks: Mapping[str, Look] = {
        line: Look(PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)], DASHES[i % len(DASHES)])
        for i, line in enumerate(lines)
    }
    model, name = rows["model"].iloc[0], symbol(key.partition(".")[2])
    values = np.unique(rows["value_of"])
    # Evenly spaced in their order, so that 1, 10, 100, 0 and ±∞ all have room.
    places = {value: place for place, value in enumerate(values)}
    with rc_context(STYLE):
        figure, axes = canvas(len(panels), 3, 3.3, 2.5)
        marks: list[Mark] = []
        for (column, title), axis in zip(panels, axes, strict=True):
            for line in lines:
                own = rows[(rows["column"] == column) & (rows["line"] == line)]
                look = looks[line]
                mean = own.groupby("value_of")["value"].mean()
                axis.plot(
                    [places[value] for value in mean.index], mean, color=look.colour, linestyle=look.dash, linewidth=1.4
                )
                axis.scatter(
                    own["value_of"].map(places), own["value"], s=14, marker=look.marker, color=[look.colour], alpha=0.7,
                    linewidth=0,
                )  # fmt: skip
                marks += [
                    Mark(axis, places[at], float(value), line, f"{name} = {_told(at)}: {shortened(float(value))}")
                    for at, value in zip(own["value_of"], own["value"], strict=True)
                ]
            axis.set_xticks(list(places.values()), [_told(value) for value in values])
            axis.set_title(fill(title, 34))
            axis.set_xlabel(name)
        if len(lines) > 1:
            legend(figure, looks, lines=True)
        return drawn(
            f"sweep-{model}-{name}",
            figure,
            kind,
            f"Line charts of {', '.join(title for _, title in panels)} of {model} against {name}.",
            f"{model} against {name}: lines are means over seeds, dots are runs.",
            marks,
        )


def _told(value: float) -> str:
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:,g}".replace("-", "−")
