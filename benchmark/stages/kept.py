"""What a run's codes file holds of its decoder, by the run's record, and what the measures asked for lack."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from benchmark.spec import Run
from benchmark.store import Store
from benchmark.suite import EncodingSettings

ENCODING = 5
"""Raise it when what every codes file holds becomes something else: finished runs are then encoded again from their
weights."""

ASKED = {
    "jacobian": ("v", "v_logits", "singular_values"),
    "reconstruction": ("reconstruction_mean", "reconstruction_sample"),
    "log_weights": ("log_weights",),
}
"""The parts that take long, with their arrays: each is computed where a measure that is asked for reads one of them.
All else, such as what pictures are drawn from, every codes file holds."""

BEFORE = ("v", "singular_values", *ASKED["reconstruction"], *ASKED["log_weights"])
"""The arrays of `ASKED` that every codes file held before their names were recorded."""


class Wanted(NamedTuple):
    """What is to be kept of a run's decoder: the parts of `ASKED`, and how much of them."""

    encoding: EncodingSettings
    parts: tuple[str, ...]


def parts_of(arrays: Collection[str]) -> tuple[str, ...]:
    """The parts among `ASKED` that hold some of these arrays."""
    return tuple(part for part, names in ASKED.items() if not set(names).isdisjoint(arrays))


def kept(encoding: EncodingSettings, parts: Collection[str]) -> dict[str, Any]:
    """What run.json says of the codes: this version, the settings, and the arrays of some parts of `ASKED`."""
    return {"version": ENCODING, **encoding.plain(), "arrays": [name for part in parts for name in ASKED[part]]}


def outdated(store: Store, runs: Sequence[Run], encoding: EncodingSettings, arrays: frozenset[str]) -> list[Run]:
    """The finished networks whose codes files are of an older version, or lack something that these measures read."""
    done = [run for run in runs if run.network and store.is_done(run)]
    return [run for run in done if is_old(record := store.read_run(run)) or missing(record, encoding, arrays)]


def incomplete(store: Store, runs: Sequence[Run], encoding: EncodingSettings, arrays: frozenset[str]) -> list[Run]:
    """The finished networks whose codes files, of whatever version, lack something that these measures read."""
    done = [run for run in runs if run.network and store.is_done(run)]
    return [run for run in done if missing(store.read_run(run), encoding, arrays)]


def is_old(record: Mapping[str, Any]) -> bool:
    return int((record.get("encoding") or {}).get("version", 0)) < ENCODING


def missing(record: Mapping[str, Any], encoding: EncodingSettings, arrays: frozenset[str]) -> tuple[str, ...]:
    """The parts of `ASKED` that a run's codes lack, or hold too little of, for measures that read these arrays."""
    known = record.get("encoding") or {}
    lacking = arrays - set(known.get("arrays", BEFORE))
    wanted = encoding.plain()
    if not wanted["likelihood_points"]:
        lacking -= {"log_weights"}
    elif "log_weights" in arrays and any(known.get(key, wanted[key]) < wanted[key] for key in wanted):
        lacking |= {"log_weights"}
    return parts_of(lacking)


def combined(record: Mapping[str, Any], encoding: EncodingSettings, arrays: frozenset[str]) -> Wanted:
    """What is kept already and what is wanted now: a suite that asks for less takes nothing from another.

    Of an older version nothing is kept, and what nobody asks for now is encoded when somebody does: weights that are
    there and not asked for keep the size that they were made at.
    """
    known = {} if is_old(record) else record["encoding"]
    names = set(known.get("arrays", BEFORE if known else ()))
    if "log_weights" in names and "log_weights" not in arrays:
        held = {key: known.get(key, value) for key, value in encoding.plain().items()}
        return Wanted(EncodingSettings.read(held, "encoding"), parts_of(arrays | names))
    weighed = known if "log_weights" in names else {}
    most = {key: max(weighed.get(key, value), value) for key, value in encoding.plain().items()}
    return Wanted(EncodingSettings.read(most, "encoding"), parts_of(arrays | names))
