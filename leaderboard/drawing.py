"""What takes long to draw, drawn by several processes at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from benchmark.errors import BenchmarkError
from benchmark.execution.processes import execute

Step = Callable[[int, int], None]
"""Hears how many drawings are finished, and how many there are."""


def draw_all(drawings: Mapping[Hashable, Callable[[], Any]], jobs: int, step: Step) -> dict[Hashable, Any]:
    """What every drawing gives, by its key. `jobs`: processes; 0 draws in this one.

    Raises the `BenchmarkError` of a drawing that raised one, or one for a drawing whose process died.
    """
    found: dict[Hashable, Any] = {}
    step(0, len(drawings))
    for outcome in execute(_drawn, list(drawings.items()), jobs):
        key = outcome.task[0]
        if outcome.died:
            raise BenchmarkError(f"{key} could not be drawn: {outcome.died}; it may need more memory than there is")
        found[key], error = outcome.value
        if error is not None:
            raise error
        step(len(found), len(drawings))
    return found


def _drawn(drawing: tuple[Hashable, Callable[[], Any]]) -> tuple[Any, Exception | None]:
    try:
        return drawing[1](), None
    except Exception as error:  # raised anew where it is heard
        return None, error
