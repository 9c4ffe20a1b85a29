"""What `show` prints: a component with its documentation and settings, or a run with all that is known of it."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

from benchmark import registry
from benchmark.bibliography import sources
from benchmark.errors import UsageError
from benchmark.naming import score_name
from benchmark.registry import Kind
from benchmark.spec import canonical
from benchmark.store import Store, read_json, runs_of


def component(kind: Kind, name: str) -> dict[str, Any]:
    """A model, dataset, network, metric or suite: its documentation, version and settings with their defaults."""
    name = registry.named(kind, name)
    entry = registry.entry(kind, name)
    shown: dict[str, Any] = {"kind": kind, "name": name, "about": registry.describe(kind, name)}
    if kind == "suite":
        assert entry.file is not None
        return {**shown, "file": str(entry.file), "content": entry.file.read_text()}
    loaded = registry.load(kind, name)
    shown["about"], shown["documentation"] = _documented(loaded)
    declaration = getattr(loaded, "declaration", None)
    if found := sources(documentation(loaded)):
        shown["sources"] = found
    shown["version"] = declaration.version if declaration else loaded.version
    if kind == "model" and loaded.marks():
        shown["marks"] = loaded.marks()
    if declaration:
        shown["scores"] = [score_name(name, score) for score in (declaration.headline, *declaration.also)]
        shown["needs"] = list(declaration.needs)
        shown["direction"] = {True: "higher is better", False: "lower is better", None: "neither is better"}[
            declaration.higher_is_better
        ]
        shown["range"] = canonical(list(declaration.bounds))
        shown["supervised"] = declaration.supervised
        shown["protocol"] = declaration.protocol(declaration.settings.read({}, name), "mean", None)
        if floors := _anchors(name, declaration.headline):
            shown["anchors on dsprites"] = floors
    settings = declaration.settings if declaration else loaded.Settings
    shown["settings"] = {
        key: {"default": "required" if info.is_required() else canonical(info.default), "about": info.description or ""}
        for key, info in settings.model_fields.items()
    }
    return shown


def documentation(loaded: Any) -> str:
    """What the docstrings of a component and of its settings say, as one text."""
    declaration = getattr(loaded, "declaration", None)
    settings = declaration.settings if declaration else loaded.Settings
    return "\n".join([*_documented(loaded), *(field.description or "" for field in settings.model_fields.values())])


def _documented(loaded: Any) -> tuple[str, str]:
    """The docstrings of a component's file and of the component."""
    module = inspect.getmodule(loaded) or sys.modules[loaded.__module__]
    return inspect.cleandoc(module.__doc__ or ""), inspect.cleandoc(loaded.__doc__ or "")


def _anchors(metric: str, headline: str) -> dict[str, str]:
    """What the anchor rows score, a line for each score; the headline first."""
    from pandas import isna

    from benchmark.published import anchors, spelled

    found: dict[str, list[str]] = {}
    for _, row in anchors(metric).iterrows():
        budget = "" if isna(row["budget"]) else f" at {row['budget']}"
        representation = "" if row["representation"] == "mean" else f" ({row['representation']})"
        found.setdefault(f"{row['score']}{budget}{representation}", []).append(f"{row['model']} {spelled(row)}")
    lines = {score: ", ".join(rows) for score, rows in found.items() if not all(row.endswith("n/a") for row in rows)}
    return dict(sorted(lines.items(), key=lambda line: not line[0].startswith(headline)))


def run(run_id: str, results: Path) -> dict[str, Any]:
    """A run by its id: run.json, its scores, and the failure where it failed."""
    store = Store(results, make=False)
    for path in (store.root / "suites").glob("*/plan.json"):
        for each in runs_of(read_json(path), path):
            if each.run_id != run_id:
                continue
            shown: dict[str, Any] = {"suite": path.parent.name, "folder": str(store.run_folder(each)), **each.config}
            if store.is_done(each):
                shown = {**store.read_run(each), **shown, "scores": _scores(store.run_folder(each))}
            else:
                shown["failure"] = store.failure(each) or "not run yet"
            return shown
    raise UsageError(
        f'{results} plans no run "{run_id}"; ids stand in suites/*/results.csv, and benchmark list names kinds'
    )


def _scores(folder: Path) -> dict[str, Any]:
    scores = {}
    for path in sorted(folder.glob("scores/*.json")):
        record = read_json(path)
        scores[record["protocol"]] = record["values"] or f"{record['status']}: {record['reason']}"
    return scores


def text(shown: dict[str, Any], indent: int = 0) -> str:
    """What is shown as indented lines."""
    lines = []
    space = " " * indent
    for key, value in shown.items():
        if isinstance(value, dict) and set(value) == {"default", "about"}:
            lines.append(f"{space}{key} = {value['default']}{'   ' + value['about'] if value['about'] else ''}")
        elif isinstance(value, dict):
            lines += [f"{space}{key}:", text(value, indent + 2)] if value else [f"{space}{key}: none"]
        elif isinstance(value, str) and "\n" in value:
            block = "\n".join(f"{space}  {line}".rstrip() for line in value.split("\n"))
            lines += [f"{space}{key}:", block]
        else:
            lines.append(f"{space}{key}: {value}")
    return "\n".join(lines)
