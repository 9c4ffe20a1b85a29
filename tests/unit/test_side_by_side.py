"""Two models side by side: seeds without a number are said, and what failed is told as `evaluate` tells it."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark import cli, registry
from benchmark.stages.side_by_side import _p
from benchmark.verbs.compare import Comparison, compare
from benchmark.words.side_by_side import as_text

OLD, NEW = "old=old0.npz,old1.npz,old2.npz", "new=new0.npz,new1.npz,new2.npz"
BROKEN = '''from benchmark import metric


@metric(representations=("mean",))
def mine(codes, *, seed: int = 0) -> dict[str, float]:
    """How much there is."""
    raise ValueError("a slip")
'''


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three seeds of two models, one seed of the old one collapsed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_plugins", {})
    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(1200, 2))
    for seed in range(3):
        for name, noise in (("old", 0.3), ("new", 0.6)):
            codes = factors + noise * rng.standard_normal(factors.shape)
            np.savez(f"{name}{seed}.npz", codes=0 * codes if (name, seed) == ("old", 2) else codes, factors=factors)
    return tmp_path


def lines(found: Comparison) -> dict[str, str]:
    """What is printed, by how each line begins."""
    text = as_text(found.scores, found.a, found.b)
    return {line.strip().partition("  ")[0]: " ".join(line.split()) for line in text.splitlines()}


def test_seeds_without_a_number_are_said_and_the_rest_win_nothing(files: Path) -> None:
    found = compare(OLD, NEW, metrics=["mig", "modularity"], jobs=0)
    records = {record["score"]: record for record in found.scores}
    assert len(found.scores) == 2, "a seed without a number has no record of its own"
    lacking = records["modularity"]
    assert (lacking["a"]["runs"], lacking["a"]["of"], lacking["b"]["runs"]) == (2, 3, 3)
    assert lacking["difference"] is not None
    assert (lacking["better"], lacking["p"]) == (None, None)
    assert lacking["reason"] == lacking["a"]["reason"] == "no code tells anything of a factor"
    assert records["mig"]["reason"] is None and records["mig"]["p"] is not None
    said = lines(found)
    assert "(2 of 3)" in said["modularity"] and said["modularity"].endswith("– –")
    assert said["modularity of old"].endswith("1 of 3 seeds without a number: no code tells anything of a factor")
    assert "(" not in said["mig"]
    assert any(line.startswith("neither better nor p where seeds have no number") for line in said)


def test_a_score_that_seeds_share_is_shown_and_not_tested(files: Path) -> None:
    found = compare("old=old0.npz,old1.npz", NEW, metrics=["mig", "udr"], jobs=0)
    records = {record["score"]: record for record in found.scores}
    assert records["mig"]["p"] is not None
    assert records["udr"]["difference"] is not None and records["udr"]["p"] is None
    assert any(line.startswith("no p of udr: the seeds of a model share it") for line in lines(found))


def test_two_seeds_that_tie_are_no_test() -> None:
    tied, other = np.array([0.61, 0.61]), np.array([0.62, 0.62])
    assert _p(tied, other) is None and _p(tied, np.array([0.62, 0.63])) is not None
    assert _p(np.repeat(0.61, 5), np.repeat(0.62, 5)) == 0


def test_a_side_without_any_number_is_named(files: Path) -> None:
    found = compare("old=old2.npz", "new=new0.npz", metrics=["modularity", "group_mig"], jobs=0)
    assert [record["difference"] for record in found.scores] == [None, None]
    said = lines(found)
    assert said["modularity"] == "modularity old: no code tells anything of a factor"
    assert said["group_mig"] == "group_mig the codes come in no groups of columns"


def test_failed_scores_are_exit_code_1_and_are_tried_again_on_request(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def line(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["benchmark", "compare", OLD, NEW, "--jobs", "0", *words])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        said = capsys.readouterr()
        return int(caught.value.code or 0), said.out, said.err

    Path("mine.py").write_text(BROKEN)
    words = ["--plugin", "mine.py", "--metrics", "mine,mcc"]
    code, out, err = line(*words, "--json")
    assert code == 1
    assert len(json.loads(out)["failed"]) == 6
    assert "and 5 more mine/mean-n1200/v1-" in err
    assert err.endswith(f"next: benchmark compare {OLD} {NEW} --jobs 0 {' '.join(words)} --json --retry-failed\n")
    assert line(*words, "--retry-failed")[0] == 1
    assert line("--metrics", "mcc")[0] == 0
