"""Leaderboards as text, and figures as files."""

import csv
import io
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from synthetic_suite import DECLARATIONS, synthetic_suite, write_scores

from benchmark.errors import UsageError
from benchmark.integrity.sealed import read_json, write_json
from benchmark.metrics._matrix import Matrix
from benchmark.table import compile_table
from leaderboard import charts, formats
from leaderboard.board import boards
from leaderboard.figures import file_name, write_figures
from leaderboard.formats.latex import _line, headers
from leaderboard.formats.latex import escape as latex
from leaderboard.formats.markdown import escape as markdown
from leaderboard.records import read_record


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    runs = synthetic_suite(tmp_path_factory.mktemp("results"), seeds=2, pictures=False)
    for value, (_, folder) in zip((0.8, 0.9), [each for each in runs if each[0].model.name == "ae"], strict=True):
        write_scores(folder, "mig", {"mig": value})
    return boards(compile_table("suite", runs), DECLARATIONS)


def test_the_formats_are_the_files():
    assert formats.NAMES == ("csv", "latex", "markdown")


def test_markdown(found):
    text = formats.render("markdown", found)
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == len(found)
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.split("\n")}) == 1
    assert r"| ae | 2 | **0.850** ± 0.071 |" in text
    assert "`mig/bins20-mean-n10000/v1`" in text and "*references*" in text
    assert "fewer" not in text and "standard deviation over seeds" in text


def test_a_number_of_fewer_seeds_than_its_row_says_of_how_many(tmp_path):
    """One MIG of two failed: the row says 2 seeds, the number is of one."""
    runs = synthetic_suite(tmp_path, seeds=2, pictures=False)
    of_vae = [folder for run, folder in runs if run.model.name == "vae"]
    write_scores(of_vae[0], "mig", {"mig": 0.25})
    write_scores(of_vae[1], "mig", {}, "failed", "no time left")
    board = boards(compile_table("suite", runs), DECLARATIONS)[0]
    assert "| vae | 2 | 0.250 (1 of 2) |" in formats.render("markdown", [board])
    assert "vae & 2 & 0.250 (1 of 2) &" in formats.render("latex", [board])
    assert "vae & 2 & 0.250 & (1 of 2) &" in formats.render("latex", [board], siunitx=True)
    assert formats.render("markdown", [board]).count(" of 2)") == 1


def test_latex(found):
    text = formats.render("latex", found)
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == len(found)
    for table in text.split(r"\begin{table}")[1:]:
        rows = [line for line in table.split("\n") if line.endswith(r"\\") and "multicolumn" not in line]
        columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", table)
        assert table.count(r"\caption") == table.count(r"\label{tab:") == 1
        assert columns and {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(columns[1])}
        assert [table.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 2, 1]
    assert r"ae & 2 & \textbf{0.850} $\pm$ 0.071" in text
    assert r"factor\_vae $\gamma$=10" in text
    printed = re.sub("^%.*", "", text, flags=re.MULTILINE)
    assert not re.search(r"(?<!\\)[_%#]", printed), "every sign is escaped"
    assert printed.isascii()
    assert "% mig: mig/bins20-mean-n10000/v1" in text and "bins20" not in printed, "protocols are comments at first"
    labels = re.findall(r"\\label\{(.*?)\}", text)
    assert len(set(labels)) == len(found) and "tab:shapes-mean" in labels


def test_latex_protocols_stand_where_they_are_wanted(found):
    notes = formats.render("latex", found, protocols="notes")
    assert r"MIG: \texttt{mig/\allowbreak{}bins20-\allowbreak{}mean" in notes and "% mig:" not in notes
    appendix = formats.render("latex", found, protocols="appendix")
    assert appendix.count(r"\begin{table}") == 2 * len(found)
    for label in re.findall(r"Table~\\ref\{(.*?)\}", appendix):
        assert rf"\label{{{label}}}" in appendix, "what is referred to is there"
    assert r"factor VAE $\uparrow$ & \texttt{factor\_vae\_score} &" in appendix, "what a short header stands for"
    with pytest.raises(UsageError, match="--protocols footnote: write comment, notes or appendix"):
        formats.render("latex", found, protocols="footnote")
    with pytest.raises(UsageError, match="--siunitx: csv tables have none"):
        formats.render("csv", found, siunitx=True)


