"""Time and weigh many runs: python tests/performance/many_runs.py [--configurations 25 50 100] [--runs N] [--train].

First what a table of so many configurations, 10 seeds and 30 scores each takes to summarise and to lay out as boards.
Goals: 100 configurations summarised in under 15 s, their boards in under 3 s, and four times the configurations in at
most five times the time.

Then a suite of many tiny runs: plans it, writes a finished run's folder for each (with --train they are trained
instead, by `benchmark run`), and asks `benchmark status` with and without its index. Every command is a process of its
own, whose wall time and peak memory are printed. Goals for 10,000 runs: no process over 2 GB, `status` in under 2 s.
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
SIZES = (25, 50, 100)
"""Configurations of the tables that are summarised."""
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


class Summarised(NamedTuple):
    """Seconds by the clock that one table takes, and seconds of work of both together."""

    aggregate: float
    boards: float
    work: float


def summarised(configurations: int) -> Summarised:
    """The seconds of a table of so many configurations, in a process of its own."""
    command = [sys.executable, __file__, "--summarise", str(configurations)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Summarised(*json.loads(found.stdout))


def summarise(configurations: int) -> Summarised:
    """The same in this process."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from synthetic_table import synthetic_table

    from benchmark.stages.aggregate import aggregate
    from benchmark.stages.score_task import declarations
    from leaderboard.board import boards

    metrics = declarations()
    table = synthetic_table(metrics, configurations, SEEDS)
    seconds = {"seconds": {"training": 1.0, "encoding": 1.0}, "parameters": 1000}
    runs = table.drop_duplicates("run_id")
    records = {
        run_id: seconds | {"config_id": config_id}
        for run_id, config_id in zip(runs["run_id"], runs["config_id"], strict=True)
    }
    began, idle = time.monotonic(), time.process_time()
    found = aggregate(table, metrics)
    between = time.monotonic()
    boards(table, metrics, records=records, summary=found.summary, ranking=found.ranking)
    return Summarised(between - began, time.monotonic() - between, time.process_time() - idle)


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
    """Seconds of summarising tables; seconds and peak memory of planning so many runs and of asking for their state."""
    tables = {size: summarised(size) for size in (min(SIZES), max(SIZES))}
    few, many = tables.values()
    what = f"{max(SIZES)} configurations × {SEEDS} seeds × 30 scores"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_suite(folder, runs)
        costs = {"plan": measured(folder, "run", "many.toml", "--dry-run")}
        subprocess.run([sys.executable, __file__, "--write", scratch], check=True)
        costs["status without an index"] = measured(folder, "status", "--json")
        costs["status"] = sorted(measured(folder, "status", "--json") for _ in range(5))[2]
    goals = {"plan": "< 2 GB", "status": "< 2 s, < 2 GB", "status without an index": "< 2 GB"}
    return [
        (f"{what}: summaries", f"{many.aggregate:.1f} s", None, None, "< 15 s"),
        (f"{what}: boards", f"{many.boards:.1f} s", None, None, "< 3 s"),
        (f"{what}: to a quarter of them", f"{many.work / few.work:.1f} ×", None, None, "< 5 ×"),
    ] + [
        (f"{runs:,} runs: {name}", f"{cost.seconds:.1f} s {cost.megabytes:,.0f} MB", None, None, goals[name])
        for name, cost in costs.items()
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
    parser.add_argument("--configurations", type=int, nargs="*", default=SIZES, help="of the tables to summarise")
    parser.add_argument("--summarise", type=int, metavar="N", help="only a table of N configurations, seconds as JSON")
    options = parser.parse_args()
    if options.write:
        write_finished(options.write)
        return
    if options.summarise:
        print(json.dumps(summarise(options.summarise)))
        return
    print(f"{f'{SEEDS} seeds × 30 scores':<36}{'summaries':>11}{'boards':>11}{'work':>11}")
    for size in options.configurations:
        found = summarised(size)
        print(
            f"{f'{size} configurations':<36}{found.aggregate:>9.2f} s{found.boards:>9.2f} s{found.work:>9.2f} s",
            flush=True,
        )
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
