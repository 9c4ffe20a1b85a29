"""Time and weigh a suite of many tiny runs: python tests/performance/many_runs.py --runs 10000 [--train].

Plans the suite, writes a finished run's folder for each (with --train they are trained instead, by `benchmark run`),
and asks `benchmark status` with and without its index. Every command is a process of its own, whose wall time and peak
memory are printed. Goals for 10,000 runs: no process over 2 GB, `status` in under 2 s.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmark.store import Store
from benchmark.suite import expand

SEEDS = 10
SUITE = """
description = "many tiny networks"
seeds = {seeds}
encoding = {{ likelihood_points = 0 }}
training = {{ steps = 10, batch = 16 }}

[[block]]
dataset = {{ name = "synth_linear", points = 200 }}
network = {{ name = "mlp_tiny", hidden = 4 }}
model = "beta_vae"
sweep = {{ "model.beta" = {betas} }}
"""


class Cost(NamedTuple):
    """What a command took: seconds by the clock, seconds of work, peak megabytes; and what it printed."""

    seconds: float
    work: float
    megabytes: float
    out: str


def measured(folder: Path, *arguments: str) -> Cost:
    """The cost of `benchmark ARGUMENTS`, the peak being that of the largest process that it started.

    A new process is charged with what its parent held when it was started: this one stays small.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.monotonic()
        process = subprocess.Popen([sys.executable, "-m", "benchmark", *arguments], cwd=folder, stdout=out, stderr=err)
        _, state, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        if os.waitstatus_to_exitcode(state):
            raise SystemExit(f"benchmark {' '.join(arguments)} failed: {err.read()}")
        return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read())


def write_finished(folder: Path) -> None:
    """The plan, and of every run a folder that counts as finished."""
    suite = expand(str(folder / "many.toml"))
    store = Store(folder / "results")
    store.write_plan(suite.name, suite.source, suite.runs)
    for run in suite.runs:
        place = store.run_folder(run)
        place.mkdir(parents=True)
        (place / "run.json").write_text("{}")


def say(what: str, cost: Cost) -> None:
    print(f"{what:<36}{cost.seconds:>9.2f} s{cost.work:>9.2f} s{cost.megabytes:>7.0f} MB", flush=True)


def measure(runs: int = 10_000) -> list[tuple[str, str, None, None, str]]:
    """Seconds and peak memory of planning so many runs and of asking for their state; none is trained."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_suite(folder, runs)
        costs = {"plan": measured(folder, "run", "many.toml", "--dry-run")}
        subprocess.run([sys.executable, __file__, "--write", name], check=True)
        costs["status without an index"] = measured(folder, "status", "--json")
        costs["status"] = sorted(measured(folder, "status", "--json") for _ in range(5))[2]
    goals = {"plan": "< 2 GB", "status": "< 2 s, < 2 GB", "status without an index": "< 2 GB"}
    return [
        (f"{runs:,} runs: {what}", f"{cost.seconds:.1f} s {cost.megabytes:,.0f} MB", None, None, goals[what])
        for what, cost in costs.items()
    ]


def write_suite(folder: Path, runs: int) -> int:
    """Write many.toml; returns how many runs it has, `runs` rounded up to whole configurations."""
    betas = [0.5 + number for number in range(-(-runs // SEEDS))]
    (folder / "many.toml").write_text(SUITE.format(seeds=SEEDS, betas=betas))
    return len(betas) * SEEDS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--train", action="store_true", help="train them rather than write folders")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="only write finished folders for FOLDER/many.toml")
    options = parser.parse_args()
    if options.write:
        write_finished(options.write)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs = write_suite(folder, options.runs)
        print(f"{f'{runs:,} runs':<36}{'clock':>11}{'work':>11}{'peak':>10}")
        say("plan them: run --dry-run", measured(folder, "run", "many.toml", "--dry-run"))
        if options.train:
            say("train them: run", measured(folder, "run", "many.toml", "--json"))
        else:
            subprocess.run([sys.executable, __file__, "--write", str(folder)], check=True)
        cold = measured(folder, "status", "--json")
        say("status without an index", cold)
        (row,) = json.loads(cold.out)
        assert (row["done"], row["missing"]) == (runs, 0), row
        say("status with it, median of 5", sorted(measured(folder, "status", "--json") for _ in range(5))[2])
        if options.train:
            say("run once more: all are done", measured(folder, "run", "many.toml", "--json"))
        next((folder / "results").glob("runs/*/*/*/s0/run.json")).unlink()
        (row,) = json.loads(measured(folder, "status", "--json").out)
        assert row["missing"] == 1, row
        say("for comparison: list", measured(folder, "list"))


if __name__ == "__main__":
    main()
