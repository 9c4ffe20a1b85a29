"""The tutorial of other tools, with the commands that the site only shows run too: with the real packages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmark.documentation import tutorials, warm
from benchmark.documentation.site import PAGES

for package in ("datasets", "mlflow", "wandb"):
    pytest.importorskip(
        package, reason=f"{package} is not installed: pip install 'disentanglement-benchmark[integrations]'"
    )

PAGE = PAGES / "tutorials" / "work-with-other-tools.md"
OFFLINE = {"HF_HUB_OFFLINE": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false"}


def test_every_command_of_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("BENCHMARK_CACHE", str(tmp_path / "cache"))
    for name in [each for each in os.environ if each.startswith("WANDB_SERVICE")]:
        monkeypatch.delenv(name)
    text = PAGE.read_text().replace("```console\npip", "```text\npip")
    for shown, run in (("```console\n", "```sh\n"), ("```py\n", "```python\n")):
        assert shown in text
        text = text.replace(shown, run)
    with warm.server() as address:
        said = tutorials.played(text, tmp_path / "here", "tutorial", address)
    assert "wandb, project codes: 1 run: 1 exported; 1 score without a number" in said
    assert "sqlite:///runs.db, experiment mine: 1 run: 1 exported" in said
    assert "ClassLabel" in said and "{'n_components': 3}" in said
    assert len(list((tmp_path / "here" / "wandb").glob("offline-run-*"))) == 1
