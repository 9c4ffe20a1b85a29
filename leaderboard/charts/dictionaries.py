"""The dictionaries of linear embeddings side by side (E: PCA and NMF with K = 25)."""

from __future__ import annotations

from textwrap import fill

from numpy import ndarray

from leaderboard.pictures.dictionary import NEEDS, image
from leaderboard.results import Results
from leaderboard.style import STYLE, Figure, Wanted, canvas, drawn

LIMIT = 6
"""Embeddings shown, in the board's order."""


def charts(results: Results, kind: Wanted) -> list[Figure | None]:  # noqa: ARG001
    found = {}
    for row in results.board.rows:
        run_id = next(iter(results.folders(row.label)), None)
        arrays = results.arrays(run_id, NEEDS) if run_id else {}
        if arrays:
            found[row.label] = arrays["picture_dictionary"]
    return [dictionaries(found)]


def dictionaries(patterns: dict[str, ndarray]) -> Figure | None:
    """A panel for each embedding's patterns, of its run of lowest seed; None of fewer than two. Always a PNG."""
    from matplotlib import rc_context

    if len(patterns) < 2:
        return None
    shown = dict(list(patterns.items())[:LIMIT])
    with rc_context(STYLE):
        figure, axes = canvas(len(shown), 3, 2.9, 3.1)
        for axis, (label, each) in zip(axes, shown.items(), strict=True):
            axis.imshow(image(each), interpolation="nearest")
            axis.set_axis_off()
            axis.set_title(fill(label, 40))
        left_out = len(patterns) - len(shown)
        return drawn(
            "dictionaries",
            figure,
            "png",
            f"The patterns that {', '.join(shown)} add up, side by side.",
            "Dictionaries: what each coordinate of a linear embedding adds to the image, at most 25, each scaled to its"
            " largest value; blue adds, orange takes away."
            + (f" {left_out} further embeddings are not shown." if left_out else ""),
        )
