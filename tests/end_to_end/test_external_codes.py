"""Codes from another framework, from a file to the page, by the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import checksums, command, sentence, succeed
from scipy.stats import ttest_ind

import benchmark
from benchmark.codes import Codes
from benchmark.metrics.active_units import active_units
from benchmark.metrics.mig import mig
from benchmark.stages.headlines import headlines
from benchmark.table import read_table

EVALUATE = ("evaluate", "--jobs", "0", "--metrics", "mig,active_units")


def points(folder: Path) -> np.ndarray:
    """The factors of the suite's points, as a user finds them in any of its runs."""
    path = next((folder / "results").glob("runs/synth_linear/perfect/*/s0/codes.safetensors"))
    return Codes.load(path, set()).factors


def codes(factors: np.ndarray, seed: int = 0) -> np.ndarray:
    return factors + 0.1 * np.random.default_rng(seed).standard_normal(factors.shape)


@pytest.fixture
def files(work: Path) -> Path:
    """`work` with the same codes in every format, and seeds 1 and 2 of them."""
    factors = points(work)
    for seed in range(3):
        np.savez(work / f"seed{seed}.npz", codes=codes(factors, seed), factors=factors)
    np.save(work / "bare.npy", codes(factors))
    np.save(work / "factors.npy", factors)
    columns = {f"code_{j}": column for j, column in enumerate(codes(factors).T)}
    table = pd.DataFrame(columns | {"factor_u": factors[:, 0], "factor_v": factors[:, 1]})
    table.to_csv(work / "table.csv", index=False)
    table.to_parquet(work / "columns.parquet")
    return work


def headline(folder: Path, suite: str) -> dict[str, float]:
    table = read_table(folder / "results" / "suites" / suite / "results.parquet")
    return dict(table.loc[table["factor"].isna(), ["score", "value"]].to_numpy())


def test_numbers_from_every_format_are_those_of_the_functions(files):
    factors = points(files)
    wanted = {**mig(codes(factors), factors), **active_units(codes(factors))}
    wanted = {key: wanted[key] for key in ("mig", "active_units")}
    for arguments in (["seed0.npz"], ["bare.npy", "--factors", "factors.npy"], ["table.csv"], ["columns.parquet"]):
        result = succeed(files, *EVALUATE, "--codes", *arguments, "--json")
        shown = json.loads(result.stdout)
        suite = arguments[0].partition(".")[0]
        assert shown["suite"] == suite
        assert {record["score"]: record["mean"] for record in shown["numbers"]} == pytest.approx(wanted, rel=1e-12)
        assert headline(files, suite) == pytest.approx(wanted, rel=1e-12)
        assert result.stderr.splitlines()[-1] == f"next: benchmark report {suite}"
    text = succeed(files, *EVALUATE, "--codes", "seed0.npz").stdout.splitlines()
    assert text[0] == "results/suites/seed0/results.csv: 4 ok"
    assert text[2].split()[:2] == ["mig", f"{wanted['mig']:.4f}"] and "mean-n1200/v1" in text[2]
    # Every verb takes the suite by its name.
    assert succeed(files, "report", "seed0").stdout == "results/suites/seed0/index.html\n"
    assert succeed(files, "evaluate", "seed0", "--jobs", "0").stdout == "results/suites/seed0/results.csv: 4 ok\n"
    assert "0 worse" in succeed(files, "check", "seed0", "--against", "results/suites/seed0/results.csv").stdout
    other = command(files, "check", "seed0", "--against", "results/suites/table/results.csv")
    assert other.returncode == 2 and "no configuration has scores both there and in seed0" in other.stderr


