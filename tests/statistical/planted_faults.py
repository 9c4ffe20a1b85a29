"""Faults planted into the quickstart, each of which the check must see, and reruns, in which it must see nothing.

    python tests/statistical/planted_faults.py --table results/suites/quickstart/results.parquet

trains `CONFIGURATION` once more with each fault of `tests/statistical/planted/` in its code, puts the scores in the
place of the healthy ones in the table of an unplanted run, and compares with the published one; and sets a measure to
0. It prints what turned red, and exits with 1 where a fault stayed green; `--to FILE` writes the table as CSV. This
takes less than a minute on two cores.

    python tests/statistical/planted_faults.py --reruns TABLE --to results/published/planted_faults.csv

adds checks without a fault: `GREENS` times the runs of the published table and of `TABLE`, a quickstart under other
seeds, are dealt anew for each configuration: a reference of as many seeds as the published one has, as many that are
checked against it, but at most half of what is left, and the rest for margins. Scores that fewer than half of the runs
have stay out: UDR, which is of all runs together, and what the quickstart computes for one seed alone; no other seed
says how they scatter. A reference dealt anew matters: against the published one, whose ten seeds of `CONFIGURATION`
all found the better of its two optima where six of ten others did not, draws are red together, not independently.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.published import folder
from benchmark.registry import add_plugin
from benchmark.stages.score_task import declarations
from benchmark.suite import find
from benchmark.table import read_table
from benchmark.verbs.evaluate import evaluate
from benchmark.verbs.run import run
from leaderboard.margins import read_margins, seed_deviations
from leaderboard.regression import check
from leaderboard.verdicts import Verdict

PLANTED = Path(__file__).parent / "planted"
MODELS = ("shuffled_codes", "ignored_beta", "untrained_decoder", "wrong_sign")
CONFIGURATION = ("synth_linear", "beta_vae")
"""Dataset and model that the faults are planted into: cheap, with as many seeds as one likes."""
MEASURES = ("mig", "reconstruction")
"""Measures that return 0: the best is high of the one, low of the other."""
GREENS = 100
ALARMS = 0.05
"""The share of checks without a fault that may be red."""
COLUMNS = ["planted", "red", "scores_worse", "configurations_worse", "measures_worse", "suite_worse", "first"]


def suite_of_faults(path: Path, seeds: int) -> Path:
    """The quickstart's block of the configuration, as a suite with the faults for models."""
    content = tomllib.loads(find("quickstart").read_text())
    dataset, model = CONFIGURATION
    block = next(each for each in content["block"] if each["dataset"] == dataset)
    (settings,) = [each for each in block["model"] if isinstance(each, dict) and each["name"] == model]
    lines = ['description = "planted faults"', f"seeds = {seeds}"]
    for name in ("evaluation", "encoding"):
        lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in content[name].items())]
    models = [settings | {"name": name} for name in MODELS]
    lines += ["[[block]]", f"dataset = {_toml(dataset)}", f"network = {_toml(block['network'])}"]
    lines += [f"training = {_toml(content['training'] | block['training'])}", f"model = {_toml(models)}"]
    path.write_text("\n".join(lines))
    return path


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(own)}" for key, own in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def faulty_scores(folder: Path, seeds: int) -> pd.DataFrame:
    """The results table of all planted models. Raises `RuntimeError` where a run failed: that would not be compared."""
    plugins = [PLANTED / f"{name}.py" for name in MODELS]
    for plugin in plugins:
        add_plugin(plugin)
    suite = str(suite_of_faults(folder / "planted.toml", seeds))
    trained = run(suite, results=folder / "results", plugins=plugins)
    if trained.failed:
        raise RuntimeError(f"planted runs failed: {trained.failed}")
    return read_table(evaluate(suite, results=folder / "results", plugins=plugins).table)


def in_place_of(healthy: pd.DataFrame, faulty: pd.DataFrame) -> pd.DataFrame:
    """The healthy table with one configuration's scores replaced by those of a faulty model, under its name."""
    dataset, model = CONFIGURATION
    target = (healthy["dataset"] == dataset) & (healthy["model"] == model)
    names = ["config_id", "model", "model_version", "settings", "network", "suite"]
    as_it_is = healthy[target].iloc[0]
    renamed = faulty.assign(**{name: as_it_is[name] for name in names})
    renamed = renamed.assign(run_id=renamed["config_id"] + "-s" + renamed["seed"].astype(str))
    return pd.concat([healthy[~target], renamed.astype(healthy.dtypes.to_dict())], ignore_index=True)


