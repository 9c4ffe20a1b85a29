"""The lines that the README shows for notebooks, as they stand there."""

from __future__ import annotations

import runpy
import time
from pathlib import Path

import numpy as np
import pytest

NOTEBOOK = Path(__file__).parent / "examples" / "notebook.py"


def test_the_ten_lines_run_and_give_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    start = time.process_time()
    found = runpy.run_path(str(NOTEBOOK))
    assert time.process_time() - start < 20
    said = capsys.readouterr()
    for words in ("mig/bins20-mean-n10000/v1", "pearson", "dci/model=lasso-train5000-test5000-mean-n11520/v1"):
        assert words in said.out
    assert "shape 3 values, scale 6 values, orientation 10 values" in said.err
    scores = found["scores"]
    assert set(scores["status"]) == {"ok"} and len(scores) > 20
    assert {path.name for path in tmp_path.iterdir()} == {"explorer.html", "mine.npz"}
    assert "latentExplorer" in (tmp_path / "explorer.html").read_text()
    with np.load("mine.npz") as archive:
        assert archive["codes"].shape == (11_520, 6)


def test_they_are_few() -> None:
    code = [line for line in NOTEBOOK.read_text().splitlines()[1:] if line]
    assert len(code) == 9
