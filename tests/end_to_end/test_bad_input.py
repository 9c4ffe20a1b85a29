"""Bad input: one clear sentence, an exit code, no traceback, and everything that was there is still there."""

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import TINY, checksums, command, sentence, succeed

FULL_DISK = """
import os, resource, runpy, signal, sys
# Modules imported for the first time, here or in a worker, would be kept in part.
sys.dont_write_bytecode, os.environ["PYTHONDONTWRITEBYTECODE"] = True, "1"
limit = int(sys.argv.pop(1))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
runpy.run_module("benchmark", run_name="__main__", alter_sys=True)
"""
"""Every write past so many bytes fails, as on a full disk."""
DATA = """
description = "a dataset"
[[block]]
dataset = {}
model = "perfect"
"""


@pytest.fixture(autouse=True)
def untouched(work: Path):
    """Whatever a test does in `work`, the results that were there are there afterwards, byte for byte."""
    before = checksums(work / "results")
    before.pop("index.json", None)  # what `status` remembers of folders that it has seen; made anew from them
    yield
    after = checksums(work / "results")
    assert before == {path: after.get(path) for path in before}
    assert not [path for path in after if "scratch" in path]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"beta_vae"', '"beta_vea"', 'unknown model "beta_vea"; did you mean "beta_vae"'),
        ("synth_linear", "synth_liner", 'unknown dataset "synth_liner"; did you mean "synth_linear"'),
        ("mlp_tiny", "mlp_tyni", 'unknown network "mlp_tyni"; did you mean "mlp_tiny"'),
        ('"mig"', '"mgi"', 'unknown metric "mgi"; did you mean "mig"'),
        ("hidden = 8", 'hidden = "8"', "network.mlp_tiny.hidden = '8': input should be a valid integer"),
        ('"beta_vae"', '{ name = "beta_vae", beta = -4 }', "beta = -4: input should be greater than or equal to 0"),
        ("[[block]]", '[[block]]\nsweep = { "model.beta" = [] }', "sweep.model.beta: an empty list sweeps nothing"),
        ("learning_rate", "lerning_rate", 'training.lerning_rate: unknown setting; did you mean "learning_rate"'),
        ("budget", "budgit", 'mine.toml.evaluation.budgit: unknown setting; did you mean "budget"'),
    ],
)
def test_a_mistake_in_a_suite(work, old, new, said):
    (work / "mine.toml").write_text(TINY.replace(old, new, 1))
    assert said in sentence(command(work, "run", "mine.toml", "--jobs", "0"), 2)
    assert not (work / "results" / "suites" / "mine").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["run", "tiny.toml", "--seeds", "two"], "--seeds two: write how many"),
        (["run", "tiny.toml", "--shard", "2"], "--shard 2: write I/N"),
        (["run", "tiny.toml", "--only", "model"], "--only model: write KEY=VALUE"),
        (
            ["run", "tiny.toml", "--set", "training.steps=few"],
            "training.steps = 'few': input should be a valid integer",
        ),
        (["evaluate", "tiny.toml", "--metrics", "mgi"], 'unknown metric "mgi"; did you mean "mig"'),
        (["evaluate", "tiny.toml", "--budget", "slow"], '--budget slow: choose "quick" or "full"'),
        (["evaluate", "quickstart"], 'nothing of a suite "quickstart" (there: tiny); next: benchmark run quickstart'),
        (
            ["check", "tiny.toml", "--against", "absent.csv"],
            "--against absent.csv: no such file; benchmark publish tiny.toml --as table saves one",
        ),
        (["check", "tiny.toml", "--against", "tiny.toml"], "--against tiny.toml: no table, .csv or .parquet"),
    ],
)
def test_a_mistake_in_a_flag(work, line, said):
    assert said in sentence(command(work, *line), 2)


def test_evaluate_before_run_and_report_before_evaluate(work):
    (work / "mine.toml").write_text(TINY)
    assert 'nothing of a suite "mine"' in sentence(command(work, "evaluate", "mine.toml"), 2)
    shutil.copytree(work / "results" / "suites" / "tiny", work / "results" / "suites" / "mine")
    for path in (work / "results" / "suites" / "mine").glob("results.*"):
        path.unlink()
    assert "no results table in results; next: benchmark evaluate mine.toml" in sentence(
        command(work, "report", "mine.toml"), 2
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"a,b\n1,2\n"), ("b.csv", b""), ("c.csv", b"\xff\xfe\0"), ("d.parquet", b"PAR1 not really")],
)
def test_a_table_that_is_none(work, name, content):
    (work / name).write_bytes(content)
    said = sentence(command(work, "check", "tiny.toml", "--against", name), 2)
    assert name in said
    assert "results table" in said


