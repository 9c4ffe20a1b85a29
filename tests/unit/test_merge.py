"""What another results folder holds is read strictly: nothing of it lands, or comes from, outside."""

import json
import os
import shutil
from pathlib import Path

import pytest
from command import checksums, command, sentence, succeed

from benchmark.integrity.sealed import read_json, render, write_json
from benchmark.verbs.merge import merge
from benchmark.verbs.verify import verify


@pytest.fixture
def there(work: Path) -> Path:
    """Another results folder, whole."""
    return work / "results"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "a" / "b" / "c" / "here"


def run_folder(results: Path, model: str = "beta_vae") -> Path:
    return next(results.glob(f"runs/*/{model}/*/s0"))


def refused(there: Path, here: Path, outside: Path) -> str:
    """The sentence that merging ends with; nothing is written but an empty results folder at most."""
    before = checksums(outside)
    result = command(there.parent, "merge", str(there), "--results", str(here))
    assert result.returncode in (1, 2)
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert {path for path in checksums(outside) if path not in before} <= {
        str((here / "format.json").relative_to(outside))
    }
    assert {path: digest for path, digest in checksums(outside).items() if path in before} == before
    return result.stderr


@pytest.mark.parametrize(
    ("part", "value"),
    [("seed", "0/../../../../../../x/.ssh"), ("dataset", "../../../x"), ("model", "/tmp/x"), ("model", "a\x1b[2Jb")],
)
def test_names_and_seeds_of_a_foreign_plan_leave_no_folder(there, here, tmp_path, part, value):
    path = there / "suites" / "tiny" / "plan.json"
    plan = read_json(path)
    if part == "seed":
        plan["runs"][0]["seed"] = value
    else:
        plan["runs"][0][part]["name"] = value
    write_json(path, plan)
    said = refused(there, here, tmp_path)
    assert "plan.json: runs[0]" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("where", ["codes", "score", "toml", "folder", "dangling", "plan"])
def test_a_symbolic_link_is_refused_by_name(there, here, tmp_path, where):
    secret = tmp_path / "private" / "secret"
    secret.parent.mkdir()
    secret.write_text("secret")
    folder = run_folder(there)
    link = {
        "codes": folder / "codes.safetensors",
        "score": folder / "scores" / "stolen.json",
        "toml": there / "suites" / "tiny" / "tiny.toml",
        "folder": folder / "figures",
        "dangling": folder / "nothing",
        "plan": there / "suites" / "other" / "plan.json",
    }[where]
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to({"folder": secret.parent, "dangling": tmp_path / "absent"}.get(where, secret))
    said = refused(there, here, tmp_path)
    assert link.name in said
    assert "a symbolic link" in said


def test_a_pipe_is_refused_and_not_waited_for(there, here, tmp_path):
    os.mkfifo(run_folder(there) / "pipe")
    assert "no plain file" in command(there.parent, "merge", str(there), "--results", str(here)).stderr


@pytest.mark.parametrize("name", ["codes.safetensors", "run.json", "scores"])
def test_an_altered_run_is_not_taken_over(there, here, tmp_path, name):
    path = run_folder(there) / name
    path = next(path.glob("mig*.json")) if path.is_dir() else path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert path.name in refused(there, here, tmp_path)


def test_all_is_taken_over_sound_and_the_other_folder_stays_as_it_is(there, here):
    before = checksums(there)
    assert merge(there, results=here) == {"runs": 6, "scores": 0, "suites": 1}
    assert checksums(there) == before
    assert verify(results=here).findings == []
    for path in here.glob("runs/*/*/*/*/scores/mig*.json"):
        path.unlink()
    assert merge(there, results=here)["scores"] == len(list(there.glob("runs/*/*/*/*/scores/mig*.json"))) > 0
    assert verify(results=here).findings == []


def test_of_a_read_only_folder_the_modes_of_folders_stay_behind(there, here):
    """The modes tell, and not whether merging works: it does for root, who may write anywhere."""
    folders = [path for path in (there, *there.rglob("*")) if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    try:
        assert merge(there, results=here)["runs"] == 6
    finally:
        for path in folders:
            path.chmod(0o755)
    assert {path.stat().st_mode & 0o200 for path in here.rglob("*") if path.is_dir()} == {0o200}
    assert verify(results=here).findings == []


def test_a_folder_of_an_older_version_is_taken_over_and_sealed(there, here):
    for path in there.rglob("*.json"):
        record = {key: value for key, value in read_json(path).items() if key not in ("digest", "files", "codes")}
        path.write_text(json.dumps({**record, "format": 1}))
    assert merge(there, results=here)["runs"] == 6
    found = verify(results=here)
    assert (found.findings, found.sealed) == ([], [])
    shutil.rmtree(run_folder(here) / "scores")
    assert merge(there, results=here)["scores"] == len(list(run_folder(there).glob("scores/*.json")))
    assert verify(results=here).findings == []


def test_scores_of_other_codes_of_the_same_run_are_left(there, here):
    merge(there, results=here)
    folder = run_folder(there)
    codes = folder / "codes.safetensors"
    data = bytearray(codes.read_bytes())
    data[-1] ^= 1  # as another machine rounds
    codes.write_bytes(data)
    record = {key: value for key, value in read_json(folder / "run.json").items() if key not in ("digest", "files")}
    (folder / "run.json").write_text(render(record | {"format": 1}))
    shutil.rmtree(folder / "scores")
    succeed(there.parent, "evaluate", "tiny.toml", "--jobs", "0")
    for path in run_folder(here).glob("scores/*.json"):
        path.unlink()
    assert merge(there, results=here)["scores"] == 0
    assert verify(results=here).findings == []


def test_what_is_no_results_folder_is_said(work):
    assert "has no format.json" in sentence(command(work, "merge", "."), 2)
