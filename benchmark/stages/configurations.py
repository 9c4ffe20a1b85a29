"""The configurations of a table: what they are called, and what their models say of themselves."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd

from benchmark import registry
from benchmark.spec import TrainingSettings, canonical
from benchmark.stages import comparisons

REFERENCE_MODELS = ("perfect", "perfect_dead", "rotated", "noise", "untrained")
"""Rows that show where a measure's floor and ceiling lie; they are no competitors and enter no correlation."""

GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "lambda": "λ", "sigma": "σ", "tau": "τ"}
WEIGHTS = ("alpha", "beta", "gamma", "lambda")
"""How the settings that weigh an objective's terms begin; the label of a model's only configuration has them."""


def configurations(table: pd.DataFrame) -> pd.DataFrame:
    """One row per configuration: config_id, dataset, model, dataset_label, label, reference, supervision, latents.

    Labels are unique among what they label: a name and the settings that tell it from others of that name.
    """
    frame = table.drop_duplicates("config_id")[["config_id", "dataset", "model", "settings"]].reset_index(drop=True)
    settings = [json.loads(text) for text in frame["settings"]]
    names, models = list(frame["dataset"]), list(frame["model"])
    data = [{"dataset": values["dataset"] or {}} for values in settings]
    parts = [
        {"model": values["model"] or {}, "network": values["network"] or {}, "training": trained_by(values["training"])}
        for values in settings
    ]
    datasets = _labels(names, data, names)
    labels = _labels(models, parts, [f"{dataset} {model}" for dataset, model in zip(datasets, models, strict=True)])
    frame = frame.assign(dataset_label=datasets, label=labels).astype({"dataset_label": "str", "label": "str"})
    again = frame.duplicated(["dataset_label", "label"], keep=False)
    frame.loc[again, "label"] = frame["label"][again] + " (" + frame["config_id"][again] + ")"
    seen = [supervision(model) for model in frame["model"]]
    sizes = [(each["network"] or {}).get("latents", (each["model"] or {}).get("latents")) for each in settings]
    latents = pd.Series([size if isinstance(size, int) else None for size in sizes], index=frame.index, dtype="Int64")
    frame = frame.assign(reference=frame["model"].isin(REFERENCE_MODELS), supervision=seen, latents=latents)
    return frame.astype({"supervision": "str"}).drop(columns="settings")


def supervision(model: str) -> comparisons.Supervision:
    """What a model says that it sees beside the data."""
    said = said_of(model)
    return "labels" if said.get("supervised") is True else "pairs" if said.get("weakly_supervised") is True else "none"


def by_construction(model: str) -> frozenset[str]:
    """The measures whose scores a model says to be true by construction."""
    return frozenset(said_of(model).get("by_construction", ()))


def said_of(model: str) -> Mapping[str, Any]:
    """The constants in a model's class: of a built-in one read from its file, since tables are read without torch, of
    others from the class, which may inherit them.

    Empty for names that are not registered here, such as those of codes from outside.
    """
    if registry.is_builtin("model", model):
        return _written_in_file(model)
    if model not in registry.names("model"):
        return {}
    found = registry.load("model", model)
    return {name: getattr(found, name) for name in ("supervised", "weakly_supervised", "by_construction")}


@cache
def _written_in_file(model: str) -> Mapping[str, Any]:
    file = registry.entry("model", model).file
    assert file is not None
    classes = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)]
    return {name: value for each in classes for statement in each.body for name, value in _constants(statement)}


def _constants(statement: ast.stmt) -> list[tuple[str, Any]]:
    """The names that a statement gives a written-out value, with the value."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return []
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    try:
        value = ast.literal_eval(statement.value)
    except ValueError:  # an expression
        return []
    return [(target.id, value) for target in targets if isinstance(target, ast.Name)]


def trained_by(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """A run's training with the defaults that stay out of its identity: beside `weight_decay=0.1` stands `=0`."""
    return {**canonical(TrainingSettings()), **settings} if settings else {}


def _labels(names: list[str], parts: list[dict[str, dict[str, Any]]], groups: list[str]) -> list[str]:
    """Each name with the settings, as `key=value`, that differ within its group; where none do, with its weights."""
    flat = [{(part, key): value for part, values in item.items() for key, value in values.items()} for item in parts]
    spellings: dict[str, dict[tuple[str, str], set[str]]] = {}
    for group in dict.fromkeys(groups):
        peers = [item for item, of in zip(flat, groups, strict=True) if of == group]
        every = dict.fromkeys(key for peer in peers for key in peer)
        spellings[group] = {key: {json.dumps(peer.get(key)) for peer in peers} for key in every}
    labels = []
    for name, item, group in zip(names, flat, groups, strict=True):
        told = [key for key in item if len(spellings[group][key]) > 1]
        if not told:
            told = [(part, key) for part, key in item if part == "model" and key.split("_")[0] in WEIGHTS]
        labels.append(" ".join([name, *(f"{symbol(key[1])}={_short(item[key])}" for key in told)]))
    return labels


def symbol(name: str) -> str:
    """A setting's name with its leading Greek letter written as one: `lambda_diagonal` is `λ_diagonal`."""
    first, *rest = name.removesuffix("_").split("_")
    return "_".join([GREEK.get(first, first), *rest])


def _short(value: Any) -> str:
    if value in ("inf", "-inf"):
        return "∞" if value == "inf" else "−∞"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False).replace('"', "")
