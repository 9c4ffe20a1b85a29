"""A paper's own numbers beside ours: under the paper's protocol, where one is known, and under ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.table import write_csv
from leaderboard.bands import bands
from leaderboard.levels import Configuration, Level, described, fitting, level, records, steps
from leaderboard.paper_correlations import paper_correlations
from leaderboard.text_table import TextTable

MINI = "-mini"
"""A suite's small form is compared with the same numbers."""
SETTINGS_OF = {"dsprites": "mushom", "dsprites-core": "mushom", "rolinek-linear": "rolinek"}
"""Suites that train a paper's settings, or some of them, by a recipe of their own."""
COLUMNS = ("configuration", "score", "paper", "ours", "difference", "95 % intervals", "paper’s protocol", "in ours")
NOT_TRAINED = "not trained here"


def figures_of(suite: str) -> pd.DataFrame | None:
    """The numbers of the paper that a built-in suite, or its mini, reproduces; None where there are none.

    Columns: `table` of the paper, `row`, `where` (which configurations, as `--only` writes it), `ours` and `paper` (the
    measure under either protocol; the second empty where ours is the paper's as far as that is known), `score`, `mean`,
    `std`, `runs`, `note`.
    """
    path = Path(str(files("benchmark"))) / "suites" / f"{_paper(suite)}.csv"
    return pd.read_csv(path, dtype={"paper": "str", "note": "str"}) if path.exists() else None


def _paper(suite: str) -> str:
    whole = suite.removesuffix(MINI)
    return SETTINGS_OF.get(whole, whole)


def comparisons(suite: str, table: pd.DataFrame) -> dict[str, list[TextTable]]:
    """Tables of others' numbers, by the label of the dataset that they are of; `table` is the suite's results table.

    A row of the paper that nothing here was trained as says so. Each table's `numbers` are what it says, for machines.
    """
    known = figures_of(suite)
    if known is None:
        return {}
    here = described(table)
    found: dict[str, list[TextTable]] = {}
    for config in here:
        found.setdefault(str(config["dataset_label"]), [])
    for title, rows in known.groupby("table", sort=False):
        for dataset, tables in found.items():
            own = [config for config in here if config["dataset_label"] == dataset]
            if (made := _table(str(title), rows, own, here, table, _paper(suite) != suite)) is not None:
                tables.append(made)
    for dataset, tables in found.items():
        own = [config for config in here if config["dataset_label"] == dataset]
        further = (paper_correlations(_paper(suite), own, table), bands(_paper(suite), own, table))
        tables += [each for each in further if each is not None]
    return {dataset: tables for dataset, tables in found.items() if tables}


def write_numbers(found: Mapping[str, Sequence[TextTable]], path: Path) -> list[Path]:
    """Write what the tables of others' numbers say as CSV, and return the paths: none where there is no such table."""
    frames = [table.numbers for tables in found.values() for table in tables if len(table.numbers)]
    if not frames:
        return []
    write_csv(pd.concat(frames, ignore_index=True), path)
    return [path]


def _table(
    title: str,
    rows: pd.DataFrame,
    own: Sequence[Configuration],
    every: Sequence[Configuration],
    table: pd.DataFrame,
    other_training: bool,
) -> TextTable | None:
    """One table of a paper on one dataset; None where nothing of it was trained there.

    own: the dataset's configurations. every: those of all datasets, of which a row means the one that was trained for
    the most steps.
    """
    lines: list[dict[str, Any]] = []
    trained: set[int] = set()
    for row in records(rows):
        config = next(iter(fitting(every, row["where"])[-1:]), None)
        if config in own:
            assert config is not None
            lines.append(_line(row, config, table))
            trained.add(steps(config))
        elif config is None and _may_be_on(row["where"], own):
            lines.append(_line(row, None, table))
    if not trained:
        return None
    caption = str(rows["note"].iloc[0])
    if other_training:
        caption += f" Trained here by the suite’s own recipe, for {', '.join(f'{n:,}' for n in sorted(trained))} steps."
    cells = [[line[name] for name in COLUMNS] for line in lines]
    numbers = pd.DataFrame([{"table": title, **line["numbers"]} for line in lines])
    return TextTable(title, COLUMNS, cells, caption, numbers)


def _may_be_on(where: str, own: Sequence[Configuration]) -> bool:
    """Whether a paper's row may be of a dataset, one of whose configurations these are."""
    said = dict(word.split("=", 1) for word in where.split(" ")).get("dataset")
    return said is None or any(config["dataset"] == said for config in own)


def _line(row: dict[str, Any], config: Configuration | None, table: pd.DataFrame) -> dict[str, Any]:
    """A row's cells by their columns, and its `numbers`."""
    paper = Level(row["mean"], _number(row["std"]), None if pd.isna(row["runs"]) else int(row["runs"]))
    asked = row["paper"] if pd.notna(row["paper"]) else row["ours"]
    numbers: dict[str, Any] = {"row": row["row"], "score": row["score"]}
    numbers |= {"paper": paper.mean, "paper_std": paper.std, "paper_runs": paper.runs}
    words = [row["row"], row["score"], str(paper)]
    if config is None:
        numbers |= {"intervals": NOT_TRAINED}
        return _cells([*words, NOT_TRAINED, "", "", str(asked), ""], numbers)
    own = table[table["config_id"] == config["config_id"]]
    (ours, protocol), (default, _) = level(own, asked, row["score"]), level(own, row["ours"], row["score"])
    numbers |= {"dataset": config["dataset_label"], "configuration": config["label"], "config_id": config["config_id"]}
    if ours is None:
        return _cells([*words, "not scored", "", "", str(asked), ""], numbers | {"intervals": "not scored"})
    judged = "the paper says no spread" if paper.std is None else "too few runs to say"
    if paper.std is not None and paper.runs is None:
        judged = "the paper says no number of runs"
    if paper.interval and ours.interval:
        (a, b), (c, d) = paper.interval, ours.interval
        judged = "overlap" if a <= d and c <= b else "apart"
    difference = f"{ours.mean - paper.mean:+.3f}".replace("-", "−")
    beside = f"{default}" if pd.notna(row["paper"]) and default is not None else ""
    numbers |= {"ours": ours.mean, "ours_std": ours.std, "ours_runs": ours.runs, "intervals": judged}
    numbers |= {"protocol": protocol} | ({"in_ours": default.mean} if beside and default else {})
    return _cells([*words, f"{ours} ({ours.runs})", difference, judged, protocol, beside], numbers)


def _cells(words: list[str], numbers: dict[str, Any]) -> dict[str, Any]:
    return {**dict(zip(COLUMNS, words, strict=True)), "numbers": numbers}


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
