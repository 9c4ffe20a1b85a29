"""The README shows what is really there."""

import re
from pathlib import Path

from typer.main import get_command

from benchmark.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_model_it_quotes_is_the_tested_example():
    assert (ROOT / "tests/end_to_end/examples/my_vae.py").read_text() in blocks("python")


def test_the_notebook_it_quotes_is_the_tested_example():
    assert (ROOT / "tests/end_to_end/examples/notebook.py").read_text() in blocks("python")


def test_the_example_is_under_40_lines():
    assert (ROOT / "tests/end_to_end/examples/my_vae.py").read_text().count("\n") < 40


def test_every_verb_it_names_exists():
    verbs = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"`(?:\.venv/bin/)?benchmark (\w+)", README))
    assert named and named <= verbs, named - verbs


def test_every_file_it_links_to_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_suite_it_shows_expands(tmp_path, monkeypatch):
    from benchmark import registry
    from benchmark.suite import expand

    monkeypatch.setattr(registry, "_plugins", {})
    registry.add_plugin(ROOT / "tests/end_to_end/examples/my_vae.py")
    suites = [block for block in blocks("toml") if "[[block]]" in block]
    assert len(suites) == 2
    for index, text in enumerate(suites):
        path = tmp_path / f"suite{index}.toml"
        path.write_text(text)
        assert expand(str(path)).runs
