"""CONTRIBUTING tells commands that are there: each verb and flag exists, and what it names lies where it says.

The path of a submission is run by test_archive_pages.py, command by command.
"""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from benchmark.cli import app

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".github" / "CONTRIBUTING.md"
TEXT = FILE.read_text()


def commands(text: str = TEXT) -> list[list[str]]:
    """Every command of this program in it, as words: those in blocks, and those in single backquotes."""
    fenced = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [shlex.split(line) for line in [*fenced, *inline] if line.startswith("benchmark ")]


def wrong(words: list[str]) -> list[str]:
    """What of a command is not there."""
    verb = get_command(app)
    rest = words[1:]
    while rest and hasattr(verb, "commands"):
        if rest[0] not in verb.commands:
            return [rest[0]]
        verb, rest = verb.commands[rest[0]], rest[1:]
    known = {name for parameter in verb.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return [word for word in rest if word.startswith("--") and word not in known]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_exists_with_its_flags(words):
    assert wrong(words) == []


def test_a_command_that_is_not_there_is_found():
    assert wrong(["benchmark", "submitt", "x"]) == ["submitt"]
    assert wrong(["benchmark", "submit", "x", "--onto", "y"]) == ["--onto"]
    assert wrong(["benchmark", "data", "mend"]) == ["mend"]
    assert len(commands("`benchmark list`\n```sh\nbenchmark demo\npip install x\n```\n")) == 2


def test_what_the_setup_needs_is_there():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert any(each.startswith("pre-commit") for each in extras["dev"])
    assert (ROOT / ".pre-commit-config.yaml").is_file()
    for path in re.findall(r"`((?:benchmark|tests|\.ci)/[\w./]+)`", TEXT):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (FILE.parent / path).exists(), path
    assert set(re.findall(r"tox -e (\w+)", TEXT)) <= set(re.findall(r"testenv:(\w+)", (ROOT / "tox.ini").read_text()))


def test_the_path_of_a_submission_has_ten_lines_at_most():
    part = TEXT.partition("## A submission")[2]
    steps = re.findall(r"^\d+\. ", part, re.MULTILINE)
    assert len(steps) + len(re.findall(r"^benchmark ", part, re.MULTILINE)) <= 12
