"""What verbs return, in a notebook: a sentence, a table as a frame, and nothing that a page would obey."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

import benchmark
from benchmark.verbs.compare import Comparison
from benchmark.verbs.forget import Forgetting
from benchmark.verbs.run import RunSummary
from benchmark.verbs.verify import Verification
from benchmark.words.notebook import ROWS, Counts, PagePath, Suites, Verdicts, as_html
from leaderboard.verdicts import Verdict

NASTY = "<script>alert(1)</script>"


def test_a_summary_of_runs_is_a_row_a_run() -> None:
    one = RunSummary("tiny", ["a", "b"], {"c": NASTY}, trained=1)
    table = one.frame().set_index("run_id")
    assert dict(table["status"]) == {"a": "done", "b": "done", "c": "failed"}
    assert dict(table["reason"].dropna()) == {"c": NASTY}
    html = one._repr_html_()
    assert "tiny: 2 runs done, 1 of them now; 1 failed" in html
    assert "&lt;script&gt;" in html and "<script" not in html


def test_findings_notes_and_seals_are_rows() -> None:
    one = Verification(3, [NASTY], ["a note"], ["an old one"])
    assert list(one.frame()["kind"]) == ["finding", "note", "sealed"]
    assert "3 files compared, 1 finding" in one._repr_html_() and "<script" not in one._repr_html_()
    assert Verification(3)._repr_html_() == "<p>3 files compared, 0 findings</p>"


def test_a_long_table_is_cut_and_says_so() -> None:
    html = as_html("many", pd.DataFrame({"x": range(ROWS + 7)}))
    assert html.count("<tr") == ROWS + 1 and "7 further rows" in html


def test_control_characters_are_spelled_out() -> None:
    assert "\x1b" not in as_html("a\x1b[2J", pd.DataFrame({"x": ["\x1b[2J"]}))


def test_the_path_of_a_page_is_a_path_and_a_link(tmp_path: Path) -> None:
    path = tmp_path / 'a "quoted"' / "index.html"
    page = PagePath(path)
    assert page == path and hash(page) == hash(path) and isinstance(page, Path)
    assert page.parent == path.parent
    assert "&quot;quoted&quot;" in page._repr_html_() and '"quoted"' not in page._repr_html_()


def test_a_comparison_is_a_row_a_score() -> None:
    side = {"runs": 2, "std": 0.1}
    about = {"protocol": "mig/x/v1", "better": "b", "p": 0.03, "reason": None}
    record = about | {"score": "mig", "a": side | {"mean": 0.25}, "b": side | {"mean": 0.75}, "difference": 0.5}
    one = Comparison("a-vs-b", Path("results.csv"), "mine", NASTY, [], [record])
    (row,) = one.frame().to_dict("records")
    assert (row["mine"], row[NASTY], row["difference"], row["p"]) == (0.25, 0.75, 0.5, 0.03)
    assert "1 score on both sides" in one._repr_html_() and "<script" not in one._repr_html_()


def test_verbs_return_what_shows_itself(scored: Path) -> None:
    results = scored / "results"
    known = benchmark.status(results=results)
    assert isinstance(known, Suites) and json.loads(json.dumps(known)) == list(known)
    assert known.frame().set_index("suite").loc["tiny", "done"] == 6
    assert "tiny" in known._repr_html_()
    table = results / "suites" / "tiny" / "results.csv"
    verdicts = benchmark.check(str(scored / "tiny.toml"), table, results=results)
    assert set(verdicts.frame()["verdict"]) == {"same"} and len(verdicts.frame()) == len(verdicts) > 3
    assert verdicts._repr_html_().count("<p>") == 1 and f"{len(verdicts):,} same" in verdicts.sentence()


def test_what_is_the_same_in_fewer_runs_is_shown() -> None:
    of = ("dsprites", "vae", "vae", "0123", "mig", "mig", None, "mig/x/v1", "mean")
    whole, lacking = (Verdict("same", *of, new_runs=3 - absent, absent=absent) for absent in (0, 1))
    assert list(Verdicts([whole, lacking]).shown_frame().index) == [1]


def test_an_evaluation_is_its_table(work: Path) -> None:
    found = benchmark.evaluate(str(work / "tiny.toml"), results=work / "results", jobs=0)
    table = found.frame()
    assert dict(table["status"].value_counts()) == found.scores
    assert list(found.shown_frame()["metric"]) == sorted(set(table["metric"]))
    assert "mig" in found._repr_html_()


def test_what_was_forgotten_is_a_row_each_also_once_it_is_gone() -> None:
    gone = {Path("runs/nowhere/mig.json"): "mig/x/v1", Path("runs/nowhere/sap.json"): NASTY}
    one = Forgetting("tiny", Path("results"), gone, (), ())
    assert list(one.frame()["protocol"]) == ["mig/x/v1", NASTY]
    assert "2 scores" in one._repr_html_() and "<script" not in one._repr_html_()


def test_counts_are_a_dictionary_that_shows_itself() -> None:
    one = Counts({"runs": 1200, "scores": 0})
    assert one == {"runs": 1200, "scores": 0} and one.sentence() == "1,200 runs, 0 scores"
    assert one.frame().to_dict("list") == {"what": ["runs", "scores"], "number": [1200, 0]}
