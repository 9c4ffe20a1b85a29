"""How verbs speak: of runs in titles and in the log."""

from __future__ import annotations

from benchmark.spec import Run


def count(number: int, noun: str) -> str:
    """Such as: 1 run, 2,000 runs."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def label(run: Run) -> str:
    """A run in a few words for the log."""
    settings = " ".join(
        f"{key}={value}" for key, value in run.model.settings.items() if key not in ("likelihood", "sigma")
    )
    return f"{run.dataset.name} {run.model.name} {settings} seed {run.seed}".replace("  ", " ")