def test_two_models_stand_side_by_side(files):
    """By one command: both in one suite, and a test of each difference over seeds."""
    factors, values = points(files), {"good": [], "bad": []}
    for seed in range(3):
        blurred = codes(factors, seed) + np.random.default_rng(10 + seed).standard_normal(factors.shape)
        np.savez(files / f"bad{seed}.npz", codes=blurred, factors=factors)
        values["good"].append(mig(codes(factors, seed), factors)["mig"])
        values["bad"].append(mig(blurred, factors)["mig"])
    sides = ("good=seed0.npz,seed1.npz,seed2.npz", "bad=bad0.npz,bad1.npz,bad2.npz")
    shown = json.loads(
        succeed(files, "compare", *sides, "--jobs", "0", "--metrics", "mig,active_units", "--json").stdout
    )
    records = {record["score"]: record for record in shown["scores"]}
    assert (shown["suite"], set(records)) == ("good-vs-bad", {"mig", "active_units"})
    own = records["mig"]
    assert own["difference"] == pytest.approx(np.mean(values["bad"]) - np.mean(values["good"]))
    assert own["better"] == "a" and own["a"]["runs"] == own["b"]["runs"] == 3
    # It is the only score that is tested: the other has the same value in all seeds, and nothing to test it by.
    assert records["active_units"]["p"] is None
    assert own["p"] == pytest.approx(ttest_ind(values["good"], values["bad"], equal_var=False).pvalue)
    table = read_table(files / "results" / "suites" / "good-vs-bad" / "results.parquet")
    assert set(table["model"]) == {"good", "bad"} and table["run_id"].nunique() == 6
    # What is there already is named, and one seed a side allows no test.
    succeed(files, *EVALUATE, "--codes", "seed0.npz")
    single = succeed(files, "compare", "seed0", "bad0.npz", "--jobs", "0", "--metrics", "mig")
    assert "no p: a test needs two or more seeds" in single.stdout
    assert single.stdout.splitlines()[1].split()[::5] == ["mig", "–"]
    assert single.stderr.splitlines()[-1] == "next: benchmark report seed0-vs-bad0"
    before = checksums(files / "results")
    np.savez(files / "other.npz", codes=codes(factors[::-1]), factors=factors[::-1])
    assert "the same points" in sentence(command(files, "compare", "seed0", "other.npz"), 2)
    assert "called seed0" in sentence(command(files, "compare", "seed0.npz", "seed0"), 2)
    assert checksums(files / "results") == before


def test_they_stand_beside_the_runs_of_a_suite(files):
    runs = {path for path in checksums(files / "results") if path.startswith("runs/")}
    join = ("--name", "my_vae", "--dataset", "synth_linear")
    line = [word for seed in range(3) for word in ("--codes", f"seed{seed}.npz")]
    shown = json.loads(succeed(files, *EVALUATE, "tiny.toml", *line, *join, "--json").stdout)
    assert [run_id.partition("-")[2] for run_id in shown["runs"]] == ["s0", "s1", "s2"]
    table = read_table(files / "results" / "suites" / "tiny" / "results.parquet")
    own = table[(table["model"] == "my_vae") & (table["score"] == "mig") & table["factor"].isna()]
    factors = points(files)
    assert list(own.sort_values("seed")["value"]) == pytest.approx(
        [mig(codes(factors, seed), factors)["mig"] for seed in range(3)], rel=1e-12
    )
    assert len(set(own["config_id"])) == 1
    assert set(own["dataset"]) == {"synth_linear"}

    succeed(files, "report", "tiny.toml")
    page = (files / "results" / "suites" / "tiny" / "index.html").read_text()
    assert page.count('<h2 id="data-') == 1, "one dataset, one section"
    assert f"{own['value'].mean():.3f} ± {own['value'].std():.3f}" in page
    assert "my_vae (codes = external)" in page

    # The record says that nothing was trained here, and what was read.
    record = json.loads(succeed(files, "show", shown["runs"][0], "--json").stdout)
    assert record["seconds"] == {"training": 0.0, "encoding": 0.0}
    assert record["parameters"] is None
    assert record["provenance"]["source"]["codes"] == {
        "file": "seed0.npz",
        "sha256": checksums(files)["seed0.npz"],
    }
    repeat = "benchmark evaluate tiny.toml --dataset synth_linear --codes seed0.npz --name my_vae --seed 0"
    assert record["command"] == repeat
    (row,) = json.loads(succeed(files, "status", "--json").stdout)
    assert (row["runs"], row["done"], row["missing"]) == (9, 9, 0)

    # `run` trains nothing of them and keeps them; the same command again changes nothing.
    before = checksums(files / "results")
    assert "6 runs done, 0 of them now" in succeed(files, "run", "tiny.toml", "--jobs", "0").stdout
    succeed(files, *repeat.split()[1:], "--jobs", "0", "--metrics", "mig,active_units")
    assert checksums(files / "results") == before
    assert not list((files / "results" / "scratch").iterdir())
    assert runs <= set(before)


