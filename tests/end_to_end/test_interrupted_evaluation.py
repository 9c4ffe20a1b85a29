"""Scores are whole files: killing an evaluation loses what was in hand, and two at once do not tear each other's."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from command import environment, succeed

from benchmark.table import read_table

METRICS = "mig,modularity,sap,disentanglement_score,dci,sample_efficiency,kl,dto,udr,mcc"


def start(folder: Path) -> subprocess.Popen[str]:
    """An evaluation in a process group of its own."""
    line = [sys.executable, "-m", "benchmark", "evaluate", "tiny.toml", "--jobs", "2", "--metrics", METRICS]
    return subprocess.Popen(
        line, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def scores(folder: Path) -> dict[str, dict]:
    """Every score file, read whole; the time that it took is left out, and with it the digest of the whole."""
    paths = sorted((folder / "results" / "runs").glob("*/*/*/*/scores/*.json"))
    return {
        str(path.relative_to(folder)): json.loads(path.read_text()) | {"seconds": None, "digest": None}
        for path in paths
    }


def table(folder: Path) -> pd.DataFrame:
    return read_table(folder / "results" / "suites" / "tiny" / "results.parquet").drop(columns="seconds")


@pytest.fixture(scope="module")
def undisturbed(scored, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "work"
    shutil.copytree(scored, folder)
    succeed(folder, "evaluate", "tiny.toml", "--jobs", "2", "--metrics", METRICS)
    return folder


def test_a_killed_evaluation_keeps_what_it_scored_and_the_rerun_carries_on(work, undisturbed):
    there = set(scores(work))
    process = start(work)
    while process.poll() is None and len(scores(work)) < len(there) + 3:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = scores(work)
    assert len(there) < len(kept) < len(scores(undisturbed)), "it was killed in the middle"
    assert kept.items() <= scores(undisturbed).items()
    times = {path: (work / path).stat().st_mtime_ns for path in kept}
    succeed(work, "evaluate", "tiny.toml", "--jobs", "2", "--metrics", METRICS)
    assert scores(work) == scores(undisturbed)
    assert {path: (work / path).stat().st_mtime_ns for path in kept} == times, "a score that was there is kept"
    pd.testing.assert_frame_equal(table(work), table(undisturbed))


def test_two_evaluations_at_once_come_to_the_same_scores(work, undisturbed):
    both = [start(work), start(work)]
    for process in both:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    assert scores(work) == scores(undisturbed)
    assert not list((work / "results").rglob(".*.tmp*"))
    pd.testing.assert_frame_equal(table(work), table(undisturbed))
