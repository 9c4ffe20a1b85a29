"""Groups of codes: how files, arguments and flags say them, what scores them, and what says why it does not."""

import json

import numpy as np
import pandas as pd
import pytest
from command import command

import benchmark as api
from benchmark.errors import UsageError
from benchmark.reading.code_groups import asked_groups, group_of_columns
from benchmark.reading.factor_kinds import Wishes
from benchmark.reading.read_codes import digest, read_codes
from benchmark.words.codes_read import described_groups

FACTORS = np.random.default_rng(0).integers(0, 3, size=(1_200, 2))
CODES = np.repeat(FACTORS, 2, axis=1) + 0.1 * np.random.default_rng(1).standard_normal((1_200, 4))
FEW = "mig,group_mig,linear_readout(train=600, test=300),group_readout(train=600, test=300),udr"


@pytest.mark.parametrize(
    ("said", "groups"),
    [
        (2, [0, 0, 1, 1]),
        ("2", [0, 0, 1, 1]),
        ("b,b,a,b", [0, 0, 1, 0]),
        (["x", "y", "y", "x"], [0, 1, 1, 0]),
        (np.array([7, 7, 3, 3]), [0, 0, 1, 1]),
        (None, None),
    ],
)
def test_how_groups_are_said(said, groups):
    found = group_of_columns("codes", asked_groups(said), 4)
    assert (None if found is None else found.tolist()) == groups


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (3, "4 codes are no groups of 3 columns each"),
        (0, "no groups of 0 columns"),
        ("0,0,1", "3 groups do not fit 4 codes"),
        ("0,0,,1", "column 2 has a group without a name"),
        ("pairs", "give the number of columns in each, such as 3"),
        (True, "give the number of columns"),
        (2.5, "give the number of columns"),
    ],
)
def test_groups_that_fit_nothing(said, words):
    with pytest.raises(UsageError, match=words):
        group_of_columns("codes", asked_groups(said), 4)


def test_groups_in_words():
    assert described_groups(np.array([0, 0, 1, 1])) == "2 groups of 2 columns each"
    assert described_groups(np.array([0, 0, 1])) == "2 groups of 2 and 1 columns"
    assert described_groups(np.array([0])) == "1 group of 1 column"
    assert described_groups(np.repeat(np.arange(13), np.arange(1, 14))) == "13 groups of 1 to 13 columns"


def test_groups_of_a_file(tmp_path):
    path = tmp_path / "a.npz"
    for held, groups in [([1, 1, 0, 0], [0, 0, 1, 1]), (2, [0, 0, 1, 1]), (["p", "q", "q", "p"], [0, 1, 1, 0])]:
        np.savez(path, codes=CODES, factors=FACTORS, groups=np.array(held))
        assert read_codes(path).codes.arrays["groups"].tolist() == groups
    asked = read_codes(path, wishes=Wishes(groups=("0", "1", "2", "2")))
    assert asked.codes.arrays["groups"].tolist() == [0, 1, 2, 2], "what the user says outranks the file"
    np.savez(tmp_path / "b.npz", codes=CODES, factors=FACTORS)
    plain = read_codes(tmp_path / "b.npz").codes
    assert "groups" not in plain.arrays
    assert digest(plain) != digest(asked.codes), "other groups are other codes"
    np.savez(path, codes=CODES, groups=np.arange(1_200))
    with pytest.raises(UsageError, match=r"must be the group of each of the 4 codes.*rename it"):
        read_codes(path)
    assert "groups" not in read_codes(path, wishes=Wishes(rename=(("groups", "patients"),))).codes.arrays


def of_all(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores that are of no single factor, by name."""
    return scores[scores["factor"].isna()].set_index("score")


def test_what_scores_groups_and_what_says_why_not():
    scores = of_all(api.score(CODES, FACTORS, FEW, groups=2, quiet=True))
    assert {"group_mig", "group_readout", "linear_readout"} <= set(scores[scores["status"] == "ok"].index)
    assert scores.loc["group_mig", "value"] > 0.95
    assert scores.loc["group_mig", "protocol"].startswith("group_mig/neighbours3-mean-n1200/v2")
    for name in ("mig", "udr"):
        assert scores.loc[name, "status"] == "not_applicable"
    assert scores.loc["mig", "reason"].startswith("the codes come in groups of columns, and mig judges each column by")
    plain = of_all(api.score(CODES, FACTORS, FEW, quiet=True))
    assert plain.loc["group_mig", "reason"] == "the codes come in no groups of columns"
    assert plain.loc["mig", "status"] == "ok"
    assert plain.loc["linear_readout", "value"] == scores.loc["linear_readout", "value"]


def test_the_command_scores_groups(tmp_path):
    np.savez(tmp_path / "mine.npz", codes=CODES, factors=FACTORS)
    asked = ("--metrics", "mig,group_mig,group_dci(model=lasso, train=600, test=300)", "--groups", "0,0,1,1", "--json")
    done = command(tmp_path, "evaluate", "--codes", "mine.npz", *asked)
    assert done.returncode == 0, done.stderr
    assert "4 codes in 2 groups of 2 columns each" in done.stderr
    rows = {row["score"]: row for row in json.loads(done.stdout)["numbers"]}
    assert rows["group_mig"]["mean"] > 0.95
    record = json.loads(next(tmp_path.glob("results/runs/**/run.json")).read_text())
    assert "--groups 0,0,1,1" in record["command"]
    wrong = command(tmp_path, "evaluate", "--codes", "mine.npz", "--groups", "3", "--name", "other")
    assert (wrong.returncode, len(wrong.stderr.strip().splitlines())) == (2, 1), wrong.stderr
    assert "4 codes are no groups of 3 columns each" in wrong.stderr
