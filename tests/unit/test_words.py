"""What computes gives facts: nothing under these folders prints, or is a text for people."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import benchmark

ROOT = Path(benchmark.__file__).parent
COMPUTES = (
    "stages",
    "integrations",
    "reading",
    "training",
    "models",
    "networks",
    "metrics",
    "statistics",
    "integrity",
    "archive",
)
TEXTS = {"text", "as_text", "sentence", "lines", "as_lines", "as_table", "as_html"}
"""What functions are called that word something."""


def wording(source: str) -> list[str]:
    """The lines of a module that print, or define a function that words."""
    found = []
    for node in ast.walk(ast.parse(source)):
        named = isinstance(node, ast.FunctionDef) and node.name in TEXTS
        printing = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        stream = isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr")
        if named or printing or stream:
            found.append(f"line {node.lineno}: {ast.unparse(node).splitlines()[0]}")  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("folder", COMPUTES)
def test_what_computes_words_nothing(folder: str) -> None:
    found = {str(path.relative_to(ROOT)): wording(path.read_text()) for path in (ROOT / folder).rglob("*.py")}
    assert found, f"no module in {folder}"
    assert not {path: lines for path, lines in found.items() if lines}, "words belong into benchmark/words"


@pytest.mark.parametrize(
    "breach",
    [
        "print(1)",
        "import sys\nsys.stderr.write('x')",
        "def as_text(x): ...",
        "class A:\n    def text(self): ...",
    ],
)
def test_a_breach_is_found(breach: str) -> None:
    assert wording(breach)
    assert not wording("def score(x):\n    raise ValueError('a message stays where it is raised')")
