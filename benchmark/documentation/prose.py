"""Docstrings as Markdown: paragraphs, formulas on lines of their own, and no sign taken for markup."""

from __future__ import annotations

import re

CODE = re.compile(r"(`[^`]+`)")
ARGUMENT = re.compile(r"([a-z][a-z_0-9]*(?:, [a-z][a-z_0-9]*)*): ")
"""How the description of an argument begins."""
LABELS = ("Returns", "Blind to", "Others", "Raises", "Cost", "Needs")
"""Words that begin a line of a docstring which stands for itself."""


def markdown(docstring: str) -> str:
    """A docstring that `inspect.cleandoc` has dedented: text is escaped, indented lines become formulas, and arguments,
    `name: text` with indented lines behind, a list."""
    found: list[str] = []
    lines: list[str] = []
    formula: list[str] = []

    def close() -> None:
        if lines:
            found.append(_paragraph(" ".join(lines)))
            lines.clear()
        if formula:
            found.append("\n".join(f"    {line}" for line in formula))
            formula.clear()

    for line in docstring.splitlines():
        if not line.strip():
            close()
        elif line.startswith("    ") and not (lines and ARGUMENT.match(lines[0])):
            if lines:
                close()
            formula.append(line.strip())
        else:
            begins = line.startswith(LABELS) or ARGUMENT.match(line)
            if formula or begins or (line.startswith("`") and lines and lines[-1].endswith(".")):
                close()
            lines.append(line.strip())
    close()
    return "\n\n".join(found)


def _paragraph(text: str) -> str:
    if found := ARGUMENT.match(text):
        return f"* **{escaped(found[1])}**: {escaped(text[found.end() :])}"
    return escaped(text)


def escaped(text: str) -> str:
    """Text whose signs are letters; what stands in backticks stays."""
    parts = CODE.split(text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_{}\[\]<>|#])", r"\\\1", part) for part in parts)


def cell(text: str) -> str:
    """Text within a table."""
    return " ".join(escaped(text).split())


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