def test_the_same_arrays_are_one_run_and_others_need_a_name_or_seed(files):
    line = (*EVALUATE, "--name", "mine", "--json")
    first = json.loads(succeed(files, *line, "--codes", "seed0.npz", "--codes", "seed0.npz").stdout)
    assert len(first["runs"]) == 1
    before = checksums(files / "results")
    # Saved again, as an archive of another time: the arrays decide.
    with np.load(files / "seed0.npz") as held:
        np.savez_compressed(files / "again.npz", **held)
    assert json.loads(succeed(files, *line, "--codes", "again.npz").stdout)["runs"] == first["runs"]
    assert checksums(files / "results") == before
    said = sentence(command(files, *line, "--codes", "seed1.npz"), 2)
    assert "seed 0 of mine on external is there with other arrays than seed1.npz; give another --name or --seed" in said
    assert checksums(files / "results") == before
    second = json.loads(succeed(files, *line, "--codes", "seed1.npz", "--seed", "1").stdout)
    assert second["runs"] == [first["runs"][0].replace("-s0", "-s1")]


def test_merging_takes_codes_over_and_refuses_others_under_their_name(files):
    line = (*EVALUATE, "--name", "mine", "--results")
    succeed(files, *line, "one", "--codes", "seed0.npz")
    succeed(files, *line, "other", "--codes", "seed1.npz")
    before = checksums(files / "one")
    said = sentence(command(files, "merge", "other", "--results", "one"), 2)
    assert "seed 0 of mine on external are other codes in other than in one" in said
    assert checksums(files / "one") == before
    assert json.loads(succeed(files, "merge", "one", "--json").stdout) == {"runs": 1, "scores": 0, "suites": 1}
    assert succeed(files, "evaluate", "mine", "--jobs", "0").stdout == "results/suites/mine/results.csv: 4 ok\n"
    succeed(files, "report", "mine")


def test_without_a_dataset_they_have_a_section_of_their_own(files):
    succeed(files, *EVALUATE, "tiny.toml", "--codes", "seed0.npz")
    succeed(files, "report", "tiny.toml")
    page = (files / "results" / "suites" / "tiny" / "index.html").read_text()
    assert page.count('<h2 id="data-') == 2


def test_after_an_edit_of_the_suite_they_are_given_again_and_keep_their_scores(files):
    join = ("tiny.toml", "--codes", "seed0.npz", "--dataset", "synth_linear", "--json")
    (run_id,) = json.loads(succeed(files, *EVALUATE, *join).stdout)["runs"]
    (files / "tiny.toml").write_text((files / "tiny.toml").read_text().replace('"perfect"', '"perfect", "noise"'))
    assert "8 runs done, 2 of them now" in succeed(files, "run", "tiny.toml", "--jobs", "0").stdout
    succeed(files, *EVALUATE, "tiny.toml")
    before = checksums(files / "results" / "runs")
    assert json.loads(succeed(files, *EVALUATE, *join).stdout)["runs"] == [run_id]
    assert checksums(files / "results" / "runs") == before
    assert run_id in set(read_table(files / "results" / "suites" / "tiny" / "results.parquet")["run_id"])


