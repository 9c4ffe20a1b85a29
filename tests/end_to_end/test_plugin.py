"""A model and a measure of one's own in loose files: run, evaluated, on the page, and known by their content."""

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from command import command, sentence, succeed

from benchmark import registry
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
    assert 'unknown model "my_vae"' in said


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