def test_latex_aligns_decimals_by_siunitx(found):
    text = formats.render("latex", found, siunitx=True)
    own = text.split(r"\label{tab:shapes-mean}")[1].split(r"\end{table}")[0]
    assert r"ae & 2 & \bfseries 0.850 & $\pm$ 0.071" in own
    kinds = re.search(r"\\begin\{tabular\}\{(.*)\}", own)
    assert kinds and kinds[1].startswith(r"lrS[table-format=1.3]@{\,}l")
    wide = 2 + 2 * kinds[1].count("S[")
    rows = [line for line in own.split("\n") if line.endswith(r"\\") and r"\multicolumn" not in line]
    assert rows and {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {wide}
    assert "{n/a}" in own, "text in a column of numbers stands in braces"


def test_latex_headers_are_short(found):
    (board,) = [each for each in found if (each.dataset, each.representation) == ("shapes", "mean")]
    heads = dict(zip([column.full_name for column in board.columns], headers(board.columns), strict=True))
    assert heads["factor_vae_score"] == r"factor VAE $\uparrow$"
    assert heads["downstream.accuracy"] == r"\shortstack{downstream\\@~1,000 $\uparrow$}"
    assert heads["reconstruction"] == r"\shortstack{reconstruction\\$\downarrow$}"


@pytest.mark.parametrize("siunitx", [False, True])
def test_latex_compiles(found, tmp_path, siunitx):
    """By a TeX where there is one: every table is set, and no reference is open."""
    compiler = next(filter(None, map(shutil.which, ("pdflatex", "lualatex", "xelatex", "tectonic"))), None)
    if compiler is None:
        pytest.skip("no LaTeX is installed here")
    packages = ["booktabs", *(["siunitx"] if siunitx else [])]
    if any(not _has_package(name) for name in packages):
        pytest.skip(f"the LaTeX here lacks one of {', '.join(packages)}")
    head = [r"\documentclass{article}", *(rf"\usepackage{{{name}}}" for name in packages)]
    head += [r"\sisetup{detect-weight=true}"] if siunitx else []
    text = formats.render("latex", found, ["all"], siunitx=siunitx, protocols="appendix")
    (tmp_path / "paper.tex").write_text("\n".join([*head, r"\begin{document}", text, r"\end{document}"]))
    line = [compiler, *([] if compiler.endswith("tectonic") else ["-interaction=nonstopmode", "-halt-on-error"])]
    for _ in range(2):
        done = subprocess.run(
            [*line, "paper.tex"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert "undefined" not in done.stdout


def _has_package(name: str) -> bool:
    """Whether TeX finds a package; where nothing looks for it, as tectonic downloads them, it is said to be there."""
    finder = shutil.which("kpsewhich")
    return finder is None or subprocess.run([finder, f"{name}.sty"], capture_output=True, check=False).returncode == 0


def test_csv_holds_raw_numbers(found):
    rows = list(csv.DictReader(io.StringIO(formats.render("csv", found))))
    own = [r for r in rows if (r["configuration"], r["score"], r["representation"]) == ("ae", "mig", "mean")]
    assert [(float(r["mean"]), r["runs"], r["protocol"]) for r in own] == [
        (pytest.approx(0.85), "2", "mig/bins20-mean-n10000/v1")
    ]
    assert {r["status"] for r in rows} >= {"ok", "not_applicable"}
    assert {r["kind"] for r in rows} == {"trained", "references"}


def test_columns_are_chosen(found):
    assert {r["score"] for r in csv.DictReader(io.StringIO(formats.render("csv", found, ["dto"])))} == {
        "dto", "evaluation_seconds",
    }  # fmt: skip
    assert formats.render("csv", found, ["DtO"]) == formats.render("csv", found, ["dto"])
    by_any_name = [
        formats.render("csv", found, [name]) for name in ("downstream.accuracy", "Accuracy", "Downstream: accuracy")
    ]
    assert len(set(by_any_name)) == 1 and ",downstream.accuracy," in by_any_name[0]
    text = formats.render("markdown", found, ["mig", "kl"])
    assert "MIG" in text and "KL" in text and "DtO" not in text
    with pytest.raises(UsageError, match='no leaderboard has a measure "mgi"; did you mean "mig"'):
        formats.render("latex", found, ["mgi"])


def test_signs_that_formats_read():
    assert latex("a_b & 50% ~ \\x {y} ±") == r"a\_b \& 50\% \textasciitilde{} \textbackslash{}x \{y\} $\pm$"
    assert markdown("a_b|c*") == r"a\_b\|c\*"


def test_a_board_without_numbers_is_no_table(found):
    assert formats.render("markdown", []) == ""


def test_figures_are_files(tmp_path, monkeypatch):
    monkeypatch.setattr(charts, "ORDER", ("trade_off",))
    runs = [each for each in synthetic_suite(tmp_path, seeds=1) if each[0].model.name in ("ae", "beta_vae")]
    matrix = Matrix("mutual_information", (0, 1), (0, 1), np.array([[0.0, 0.5], [0.25, 0.0]]), np.ones(2))
    for _, folder in runs:
        path = next(folder.glob("scores/mig-*mean*.json"))
        write_json(path, {"factor_names": ["size", "hue"], **read_json(path), "matrix": matrix.plain()})
    records = {run.run_id: read_record(path) for run, path in runs}
    table = compile_table("suite", runs)
    paths = write_figures(table, records, DECLARATIONS, tmp_path / "figures", "pdf")
    assert sorted(paths) == sorted((tmp_path / "figures").iterdir())
    starts = {".pdf": b"%PDF", ".png": b"\x89PNG", ".csv": b"run_id,", ".parquet": b"PAR1"}
    assert all(path.read_bytes().startswith(starts[path.suffix]) for path in paths)
    names = {path.name for path in paths}
    assert {"shapes-trade-off.pdf", "shapes-beta_vae_β=4-traversals.png", "shapes-ae-samples.png"} <= names
    assert "shapes-ae-codes-by-factors.png" in names
    numbers = pd.read_csv(tmp_path / "figures" / "matrices.csv")
    assert set(numbers["run_id"]) == set(records), "one seed each: all are drawn"
    assert len(numbers) == 4 * len(records)
    assert set(map(tuple, numbers.loc[numbers["matched"], ["code", "value"]].to_numpy())) == {(0, 0.5), (1, 0.25)}


def test_figures_show_the_chosen_measures(tmp_path, monkeypatch):
    """All of them, or those that are named; at a given width the main ones."""
    shown = []
    monkeypatch.setattr(charts, "draw", lambda results, kind: shown.append([c.full_name for c in results.scored]) or [])
    runs = synthetic_suite(tmp_path, seeds=1, pictures=False)
    records = {run.run_id: read_record(path) for run, path in runs}
    table = compile_table("suite", runs)
    for columns in ([], ["MIG", "dto"]):
        write_figures(table, records, DECLARATIONS, tmp_path / "figures", "pdf", columns)
    assert set(shown[0]) > {"mig", "dto", "kl"} and shown[-1] == ["mig", "dto"]
    with pytest.raises(UsageError, match='no leaderboard has a measure "mgi"'):
        write_figures(table, records, DECLARATIONS, tmp_path / "figures", "pdf", ["mgi"])


def test_names_of_files():
    assert file_name("a / b: β=4 (x)") == "a_b_β=4_x"


def test_a_row_whose_name_begins_with_a_bracket_is_no_space_after_the_line_before():
    assert _line(["[mine]", "3"]) == "{}[mine] & 3 \\\\"
    assert _line(["mine [x]", "3"]) == "mine [x] & 3 \\\\"
