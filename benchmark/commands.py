"""Commands of this program as a hint names them: typed like this, they do what is said."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

RESULTS = Path("results")
"""The folder of results where none is named."""


def command_line(*words: str | os.PathLike[str], results: Path = RESULTS) -> str:
    """A command as it is typed, quoted where a shell would part or change it. results: the folder that it is about."""
    elsewhere = () if results == RESULTS else ("--results", results)
    return shlex.join(["benchmark", *(os.fspath(word) for word in (*words, *elsewhere))])
