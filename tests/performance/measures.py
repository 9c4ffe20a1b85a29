"""Time the evaluation of models' codes: python tests/performance/measures.py --boosting none --reference FILE.py

Tables of 737,280 × 10 codes with dSprites' factors are scored as `benchmark evaluate` does it: read from their files,
in so many processes, each score written to its file. `--reference` names a Python file with functions of the same
names, called as `NAME(codes, factors)` one after the other on one core. Both are processes of their own, timed from
start to end with all that they import; with several `--models` that is shared. Rounds alternate, medians count.
Goals on two cores, against the field's reference code on one: 3 times as fast without boosting, 3 times with every
boosting fit (DCI at 10,000 labels, the downstream task at 10 to 10,000), 10 times by LightGBM.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmark.codes import Codes
from benchmark.spec import Component, Run

SIZES = (3, 6, 40, 32, 32)
CHEAP = (
    "beta_vae_score",
    "factor_vae_score",
    "mig",
    "sap",
    "gaussian_total_correlation",
    "wasserstein_correlation",
    "mutual_information_score",
    "irs",
    "modularity",
    "explicitness",
)
BOOSTED = ("sample_efficiency", "dci")


def made_up(path: Path, seed: int = 0) -> Codes:
    """Codes as a trained network's might be: smooth mixtures of all factors with noise."""
    rng = np.random.default_rng(seed)
    factors = np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), axis=1)
    standard = (factors - factors.mean(0)) / factors.std(0)
    codes = np.tanh(standard @ rng.standard_normal((5, 32))) @ rng.standard_normal((32, 10)) / 4
    codes += 0.1 * rng.standard_normal(codes.shape)
    names = ("shape", "scale", "orientation", "position_x", "position_y")
    made = Codes(codes.astype(np.float32), factors, names, SIZES, grid=True)
    made.save(path)
    return made


def ours(codes: list[Path], metrics: list[str], jobs: int) -> tuple[float, dict[str, float]]:
    """Seconds in all a model, and each measure's own in the process that scored it."""
    with tempfile.TemporaryDirectory() as folder:
        for index, path in enumerate(codes):
            (Path(folder) / str(index)).mkdir()
            (Path(folder) / str(index) / "codes.safetensors").symlink_to(path.resolve())
        start = time.perf_counter()
        subprocess.run([sys.executable, __file__, "--score", folder, str(jobs), *metrics], check=True)
        seconds = time.perf_counter() - start
        scores = [json.loads(path.read_text()) for path in Path(folder).glob("*/scores/*.json")]
    wrong = [score for score in scores if score["status"] != "ok"]
    if wrong or len(scores) != len(metrics) * len(codes):
        raise SystemExit(f"not every measure was scored: {[(s['metric'], s['reason']) for s in wrong]}")
    names = {score["metric"] for score in scores}
    shares = {name: sum(s["seconds"] for s in scores if s["metric"] == name) / len(codes) for name in names}
    return seconds / len(codes), shares


def score(folder: str, jobs: str, *metrics: str) -> None:
    from benchmark.stages.evaluate import evaluate, score_tasks
    from benchmark.stages.score_task import Protocol, check_metrics

    runs = [
        (Run(Component("dsprites", 1, {}), Component(path.name, 1, {}), None, None, 0), path)
        for path in sorted(Path(folder).iterdir())
    ]
    evaluate(score_tasks(runs, Protocol(check_metrics(metrics))), int(jobs), lambda *_: None)


def theirs(path: Path, codes: list[Path], names: list[str]) -> tuple[float, dict[str, float]]:
    """Seconds in all a model in a process of one thread, and each function's own."""
    line = [sys.executable, __file__, "--time", str(path), ",".join(names), *map(str, codes)]
    one_thread = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    start = time.perf_counter()
    found = json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE, env=one_thread).stdout.splitlines()[-1])
    seconds = time.perf_counter() - start
    return seconds / len(codes), {name: value / len(codes) for name, value in found.items()}


