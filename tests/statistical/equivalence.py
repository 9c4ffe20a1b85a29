"""Do scores move where products are of bfloat16 rather than of single precision?

    python tests/statistical/equivalence.py [--results FOLDER] [--jobs N] [--to FILE]

trains the runs of `equivalence.toml` beside this file (hours; the same command carries on), scores them and prints a
row a model and score; `--to` writes the table.

Two one-sided tests (Schuirmann 1987; Welch's t, level 5 % each): the means of the two precisions are equivalent if the
90 % interval of their difference lies within ± the margin. Seeds are not paired: a run's streams are named by its
configuration. The margin was stated before anything was trained: MARGIN standard deviations over the seeds of the model
in single precision. `power` is the chance that so many seeds show the equivalence of two precisions that do not differ
at all; for a margin of a third of a deviation it is 0 at ten seeds, which 200 would mend. `smallest` is the margin, in
deviations, within which the test would still say "equivalent".
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray

from benchmark import evaluate, run
from benchmark.atomic import write_atomically
from benchmark.store import Store
from benchmark.table import read_table

SUITE = Path(__file__).with_suffix(".toml")
SCORES = ("reconstruction", "elbo", "mig", "factor_vae_score", "dto")
MARGIN = 1.5
LEVEL = 0.05
ROWS = 10
"""Models × scores: a difference is called a move at LEVEL over so many tests (Bonferroni)."""


class Equivalence(NamedTuple):
    """The difference of two means with its 90 % interval, the margin, and what the two tests say; in the score's unit,
    `smallest` in deviations of the first sample."""

    difference: float
    low: float
    high: float
    margin: float
    p: float
    verdict: str
    smallest: float


def two_one_sided(one: ndarray, other: ndarray, margin: float = MARGIN) -> Equivalence:
    """Whether `other` has the mean of `one`, within `margin` deviations of `one`.

    "moved" where they are not equivalent and Welch's test of the whole table tells them apart; "open" where the data
    show neither. Samples without any spread are compared as they are.
    """
    from scipy import stats

    deviation = float(one.std(ddof=1))
    bound, difference = margin * deviation, float(other.mean() - one.mean())
    parts = [each.var(ddof=1) / len(each) for each in (one, other)]
    error = float(np.sqrt(sum(parts)))
    if error == 0:
        verdict = "equivalent" if difference == 0 else "moved"
        return Equivalence(difference, difference, difference, bound, float(difference != 0), verdict, 0.0)
    degrees = sum(parts) ** 2 / sum(p**2 / (len(e) - 1) for p, e in zip(parts, (one, other), strict=True))
    p = float(
        max(stats.t.sf((difference + bound) / error, degrees), stats.t.cdf((difference - bound) / error, degrees))
    )
    half = float(stats.t.ppf(1 - LEVEL, degrees)) * error
    apart = abs(difference) > float(stats.t.ppf(1 - LEVEL / ROWS / 2, degrees)) * error
    verdict = "equivalent" if p < LEVEL else "moved" if apart else "open"
    smallest = (abs(difference) + half) / deviation if deviation else np.inf
    return Equivalence(difference, difference - half, difference + half, bound, p, verdict, float(smallest))


def power(seeds: int, margin: float = MARGIN, draws: int = 20_000) -> float:
    """How often normal samples of equal mean and deviation are called equivalent, by simulation."""
    rng = np.random.default_rng(0)
    found = [two_one_sided(*rng.standard_normal((2, seeds)), margin).verdict == "equivalent" for _ in range(draws)]
    return float(np.mean(found))


def compared(table: pd.DataFrame) -> pd.DataFrame:
    """A row a model and score, from a results table whose `settings` name the precision."""
    own = table[(table["representation"] == "mean") & table["factor"].isna() & (table["status"] == "ok")]
    narrow = own["settings"].str.contains('"precision":"bfloat16"', regex=False)
    rows = []
    for model in sorted(set(own["model"])):
        for score in SCORES:
            chosen = own[(own["model"] == model) & (own["score"] == score)]
            one, other = (chosen.loc[narrow[chosen.index] == each, "value"].to_numpy() for each in (False, True))
            if min(len(one), len(other)) < 2:
                continue
            found = two_one_sided(one, other)
            means = {"float32": one.mean(), "bfloat16": other.mean(), "deviation": one.std(ddof=1)}
            seeds = min(len(one), len(other))
            rows.append({"model": model, "score": score, "seeds": seeds, **means, **found._asdict()})
    if not rows:
        raise SystemExit(f"fewer than two finished seeds of either precision in {SUITE.stem}'s table")
    frame = pd.DataFrame(rows)
    return frame.assign(power=frame["seeds"].map({n: power(n, draws=2_000) for n in set(frame["seeds"])}))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--results", type=Path, default=Path("results"), help="the results folder")
    parser.add_argument("--jobs", type=int, help="processes; by default one a core")
    parser.add_argument("--to", type=Path, metavar="FILE", help="write the table as CSV")
    options = parser.parse_args()
    run(str(SUITE), results=options.results, jobs=options.jobs, quiet=False)
    evaluate(str(SUITE), results=options.results, jobs=options.jobs, quiet=False)
    rows = compared(read_table(Store(options.results).suite_folder(SUITE.stem) / "results.parquet"))
    print(rows.round(4).to_string(index=False))
    if options.to is not None:
        write_atomically(options.to, lambda path: rows.round(6).to_csv(path, index=False))


if __name__ == "__main__":
    main()
