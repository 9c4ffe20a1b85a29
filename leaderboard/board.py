"""The leaderboard as data: a row per configuration, a column per protocol and score, a cell per both."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from benchmark.metrics._declare import Metric
from benchmark.published import anchors, spelled
from benchmark.stages.aggregate import headline_rows

PRIMARY = "mig"
"""The metric that orders the rows at first and picks the median seed, where it is there."""

WORDS = {"mig": "MIG", "dto": "DtO", "kl": "KL", "elbo": "ELBO", "vae": "VAE", "tc": "TC", "sap": "SAP", "dci": "DCI",
         "irs": "IRS", "mcc": "MCC", "udr": "UDR", "beta": "β", "delta": "Δ", "iwae": "IWAE",
         "rmig": "RMIG", "jemmig": "JEMMIG", "dcimig": "DCIMIG", "infomec": "InfoMEC", "infom": "InfoM",
         "gaussian": "Gaussian", "wasserstein": "Wasserstein", "renyi": "Rényi", "pearson": "Pearson"}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One headline score under one protocol."""

    name: str
    title: str
    metric: str
    score: str
    budget: int | None
    protocol: str
    direction: str
    supervised: bool
    what: str
    numbers: bool
    """Whether any configuration has a number here."""
    anchors: str = ""
    """What the anchor rows score on dSprites, and by which protocol, where that is published."""

    @property
    def arrow(self) -> str:
        return {"higher": "↑", "lower": "↓", "none": ""}[self.direction]


@dataclass(frozen=True)
class Cell:
    """What the seeds of one configuration scored; `values` is empty where none has a number, and `reason` says why."""

    values: tuple[float, ...] = ()
    status: str = "absent"
    reason: str = ""
    without: int = 0
    best: bool = False

    @property
    def mean(self) -> float | None:
        return sum(self.values) / len(self.values) if self.values else None

    @property
    def std(self) -> float | None:
        return float(pd.Series(self.values).std()) if len(self.values) > 1 else None

    @property
    def text(self) -> str:
        if self.mean is None:
            return {"not_applicable": "n/a", "failed": "failed", "absent": "–"}[self.status]
        places = decimals(self.mean)
        if self.std is None:
            return signed(f"{self.mean:.{places}f}")
        return signed(f"{self.mean:.{places}f} ± {self.std:.{places}f}")


@dataclass(frozen=True)
class Row:
    config_id: str
    label: str
    model: str
    reference: bool
    seeds: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Board:
    """One dataset's leaderboard for one representation."""

    dataset: str
    representation: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    reasons: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For each reason of a missing number, the `label: column` that it concerns."""

    @property
    def trained(self) -> list[Row]:
        return [row for row in self.rows if not row.reference]

    @property
    def references(self) -> list[Row]:
        return [row for row in self.rows if row.reference]


def title(name: str) -> str:
    """A score's name as people write it: `factor_vae_score` is factor VAE score. What is in brackets stays."""
    plain, bracket, rest = name.partition(" (")
    words = re.sub(r"[a-z]+", lambda word: WORDS.get(word[0], word[0]), plain.replace("_", " "))
    return words.replace("β VAE", "β-VAE").replace("MIG sup", "MIG-sup").replace("@ ", "@\xa0") + bracket + rest


def decimals(value: float) -> int:
    """Decimals that leave three or four digits."""
    return 3 if abs(value) < 10 else 2 if abs(value) < 100 else 1


def signed(text: str) -> str:
    """With a real minus sign."""
    return text.replace("-", "−")


def boards(table: pd.DataFrame, declarations: Mapping[str, Metric]) -> list[Board]:
    """A board per dataset and representation, in the table's order of datasets, means first."""
    rows = headline_rows(table, declarations)
    rows = rows.assign(place=rows["representation"] != "mean").sort_values("place", kind="stable")
    return [
        _board(str(dataset), str(representation), group, declarations)
        for (dataset, representation), group in rows.groupby(["dataset_label", "representation"], sort=False)
    ]


