"""Leaderboards as text and figures as files, from a suite that was run."""

import csv
import io

import pytest
from command import succeed

from benchmark.table import read_table
from benchmark.verbs.report import report, report_text
from leaderboard import charts


def test_csv_has_the_means_of_the_table(scored, monkeypatch):
    monkeypatch.chdir(scored)
    rows = list(csv.DictReader(io.StringIO(report_text("tiny.toml", "csv"))))
    table = read_table(scored / "results" / "suites" / "tiny" / "results.parquet")
    own = table[(table["model"] == "ae") & (table["score"] == "mig") & (table["representation"] == "mean")]
    own = own[own["factor"].isna()]
    (row,) = [r for r in rows if (r["model"], r["score"], r["representation"]) == ("ae", "mig", "mean")]
    assert (int(row["runs"]), float(row["mean"])) == (2, pytest.approx(own["value"].mean()))
    assert {r["kind"] for r in rows if r["model"] == "perfect"} == {"references"}


def test_text_goes_to_a_file(work):
    shown = succeed(work, "report", "tiny.toml", "--format", "markdown", "--columns", "mig", "--output", "board.md")
    assert shown.stdout == "board.md\n"
    text = (work / "board.md").read_text()
    assert text.startswith("### ") and "MIG" in text and "KL" not in text
    assert not (work / "results" / "suites" / "tiny" / "index.html").exists()


def test_figures_lie_beside_the_page(work, monkeypatch):
    monkeypatch.chdir(work)
    monkeypatch.setattr(charts, "ORDER", ("training_curves",))
    path = report("tiny.toml", figures="png")
    names = sorted(each.name for each in (path.parent / "figures").iterdir())
    assert "synth_linear-training-curves.png" in names
    pictures = [each for each in (path.parent / "figures").iterdir() if each.stem != "matrices"]
    assert pictures and all(each.read_bytes().startswith(b"\x89PNG") for each in pictures)
