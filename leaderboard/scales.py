"""Scales that follow the trained models: a reference far off does not press them into a corner."""

from __future__ import annotations

from collections.abc import Sequence


def scale(models: Sequence[tuple[float, float]], references: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis, the first below the second.

    models: what each reaches, from and to; at least one. references: those no further off than the models are from
    each other are taken in; the rest lie beyond.
    """
    low, high = min(low for low, _ in models), max(high for _, high in models)
    room = high - low or abs(high) or 1.0
    near = [each for each in references if low - room <= each <= high + room]
    low, high = min([low, *near]), max([high, *near])
    return (low, high) if high > low else (low - room / 2, high + room / 2)
