"""The README shows what is really there."""

import re
from pathlib import Path

from typer.main import get_command

from benchmark.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_it_is_short():
    assert README.count("\n") <= 120


def test_the_notebook_it_quotes_is_the_tested_example():
    quoted = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert (ROOT / "tests/end_to_end/examples/notebook.py").read_text() in quoted


def test_the_example_is_under_40_lines():
    assert (ROOT / "tests/end_to_end/examples/my_vae.py").read_text().count("\n") < 40


def test_every_verb_it_names_exists():
    verbs = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"`(?:\.venv/bin/)?benchmark (\w+)", README))
    assert named and named <= verbs, named - verbs


def test_every_file_it_links_to_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
