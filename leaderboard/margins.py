"""Margins from reruns: how far a suite's scores move when nothing changes but the seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from benchmark.errors import UsageError
from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import headline_rows

KEY = ["config_id", "metric", "protocol", "score", "budget", "representation"]
"""What two tables share where they hold the same score of the same configuration."""
NEEDED = [*KEY, "dataset", "configuration", "seeds", "mean", "deviation"]
COLUMNS = [*NEEDED, "values"]
"""What a table of margins has; those of before have no `values` and are still read."""
TEXT = ("config_id", "metric", "protocol", "score", "representation", "dataset", "configuration", "values")
"""Columns that are text whatever it looks like: an id may have digits alone, or one e among them."""
NONE = "-"
"""The place of a value that a run does not have."""


def seed_deviations(table: pd.DataFrame, declarations: Mapping[str, Metric]) -> pd.DataFrame:
    """A row for each headline score of each configuration: over how many `seeds`, its `mean` and `deviation` (n − 1).

    `values`: one for each seed of the configuration, in their order, to seven digits; they say how scores move
    together. Scores of fewer than two seeds are left out. Raises `UsageError` where that leaves none.
    """
    rows = headline_rows(table, declarations)
    rows = rows[rows["status"] == "ok"]
    seeds: dict[str, list[int]] = {}
    for config_id, seed in zip(rows["config_id"], rows["seed"], strict=True):
        seeds.setdefault(config_id, []).append(int(seed))
    grouped = rows.groupby(KEY, dropna=False, sort=True)
    found = grouped.agg(
        dataset=("dataset_label", "first"),
        configuration=("label", "first"),
        seeds=("value", "size"),
        mean=("value", "mean"),
        deviation=("value", "std"),
    )
    spelled = [_spelled(own, sorted(set(seeds[str(own["config_id"].iloc[0])]))) for _, own in grouped]
    found = found.assign(values=spelled).reset_index()
    found = found[found["seeds"] > 1]
    if found.empty:
        raise UsageError("margins are what seeds differ by, and no score has two; run the suite with --seeds 5 or more")
    order = ["dataset", "configuration", "metric", "representation", "protocol", "score", "budget"]
    return found.sort_values(order, ignore_index=True)[COLUMNS]


def beside(reference: Path) -> Path:
    """Where the margins of a saved table lie: `quickstart-margins.csv` beside `quickstart.csv`."""
    return reference.with_name(f"{reference.stem}-margins.csv")


def read_margins(path: Path) -> pd.DataFrame:
    """Read what `benchmark publish` wrote of them. Raises `UsageError` on a file that is not such a table."""
    if not path.is_file():
        raise UsageError(f"{path} is not there; benchmark publish SUITE --as margins writes one from reruns")
    try:
        frame = pd.read_csv(
            path,
            dtype={"budget": "Int64", "seeds": "int64"}
            | dict.fromkeys(("mean", "deviation"), "float64")
            | dict.fromkeys(TEXT, "str"),
        )
    except (ValueError, OSError) as error:
        raise UsageError(f"{path} cannot be read as a table of margins ({error})") from None
    missing = [name for name in NEEDED if name not in frame]
    if missing:
        raise UsageError(f"{path} is not a table of margins: it lacks the columns {', '.join(missing)}")
    wrong = frame[frame.duplicated(KEY) | ~(frame["deviation"] >= 0) | (frame["seeds"] < 2)]
    if len(wrong):
        row = wrong.iloc[0]
        raise UsageError(
            f"{path}: {row['score']} of {row['configuration']} on {row['dataset']} stands there twice or without a "
            f"deviation over at least two seeds; write the file again by benchmark publish SUITE --as margins"
        )
    if "values" not in frame:
        return frame.assign(values="")
    try:
        sizes = [sum(value is not None for value in own) for own in values_of(frame)]
    except ValueError as error:
        raise UsageError(f"{path}: the column values holds numbers and {NONE} between spaces ({error})") from None
    if any(size not in (0, seeds) for size, seeds in zip(sizes, frame["seeds"], strict=True)):
        raise UsageError(f"{path}: a row has another number of values than of seeds; write the file again")
    return frame


def values_of(frame: pd.DataFrame) -> list[tuple[float | None, ...]]:
    """Each row's values in the order of its configuration's seeds; none where the file had none."""
    return [
        tuple(None if word == NONE else float(word) for word in text.split()) if isinstance(text, str) else ()
        for text in (frame["values"] if "values" in frame else [""] * len(frame))
    ]


def _spelled(own: pd.DataFrame, seeds: Sequence[int]) -> str:
    known = {int(seed): float(value) for seed, value in zip(own["seed"], own["value"], strict=True)}
    return " ".join(f"{known[seed]:.7g}" if seed in known else NONE for seed in seeds)
