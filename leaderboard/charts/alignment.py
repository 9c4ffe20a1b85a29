"""Distance to orthogonality against disentanglement, a mark a run (R Fig. 4)."""

from __future__ import annotations

from dataclasses import replace

from leaderboard.charts.trade_off import best_corner, trade_off
from leaderboard.results import Results
from leaderboard.style import Figure, Wanted

AGAINST = ("disentanglement_score", "mig", "dci")


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    wide = results.wide
    dto = next((column for column in results.scored if column.metric == "dto" and column.name in wide), None)
    against = [c for c in results.scored if c.metric in AGAINST and c.name in wide]
    looks = {row.label: results.looks[row.label] for row in results.board.rows}
    figure = trade_off(wide, dto, against, looks, kind) if dto else None
    if dto is None or figure is None:
        return []
    caption = (
        "Alignment and disentanglement, one mark a run: a low distance to orthogonality says that the decoder's "
        f"principal directions lie along the axes. {best_corner(dto, against)}"
    )
    return [replace(figure, name="alignment", caption=caption)]