def test_a_summary_is_no_table_to_check_against(work):
    (work / "tiny-summary.csv").write_text("dataset,metric,score,runs,mean,std\n")
    said = sentence(command(work, "check", "tiny.toml", "--against", "tiny-summary.csv"), 2)
    assert "benchmark publish SUITE --as table writes a full results table" in said


def test_data_that_are_missing_and_cannot_be_fetched(work):
    (work / "mine.toml").write_text(DATA.format('"mnist"'))
    (work / "empty").mkdir()
    result = command(work, "run", "mine.toml", "--data-dir", "empty")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    said = result.stderr[result.stderr.index("error: ") :]
    # The file, where it was looked for, and the command that fetches it.
    assert "mnist needs train-images-idx3-ubyte.gz" in said
    assert "empty/mnist/train-images-idx3-ubyte.gz" in said
    assert str(work / "cache" / "mnist") in said
    assert "benchmark data fetch mnist" in said


def test_a_published_file_that_was_altered(work):
    (work / "mine.toml").write_text(DATA.format('"mnist"'))
    folder = work / "data" / "mnist"
    folder.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\0"))
    said = sentence(command(work, "run", "mine.toml", "--data-dir", "data"), 2)
    assert "data/mnist/train-images-idx3-ubyte.gz is not the published file: expected sha256 " in said
    result = command(work, "data", "verify", "mnist", "--data-dir", "data")
    assert result.returncode == 1
    assert result.stdout.count("altered") == 4


def images(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 2, (20, 4, 4), dtype=np.uint8)


def truncated(path: Path, rng: np.random.Generator) -> None:
    np.savez(path, images=images(rng))
    path.write_bytes(path.read_bytes()[:-40])


def flipped(path: Path, rng: np.random.Generator) -> None:
    np.savez(path, images=images(rng))
    content = bytearray(path.read_bytes())
    content[content.index(b"\x93NUMPY") + 140] ^= 0xFF
    path.write_bytes(content)


def pickled(path: Path, rng: np.random.Generator) -> None:
    np.savez(path, images=np.array([{"any": "object"}], dtype=object), allow_pickle=True)


def pickled_factors(path: Path, rng: np.random.Generator) -> None:
    np.savez(path, images=images(rng), factors=np.array([["a"]] * 20, dtype=object), allow_pickle=True)


def other_length(path: Path, rng: np.random.Generator) -> None:
    np.savez(path, images=images(rng), factors=np.zeros((19, 2), np.int64))


def without_images(path: Path, rng: np.random.Generator) -> None:
    np.savez(path, pictures=images(rng))


def a_text(path: Path, rng: np.random.Generator) -> None:
    path.write_text("no archive")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (truncated, "is no .npz archive, or is truncated or damaged"),
        (flipped, "damaged"),
        (pickled, "holds what cannot be read without unpickling"),
        (pickled_factors, "holds what cannot be read without unpickling"),
        (other_length, "`factors` of shape (19, 2) does not fit 20 images"),
        (without_images, "must hold an array `images`; it holds pictures"),
        (a_text, "is no .npz archive"),
        (lambda *_: None, "cannot be opened: No such file"),
    ],
)  # fmt: skip
def test_an_archive_of_the_users(work, write, said):
    write(work / "mine.npz", np.random.default_rng(0))
    (work / "mine.toml").write_text(DATA.format('{ name = "npz", path = "mine.npz" }'))
    found = sentence(command(work, "run", "mine.toml", "--jobs", "0"), 2)
    assert said in found
    assert "mine.npz" in found


def test_a_disk_that_is_full_while_training(work):
    line = ["run", "tiny.toml", "--seeds", "3", "--jobs", "1", "--results", "full"]
    full = work / "full"
    shutil.copytree(work / "results", full)
    before = checksums(full)
    said = sentence(command(work, "6000", *line, python=("-c", FULL_DISK)), 1)
    assert "no space left for full/" in said
    assert not list((full / "failures").glob("*")), "a full disk is not the run's failure"
    assert not list((full / "scratch").glob("*"))
    # The plan, which is no result, grew by the runs that were asked for.
    plan = "suites/tiny/plan.json"
    assert before.items() - {(plan, before[plan])} <= checksums(full).items()
    # With room again the same command carries on.
    assert "9 runs done, 3 of them now; 0 failed" in succeed(work, *line).stdout


def test_a_disk_that_is_full_while_evaluating(work):
    said = sentence(command(work, "1000", "evaluate", "tiny.toml", "--jobs", "0", python=("-c", FULL_DISK)), 1)
    assert "no space left for results/suites/tiny/results." in said


