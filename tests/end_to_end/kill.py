"""Kill `benchmark run` at random moments, rerun it, and compare bit for bit with a run that nobody disturbed.

    python tests/end_to_end/kill.py --kills 10 --seed 0

Each trial starts from nothing, is killed with its whole process group by SIGKILL, and is then run to its end. The last
trial is killed while a run is being published.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from command import environment, tensors

SUITE = """
description = "a convolutional network on coarse dSprites, and a fleet of small ones"
seeds = 1

[execution]
checkpoint_seconds = 1

[encoding]
likelihood_points = 8

[[block]]
dataset = { name = "dsprites", resolution = 32, stride = [1, 1, 8, 8, 8] }
network = { name = "conv32", latents = 4 }
model = "vae"
training = { steps = 1200, batch = 32, learning_rate = 1e-3 }

[[block]]
dataset = { name = "synth_linear", points = 2000 }
network = { name = "mlp_tiny", hidden = 32 }
model = [{ name = "beta_vae", beta = 1 }, { name = "beta_vae", beta = 4 }]
seeds = 4
training = { steps = 12_000, batch = 64, learning_rate = 1e-3 }
"""
"""About half a minute on two cores."""
GONE = 30.0
"""Seconds within which every process of a killed group must be gone."""


@dataclass(frozen=True)
class Trial:
    """What became of one kill: runs published before it, and the steps at which fleets were resumed."""

    moment: str
    published: int
    resumed: list[int]


def start(folder: Path, results: str) -> subprocess.Popen[str]:
    """`benchmark run suite.toml` in a process group of its own."""
    line = [sys.executable, "-m", "benchmark", "run", "suite.toml", "--jobs", "2", "--results", results]
    return subprocess.Popen(
        line, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a run that must succeed; returns its stderr."""
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return err


def undisturbed(folder: Path, suite: str) -> tuple[dict[str, str], float]:
    """The checksums that every trial must come to, and how long it takes to get there."""
    (folder / "suite.toml").write_text(suite)
    began = time.monotonic()
    finish(start(folder, "undisturbed"))
    return tensors(folder / "undisturbed"), time.monotonic() - began


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the whole group, and wait until all of it is gone."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + GONE
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.05)
    raise AssertionError("processes of the killed group are still there")


def publishing(process: subprocess.Popen[str], scratch: Path) -> bool:
    """Wait for the moment at which a run's folder is being written; False if the run ended before."""
    while process.poll() is None:
        try:
            with os.scandir(scratch) as entries:
                if any(entry.is_dir() for entry in entries):  # files there are claims
                    return True
        except FileNotFoundError:
            time.sleep(0.001)
    return False


def checkpointed(process: subprocess.Popen[str], fleets: Path) -> bool:
    """Wait for the first checkpoint; False if the run ended before."""
    while process.poll() is None:
        if list(fleets.glob("*/checkpoint.safetensors")):
            return True
        time.sleep(0.005)
    return False


def trial(folder: Path, results: str, moment: float | str, wanted: dict[str, str]) -> Trial:
    """Start, kill after `moment` seconds, or at the first "publish" or "checkpoint", rerun to the end, compare."""
    root = folder / results
    process = start(folder, results)
    if moment == "publish":
        assert publishing(process, root / "scratch"), "it ended before it could be killed"
    elif moment == "checkpoint":
        assert checkpointed(process, root / "fleets"), "it ended before it could be killed"
    else:
        time.sleep(float(moment))
    kill(process)
    before = tensors(root) if (root / "runs").exists() else {}
    published = len(list(root.glob("runs/*/*/*/*/run.json")))
    # What counts as a result now is whole and right, and nothing else counts as one.
    assert before.items() <= wanted.items(), "a half-written run stands among the results"
    assert {str(Path(path).parent) for path in before} == {
        str(path.parent.relative_to(root / "runs")) for path in root.glob("runs/*/*/*/*/run.json")
    }
    err = finish(start(folder, results))
    assert tensors(root) == wanted, "the weights or codes differ from those of an undisturbed run"
    assert not list((root / "scratch").glob("*")), "scratch is left"
    assert not list((root / "fleets").glob("*")), "a finished fleet is left"
    assert not list((root / "failures").glob("*")), "a kill was taken for a failure"
    files = {path.name for path in (root / "runs").rglob("*") if path.is_file()}
    assert files == {"run.json", "history.csv", "weights.safetensors", "codes.safetensors"}, files
    records = [json.loads(path.read_text()) for path in root.glob("runs/*/*/*/*/run.json")]
    resumed = {step for record in records for step in record["provenance"]["fleet"].get("resumed_at", [])}
    said = {int(step.replace(",", "")) for step in re.findall(r"resumed .* at step ([\d,]+)", err)}
    assert resumed == said, "what stderr said is not what run.json says"
    return Trial(f"{moment:.1f} s" if isinstance(moment, float) else moment, published, sorted(resumed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted, seconds = undisturbed(folder, SUITE)
        print(f"undisturbed: {len(wanted) // 2} runs in {seconds:.0f} s", flush=True)
        past_zero = 0
        for number in range(1, options.kills + 1):
            aimed: float | str = "publish" if number == options.kills else rng.uniform(0.05, 0.95) * seconds
            found = trial(folder, f"trial{number}", aimed, wanted)
            past_zero += bool(found.resumed)
            steps = ", ".join(f"{step:,}" for step in found.resumed) or "from the start"
            print(
                f"kill {number:>2} at {found.moment:>8}: {found.published} published before; resumed at {steps};"
                f" all {len(wanted)} files identical",
                flush=True,
            )
    print(f"{past_zero} of {options.kills} resumed past step 0")


if __name__ == "__main__":
    main()
