"""How often the check cries wolf, and how often it misses one, on simulated results.

    python tests/statistical/error_rates.py

prints a table; `--to FILE` writes it, as `results/published/error_rates.csv` of 200 checks. `--checks` says how many
are simulated for each rate, half of them for the large suite; 80 take about five minutes on two cores.

A row is a suite of so many `tests`, that is scores of configurations, with so many `seeds` on either side. In some
checks nothing changed, the default margin is 0, so that it holds back nothing, and any "worse" on any level is a false
alarm: `false_alarms` of the whole check, `alarms_alone` of a single score, `alarms_together` of a set. In others one
thing is broken: `caught` is how often the score is called worse that dropped by five standard errors of the difference
of its two means, twice the default margin; `caught_noise` and `caught_untrained` how often the check turns red, by a
score or a set, when the scores of one configuration fall to what that reference has; `caught_zero` the same for a
measure that falls to the worst that `noise` has on every configuration.

How far a fall is, is the published quickstart's: the lead of each trained configuration's scores over `noise` and
`untrained`, in deviations between seeds (`leads`); some scores are no better than that, and do not fall. The default
margin is one deviation there.

reruns: from how many other seeds the margins come; 0 is a check without a file of margins. scatter: between seeds,
`normal`, `correlated` (normal, and the measures of one run correlate by 0.8), `uneven` (normal, and the configurations'
deviations differ by a factor of four or so), `skewed` (gamma of shape 2, skewness −1.4: now and then one seed far below
the others) or `heavy` (Student's t with 4 degrees of freedom, which has no kurtosis, and correlated as before: now and
then one run is far off in all of its scores).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from benchmark.published import folder
from benchmark.stages.score_task import declarations
from benchmark.table import read_table
from leaderboard.comparison import Comparison, Reruns
from leaderboard.margins import read_margins
from leaderboard.regression import FLOORS, compared, judge
from leaderboard.verdicts import Verdict

SUITES = {20: (5, 4), 100: (5, 20)}
"""So many tests are so many configurations by so many measures."""
SEEDS = (2, 3, 5, 10)
SCATTERS = ("normal", "correlated", "uneven", "skewed", "heavy")
RERUNS = (0, 10)
CORRELATION = 0.8
DROP = 5.0
"""Standard errors of the difference."""
MARGIN = 1.0
"""Deviations between seeds."""
FRAME = Verdict("same", "data", "model", "model", "0", "score", "score", None, "score/v1", "mean", 0.0, 0.0)


def leads(reference: str) -> list[np.ndarray]:
    """See `measured_leads`; read once."""
    if reference not in KNOWN:
        KNOWN[reference] = measured_leads(reference)
    return KNOWN[reference]


def measured_leads(reference: str) -> list[np.ndarray]:
    """For each trained configuration of the quickstart its scores' leads over a reference, in deviations of a seed."""
    table = read_table(folder() / "quickstart.csv")
    margins = read_margins(folder() / "quickstart-margins.csv")
    found: dict[str, list[float]] = {}
    comparisons = compared(table, table, declarations(), margins)
    floors = {each.board[:4]: each for each in comparisons if each.frame.model == reference}  # type: ignore[index]
    for each in comparisons:
        floor = floors.get(each.board[:4])  # type: ignore[index]
        if floor is None or each.direction == "none" or each.frame.model in (*FLOORS, *ANCHORS) or not each.reruns:
            continue
        scatter = float(np.hypot(each.reruns.deviation, each.floor))
        found.setdefault(each.frame.config_id, []).append(
            each.sign * float(each.then.mean() - floor.then.mean()) / scatter
        )
    return [np.array(own) for own in found.values()]


KNOWN: dict[str, list[np.ndarray]] = {}
ANCHORS = ("perfect", "perfect_dead", "rotated")


def values(rng: np.random.Generator, configurations: int, measures: int, seeds: int, scatter: str) -> np.ndarray:
    """(configurations, measures, seeds) scores of mean 0 and deviation 1."""
    shape = (configurations, measures, seeds)
    own = rng.normal(size=shape)
    if scatter in ("normal", "uneven"):
        return own
    shared = rng.normal(size=(configurations, 1, seeds))
    joint = np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own
    if scatter == "correlated":
        return joint
    if scatter == "heavy":
        return joint / np.sqrt(rng.chisquare(4, size=(configurations, 1, seeds)) / 4) / np.sqrt(2)
    return (2 - rng.gamma(2, size=shape)) / np.sqrt(2)


