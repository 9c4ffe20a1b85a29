"""`benchmark check` by its verb and its command: tables and margins of something else, and what it prints."""

import shutil
import warnings
from pathlib import Path

import pandas as pd
import pytest
from synthetic_suite import DECLARATIONS, synthetic_suite

from benchmark.cli import main
from benchmark.errors import Note, UsageError
from benchmark.store import Store
from benchmark.table import compile_table, write_csv, write_table
from benchmark.verbs.check import check
from leaderboard.margins import seed_deviations
from leaderboard.verdicts import alone, summary

SUITE = "mine.toml"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The table of a suite whose results lie in the working folder; it is saved as saved.csv as well."""
    monkeypatch.chdir(tmp_path)
    Path(SUITE).touch()
    runs = synthetic_suite(tmp_path / "results", seeds=3, pictures=False)
    store = Store(tmp_path / "results")
    store.write_plan("mine", "", [run for run, _ in runs])
    found = compile_table("mine", runs)
    # Of a measure that is nowhere else: each check would note that its code is not here.
    found = found[found["metric"] != "downstream"]
    write_table(found, store.suite_folder("mine") / "results.parquet")
    write_csv(found, Path("saved.csv"))
    return found


def other_recipe(table: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """These rows as those of configurations with other settings."""
    changed = {
        "config_id": "other" + table["config_id"],
        "run_id": "other" + table["run_id"],
        "settings": table["settings"].str.replace('"resolution":64', '"resolution":32'),
    }
    return table.assign(**{name: table[name].where(~rows, values) for name, values in changed.items()})


def test_a_table_of_which_nothing_is_compared_is_refused(table):
    """Such a check would be green for ever, whatever became worse."""
    write_csv(other_recipe(table, table["seed"] >= 0), Path("other.csv"))
    said = (
        r"--against other\.csv: no configuration has scores both there and in mine\.toml, .*name another table.*publish"
    )
    with pytest.raises(UsageError, match=said):
        check(SUITE, "other.csv")
    write_csv(table.iloc[:0], Path("empty.csv"))
    with pytest.raises(UsageError, match="no configuration has scores both there"):
        check(SUITE, "empty.csv")


def test_how_many_runs_failed_is_said_and_why(table):
    store = Store(Path("results"))
    own = [run for run in store.plan("mine") if run.model.name == "vae"]
    write_table(table[table["model"] != "vae"], store.suite_folder("mine") / "results.parquet")
    for run in own:
        shutil.rmtree(store.run_folder(run))
    store.record_failure(own[0], "train", "nan at step 7")
    told = {each.note for each in alone(check(SUITE, "saved.csv")) if each.model == "vae" and each.verdict == "worse"}
    assert told == {f"it has no number now: 1 of {len(own)} runs failed: nan at step 7"}
    for run in own[1:]:
        store.record_failure(run, "train", "no memory")
    told = {each.note for each in alone(check(SUITE, "saved.csv")) if each.model == "vae" and each.verdict == "worse"}
    assert told == {"it has no number now: all runs failed: nan at step 7"}


def test_closed_forms_alone_make_no_check_of_what_was_trained(table):
    """A recipe changes the ids of all that is trained, and of nothing else."""
    trained = table["network"].notna()
    write_csv(other_recipe(table, trained), Path("other.csv"))
    with pytest.raises(UsageError, match=r"no trained configuration has scores both there and in mine\.toml"):
        check(SUITE, "other.csv")
    write_csv(other_recipe(table, trained & (table["model"] != "vae")), Path("most.csv"))
    assert {each.model for each in alone(check(SUITE, "most.csv")) if each.verdict == "same"} >= {"vae", "pca"}
    write_csv(table[~trained], Path("closed.csv"))
    assert {each.verdict for each in alone(check(SUITE, "closed.csv"))} == {"same", "new"}, "nobody misses any"


def test_what_is_told_anyhow_is_no_error(table):
    """All protocols are others: every score of the table is gone, and the check says so."""
    other = table.assign(protocol=table["protocol"] + "-other")
    write_csv(other, Path("other.csv"))
    assert all(each.absent == 3 for each in alone(check(SUITE, "other.csv")) if each.verdict == "missing")


def test_margins_of_something_else_are_refused_where_they_were_named(table):
    margins = seed_deviations(table, DECLARATIONS)
    write_csv(margins.assign(config_id="other" + margins["config_id"]), Path("margins.csv"))
    with pytest.raises(UsageError, match=r"--margins margins\.csv: no margin in it is of the \d+ scores compared"):
        check(SUITE, "saved.csv", margins="margins.csv")
    Path("margins.csv").rename("saved-margins.csv")
    with pytest.warns(Note, match=r"saved-margins\.csv: no margin in it is of the \d+ scores compared"):
        assert {each.margin_from for each in check(SUITE, "saved.csv")} == {"default"}


def test_margins_of_a_part_say_of_how_much(table):
    margins = seed_deviations(table, DECLARATIONS)
    write_csv(margins, Path("saved-margins.csv"))
    with warnings.catch_warnings(action="error"):
        whole = check(SUITE, "saved.csv")
    assert "reruns" not in summary(whole)
    write_csv(margins[margins["metric"] == "mig"], Path("saved-margins.csv"))
    part = alone(check(SUITE, "saved.csv"))
    known = sum(each.metric == "mig" for each in part)
    assert f"\nmargins from reruns for {known} of {len(part)} scores\n" in summary(check(SUITE, "saved.csv"))


def test_configurations_that_margins_lack_are_named(table):
    margins, vae = seed_deviations(table, DECLARATIONS), table["config_id"][table["model"] == "vae"].iloc[0]
    write_csv(margins[margins["config_id"] != vae], Path("saved-margins.csv"))
    with pytest.warns(
        Note, match=r"saved-margins\.csv has no margin of vae on shapes: the default margins count there"
    ):
        check(SUITE, "saved.csv")


def test_a_score_that_some_runs_lack_is_printed(table, monkeypatch, capsys):
    """Exit code 1 alone would not say which: the verdict on the other runs is "same"."""
    rows = (table["metric"] == "mig") & (table["model"] == "vae") & (table["representation"] == "mean")
    results = Path("results/suites/mine/results.parquet")
    write_table(table[~rows | (table["seed"] != 1)], results)
    monkeypatch.setattr("sys.argv", ["benchmark", "check", SUITE, "--against", "saved.csv"])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 1
    (line,) = [line for line in out.splitlines() if line.startswith("same: ")]
    assert line.startswith("same: mig of vae on shapes (mean): ") and line.endswith("1 of 3 runs have no score now")
    assert "not there any more: 1 score of some runs" in out and "benchmark publish mine.toml --as table" in err
