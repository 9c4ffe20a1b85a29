"""What is asked for and where it is worked off: one object each, and what is refused leaves nothing behind."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path

import pytest

import benchmark
from benchmark.errors import UsageError
from benchmark.verbs._request import Request
from benchmark.verbs._workplace import Workplace
from benchmark.verbs.run import run

ANCHORS = """
description = "two anchors"
[[block]]
dataset = { name = "synth_linear", points = 60 }
model = ["perfect", "noise"]
"""
UNFIT = """
[[block]]
dataset = { name = "synth_linear", points = 60 }
network = { name = "mlp_tiny", hidden = 4 }
model = "ada_gvae"
"""
"""A model of pairs on data that are no grid: refused before anything is trained."""


def names_of(*objects: type) -> set[str]:
    return {field.name for each in objects for field in fields(each)}  # type: ignore[arg-type]


def test_verbs_take_what_the_objects_hold_and_nothing_else() -> None:
    assert set(inspect.signature(benchmark.run).parameters) == names_of(Request, Workplace)
    own = {"metrics", "budget"}
    assert set(inspect.signature(benchmark.evaluate).parameters) - own < names_of(Request, Workplace)


def test_keywords_arrive_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[Request, Workplace]] = []
    monkeypatch.setattr("benchmark.verbs.run.carry_out", lambda request, at: heard.append((request, at)))
    asked = {"only": {"seed": [1]}, "overrides": {"a.b": 1}, "seeds": [1], "shard": (1, 2), "retry_failed": True}
    place = {"results": Path("r"), "jobs": 3, "device": "cpu", "quiet": False}
    benchmark.run("quickstart", plugins="mine.py", **asked, **place)  # type: ignore[arg-type]
    assert heard == [(Request(suite="quickstart", plugins=(Path("mine.py"),), **asked), Workplace(**place))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seeds": []}, "--seeds: no seeds"),
        ({"seeds": [1, 1]}, "distinct"),
        ({"seeds": [-1]}, "not negative"),
        ({"shard": (3, 2)}, "--shard 3/2: the first number goes from 1"),
        ({"shard": (0, 2)}, "--shard 0/2"),
    ],
)
def test_seeds_and_shards_that_cannot_be_are_refused_at_once(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Request(suite="quickstart", **wrong)  # type: ignore[arg-type]


def test_processes_here_and_a_cluster_are_not_asked_for_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--jobs counts processes here, --scheduler names a cluster"):
        run("quickstart", results=tmp_path / "results", jobs=1, scheduler="tcp://host:1")
    assert not (tmp_path / "results").exists()


def test_the_command_defines_the_same_configurations() -> None:
    asked = Request(suite="my suite.toml", overrides={"training.steps": 3}, plugins=(Path("a.py"),), seeds=[4])
    assert asked.command() == "benchmark run 'my suite.toml' --set training.steps=3 --plugin a.py"


def test_paths_are_whole_where_a_cluster_works() -> None:
    here = Workplace(results=Path("r"), data_dir=Path("d"))
    assert here.from_anywhere() is here
    there = Workplace(results=Path("r"), data_dir=Path("d"), scheduler="tcp://host:1").from_anywhere()
    assert (there.results, there.data_dir) == (Path("r").absolute(), Path("d").absolute())


def test_a_refused_suite_leaves_nothing(tmp_path: Path) -> None:
    suite = tmp_path / "unfit.toml"
    suite.write_text(ANCHORS + UNFIT)
    with pytest.raises(UsageError):
        run(str(suite), results=tmp_path / "results", jobs=0)
    assert not (tmp_path / "results").exists()


def test_a_suite_that_is_refused_leaves_an_earlier_one_as_it_was(tmp_path: Path) -> None:
    """Neither its plan nor an altered run that would have been trained again is touched."""
    suite, results = tmp_path / "mine.toml", tmp_path / "results"
    suite.write_text(ANCHORS)
    assert len(run(str(suite), results=results, jobs=0).done) == 2
    codes = next(results.glob("runs/*/perfect/*/s0/codes.safetensors"))
    codes.write_bytes(codes.read_bytes()[:-1] + b"x")
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    suite.write_text(ANCHORS + UNFIT)
    with pytest.raises(UsageError):
        run(str(suite), results=results, jobs=0, retry_failed=True)
    assert {path: path.read_bytes() for path in results.rglob("*") if path.is_file()} == before
    suite.write_text(ANCHORS)
    assert len(run(str(suite), results=results, jobs=0).failed) == 1
    summary = run(str(suite), results=results, jobs=0, retry_failed=True)
    assert (len(summary.done), summary.trained, summary.failed) == (2, 1, {})