def timed(path: str, names: str, *codes: str) -> None:
    module = reference_of(Path(path))
    seconds = dict.fromkeys(names.split(","), 0.0)
    for file in codes:
        table = Codes.load(Path(file))
        for name in seconds:
            start = time.perf_counter()
            getattr(module, name)(table.means, table.factors)
            seconds[name] += time.perf_counter() - start
    print(json.dumps(seconds))


def reference_of(path: Path):  # type: ignore[no-untyped-def]
    spec = importlib.util.spec_from_file_location("reference", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(reference: str | None = None, rounds: int = 3) -> list[tuple[str, str, str | None, float | None, str]]:
    """The measures without boosting on one model, two processes; theirs are the reference's, where one is given."""
    path = Path(reference) if reference else None
    module = reference_of(path) if path else None
    known = [name for name in CHEAP if hasattr(module, name)]
    walls: tuple[list[float], list[float]] = ([], [])
    with tempfile.TemporaryDirectory() as folder:
        codes = [Path(folder) / "0.safetensors"]
        made_up(codes[0])
        for _ in range(rounds):
            walls[0].append(ours(codes, known or list(CHEAP), 2)[0])
            if path and known:
                walls[1].append(theirs(path, codes, known)[0])
    mine, *other = [statistics.median(seconds) for seconds in walls if seconds]
    told = f"{len(known or CHEAP)} measures without boosting, 737,280 × 10 codes"
    if not other:
        return [(told, f"{mine:.1f} s", None, None, "≥ 3 × (give a --reference)")]
    return [(told, f"{mine:.1f} s", f"{other[0]:.1f} s", other[0] / mine, "≥ 3 ×")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boosting", choices=["none", "gradient_boosting", "lightgbm"], default="none")
    parser.add_argument("--cheap", action=argparse.BooleanOptionalAction, default=True, help="the other measures too")
    parser.add_argument("--reference", type=Path, help="a Python file with functions NAME(codes, factors)")
    parser.add_argument("--codes", type=Path, help="a run's codes.safetensors, by default made-up ones")
    parser.add_argument("--models", type=int, default=1, help="made-up tables, evaluated by one command")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    names = list(CHEAP) if arguments.cheap else []
    if arguments.boosting != "none":
        names += BOOSTED
    metrics = [f"{name}(model={arguments.boosting})" if name in BOOSTED else name for name in names]
    with tempfile.TemporaryDirectory() as folder:
        codes = [arguments.codes] if arguments.codes else []
        for seed in range(0 if codes else arguments.models):
            codes.append(Path(folder) / f"{seed}.safetensors")
            made_up(codes[-1], seed)
        walls: dict[str, list[float]] = {"ours": [], "theirs": []}
        shares: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
        module = arguments.reference and reference_of(arguments.reference)
        known = [name for name in names if hasattr(module, name)] if module else []
        for _ in range(arguments.rounds):
            for who, call in (
                ("ours", lambda: ours(codes, metrics, arguments.jobs)),
                ("theirs", lambda: theirs(arguments.reference, codes, known)),
            ):
                if who == "theirs" and not known:
                    continue
                seconds, own = call()
                walls[who].append(seconds)
                shares[who].append(own)
                print(f"{who}: {seconds:.1f} s a model", file=sys.stderr)
    print(f"{'measure':<28}{'ours':>10}{'theirs':>10}   seconds a model, median of {arguments.rounds}")
    for name in names:
        columns = [
            f"{statistics.median(own[name] for own in shares[who]):.2f}"
            if shares[who] and name in shares[who][0]
            else ""
            for who in ("ours", "theirs")
        ]
        print(f"{name:<28}{columns[0]:>10}{columns[1]:>10}")
    medians = {who: statistics.median(seconds) for who, seconds in walls.items() if seconds}
    print(f"{'whole evaluation':<28}" + "".join(f"{medians[who]:>10.2f}" if who in medians else "" for who in walls))
    if "theirs" in medians:
        print(f"ratio {medians['theirs'] / medians['ours']:.2f} with {arguments.jobs} processes")


if __name__ == "__main__":
    actions = {"--score": score, "--time": timed}
    if len(sys.argv) > 1 and sys.argv[1] in actions:
        actions[sys.argv[1]](*sys.argv[2:])
    else:
        main()
