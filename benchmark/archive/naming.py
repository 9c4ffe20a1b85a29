"""Which configuration of an archive a user means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmark.archive.manifest import Manifest
from benchmark.choice import read_value
from benchmark.errors import UsageError
from benchmark.spec import INFINITIES, canonical, nearest, plainly
from benchmark.stages.configurations import GREEK

if TYPE_CHECKING:
    from pandas import DataFrame

    from benchmark.archive.opening import Archive

LETTERS = {letter: name for name, letter in GREEK.items()}
SHOWN = 12
"""Names that an error lists at most."""


def chosen_run(runs: DataFrame, configuration: str, dataset: str | None, archive: Archive) -> Mapping[str, Any]:
    """The row of the run that was published of a configuration. Raises `UsageError` where none or several fit."""
    rows: list[dict[str, Any]] = runs[runs["shown"]].to_dict("records")  # type: ignore[assignment]
    title = archive.manifest.title
    if not rows:
        raise UsageError(f"{title} holds no weights")
    on = [row for row in rows if dataset is None or _is_dataset(row, dataset)]
    if not on:
        known = sorted({str(row["dataset_label"]) for row in rows})
        raise UsageError(f"{title} holds no weights of networks on {dataset!r}; there: {', '.join(known)}")
    fitting = [row for row in on if _fits(row, configuration)]
    exact = [row for row in fitting if plainly(_greek(row["label"])) == plainly(_greek(configuration))]
    found = exact or fitting
    if len(found) == 1:
        return found[0]
    if found:
        several = "; ".join(f'"{row["label"]}" on {row["dataset_label"]} ({row["config_id"]})' for row in found[:SHOWN])
        raise UsageError(
            f'{title}: "{configuration}" may be {several}: say more settings, the dataset, or the config_id'
        )
    raise UsageError(f'{title} holds no weights of "{configuration}"{_near(on, configuration, archive.manifest)}')


def _near(rows: list[dict[str, Any]], configuration: str, manifest: Manifest) -> str:
    """What else is there, the nearest first; and why something is not, where that is known."""
    wanted = plainly(_greek(configuration.split()[0])) if configuration.split() else ""
    reason = next((why for model, why in (manifest.left_out or {}).items() if plainly(model) == wanted), None)
    labels = {f'"{row["label"]}" on {row["dataset_label"]}': str(row["label"]) for row in rows}
    same = [said for said, label in labels.items() if plainly(label.split()[0]) == wanted]
    close = nearest(_greek(configuration), labels.values())
    first = same or [said for said, label in labels.items() if label == close]
    others = [said for said in labels if said not in first]
    return (f" ({reason})" if reason else "") + "; there: " + ", ".join([*first, *others][:SHOWN])


def _is_dataset(row: Mapping[str, Any], dataset: str) -> bool:
    """Whether a dataset is called so: by its label or by its name with some of its settings."""
    if row["dataset_label"] == dataset:
        return True
    run = json.loads(row["record"])["run"]
    return _told(dataset, run["dataset"]["name"], [run["dataset"]])


def _fits(row: Mapping[str, Any], configuration: str) -> bool:
    """Whether a row's configuration is called so: its config_id, or its model's name with some of its settings."""
    plain = re.sub(r"\((\w{12})\)", r"\1", configuration).split()
    ids = [word for word in plain if re.fullmatch(r"[0-9a-f]{12}", word)]
    if any(word != row["config_id"] for word in ids):
        return False
    words = [word for word in plain if word not in ids]
    run = json.loads(row["record"])["run"]
    parts = [run[part] for part in ("model", "network", "training") if run[part]]
    return not words or _told(" ".join(words), run["model"]["name"], parts)


def _told(text: str, name: str, parts: list[Mapping[str, Any]]) -> bool:
    first, *words = text.split() or [""]
    return plainly(_greek(first)) == plainly(name) and all(
        any(_says(word, part["settings"]) for part in parts) for word in words
    )


def _says(word: str, settings: Mapping[str, Any]) -> bool:
    """Whether KEY=VALUE is among some settings; λ and lambda are the same, as are 6 and 6.0."""
    key, equals, text = _greek(word).partition("=")
    if not equals:
        return False
    known = {name.removesuffix("_"): value for name, value in settings.items()}
    value = canonical(
        INFINITIES.get(said, said)
        if isinstance(said := read_value(text.replace("∞", "inf").replace("−", "-")), str)
        else said
    )
    return key in known and (canonical(known[key]) == value or _spelled(known[key]) == text)


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value).replace('"', "").replace(" ", "")


def _greek(text: str) -> str:
    """Text with its Greek letters spelled out."""
    return "".join(LETTERS.get(letter, letter) for letter in text)
