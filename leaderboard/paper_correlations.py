"""A paper's rank correlations between scores and what needs no labels, beside those of the same objectives here."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.naming import score_name
from benchmark.stages.comparisons import counted, too_few
from benchmark.statistics import MINIMUM_CONFIGURATIONS, MINIMUM_RUNS, Interval, spearman_interval
from leaderboard.cells import signed
from leaderboard.columns import title
from leaderboard.levels import Configuration, records, values
from leaderboard.text_table import TextTable

TITLE = "Figure 5.16, rank correlations"
OBJECTIVES = ("beta_vae", "factor_vae", "beta_tcvae", "dip_vae")
COLUMNS = ("score", "with", "paper", "ours", "95 %", "over")
CAPTION = (
    "Spearman’s ρ over runs, scores under the paper’s protocols; ours over the runs of its four objectives that "
    "are here, intervals by resampling configurations, then seeds, from ten configurations on. The paper does not"
    " say whether its reconstruction is a loss or a likelihood: ours is a loss, and the row below has the other "
    "sign. It prints no interval; its 170 runs are of 17 settings."
)


def paper_correlations(paper: str, own: Sequence[Configuration], table: pd.DataFrame) -> TextTable | None:
    """The table of one dataset, whose configurations are `own`; None where the paper has none, or its objectives are
    not here."""
    path = Path(str(files("benchmark"))) / "suites" / f"{paper}-correlations.csv"
    mine = [config["config_id"] for config in own if config["model"] in OBJECTIVES]
    if not path.exists() or not mine:
        return None
    rows = table[table["config_id"].isin(mine)]
    owners = rows.drop_duplicates("run_id").set_index("run_id")["config_id"]
    cells: list[list[str]] = []
    numbers: list[dict[str, Any]] = []
    for said in records(pd.read_csv(path)):
        both = _both(said, rows)
        found, why = _correlation(both, owners)
        signs = (1, -1) if said["with"] == "reconstruction" else (1,)
        for sign in signs:
            name = title(score_name(said["with"], said["with"])) + (", as a likelihood" if sign < 0 else "")
            cells.append(
                [title(said["score"]), name, _spelled(said["rho"]), *_words(found, sign, why), _over(both, owners)]
            )
        about = {"table": TITLE, "row": said["with"], "score": said["score"], "paper": said["rho"], "paper_runs": 170}
        known = found or Interval(np.nan)
        number = {"ours": known.point, "ours_low": known.low, "ours_high": known.high, "ours_runs": len(both)}
        numbers.append(about | number | {"dataset": own[0]["dataset_label"], "note": why})
    return TextTable(TITLE, COLUMNS, cells, CAPTION, pd.DataFrame(numbers))


def _both(said: dict[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """A row a run that has both scores: x and y."""
    x, _ = values(rows, said["choice"], said["score"])
    y, _ = values(rows, said["with"], said["with"])
    return pd.DataFrame({"x": x, "y": y}).dropna()


def _correlation(both: pd.DataFrame, owners: pd.Series) -> tuple[Interval | None, str]:
    """ρ with its interval, and why either is not there."""
    of = owners.reindex(both.index).to_numpy(dtype=str)
    number = len(set(of))
    if number < MINIMUM_CONFIGURATIONS:
        return None, too_few(len(both), number, "no correlation")
    x, y = (both[name].to_numpy(dtype=float) for name in ("x", "y"))
    found = spearman_interval(x, y, of, np.random.default_rng(0))
    if found is None:
        return None, "a score is the same for all runs: no correlation"
    return found, "" if found.low is not None else f"no interval below {MINIMUM_RUNS} configurations"


def _words(found: Interval | None, sign: int, why: str) -> tuple[str, str]:
    """ρ and its interval as text, with the reason in the place of what is not there."""
    if found is None:
        return "–", why
    if found.low is None or found.high is None:
        return _spelled(sign * found.point), why
    low, high = sorted((sign * found.low, sign * found.high))
    return _spelled(sign * found.point), f"{_spelled(low)} to {_spelled(high)}"


def _over(both: pd.DataFrame, owners: pd.Series) -> str:
    return f"{counted(len(both), 'run')} of {counted(owners.reindex(both.index).nunique(), 'configuration')}"


def _spelled(value: float) -> str:
    return signed(f"{value:.2f}")