def _board(dataset: str, representation: str, rows: pd.DataFrame, declarations: Mapping[str, Metric]) -> Board:
    columns = _columns(rows, declarations)
    cells = {
        config_id: {column.name: _cell(column, of_config) for column in columns}
        for config_id, of_config in rows.groupby("config_id", sort=False)
    }
    best = {column.name: _best(column, rows) for column in columns}
    found = [
        Row(
            config_id=first["config_id"],
            label=first["label"],
            model=first["model"],
            reference=bool(first["reference"]),
            seeds=int(rows.loc[rows["config_id"] == first["config_id"], "run_id"].nunique()),
            cells={
                name: replace(cell, best=first["config_id"] in best[name])
                for name, cell in cells[first["config_id"]].items()
            },
        )
        for first in rows.drop_duplicates("config_id").to_dict("records")
    ]
    return Board(dataset, representation, columns, _ordered(found, columns), _reasons(found, columns))


def _columns(rows: pd.DataFrame, declarations: Mapping[str, Metric]) -> list[Column]:
    """Protocols with numbers, supervised ones first; then a column for each metric that has none."""
    ok = rows[rows["status"] == "ok"]
    without = rows[~rows["metric"].isin(ok["metric"])].drop_duplicates("metric")
    shown = pd.concat([ok.drop_duplicates("column"), without])
    shown = shown.assign(unsupervised=~shown["supervised"].astype(bool), without=shown["status"] != "ok")
    return [
        Column(
            name=row["column"],
            title=title(row["column"] if row["score"] == row["metric"] else f"{row['metric']}: {row['column']}"),
            metric=row["metric"],
            score=row["score"],
            budget=None if pd.isna(row["budget"]) else int(row["budget"]),
            protocol=row["protocol"],
            direction=row["direction"],
            supervised=row["supervised"],
            numbers=row["status"] == "ok",
            what=(declarations[row["metric"]].function.__doc__ or "").strip().split("\n")[0],
            anchors=_anchors(row["metric"], row["score"], row["budget"], row["representation"]),
        )
        for row in shown.sort_values(["unsupervised", "without", "metric", "protocol", "budget"]).to_dict("records")
    ]


def _anchors(metric: str, score: str, budget: int, representation: str) -> str:
    rows = anchors(metric)
    same = rows["budget"].isna() if pd.isna(budget) else rows["budget"] == budget
    rows = rows[(rows["score"] == score) & (rows["representation"] == representation) & same.fillna(False)]
    if not (rows["status"] == "ok").any():
        return ""
    scores = ", ".join(f"{row['model']} {spelled(row)}" for _, row in rows.iterrows())
    return f"{scores} ({rows['protocol'].iloc[0]})"


def _cell(column: Column, rows: pd.DataFrame) -> Cell:
    """The cell of one configuration. Rows without a number stand under each column of their metric."""
    values = rows.loc[(rows["column"] == column.name) & (rows["status"] == "ok")].sort_values("seed")["value"]
    missing = rows[(rows["metric"] == column.metric) & (rows["status"] != "ok")]
    if missing.empty:
        return Cell(tuple(values), "absent" if values.empty else "ok")
    status = "ok" if len(values) else "failed" if (missing["status"] == "failed").any() else "not_applicable"
    reasons = missing.loc[missing["status"] == status, "reason"] if status != "ok" else missing["reason"]
    return Cell(tuple(values), status, "; ".join(dict.fromkeys(reasons)), without=missing["run_id"].nunique())


def _best(column: Column, rows: pd.DataFrame) -> set[str]:
    """The configurations with the best mean, references aside; none where neither direction is better."""
    own = rows[(rows["column"] == column.name) & (rows["status"] == "ok") & ~rows["reference"]]
    means = own.groupby("config_id")["value"].mean()
    if column.direction == "none" or len(means) < 2:
        return set()
    best = means.max() if column.direction == "higher" else means.min()
    return set(means.index[means == best])


def _ordered(rows: list[Row], columns: list[Column]) -> list[Row]:
    """Best first by the primary column, rows without a number there after the others, references last."""
    column = primary(columns)

    def place(row: Row) -> tuple[bool, float]:
        mean = row.cells[column.name].mean if column else None
        if column is None or mean is None:
            return row.reference, math.inf
        return row.reference, -mean if column.direction == "higher" else mean

    return sorted(rows, key=place)


def primary(columns: Sequence[Column]) -> Column | None:
    """The column that orders rows and picks the median seed: the primary metric's, or the first with a direction."""
    directed = [column for column in columns if column.numbers and column.direction != "none"]
    return next((column for column in directed if column.metric == PRIMARY), directed[0] if directed else None)


def _reasons(rows: list[Row], columns: list[Column]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for row in rows:
        for column in columns:
            cell = row.cells[column.name]
            if cell.reason:
                reasons.setdefault(cell.reason, []).append(f"{row.label}: {column.title}")
    return reasons
