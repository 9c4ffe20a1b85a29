"""What scores cost: columns beside quality, from the runs' records and the results table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from leaderboard.cells import Cell
from leaderboard.columns import Column

TRAINING = "training_seconds"
WHAT = {
    TRAINING: (
        "training, s",
        "Seconds of training of one run; of a fleet, trained in one process, its share.",
    ),
    "parameters": ("parameters", "Trained parameters of model and network."),
    "encoding_seconds": ("encoding, s", "Seconds from the trained run to its codes."),
    "evaluation_seconds": ("evaluation, s", "Seconds of all measures of one run, both representations together."),
}
"""A title and a sentence for each kind of cost."""


def cost_columns(costs: pd.DataFrame) -> list[Column]:
    """A column for each kind of cost that any run has."""
    return [
        Column(
            name=name,
            title=title,
            metric=name,
            score=name,
            budget=None,
            protocol="",
            direction="lower",
            supervised=False,
            what=what,
            numbers=True,
            group="cost",
            first=name == TRAINING,
            bounds=(0.0, math.inf),
        )
        for name, (title, what) in WHAT.items()
        if costs[name].notna().any()
    ]


def costs_of(table: pd.DataFrame, records: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A row per run, by run id: config_id and each kind of cost; NaN where the run's record is not here."""
    runs = table.drop_duplicates("run_id").set_index("run_id")[["config_id"]]
    found = [records.get(str(run_id), {}) for run_id in runs.index]
    once = table.drop_duplicates(["run_id", "protocol", "representation"])
    return runs.assign(
        training_seconds=[_seconds(record, "training") for record in found],
        parameters=[_number(record.get("parameters") or None) for record in found],
        encoding_seconds=[_seconds(record, "encoding") for record in found],
        evaluation_seconds=once.groupby("run_id")["seconds"].sum().reindex(runs.index),
    )


def cost_cell(column: Column, costs: pd.DataFrame) -> Cell:
    """The cost of one configuration's runs."""
    known = costs[column.name].dropna()
    if column.name == "parameters":
        known = known.drop_duplicates()  # no spread over seeds where there cannot be one
    if column.name == TRAINING and len(set(known)) == 1:
        known = known.iloc[:1]  # shares of one fleet's time: measured once
    return Cell(tuple(known), "ok" if len(known) else "absent", runs=tuple(map(str, known.index)))


def _seconds(record: Mapping[str, Any], kind: str) -> float:
    """What a run took here: nothing is known of codes from elsewhere."""
    elsewhere = "trained" in record.get("provenance", {})  # their records say 0 seconds
    return math.nan if elsewhere else _number(record.get("seconds", {}).get(kind))


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
