"""Faults planted into the quickstart, each of which the check must see, and reruns, in which it must see nothing.

    python tests/statistical/planted_faults.py --table results/suites/quickstart/results.parquet

trains `CONFIGURATION` once more with each fault of `tests/statistical/planted/` in its code, puts the scores in the
place of the healthy ones in the table of an unplanted run, and compares with the published one; and sets a measure to
0. It prints what turned red, and exits with 1 where a fault stayed green; `--to FILE` writes the table as CSV. This
takes less than a minute on two cores.

    python tests/statistical/planted_faults.py --reruns TABLE --to results/published/planted_faults.csv

adds checks without a fault: `GREENS` times, seeds are drawn for each configuration from the table of a run under other
seeds, as many as the published table has but at most half of them. The draws share one reference and one pool, of which
the published margins are made, so that they are no twenty independent checks. Margins of the seeds that were not drawn
would be harsher than independent reruns: one draw in which the rare bad seeds meet leaves margins that know of none.
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
from benchmark.stages.evaluate import declarations
from benchmark.suite import find
from benchmark.table import read_table
from benchmark.verbs.evaluate import evaluate
from benchmark.verbs.run import run
from leaderboard.margins import read_margins
from leaderboard.regression import check
from leaderboard.verdicts import Verdict

PLANTED = Path(__file__).parent / "planted"
MODELS = ("shuffled_codes", "ignored_beta", "untrained_decoder", "wrong_sign")
CONFIGURATION = ("synth_linear", "beta_vae")
"""Dataset and model that the faults are planted into: cheap, with as many seeds as one likes."""
MEASURES = ("mig", "reconstruction")
"""Measures that return 0: the best is high of the one, low of the other."""
GREENS = 20
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
    """Rows of checks of seeds that were drawn from reruns, with the published margins, which are of all of them."""
    against, margins = read_table(folder() / "quickstart.csv"), read_margins(folder() / "quickstart-margins.csv")
    wanted = against.groupby("config_id")["seed"].nunique().to_dict()
    rng, rows = np.random.default_rng(seed), []
    for number in range(times):
        drawn = np.zeros(len(reruns), dtype=bool)
        for config_id, own in reruns.groupby("config_id"):
            seeds = np.unique(own["seed"])
            chosen = rng.choice(seeds, min(wanted[config_id], len(seeds) // 2), replace=False)
            drawn |= ((reruns["config_id"] == config_id) & reruns["seed"].isin(chosen)).to_numpy()
        rows.append(told(f"nothing, draw {number + 1}", check(reruns[drawn], against, declarations(), margins)))
    return rows


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
    wrong = found[found["red"] == found["planted"].str.startswith("nothing")]
    if len(wrong):
        sys.exit(f"wrong: {', '.join(wrong['planted'])}")


if __name__ == "__main__":
    main()
