"""The page: complete, self-contained, honest about what is missing."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from synthetic_suite import DECLARATIONS, synthetic_suite, write_scores

from benchmark.errors import BenchmarkError, UsageError
from benchmark.table import compile_table
from leaderboard.board import boards
from leaderboard.columns import title
from leaderboard.finding import finding
from leaderboard.report import write_report
from leaderboard.sections import all_results

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """What a reader of the page's source would collect: balanced tags, ids, links, images and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.attributes.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [found for name, found in self.attributes if name == tag]


def test_a_suite_names_the_measure_that_orders_the_rows_and_is_spoken_of(tmp_path: Path) -> None:
    table = compile_table("suite", synthetic_suite(tmp_path))
    (usual,) = all_results(table, {}, DECLARATIONS)
    (asked,) = all_results(table, {}, DECLARATIONS, "reconstruction")
    leading = [of.boards[0].ordered_by for of in (usual, asked)]
    assert [column and column.metric for column in leading] == ["mig", "reconstruction"]
    points = [row.cells[leading[1].name].point for row in asked.boards[0].trained]
    assert points == sorted(points)
    assert [finding(of.boards[0], {}).column.metric for of in (usual, asked)] == ["mig", "reconstruction"]
    assert asked.boards[0].columns[0].metric == "mig", "the headline leads its own kind of columns"


def write(folder: Path, **options) -> str:
    runs = synthetic_suite(folder, **options)
    write_scores(runs[0][1], "mig", {}, "failed", "it <broke>")
    failures = [{"run_id": "abc-s1", "what": "the loss became NaN at step 12"}]
    table = compile_table("suite", runs)
    return write_report("suite & co", "What <it> is.", table, runs, DECLARATIONS, folder, failures).read_text()


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> str:
    return write(tmp_path_factory.mktemp("results"), seeds=2)


@pytest.fixture(scope="module")
def page(source) -> Page:
    return Page(source)


def test_nothing_leaves_the_page(source, page):
    assert "default-src 'none'" in source
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", source)
    assert not re.search(r"@import|url\(", source)
    assert page.all("link") == []


def test_links_lead_somewhere(page):
    assert len(page.ids) == len(set(page.ids))
    assert {link["href"][1:] for link in page.all("a")} <= set(page.ids)


def test_every_picture_has_a_text(page):
    images = page.all("img")
    assert len(images) > 10 and all(len(image["alt"]) > 20 for image in images)
    tables = sum("words" in figure.get("class", "").split() for figure in page.all("figure"))
    assert len(page.all("figcaption")) - tables == len(images) + len(page.all("canvas"))


def test_what_people_wrote_is_escaped(source, page):
    assert "suite & co" in page.text and "What <it> is." in page.text
    assert "it <broke>" not in source and "it &lt;broke&gt;" in source


def test_failures_are_shown(page):
    assert "the loss became NaN at step 12" in page.text
    assert "24" not in page.text or "16 finished, 1 failed" in page.text


def test_every_score_says_its_protocol(source):
    for name in DECLARATIONS:
        assert f"{name}/" in source
    assert "mig/bins20-mean-n10000/v1" in source and "mig/bins20-sample-n10000/v1" in source


def test_commands_that_repeat_the_runs(page):
    assert page.text.count("benchmark run quickstart --only model=pca") == 3, "the shown run, and both in the list"


def test_script_sorts_only_what_can_be_sorted(page):
    values = [cell["data-value"] for cell in page.all("td") if "data-value" in cell]
    assert "" in values and all(re.fullmatch(r"-?[\d.e-]*", value) for value in values)


def test_pages_are_reproducible(tmp_path, source):
    again = write(tmp_path, seeds=2)
    assert again == source


def test_board_by_hand(tmp_path):
    runs = synthetic_suite(tmp_path, seeds=2, pictures=False)
    ae = [folder for run, folder in runs if run.model.name == "ae"]
    for folder, value in zip(ae, (0.8, 0.9), strict=True):
        write_scores(folder, "mig", {"mig": value})
    vae = [folder for run, folder in runs if run.model.name == "vae"]
    write_scores(vae[0], "mig", {"mig": 0.25})
    write_scores(vae[1], "mig", {}, "failed", "no time left")
    board = boards(compile_table("suite", runs), DECLARATIONS)[0]
    rows = {row.label: row for row in board.rows}
    cell = rows["ae"].cells["mig"]
    assert (cell.text, cell.best, board.rows[0].label) == ("0.850 ± 0.071", True, "ae")
    assert board.rows[-1].reference and not rows["perfect"].cells["mig"].best, "a reference wins nothing"
    partly = rows["vae"].cells["mig"]
    assert (partly.text, partly.without, partly.reason) == ("0.250", 1, "no time left")
    assert rows["perfect"].cells["dto"].text == "n/a"
    assert "codes alone have no decoder" in board.reasons
    assert not any(row.cells["kl"].best for row in board.rows), "neither direction is better"


