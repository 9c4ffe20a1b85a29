"""The page: one self-contained index.html that opens anywhere and loads nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.atomic import write_atomically
from benchmark.errors import BenchmarkError
from benchmark.metrics._declare import Metric
from benchmark.spec import Run
from benchmark.stages.aggregate import aggregate, configurations, headline_rows, symbol
from leaderboard import charts, pictures
from leaderboard.board import Board, Cell, Row, boards, primary, title
from leaderboard.results import Results
from leaderboard.style import Figure, looks

PICTURED = 20
"""At most so many configurations have pictures on the page."""
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Detail:
    """A score that is no headline, of one factor or coordinate: its name, and a cell per configuration."""

    title: str
    protocol: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Configuration:
    """All that the page says of one configuration; `shown` is the run whose pictures stand for it."""

    config_id: str
    label: str
    reference: bool
    settings: Mapping[str, str]
    shown: Mapping[str, Any]
    chosen_by: str
    records: Sequence[Mapping[str, Any]]
    pictures: Sequence[Figure] = ()


@dataclass(frozen=True)
class Section:
    """One dataset's part of the page."""

    anchor: str
    dataset: str
    boards: Sequence[Board]
    details: Mapping[str, Sequence[Detail]]
    charts: Sequence[Figure]
    configurations: Sequence[Configuration]