def returning_zero(healthy: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The table as it would be if a measure said 0 wherever it says a number."""
    broken = (healthy["metric"] == measure) & (healthy["status"] == "ok")
    return healthy.assign(value=healthy["value"].where(~broken, 0.0))


def told(planted: str, verdicts: Sequence[Verdict]) -> dict[str, object]:
    """A row of the table of faults."""
    worse = [verdict for verdict in verdicts if verdict.verdict == "worse"]
    levels = [verdict.level for verdict in worse]
    sets = [verdict.name for verdict in worse if verdict.level != "score"]
    numbers = [levels.count(level) for level in ("score", "configuration", "measure", "suite")]
    first = [*sets, *(verdict.name for verdict in worse), ""][0]
    return dict(zip(COLUMNS, [planted, bool(worse), *numbers, first], strict=True))


def faults(healthy: pd.DataFrame, seeds: int) -> list[dict[str, object]]:
    """A row for each fault, and one for the table without any."""
    against = read_table(folder() / "quickstart.csv")
    margins = read_margins(folder() / "quickstart-margins.csv")

    def judged(planted: str, table: pd.DataFrame) -> dict[str, object]:
        return told(planted, check(table, against, declarations(), margins))

    rows = [judged("nothing", healthy)]
    rows += [judged(f"{name} returns 0", returning_zero(healthy, name)) for name in MEASURES]
    with tempfile.TemporaryDirectory() as scratch:
        scores = faulty_scores(Path(scratch), seeds)
    for name in MODELS:
        rows.append(judged(name, in_place_of(healthy, scores[scores["model"] == name])))
    return rows


def greens(reruns: pd.DataFrame, times: int = GREENS, seed: int = 0) -> list[dict[str, object]]:
    """Rows of checks of seeds against seeds, all of the same code, with the margins of yet others."""
    published = read_table(folder() / "quickstart.csv")
    wanted = published.groupby("config_id")["seed"].nunique().to_dict()
    runs = _of_most_seeds(pd.concat([published, reruns], ignore_index=True))
    rng, rows = np.random.default_rng(seed), []
    for number in range(times):
        part = pd.Series("margins", index=runs.index)
        for config_id, own in runs.groupby("config_id"):
            seeds = rng.permutation(np.unique(own["seed"]))
            then = wanted[config_id]
            now = min(then, (len(seeds) - then) // 2)
            part[own.index[own["seed"].isin(seeds[:then])]] = "then"
            part[own.index[own["seed"].isin(seeds[then : then + now])]] = "now"
        margins = seed_deviations(runs[part == "margins"], declarations())
        verdicts = check(runs[part == "now"], runs[part == "then"], declarations(), margins)
        rows.append(told(f"nothing, deal {number + 1}", verdicts))
    return rows


def _of_most_seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of those measures of a configuration that at least half of its runs have."""
    seeds = runs.groupby("config_id")["seed"].transform("nunique")
    own = runs.groupby(["config_id", "metric", "protocol", "representation"])["seed"].transform("nunique")
    return runs[2 * own >= seeds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, help="results of an unplanted quickstart; by default the published ones")
    parser.add_argument("--reruns", type=Path, help="results of a quickstart under other seeds")
    parser.add_argument("--seeds", type=int, default=10, help="of each planted model")
    parser.add_argument("--to", type=Path, help="also write the table as CSV")
    options = parser.parse_args()
    rows = faults(read_table(options.table or folder() / "quickstart.csv"), options.seeds)
    if options.reruns:
        rows += greens(read_table(options.reruns))
    found = pd.DataFrame(rows, columns=COLUMNS)
    print(found.to_string(index=False))
    if options.to:
        found.to_csv(options.to, index=False)
    dealt = found["planted"].str.startswith("nothing, deal")
    wrong = found[~dealt & (found["red"] == (found["planted"] == "nothing"))]
    if len(wrong):
        sys.exit(f"wrong: {', '.join(wrong['planted'])}")
    if found[dealt]["red"].sum() > ALARMS * dealt.sum():
        sys.exit(f"{found[dealt]['red'].sum()} of {dealt.sum()} checks without a fault are red")


if __name__ == "__main__":
    main()
