"""A model and a measure of one's own in loose files: run, evaluated, on the page, and known by their content."""

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from command import checksums, command, sentence, succeed

from benchmark import registry
from benchmark.codes import Codes
from benchmark.integrity.sealed import read_json
from benchmark.spec import Run
from benchmark.suite import expand

MODEL = Path(__file__).parent / "examples" / "my_vae.py"
SUITE = """
description = "a model of my own"
training = { steps = 40, batch = 16, learning_rate = 1e-3 }
evaluation = { budget = "quick", metrics = ["mig", "my_spread"] }

[[block]]
dataset = { name = "synth_linear", points = 1200 }
network = { name = "mlp_tiny", hidden = 8 }
model = ["vae", { name = "my_vae", beta = 2, free = 0.2 }]
"""
METRIC = '''"""How far the codes spread."""

from benchmark import metric


@metric(higher_is_better=None, bounds=(0.0, float("inf")), representations=("mean",))
def my_spread(codes, *, seed: int = 0) -> dict[str, float]:
    """The mean standard deviation of a coordinate."""
    return {"my_spread": float(codes.std(axis=0).mean())}
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(MODEL, tmp_path)
    (tmp_path / "my_spread.py").write_text(METRIC)
    (tmp_path / "mine.toml").write_text(SUITE)
    return tmp_path


def test_the_example_is_short():
    assert len(MODEL.read_text().splitlines()) < 40


def test_a_loose_model_and_a_loose_measure_reach_the_page(folder):
    plugins = ["--plugin", "my_vae.py", "--plugin", "my_spread.py"]
    succeed(folder, "run", "mine.toml", "--jobs", "1", *plugins)
    succeed(folder, "evaluate", "mine.toml", "--jobs", "1", *plugins)
    succeed(folder, "report", "mine.toml", *plugins)
    suite = folder / "results" / "suites" / "mine"
    table = pd.read_csv(suite / "results.csv")
    mine = table[table["model"] == "my_vae"]
    assert set(mine["metric"]) == {"mig", "my_spread"}
    assert set(mine["status"]) == {"ok"}
    page = (suite / "index.html").read_text()
    assert "my_vae" in page
    assert "my_spread" in page or "my spread" in page.lower()
    (history,) = folder.glob("results/runs/synth_linear/my_vae/*/s0/history.csv")
    columns = history.read_text().splitlines()[0].split(",")
    assert {"loss", "rec", "kl", "kl_paid"} <= set(columns)
    (record,) = folder.glob("results/runs/synth_linear/my_vae/*/s0/run.json")
    model = json.loads(record.read_text())["run"]["model"]
    assert model["source"] == hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert str(folder) not in json.dumps(model)


def test_without_its_file_a_loose_model_is_an_unknown_name(folder):
    said = sentence(command(folder, "run", "mine.toml", "--plugin", "my_spread.py"), 2)
    assert 'unknown model "my_vae"' in said and "--plugin FILE" in said


def test_a_loose_file_enters_the_identity_by_its_content_and_not_its_path(folder, monkeypatch):
    def run(path: Path) -> Run:
        monkeypatch.setattr(registry, "_plugins", {})
        registry.add_plugin(path)
        registry.add_plugin(folder / "my_spread.py")
        return expand(str(folder / "mine.toml"), only={"model": ["my_vae"]}).runs[0]

    here = folder / "my_vae.py"
    there = folder / "elsewhere" / "my_vae.py"
    there.parent.mkdir()
    shutil.copy(here, there)
    before = run(here)
    assert run(there).config_id == before.config_id
    assert before.config["model"]["source"] == registry.source("model", "my_vae")
    there.write_text(there.read_text() + "# a remark\n")
    assert run(there).config_id != before.config_id


EDITED = '''"""Codes, and their spread, times a number; whoever asks for either edits this file."""
from pathlib import Path

from benchmark import Anchor, metric

SCALE = 1


def edit():
    file = Path(__file__)
    file.write_text(file.read_text().replace("SCALE = 1\\n", "SCALE = 100\\n"))


class Edited(Anchor):
    def codes(self, factors, rng):
        edit()
        return SCALE * factors.astype("float32")


@metric(higher_is_better=None, bounds=(0.0, float("inf")), representations=("mean",))
def edited(codes, *, seed: int = 0) -> dict[str, float]:
    """The spread."""
    edit()
    return {"edited": SCALE * float(codes.std(axis=0).mean())}
'''


@pytest.mark.parametrize("jobs", ["0", "1"])
def test_a_file_that_is_edited_meanwhile_makes_all_runs_and_scores_as_it_was(tmp_path, jobs):
    file = tmp_path / "edited.py"
    (tmp_path / "own.toml").write_text(
        'description = "own"\nseeds = 3\n[[block]]\nmodel = "edited"\n'
        'dataset = { name = "synth_linear", points = 60 }\n'
    )
    digest = hashlib.sha256(EDITED.encode()).hexdigest()
    for words in (["run"], ["evaluate", "--metrics", "edited"]):
        file.write_text(EDITED)
        succeed(tmp_path, words[0], "own.toml", *words[1:], "--plugin", "edited.py", "--jobs", jobs)
        assert "SCALE = 100" in file.read_text()
    folders = [path.parent for path in tmp_path.glob("results/runs/*/edited/*/*/run.json")]
    assert len(folders) == 3
    assert len({Codes.load(folder / "codes.safetensors").means.std() for folder in folders}) == 1
    assert {read_json(folder / "run.json")["run"]["model"]["source"] for folder in folders} == {digest}
    scores = [read_json(path) for folder in folders for path in folder.glob("scores/*.json")]
    assert {(score["status"], score["metric_source"]) for score in scores} == {("ok", digest)}
    assert len(scores) == 3 and len({score["values"]["edited"] for score in scores}) == 1


def test_old_weights_are_not_encoded_by_a_file_that_was_edited_since(folder):
    file = folder / "my_vae.py"
    plugins = ("--plugin", "my_vae.py", "--plugin", "my_spread.py")
    again = ("evaluate", "mine.toml", "--metrics", "dto", "--only", "model=my_vae", *plugins)
    succeed(folder, "run", "mine.toml", "--only", "model=my_vae", *plugins)
    before, text = checksums(folder / "results" / "runs"), file.read_text()
    file.write_text(text + "\n    def decode(self, z):\n        return super().decode(z * z)\n")
    old, new = (hashlib.sha256(content).hexdigest()[:12] for content in (text.encode(), file.read_bytes()))
    result = command(folder, *again)
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert (
        f"model my_vae: this run is of a my_vae.py of sha256 {old}…, and here is a my_vae.py of sha256 {new}…; put the"
        " former back, or train anew with the latter by `benchmark run`: its runs have ids of their own"
    ) in result.stderr
    assert checksums(folder / "results" / "runs") == before
    file.write_text(text)
    assert "encoded" in succeed(folder, *again).stderr