def write_report(
    suite_name: str,
    description: str,
    table: pd.DataFrame,
    runs: Sequence[tuple[Run, Path]],
    declarations: Mapping[str, Metric],
    folder: Path,
    failures: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write `folder`/index.html and return its path.

    table: the suite's compiled results. runs: its finished runs with their folders, for curves and pictures.
    failures: what did not finish, each a record with `run_id` and what else is known of it.
    Raises `BenchmarkError` on a run folder that cannot be read, `UsageError` on an undeclared metric.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    records = {run.run_id: read_record(path) | {"folder": path} for run, path in runs}
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    page = environment.get_template("page.html").render(
        suite=suite_name,
        description=description,
        facts=facts(table, records.values(), failures),
        failures=[flat_failure(failure) for failure in failures],
        sections=sections(table, records, declarations),
        pictured=PICTURED,
        css=(HERE / "assets" / "page.css").read_text(),
        script=(HERE / "assets" / "page.js").read_text(),
    )
    path = folder / "index.html"
    write_atomically(path, lambda scratch: scratch.write_text(page))
    return path


def read_record(folder: Path) -> dict[str, Any]:
    """A run's run.json."""
    path = folder / "run.json"
    try:
        record = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise BenchmarkError(f"{path} cannot be read ({error}); delete its folder and rerun") from None
    if not isinstance(record, dict) or record.get("format", 0) > Run.FORMAT:
        raise BenchmarkError(f"{path} has a format that this version does not read; update")
    return record


def facts(
    table: pd.DataFrame, records: Iterable[Mapping[str, Any]], failures: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """What the head of the page says: how much was run, by what, where and when."""
    records = list(records)
    provenance = [record["provenance"] for record in records]
    hours = sum(record["seconds"]["training"] for record in records) / 3600
    versions = {f"{name} {version}" for origin in provenance for name, version in origin["versions"].items() if version}
    days = sorted(origin["finished"][:10] for origin in provenance)
    found = {
        "runs": f"{len(records)} finished, {len(failures)} failed",
        "configurations": str(table["config_id"].nunique()),
        "seeds": str(table["seed"].nunique()),
        "training": f"{hours:.1f} h of process time" if hours >= 0.1 else f"{hours * 60:.1f} min of process time",
        "finished": " to ".join(dict.fromkeys([days[0], days[-1]])) if days else "",
        "commit": ", ".join(sorted({origin["commit"][:12] for origin in provenance if origin["commit"]})),
        "machines": ", ".join(sorted({f"{o['host']} ({o['device']}, {o['cpu']})" for o in provenance})),
        "versions": ", ".join(sorted(versions)),
    }
    return {name: value for name, value in found.items() if value}


def flat_failure(failure: Mapping[str, Any]) -> tuple[str, str]:
    """A failure's run id, and the rest of its record as text."""
    rest = {key: value for key, value in failure.items() if key not in ("run_id", "format", "run") and value}
    return str(failure["run_id"]), "; ".join(f"{key}: {value}" for key, value in rest.items())


def sections(
    table: pd.DataFrame, records: Mapping[str, Mapping[str, Any]], declarations: Mapping[str, Metric]
) -> list[Section]:
    """The page's parts, one per dataset."""
    described = configurations(table)
    correlations = aggregate(table, declarations).correlations
    headlines = headline_rows(table, declarations)
    found: list[Section] = []
    pictured = 0
    by_dataset: dict[str, list[Board]] = {}
    for board in boards(table, declarations):
        by_dataset.setdefault(board.dataset, []).append(board)
    for number, (dataset, own) in enumerate(by_dataset.items()):
        of_dataset = described[described["dataset_label"] == dataset]
        own_looks = looks(
            dict(zip(of_dataset["label"], of_dataset["model"], strict=True)),
            list(of_dataset.loc[of_dataset["reference"], "label"]),
        )
        rows = headlines[(headlines["dataset_label"] == dataset) & (headlines["status"] == "ok")]
        kept = own[0].representation
        of_board = correlations[(correlations["dataset"] == dataset) & (correlations["representation"] == kept)]
        results = Results(
            board=own[0],
            rows=rows[rows["representation"] == kept],
            table=table[table["config_id"].isin(of_dataset["config_id"])],
            correlations=of_board,
            records=records,
            looks=own_looks,
        )
        shown: list[Configuration] = []
        for row in own[0].rows:
            configuration = _configuration(
                own[0], row, table, records, with_pictures=pictured < PICTURED and not row.reference
            )
            pictured += bool(configuration.pictures)
            shown.append(configuration)
        found.append(
            Section(
                anchor=f"data-{number}",
                dataset=dataset,
                boards=own,
                details={b.representation: _details(table, b) for b in own},
                charts=charts.draw(results),
                configurations=shown,
            )
        )
    return found


def _configuration(
    board: Board, row: Row, table: pd.DataFrame, records: Mapping[str, Mapping[str, Any]], *, with_pictures: bool
) -> Configuration:
    of_config = table[table["config_id"] == row.config_id]
    ids = of_config.sort_values("seed")["run_id"].drop_duplicates()
    run_id, chosen_by = _median_run(board, of_config)
    parts = json.loads(of_config["settings"].iloc[0])
    names = of_config[["dataset", "model", "network"]].iloc[0].to_dict() | {"training": ""}
    settings = {part: spelled(str(names[part]), values) for part, values in parts.items() if values is not None}
    shown = records.get(run_id, {"run_id": run_id})
    codes = shown["folder"] / "codes.safetensors" if with_pictures and "folder" in shown else None
    drawn = pictures.draw(codes, row.label) if codes is not None and codes.exists() else []
    return Configuration(
        row.config_id,
        row.label,
        row.reference,
        settings,
        shown,
        chosen_by,
        [records.get(i, {"run_id": i}) for i in ids],
        drawn,
    )


def spelled(name: str, settings: Mapping[str, Any]) -> str:
    """A component's name with its settings, for people."""
    words = [
        f"{symbol(key)} = {value if isinstance(value, str) else json.dumps(value)}" for key, value in settings.items()
    ]
    return f"{name} ({', '.join(words)})" if name and words else name or ", ".join(words)


def _median_run(board: Board, of_config: pd.DataFrame) -> tuple[str, str]:
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


def _details(table: pd.DataFrame, board: Board) -> list[Detail]:
    """Every score that is no headline, by protocol, with a cell per row of the board."""
    order = [row.config_id for row in board.rows]
    rows = table[
        table["config_id"].isin(order) & (table["representation"] == board.representation) & (table["status"] == "ok")
    ]
    heads = {(column.protocol, column.score, column.budget) for column in board.columns}
    found = []
    keys = ["metric", "protocol", "score", "budget", "factor"]
    key: Any
    for key, group in rows.groupby(keys, dropna=False):
        _, protocol, score, budget, factor = key
        if pd.isna(factor) and (protocol, score, None if pd.isna(budget) else budget) in heads:
            continue
        by_config = {config_id: tuple(values) for config_id, values in group.groupby("config_id")["value"]}
        words = [title(score), "" if pd.isna(budget) else f"@ {budget:,}", "" if pd.isna(factor) else f"· {factor}"]
        cells = [Cell(by_config[c], "ok") if c in by_config else Cell() for c in order]
        found.append(Detail(" ".join(word for word in words if word), str(protocol), cells))
    return found