def test_codes_without_factors_are_scored_by_what_needs_none(files):
    shown = json.loads(succeed(files, *EVALUATE, "--codes", "bare.npy", "--json").stdout)
    numbers = {record["score"]: record for record in shown["numbers"]}
    assert numbers["active_units"]["mean"] == 2
    assert (numbers["mig"]["status"], numbers["mig"]["reason"]) == ("not_applicable", "the dataset knows no factors")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ([], "name a suite, or give codes of your own by --codes FILE"),
        (["tiny.toml", "--name", "mine"], "--drop and --rename describe codes from elsewhere: give them by --codes"),
        (["--codes", "absent.npz"], "absent.npz: no such file"),
        (["--codes", "tiny.toml"], "tiny.toml ends in '.toml'; codes and factors are read from .npz"),
        (["--codes", "nan.npz"], "nan.npz: `codes` hold NaN or infinite values"),
        (["--codes", "seed0.npz", "--codes", "nan.npz", "--name", "mine"], "nan.npz: `codes` hold NaN"),
        (["--codes", "seed0.npz", "--codes", "seed1.npz"], "say with --name of which model they are the seeds"),
        (["--codes", "seed0.npz", "--name", "vae"], "a model here has this name; give --name another, such as vae_"),
        (["--codes", "seed0.npz", "--name", "../up"], "--name '../up': a name begins with a letter or digit"),
        (["--codes", "seed0.npz", "--dataset", "a/b"], "--dataset 'a/b': a name begins with a letter or digit"),
        (["--codes", "seed0.npz", "--name", "tiny"], 'a suite "tiny" is there already: give another --name'),
        (["--codes", "seed0.npz", "--name", "quickstart"], 'a suite "quickstart" is there already'),
        (["--codes", "seed0.npz", "--budget", "slow"], '--budget slow: choose "quick" or "full"'),
        (["--codes", "seed0.npz", "--metrics", "mgi"], 'unknown metric "mgi"; did you mean "mig"'),
        (["--codes", "seed0.npz", "--metrics", "MIG sap"], "MIG sap: separate measures by commas, mig,sap"),
        (["--codes", "seed0.npz", "tiny.toml", "--dataset", "dsprites"], "no finished run of the suite is on it"),
        (["--codes", "seed0.npz", "digits.toml"], "digits.toml: no such file"),
        (["--codes", "seed0.npz", "quickstart"], 'nothing of a suite "quickstart"'),
    ],
)
def test_a_mistake_changes_nothing(files, line, said):
    np.savez(files / "nan.npz", codes=np.full((4, 2), np.nan))
    before = checksums(files)
    assert said in sentence(command(files, "evaluate", *line), 2)
    assert checksums(files) == before
    assert not (files / "results" / "suites" / "mine").exists()


def test_nothing_is_made_where_a_file_is_bad(tmp_path):
    (tmp_path / "mine.csv").write_text("x0,x1\n1,2\n")
    said = sentence(command(tmp_path, "evaluate", "--codes", "mine.csv"), 2)
    assert "columns are code_0, code_1, … and" in said and "(found: x0, x1)" in said
    assert {path.name for path in tmp_path.iterdir()} <= {"mine.csv", "cache"}


def test_flags_say_what_is_what_in_a_file(files):
    """Arrays of other names, a factor taken for another kind, and the command in the record that does it again."""
    factors = np.column_stack([np.arange(1_200) % 4 / 3, np.arange(1_200) % 5, np.arange(1_200)])
    np.savez(files / "theirs.npz", z=codes(factors), labels=factors, metadata=np.array("a word"))
    flags = ("--rename", "z=codes", "--rename", "labels=factors", "--continuous", "factor_1", "--drop", "factor_2")
    result = succeed(files, *EVALUATE, "--codes", "theirs.npz", *flags)
    assert result.stderr.splitlines()[0] == (
        "theirs seed 0 on external: 1,200 points × 3 codes, factors factor_0 4 values, factor_1 continuous; array"
        " `metadata` is read by no measure and left alone; factor factor_0 has 4 values in 1,200 rows: discrete, unless"
        " --continuous factor_0"
    )
    (path,) = (files / "results").glob("runs/external/theirs/*/s0/run.json")
    command_line = json.loads(path.read_text())["command"].split()
    assert command_line[:4] == ["benchmark", "evaluate", "--codes", "theirs.npz"] and set(flags) <= set(command_line)
    before = checksums(files / "results" / "runs")
    succeed(files, *command_line[1:], "--jobs", "0", "--metrics", "mig,active_units")
    assert checksums(files / "results" / "runs") == before


def test_the_function_does_what_the_flag_does(files):
    added = benchmark.add_codes([files / "seed0.npz"], results=files / "new", metrics=["mig"], budget="quick")
    summary = benchmark.evaluate(added.suite, results=files / "new", jobs=0)
    assert summary.scores == {"ok": 3}
    (record,) = headlines(summary.table, added.runs)
    factors = points(files)
    assert record["mean"] == pytest.approx(mig(codes(factors), factors)["mig"])
