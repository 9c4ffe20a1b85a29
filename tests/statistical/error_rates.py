"""How often the check cries wolf, and how often it misses one, on simulated results.

    python tests/statistical/error_rates.py

prints the table that `results/published/error_rates.csv` holds; `--to FILE` writes it. `--checks` says how many are
simulated for each rate, half of them for 100 tests; 600 take about ten minutes on one core.

A row is a suite of so many `tests`, that is scores of configurations, with so many `seeds` on either side. In one half
of the checks nothing changed, the default margin is 0, so that it holds back nothing, and any "worse" in the whole
check is a false alarm. In the other half one score drops by five standard errors of the difference of its two means,
which is twice the default margin, and `caught` is how often that very score is called worse.

reruns: from how many other seeds the margins come; 0 is a check without a file of margins. scatter: between seeds,
`normal`, `correlated` (normal, and the measures of one run correlate by 0.8), `uneven` (normal, and the configurations'
deviations differ by a factor of four or so), `skewed` (gamma of shape 2, skewness −1.4: now and then one seed far below
the others) or `exponential` (skewness −2, the worst that is tried here).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from leaderboard.regression import Comparison, Reruns, judge
from leaderboard.verdicts import Verdict

SUITES = {1: (1, 1), 5: (5, 1), 20: (5, 4), 100: (20, 5)}
"""So many tests are so many configurations by so many measures."""
SEEDS = (2, 3, 5, 10, 20)
SCATTERS = ("normal", "correlated", "uneven", "skewed", "exponential")
RERUNS = (0, 10)
CORRELATION = 0.8
DROP = 5.0
"""Standard errors of the difference."""
FRAME = Verdict("same", "data", "model", "model", "0", "score", "score", None, "score/v1", "mean", 0.0, 0.0)


def values(rng: np.random.Generator, configurations: int, measures: int, seeds: int, scatter: str) -> np.ndarray:
    """(configurations, measures, seeds) scores of mean 0 and deviation 1."""
    shape = (configurations, measures, seeds)
    if scatter in ("skewed", "exponential"):
        k = 2 if scatter == "skewed" else 1
        return (k - rng.gamma(k, size=shape)) / np.sqrt(k)
    own = rng.normal(size=shape)
    if scatter == "correlated":
        shared = rng.normal(size=(configurations, 1, seeds))
        return np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own
    return own


def simulated(
    rng: np.random.Generator, tests: int, seeds: int, scatter: str, reruns: int, drop: float, default: float
) -> list[Verdict]:
    """The verdicts of one check whose first score drops by so many standard errors; `default` is a margin in these."""
    size = SUITES[tests]
    deviations = np.exp(rng.normal(0, 0.35, size)) if scatter == "uneven" else np.ones(size)
    then, now, other = (values(rng, *size, n, scatter) * deviations[..., None] for n in (seeds, seeds, max(reruns, 2)))
    moved = other.std(axis=-1, ddof=1)
    comparisons = []
    for place in np.ndindex(*size):
        error = deviations[place] * np.sqrt(2 / seeds)
        after = now[place] - (drop * error if place == (0, 0) else 0)
        frame = replace(FRAME, reference_mean=float(then[place].sum() / seeds), new_mean=float(after.sum() / seeds))
        known = Reruns(reruns, float(moved[place])) if reruns else None
        comparisons.append(Comparison(frame, "higher", place[1], default * error, then[place], after, known))
    return judge(comparisons)


def false_alarms(rng: np.random.Generator, tests: int, seeds: int, scatter: str, reruns: int, checks: int) -> float:
    """The share of checks without a change that call anything worse."""
    alarms = [
        any(verdict.verdict == "worse" for verdict in simulated(rng, tests, seeds, scatter, reruns, 0.0, 0.0))
        for _ in range(checks)
    ]
    return float(np.mean(alarms))


def caught(rng: np.random.Generator, tests: int, seeds: int, scatter: str, reruns: int, checks: int) -> float:
    """The share of checks that call the score worse that dropped."""
    found = [simulated(rng, tests, seeds, scatter, reruns, DROP, DROP / 2)[0].verdict == "worse" for _ in range(checks)]
    return float(np.mean(found))


def rates(checks: int, seed: int = 0) -> pd.DataFrame:
    """The whole table; `checks` simulated for each rate."""
    rows = []
    for scatter in SCATTERS:
        for reruns in RERUNS:
            for tests in SUITES:
                for seeds in SEEDS:
                    rng = np.random.default_rng([seed, SCATTERS.index(scatter), reruns, tests, seeds])
                    number = checks if tests < 100 else checks // 2
                    row = {"scatter": scatter, "reruns": reruns, "tests": tests, "seeds": seeds, "checks": number}
                    row["false_alarms"] = false_alarms(rng, tests, seeds, scatter, reruns, number)
                    row["caught"] = caught(rng, tests, seeds, scatter, reruns, number)
                    rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, help="also write the table as CSV")
    options = parser.parse_args()
    found = rates(options.checks, options.seed)
    for rate in ("false_alarms", "caught"):
        print(f"\n{rate.replace('_', ' ')}, %; columns: seeds on either side")
        wide = found.pivot(index=["scatter", "reruns", "tests"], columns="seeds", values=rate)
        print((100 * wide.reindex(SCATTERS, level="scatter")).round(1).to_string())
    if options.to:
        found.to_csv(options.to, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
