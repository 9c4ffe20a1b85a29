"""Both definitions of each measure on the anchor rows: python tests/performance/definitions.py --to FILE.csv

The anchor rows are codes on dSprites' grid of 737,280 points, made here. `--runs NAME=DIR …` adds rows for run folders,
each with its `codes.safetensors`. Every measure that has a `definition` is scored by its default and by
disentanglement_lib's; a CSV row holds a measure's score of one code under both. DCI learns from 300 labels, as its
trees take ten minutes at 10,000 and are the same under both. Of runs with fewer than 15,000 points, measures that learn
take two thirds for that and test on the rest.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmark import registry
from benchmark.choice import SETS, Choice, read_choice
from benchmark.codes import Codes
from benchmark.models._model import Anchor
from benchmark.spec import Component, Run
from benchmark.stages.evaluate import evaluate, score_tasks
from benchmark.stages.score_task import Protocol, check_metrics

SIZES = (3, 6, 40, 32, 32)
NAMES = ("shape", "scale", "orientation", "position_x", "position_y")
ANCHORS = ("perfect", "perfect_dead", "rotated", "noise")
ENOUGH = 15_000
SMALLER = {"dci": {"train": 300, "test": 1_000}}
FIELDS = ("codes", "metric", "score", "default", "disentanglement_lib", "difference", "reason")


def pairs(points: int) -> list[tuple[str, str]]:
    """Each measure of the set that has two definitions, as it is chosen for either."""
    found = []
    for text in (*SETS["disentanglement_lib"], "sap(kind=continuous,definition=disentanglement_lib)"):
        choice = read_choice(text)
        theirs = {**choice.settings, **SMALLER.get(choice.name, {})}
        if "definition" not in theirs:
            continue
        learns = "train" in registry.load("metric", choice.name).declaration.settings.model_fields
        if learns and points < ENOUGH:
            theirs = {"train": points * 2 // 3, "test": points - points * 2 // 3, **theirs}
        ours = {key: value for key, value in theirs.items() if key != "definition"}
        found.append((str(Choice(choice.name, ours)), str(Choice(choice.name, theirs))))
    return found


def anchor(name: str, path: Path) -> None:
    factors = np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), axis=1)
    model = registry.load("model", name)
    assert issubclass(model, Anchor)
    codes = model(model.Settings()).codes(factors, np.random.default_rng(0))
    Codes(codes, factors, NAMES, SIZES, grid=True).save(path)


def scored(name: str, folder: Path) -> list[dict[str, object]]:
    """Both definitions' scores of the codes in a folder, side by side."""
    run = Run(Component("dsprites", 1, {}), Component("codes", 1, {}), None, None, 0)
    rows: list[dict[str, object]] = []
    for texts in pairs(len(Codes.load(folder / "codes.safetensors").means)):
        values, reasons = [], []
        for text in texts:
            tasks = score_tasks([(run, folder)], Protocol(check_metrics((text,))))
            tasks = [task for task in tasks if task.representation == "mean"]
            before = set(folder.glob("scores/*.json"))
            evaluate(tasks, 1, lambda *_: None)
            (written,) = set(folder.glob("scores/*.json")) - before
            record = json.loads(written.read_text())
            values.append({key: value for key, value in record["values"].items() if not key[-1].isdigit()})
            reasons.append(record["reason"] or "")
        for score in values[0] | values[1] or {read_choice(texts[0]).name: None}:
            ours, theirs = (each.get(score) for each in values)
            both = ours is not None and theirs is not None
            rows.append(
                {
                    "codes": name,
                    "metric": texts[0],
                    "score": score,
                    "default": "" if ours is None else f"{ours:.4f}",
                    "disentanglement_lib": "" if theirs is None else f"{theirs:.4f}",
                    "difference": f"{theirs - ours:+.4f}" if both else "",
                    "reason": "; ".join(dict.fromkeys(filter(None, reasons))),
                }
            )
        print(name, texts[0], [row["default"] for row in rows[-1:]], file=sys.stderr)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--runs", nargs="*", default=[], metavar="NAME=DIR")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in ANCHORS:
            folder = Path(scratch) / name
            folder.mkdir()
            anchor(name, folder / "codes.safetensors")
            rows += scored(name, folder)
        for each in given.runs:
            name, _, place = each.partition("=")
            folder = Path(scratch) / name
            folder.mkdir()
            (folder / "codes.safetensors").symlink_to((Path(place) / "codes.safetensors").resolve())
            rows += scored(name, folder)
    with given.to.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
