"""What the page says of one configuration and of each of its runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark.bibliography import cited
from benchmark.stages.configurations import symbol
from leaderboard import pictures
from leaderboard.board import Board, Row
from leaderboard.columns import primary
from leaderboard.curves import Curve, curves
from leaderboard.explorer import explorer
from leaderboard.style import Figure

if TYPE_CHECKING:
    from markupsafe import Markup


CODES, ARRAYS = "codes.safetensors", "arrays.safetensors"
"""What a run's pictures are drawn from: its codes, or of a run that was published the arrays that were kept of them."""


@dataclass(frozen=True)
class Seed:
    """One run: its record, empty where the run folder is not here, and its training curves."""

    run_id: str
    seed: int
    record: Mapping[str, Any]
    curves: Sequence[Curve] = ()

    @property
    def command(self) -> str:
        return str(self.record.get("command", ""))

    @property
    def facts(self) -> dict[str, str]:
        """Its provenance in words."""
        if "provenance" not in self.record:
            return {}
        origin, seconds = self.record["provenance"], self.record["seconds"]
        versions = (f"{name} {version}" for name, version in origin["versions"].items() if version)
        found = {
            "run": self.run_id,
            "finished": str(origin["finished"])[:16].replace("T", " "),
            "training": f"{seconds['training']:.1f} s" if seconds.get("training") else "",
            "encoding": f"{seconds['encoding']:.1f} s" if seconds.get("encoding") else "",
            "where": ", ".join(str(origin[key]) for key in ("host", "device", "cpu") if origin.get(key)),
            "commit": str(origin.get("commit") or "")[:12],
            "versions": ", ".join(versions),
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class Configuration:
    """All that the page says of one configuration; `shown` is the run whose pictures stand for it."""

    row: Row
    settings: Mapping[str, str]
    shown: Seed
    chosen_by: str
    seeds: Sequence[Seed]
    pictures: Sequence[Figure] = ()
    explorer: Markup | None = None
    """Its decoder with a slider for each coordinate."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The full citations of what describes its model, by short reference."""

    @property
    def parameters(self) -> int:
        return int(self.shown.record.get("parameters") or 0)


@dataclass(frozen=True)
class Drawn:
    """What is drawn of the run that stands for a configuration."""

    pictures: Sequence[Figure] = ()
    explorer: Markup | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes on a page."""
        return sum(len(picture.uri) for picture in self.pictures) + len(self.explorer or "")


def draw(codes: Path, label: str, config_id: str) -> Drawn:
    """Raises `BenchmarkError` on a codes file that cannot be read."""
    return Drawn(pictures.draw(codes, label), explorer(codes, label, config_id))


def configuration(
    board: Board, row: Row, table: pd.DataFrame, records: Mapping[str, Mapping[str, Any]], drawn: Drawn
) -> Configuration:
    """Raises `BenchmarkError` on a history that cannot be read."""
    of_config = table[table["config_id"] == row.config_id]
    runs = of_config.drop_duplicates("run_id").sort_values("seed")
    run_id, chosen_by = median_run(board, of_config)
    parts = json.loads(of_config["settings"].iloc[0])
    names = of_config[["dataset", "model", "network"]].iloc[0].to_dict() | {"training": ""}
    settings = {part: spelled(str(names[part]), values) for part, values in parts.items() if values is not None}
    seeds = [
        _seed(str(run), int(seed), records.get(str(run), {}))
        for run, seed in zip(runs["run_id"], runs["seed"], strict=True)
    ]
    shown = next(seed for seed in seeds if seed.run_id == run_id)
    sources = cited("model", str(names["model"]))
    return Configuration(row, settings, shown, chosen_by, seeds, drawn.pictures, drawn.explorer, sources)


def median_codes(board: Board, row: Row, table: pd.DataFrame, records: Mapping[str, Mapping[str, Any]]) -> Path | None:
    """The codes file of a configuration's median run, or the arrays in its place, where one is here."""
    run_id, _ = median_run(board, table[table["config_id"] == row.config_id])
    folder: Path | None = records[run_id]["folder"] if run_id in records else None
    return next((folder / name for name in (CODES, ARRAYS) if folder and (folder / name).exists()), None)


def _seed(run_id: str, seed: int, record: Mapping[str, Any]) -> Seed:
    return Seed(run_id, seed, record, curves(record["folder"]) if "folder" in record else ())


def spelled(name: str, settings: Mapping[str, Any]) -> str:
    """A component's name with its settings, for people."""
    words = [
        f"{symbol(key)} = {value if isinstance(value, str) else json.dumps(value)}" for key, value in settings.items()
    ]
    return f"{name} ({', '.join(words)})" if name and words else name or ", ".join(words)


def median_run(board: Board, of_config: pd.DataFrame) -> tuple[str, str]:
    """The run whose primary score is the (lower) median of its configuration's seeds, else the lowest seed."""
    column = primary(board.columns)
    if column is not None:
        rows = of_config[(of_config["protocol"] == column.protocol) & (of_config["score"] == column.score)]
        rows = rows[rows["factor"].isna() & (rows["status"] == "ok")]
        rows = rows[rows["budget"].isna() if column.budget is None else rows["budget"] == column.budget]
        if len(rows):
            ordered = rows.sort_values(["value", "seed"])
            return str(ordered["run_id"].iloc[(len(ordered) - 1) // 2]), f"median {column.title} of {len(rows)}"
    return str(of_config.sort_values("seed")["run_id"].iloc[0]), "lowest seed"