def test_a_disk_that_is_full_while_reporting(work):
    result = command(work, "1000", "report", "tiny.toml", "--jobs", "0", python=("-c", FULL_DISK))
    assert result.returncode == 1
    # Before it matplotlib may complain that it cannot save its list of fonts.
    assert result.stderr.splitlines()[-1].startswith("error: no space left for results/suites/tiny/index.html;")
    assert "Traceback" not in result.stderr
    assert not (work / "results" / "suites" / "tiny" / "index.html").exists()


@pytest.mark.parametrize("verb", [["run", "tiny.toml"], ["evaluate", "tiny.toml"], ["status"]])
def test_a_results_folder_of_a_newer_version(work, verb):
    newer = work / "newer"
    shutil.copytree(work / "results", newer)
    (newer / "format.json").write_text('{"format": 99}')
    before = checksums(newer)
    said = sentence(command(work, *verb, "--results", "newer"), 2)
    assert "newer/format.json has format 99, this version reads up to 2; update the program" in said
    assert checksums(newer) == before


@pytest.mark.parametrize(
    ("pattern", "content", "code", "said"),
    [
        ("runs/**/scores/mig*.json", "{", 1, "is damaged"),
        ("runs/**/scores/mig*.json", "{}", 1, "lacks its seed or status"),
        ("runs/**/scores/dto*.json", '{"format": 99}', 2, "has format 99"),
        ("runs/**/codes.safetensors", "no codes", 1, "is not what it was when it was written"),
        ("suites/tiny/plan.json", '{"format":', 1, "is damaged"),
    ],
)
def test_a_damaged_file_among_the_results(work, pattern, content, code, said):
    damaged = work / "damaged"
    shutil.copytree(work / "results", damaged)
    path = sorted(damaged.glob(pattern))[0]
    path.write_text(content)
    before = checksums(damaged)
    found = sentence(command(work, "evaluate", "tiny.toml", "--results", "damaged", "--jobs", "0"), code)
    assert said in found
    assert path.name in found
    assert checksums(damaged) == before


def test_a_run_that_diverges_is_failed_at_its_step_and_never_averaged(work):
    rates = 'sweep = { "training.learning_rate" = [2e-3, 1e12] }'
    text = TINY.replace('["ae", "beta_vae", "perfect"]', f'"ae"\n{rates}')
    (work / "mine.toml").write_text(text)
    results = work / "results"

    first = command(work, "run", "mine.toml", "--jobs", "0")
    assert first.returncode == 1
    assert "Traceback" not in first.stderr
    assert first.stdout == "mine: 2 runs done, 2 of them now; 2 failed\n"
    records = [json.loads(path.read_text()) for path in (results / "failures").glob("*.json")]
    assert len(records) == 2
    for record in records:
        assert 0 < record["step"] < 40
        assert record["reason"] == f"the loss stopped being a finite number at step {record['step']}"
        assert record["run"]["training"]["settings"]["learning_rate"] == 10**12
        assert f"failed  {record['run_id']}: {record['reason']}" in first.stderr

    again = command(work, "run", "mine.toml", "--jobs", "0")
    assert again.returncode == 1
    assert "0 of them now; 2 failed" in again.stdout
    assert records[0]["reason"] in again.stderr

    succeed(work, "evaluate", "mine.toml", "--jobs", "0")
    table = pd.read_csv(results / "suites" / "mine" / "results.csv")
    assert not set(table["run_id"]) & {record["run_id"] for record in records}
    assert table["run_id"].nunique() == 2
    assert table.loc[table["status"] == "ok", "value"].map(np.isfinite).all()

    old = {path.name: path.stat().st_mtime_ns for path in (results / "failures").glob("*.json")}
    retried = command(work, "run", "mine.toml", "--jobs", "0", "--retry-failed")
    assert retried.returncode == 1
    new = {path.name: path.stat().st_mtime_ns for path in (results / "failures").glob("*.json")}
    assert set(new) == set(old)
    assert all(new[name] > old[name] for name in old)
    shown = json.loads(succeed(work, "status", "--json").stdout)
    counts = {row["suite"]: (row["done"], row["failed"], row["missing"]) for row in shown}
    assert counts == {"mine": (2, 2, 0), "tiny": (6, 0, 0)}


def test_a_retry_that_cannot_start_keeps_the_failures(work):
    (work / "mine.toml").write_text(DATA.format('"mnist"'))
    run_id = "0" * 12 + "-s0"
    failure = work / "results" / "failures" / f"{run_id}.json"
    failure.parent.mkdir()
    failure.write_text("{}")
    command(work, "run", "mine.toml", "--retry-failed", "--data-dir", "empty")
    assert failure.read_text() == "{}"
