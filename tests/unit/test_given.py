"""Verbs as functions take paths as text as well as paths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import benchmark
from benchmark.errors import UsageError
from benchmark.verbs._given import takes_paths

VERBS = ("add_codes", "check", "evaluate", "merge", "prune", "publish", "report", "run", "status")


@takes_paths
def verb(
    suite: str, files: Sequence[Path], *, results: Path = Path("results"), seeds: Sequence[int] = ()
) -> list[object]:
    return [suite, files, results, seeds]


def test_text_becomes_paths_and_paths_become_names():
    assert verb("quickstart", "a.npz", results="r") == ["quickstart", (Path("a.npz"),), Path("r"), ()]
    assert verb(Path("s.toml"), ["a", Path("b")], seeds=[1]) == [
        *("s.toml", (Path("a"), Path("b"))),
        Path("results"),
        [1],
    ]


@pytest.mark.parametrize("name", VERBS)
def test_every_public_verb_takes_them(name):
    function = getattr(benchmark, name)
    assert function.__wrapped__.__name__ == name


def test_a_verb_with_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--results nowhere: no such folder"):
        benchmark.status(results="nowhere")
    with pytest.raises(UsageError, match=r"c\.npz: no such file"):
        benchmark.add_codes("c.npz")
    with pytest.raises(UsageError, match="add_codes: drop = 5 is no name and no list of names"):
        benchmark.add_codes("c.npz", drop=5)
    with pytest.raises(UsageError, match=r"s\.toml: no such file"):
        benchmark.run(Path("s.toml"), results="r")
