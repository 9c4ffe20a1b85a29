"""Two files of one stem do not share a results folder, an edit is said, and a bare name finds its file."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark import evaluate, forget, registry, report, run
from benchmark.errors import UsageError
from benchmark.store import Store
from benchmark.suite import expand, find
from benchmark.verbs._given import next_command
from benchmark.verbs._request import Request
from benchmark.verbs._workplace import Workplace
from benchmark.verbs.estimate import estimate
from benchmark.verbs.export import export

TEXT = """
description = "an anchor"
evaluation = { metrics = ["active_units"] }
[[block]]
dataset = { name = "synth_linear", points = 60 }
model = "perfect"
"""
OTHER = TEXT.replace("perfect", "noise")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `two.toml`, which was run, and `other/two.toml`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_plugins", {})
    (tmp_path / "other").mkdir()
    Path("two.toml").write_text(TEXT)
    Path("other/two.toml").write_text(OTHER)
    run("two.toml", jobs=0)
    return tmp_path


def models() -> list[str]:
    return [each.model.name for each in Store(Path("results")).plan("two")]


def test_another_file_of_the_same_name_is_refused_and_changes_nothing(folder: Path) -> None:
    before = Path("results/suites/two/plan.json").read_bytes()
    said = r'results holds suite "two" as two\.toml says, and other/two\.toml is another file of that name: rename one'
    evaluate("two.toml", jobs=0)
    for verb in (
        lambda: run("other/two.toml", jobs=0),
        lambda: estimate(Request(suite="other/two.toml"), Workplace()),
        lambda: evaluate("other/two.toml", jobs=0),
        lambda: report("other/two.toml", jobs=0),
        lambda: forget("other/two.toml", metric="active_units"),
        lambda: export("other/two.toml", "csv"),
    ):
        with pytest.raises(UsageError, match=said):
            verb()
    assert Path("results/suites/two/plan.json").read_bytes() == before
    assert models() == ["perfect"]


def test_a_copy_a_move_and_a_vanished_file_are_no_other_suite(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("two.toml", "other/two.toml")
    assert run("other/two.toml", jobs=0).trained == 0
    Path("other/two.toml").unlink()
    Path("two.toml").write_text(OTHER)
    run("two.toml", jobs=0)
    assert models() == ["noise"]
    (folder / "moved").mkdir()
    for name in ("two.toml", "results"):
        shutil.move(name, folder / "moved" / name)
    evaluate("moved/two.toml", results="moved/results", jobs=0)  # type: ignore[arg-type]
    assert json.loads(Path("moved/results/suites/two/plan.json").read_text())["file"] == "../two.toml"
    assert "note" not in capsys.readouterr().err


def test_an_edit_is_taken_over_by_run_and_said_before(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate("two.toml", jobs=0)
    assert "edited" not in capsys.readouterr().err
    Path("two.toml").write_text("seeds = 2\n" + TEXT)
    said = "note: two.toml was edited, or is another file, since the suite was run: its runs are those of before;"
    for verb in (evaluate, report):
        verb("two.toml", jobs=0)
        assert f"{said} benchmark run two.toml takes the edit over" in capsys.readouterr().err
    assert len(run("two.toml", jobs=0).done) == 2
    evaluate("two.toml", jobs=0)
    assert "edited" not in capsys.readouterr().err


@pytest.mark.parametrize("verb", [run, evaluate, report])
def test_a_file_called_like_a_suite_of_this_package_is_that_suite_or_refused(folder: Path, verb) -> None:  # type: ignore[no-untyped-def]
    Path("quickstart.toml").write_text(TEXT)
    with pytest.raises(UsageError, match=r"is called quickstart and says something else; .* my_quickstart\.toml"):
        verb("quickstart.toml", jobs=0)
    assert not Path("results/suites/quickstart").exists()
    Path("quickstart.toml").write_bytes(b"\xef\xbb\xbf" + find("quickstart").read_bytes().replace(b"\n", b"\r\n"))
    assert expand("quickstart.toml").runs == expand("quickstart").runs


def test_a_bare_name_finds_the_file_that_was_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert evaluate("two", jobs=0).suite == "two"
    assert report("two", jobs=0).is_file()
    assert run("two", jobs=0).trained == 0
    monkeypatch.chdir(folder / "other")
    assert evaluate("two", results=folder / "results", jobs=0).suite == "two"
    with pytest.raises(UsageError, match=r'"two" is no suite of this package; the file beside it is written two\.toml'):
        evaluate("two", jobs=0)


def test_what_to_type_next_names_the_loose_files_and_the_results_folder(folder: Path) -> None:
    Path("mine.py").write_text(
        "from benchmark import metric\n\n\n@metric(representations=('mean',))\n"
        "def mine(codes, *, seed: int = 0) -> dict[str, float]:\n    return {'mine': 1.0}\n"
    )
    registry.add_plugin(Path("mine.py"))
    assert next_command("run", "two.toml", Path("r")) == "benchmark run two.toml --plugin mine.py --results r"
    Store(Path("r")).write_plan("two", "", Store(Path("results")).plan("two"))
    with pytest.raises(
        UsageError, match=r"table in r; next: benchmark evaluate two\.toml --plugin mine\.py --results r"
    ):
        export("two.toml", "csv", results=Path("r"))


def test_an_export_of_nothing_names_the_results_folder_too(folder: Path) -> None:
    run("two.toml", results=Path("r"), jobs=0)
    evaluate("two.toml", results=Path("r"), jobs=0)
    (one,) = Store(Path("r")).plan("two")
    Store(Path("r")).write_plan("two", "another text", [replace(one, seed=9)])
    with pytest.raises(UsageError, match=r'"two" is finished; next: benchmark run two\.toml --results r$'):
        export("two.toml", "csv", results=Path("r"))
