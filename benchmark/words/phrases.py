"""How verbs speak: of runs in titles and in the log, of commands in hints."""

from __future__ import annotations

import os
import shlex

from benchmark.spec import Run


def command_line(*words: str | os.PathLike[str]) -> str:
    """A command of this program as it is typed, quoted where a shell would part or change it."""
    return shlex.join(["benchmark", *(os.fspath(word) for word in words)])


def count(number: int, noun: str) -> str:
    """Such as: 1 run, 2,000 runs."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def label(run: Run) -> str:
    """A run in a few words for the log."""
    settings = " ".join(
        f"{key}={value}" for key, value in run.model.settings.items() if key not in ("likelihood", "sigma")
    )
    return f"{run.dataset.name} {run.model.name} {settings} seed {run.seed}".replace("  ", " ")
