"""What should not be there is taken out: scores of a protocol, codes under a name, one run; and nothing else."""

import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark import add_codes, cli, evaluate, forget, registry, report
from benchmark.errors import Note, UsageError
from benchmark.store import Store
from benchmark.verbs.forget import find_forgotten
from benchmark.verbs.verify import verify

HALF = '''from benchmark import metric


@metric(supervised=True, higher_is_better=False, representations=("mean",))
def half(codes, factors, *, share: float = 0.5, seed: int = 0) -> dict[str, float]:
    """Half."""
    return {"half": 1 / share / 4}
'''


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with a suite `first` of two seeds, scored by mcc and a loose measure."""
    folder = tmp_path_factory.mktemp("made") / "work"
    folder.mkdir()
    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(300, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(registry, "_plugins", {})
        for seed in (0, 1):
            np.savez(f"seed{seed}.npz", codes=factors + 0.1 * rng.standard_normal(factors.shape), factors=factors)
        Path("half.py").write_text(HALF)
        add_codes(["seed0.npz", "seed1.npz"], name="first", metrics=["mcc", "half"], plugins="half.py")
        evaluate("first", jobs=0)
    return folder


@pytest.fixture
def suite(made, tmp_path, monkeypatch) -> Path:
    """That folder, with the measure at hand."""
    folder = tmp_path / "work"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(registry, "_plugins", {})
    registry.add_plugin(Path("half.py"))
    return folder


def table() -> pd.DataFrame:
    return pd.read_csv("results/suites/first/results.csv")


def without_the_plugin(monkeypatch) -> None:
    monkeypatch.setattr(registry, "_plugins", {})


def test_a_mistaken_protocol_is_failed_every_time_until_it_is_forgotten(suite):
    failed = evaluate("first", metrics=["half(share=0)"], jobs=0).failed
    assert len(failed) == 2
    assert evaluate("first", metrics=["half(share=0)"], jobs=0).failed == failed
    without = evaluate("first", jobs=0)
    assert (without.failed, without.failed_before) == ({}, failed), "of what was not asked for, it is in the table"
    assert evaluate("first", metrics=["half(share=0)"], jobs=0, retry_failed=True).failed == failed
    before = table()
    report("first", jobs=0)
    done = forget("first", metric="half(share=0)")
    assert (len(done.scores), done.runs) == (2, ())
    assert verify().findings == verify().notes == []
    assert not Path("results/suites/first/index.html").exists()
    without = evaluate("first", jobs=0)
    assert without.failed == without.failed_before == {}
    after = table()
    assert (
        before[before["status"] == "ok"]
        .drop(columns=["seconds", "reason"])
        .reset_index(drop=True)
        .equals(after.drop(columns=["seconds", "reason"]))
    )


def test_scores_are_chosen_by_measure_by_protocol_and_by_run(suite):
    (protocol,) = set(table()["protocol"][table()["metric"] == "mcc"])
    run = Store(Path("results")).plan("first")[1].run_id
    assert len(find_forgotten("first", metric="mcc").scores) == 2
    assert len(find_forgotten("first", metric="Pearson").scores) == 2
    assert len(find_forgotten("first", metric=protocol).scores) == 2
    (one,) = find_forgotten("first", metric="mcc", run=run).scores
    assert one.parent.parent.name == "s1"
    for wrong in ("mig", "mcc/mean-n9/v1", "half(share=2)"):
        with pytest.raises(UsageError, match="no such score is there"):
            find_forgotten("first", metric=wrong)
    with pytest.raises(UsageError, match='no such run; did you mean "first"'):
        find_forgotten("first", model="frist")
    with pytest.raises(UsageError, match="say what"):
        find_forgotten("first")


def test_a_run_and_then_the_last_one_leave_nothing_behind(suite):
    runs = Store(Path("results")).plan("first")
    forget("first", run=runs[0].run_id)
    assert set(table()["run_id"]) == {runs[1].run_id}
    assert verify().findings == []
    assert not list(Path("results").glob("runs/*/*/*/s0"))
    forget("first", model="first")
    assert not Path("results/suites/first").exists()
    assert not list(Path("results/runs").glob("*"))
    add_codes(["seed1.npz"], name="first", metrics=["mcc"])


def test_a_run_of_two_suites_leaves_one_of_them(suite):
    store = Store(Path("results"))
    store.write_plan("second", "", store.plan("first"))
    found = forget("first", dataset="external")
    assert found.shared == ("second",)
    assert not Path("results/suites/first").exists()
    assert all(store.is_done(each) for each in store.plan("second"))


def test_stored_scores_are_read_without_the_code_that_made_them(suite, monkeypatch):
    evaluate("first", jobs=0)
    before = pd.read_csv("results/suites/first/summary.csv")
    without_the_plugin(monkeypatch)
    with pytest.warns(Note, match="the code of half is not here"):
        evaluate("first", jobs=0)
    assert pd.read_csv("results/suites/first/summary.csv").equals(before)
    assert set(before["direction"][before["metric"] == "half"]) == {"lower"}
    with pytest.raises(UsageError, match='unknown metric "half"'):
        evaluate("first", metrics=["half"], jobs=0)


def line(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["benchmark", *words])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    said = capsys.readouterr()
    return caught.value.code or 0, said.out, said.err


def test_the_verb_asks_and_without_a_terminal_does_nothing(suite, monkeypatch, capsys):
    words = ["forget", "first", "--metric", "mcc"]
    code, out, err = line(monkeypatch, capsys, *words)
    assert (code, out) == (2, "")
    assert "this would delete 2 scores (mcc/mean-n300/v1) of suite first" in err
    assert "--yes" in err
    assert set(table()["metric"]) == {"mcc", "half"}
    code, out, _ = line(monkeypatch, capsys, *words, "--yes", "--json")
    assert (code, len(json.loads(out)["scores"])) == (0, 2)
    assert set(table()["metric"]) == {"half"}


def test_no_is_an_answer(suite, monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    monkeypatch.setattr(sys, "stderr", said := Terminal())
    code, out, _ = line(monkeypatch, capsys, "forget", "first", "--metric", "mcc")
    assert (code, out.strip()) == (0, "")
    assert said.getvalue().startswith("delete 2 scores (mcc/mean-n300/v1) of suite first")
    assert said.getvalue().endswith("nothing was deleted\n")
    assert set(table()["metric"]) == {"mcc", "half"}


def test_failed_scores_are_exit_code_1_where_they_are_asked_for_and_a_note_elsewhere(suite, monkeypatch, capsys):
    plugin = ["--plugin", "half.py"]
    wrong = ["evaluate", "first", *plugin, "--jobs", "0", "--metrics", "half(share=0)"]
    for _ in range(2):
        code, _, err = line(monkeypatch, capsys, *wrong)
        assert code == 1
        assert "and 1 more half/share0-mean-n300/v1" in err
        assert err.endswith(" --metrics 'half(share=0)' --retry-failed\n")
    code, _, err = line(monkeypatch, capsys, "evaluate", "first", *plugin, "--jobs", "0", "--metrics", "mcc")
    assert code == 0
    assert "note: the table has 2 scores that failed before, of what was not asked for now (half/share0-" in err
    assert err.endswith("next: benchmark report first --plugin half.py\n")
    assert line(monkeypatch, capsys, "forget", "first", "--metric", "half(share=0)", "--yes")[0] == 0
    assert "note" not in line(monkeypatch, capsys, "evaluate", "first", *plugin, "--jobs", "0")[2]


def test_a_measure_that_was_mended_is_red_no_more_and_the_note_says_how_its_failures_go(suite, monkeypatch, capsys):
    Path("half.py").write_text(HALF.replace("1 / share / 4", "1 / 0"))
    asked = ["evaluate", "first", "--plugin", "half.py", "--jobs", "0"]
    assert line(monkeypatch, capsys, *asked)[0] == 1
    Path("half.py").write_text(HALF + "# mended\n")
    code, _, err = line(monkeypatch, capsys, *asked)
    assert code == 0
    gone = next(each for each in err.splitlines() if "taken out by" in each).partition("taken out by benchmark ")[2]
    assert gone.startswith("forget first --metric half/share0.5-mean-n300/v1-")
    assert line(monkeypatch, capsys, *gone.split(), "--yes")[0] == 0
    assert set(table()["status"]) == {"ok"}