def test_names_as_people_write_them():
    assert [title(name) for name in ("mig", "factor_vae_score", "beta_vae_score")] == [
        "MIG",
        "factor VAE score",
        "β-VAE score",
    ]


def test_without_runs_there_is_still_a_table(tmp_path):
    runs = synthetic_suite(tmp_path, seeds=1, pictures=False)
    table = compile_table("suite", runs)
    page = Page(write_report("suite", "", table, [], DECLARATIONS, tmp_path).read_text())
    assert "the run folder is not here" in page.text


def test_nothing_evaluated_yet(tmp_path):
    page = Page(write_report("suite", "", compile_table("suite", []), [], DECLARATIONS, tmp_path).read_text())
    assert "0 finished" in page.text


def test_damaged_run_is_named(tmp_path):
    runs = synthetic_suite(tmp_path, seeds=1, pictures=False)
    table = compile_table("suite", runs)
    (runs[0][1] / "run.json").write_text("{")
    with pytest.raises(BenchmarkError, match=r"run\.json is damaged"):
        write_report("suite", "", table, runs, DECLARATIONS, tmp_path)


def test_undeclared_metric(tmp_path):
    table = compile_table("suite", synthetic_suite(tmp_path, seeds=1, pictures=False))
    with pytest.raises(UsageError, match="not declared"):
        write_report("suite", "", table, [], {}, tmp_path)


def test_a_page_of_200_runs_is_small(tmp_path):
    runs = synthetic_suite(tmp_path, seeds=25)
    table = compile_table("suite", runs)
    path = write_report("suite", "", table, runs, DECLARATIONS, tmp_path)
    assert len(runs) == 200 and path.stat().st_size < 5e6


def test_tables_of_other_suites_merge_into_one_page(tmp_path):
    first = compile_table("one", synthetic_suite(tmp_path / "one", seeds=1, pictures=False))
    second = first.assign(dataset="other", config_id="f" + first["config_id"], run_id="f" + first["run_id"])
    page = Page(write_report("both", "", pd.concat([first, second]), [], DECLARATIONS, tmp_path).read_text())
    assert [nav["aria-label"] for nav in page.all("nav")] == ["Datasets"]


@pytest.fixture(scope="module")
def pictured(tmp_path_factory):
    """A suite with pictures: its folder, runs and table, and its page."""
    folder = tmp_path_factory.mktemp("pictured")
    runs = synthetic_suite(folder)
    table = compile_table("suite", runs)
    return folder, runs, table, write_report("suite", "", table, runs, DECLARATIONS, folder).read_text()


def test_pictures_are_shown_while_there_is_room(pictured, monkeypatch):
    folder, runs, table, whole = pictured
    monkeypatch.setattr("leaderboard.sections.ROOM", 1)
    page = write_report("suite", "", table, runs, DECLARATIONS, folder).read_text()
    assert whole.count("Pictures of run") > page.count("Pictures of run") == 1
    assert "Pictures are of 1 of" in page
    # It is the first of the board that has them.
    assert page.index("Pictures of run") < page.index("<article", page.index("<article") + 1)


def test_processes_draw_the_same_page(pictured):
    folder, runs, table, whole = pictured
    said: list[tuple[int, int]] = []
    path = write_report(
        "suite", "", table, runs, DECLARATIONS, folder, jobs=2, step=lambda *numbers: said.append(numbers)
    )
    assert path.read_text() == whole
    assert said[0][0] == 0 and said[-1][0] == said[-1][1] > 10


def test_a_drawing_that_fails_or_dies_is_told():
    from leaderboard.drawing import draw_all

    with pytest.raises(BenchmarkError, match="broken"):
        draw_all({"one": broken}, 1, lambda *_: None)
    with pytest.raises(BenchmarkError, match="one could not be drawn: its process was killed"):
        draw_all({"one": dying}, 1, lambda *_: None)


def broken() -> None:
    raise BenchmarkError("broken")


def dying() -> None:
    os._exit(9)