def simulated(
    rng: np.random.Generator,
    tests: int,
    seeds: int,
    scatter: str,
    reruns: int,
    fall: np.ndarray | None = None,
    margin: float | None = None,
) -> list[Verdict]:
    """The verdicts of one check.

    fall: (configurations, measures) in deviations of a seed. margin: the default one of every score, in deviations of
    a seed; where it is not given a margin does not matter and nothing is held back.
    """
    size = SUITES[tests]
    deviations = np.exp(rng.normal(0, 0.35, size)) if scatter == "uneven" else np.ones(size)
    then, now, other = (values(rng, *size, n, scatter) * deviations[..., None] for n in (seeds, seeds, max(reruns, 2)))
    if fall is not None:
        now = now - (fall * deviations)[..., None]
    moved = other.std(axis=-1, ddof=1)
    comparisons = []
    for place in np.ndindex(*size):
        default = 0.0 if margin is None else margin * float(deviations[place])
        frame = replace(
            FRAME,
            configuration=str(place[0]),
            config_id=str(place[0]),
            metric=str(place[1]),
            score=str(place[1]),
            reference_mean=float(then[place].mean()),
            new_mean=float(now[place].mean()),
        )
        known = Reruns(reruns, float(moved[place]), tuple(other[place].tolist())) if reruns else None
        comparisons.append(Comparison(frame, "higher", place[1], default, then[place], now[place], known))
    return judge(comparisons)


def alarms(verdicts: Sequence[Verdict]) -> tuple[bool, bool]:
    """Whether a single score is called worse, and whether a set is."""
    worse = [verdict.level == "score" for verdict in verdicts if verdict.verdict == "worse"]
    return any(worse), not all(worse)


def false_alarms(
    rng: np.random.Generator, tests: int, seeds: int, scatter: str, reruns: int, checks: int
) -> np.ndarray:
    """The shares of checks without a change that call anything worse, a score, a set."""
    found = np.array([alarms(simulated(rng, tests, seeds, scatter, reruns)) for _ in range(checks)])
    return np.array([found.any(1).mean(), *found.mean(0)])


def caught(rng: np.random.Generator, tests: int, seeds: int, scatter: str, reruns: int, checks: int) -> float:
    """The share of checks that call the score worse that dropped."""
    fall = np.zeros(SUITES[tests])
    fall[0, 0] = DROP * np.sqrt(2 / seeds)
    found = [
        simulated(rng, tests, seeds, scatter, reruns, fall, fall[0, 0] / 2)[0].verdict == "worse" for _ in range(checks)
    ]
    return float(np.mean(found))


def falls(
    rng: np.random.Generator, tests: int, seeds: int, scatter: str, reruns: int, checks: int, reference: str
) -> float:
    """The share of checks that turn red when a configuration, each kind in turn, falls to a reference."""
    found = []
    for number in range(checks):
        own = leads(reference)[number % len(leads(reference))]
        fall = np.zeros(SUITES[tests])
        fall[0] = thinned(own, fall.shape[1])
        found.append(any(alarms(simulated(rng, tests, seeds, scatter, reruns, fall, MARGIN))))
    return float(np.mean(found))


def thinned(own: np.ndarray, number: int) -> np.ndarray:
    """So many of the leads, from the smallest to the largest; 0 for what is lacking."""
    kept = np.sort(own)[np.unique(np.linspace(0, len(own) - 1, min(number, len(own))).round().astype(int))]
    return np.pad(kept, (0, number - len(kept)))


def zeros(rng: np.random.Generator, tests: int, seeds: int, scatter: str, reruns: int, checks: int) -> float:
    """The share of checks that turn red when a measure falls to what `noise` has wherever that is worse."""
    pool = np.concatenate(leads("noise"))
    found = []
    for _ in range(checks):
        fall = np.zeros(SUITES[tests])
        fall[:, 0] = np.maximum(rng.choice(pool, len(fall)), 0)
        found.append(any(alarms(simulated(rng, tests, seeds, scatter, reruns, fall, MARGIN))))
    return float(np.mean(found))


def row(seed: int, scatter: str, reruns: int, tests: int, seeds: int, checks: int) -> dict[str, object]:
    rng = np.random.default_rng([seed, SCATTERS.index(scatter), reruns, tests, seeds])
    case = (rng, tests, seeds, scatter, reruns, checks)
    whole, alone, sets = false_alarms(*case)
    return {
        "scatter": scatter,
        "reruns": reruns,
        "tests": tests,
        "seeds": seeds,
        "checks": checks,
        "false_alarms": whole,
        "alarms_alone": alone,
        "alarms_together": sets,
        "caught": caught(*case),
        "caught_noise": falls(*case, "noise"),
        "caught_untrained": falls(*case, "untrained"),
        "caught_zero": zeros(*case),
    }


def rates(checks: int, seed: int = 0) -> pd.DataFrame:
    """The whole table; `checks` simulated for each rate."""
    cases = [
        (seed, scatter, reruns, tests, seeds, checks if tests < 100 else checks // 2)
        for scatter in SCATTERS
        for reruns in RERUNS
        for tests in SUITES
        for seeds in SEEDS
    ]
    return pd.DataFrame(Parallel(n_jobs=2)(delayed(row)(*case) for case in cases))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, help="also write the table as CSV")
    options = parser.parse_args()
    found = rates(options.checks, options.seed)
    for rate in [name for name in found if name.startswith(("false", "alarms", "caught"))]:
        print(f"\n{rate.replace('_', ' ')}, %; columns: seeds on either side")
        wide = found.pivot(index=["scatter", "reruns", "tests"], columns="seeds", values=rate)
        print((100 * wide.reindex(SCATTERS, level="scatter")).round(1).to_string())
    if options.to:
        found.to_csv(options.to, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
