"""Distance to orthogonality against disentanglement, a mark a run (R Fig. 4)."""

from __future__ import annotations

from dataclasses import replace

from leaderboard.charts.trade_off import trade_off
from leaderboard.results import Results
from leaderboard.style import Figure, Wanted

AGAINST = ("disentanglement_score", "mig", "dci")


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    wide = results.wide
    dto = next((column for column in results.scored if column.metric == "dto" and column.name in wide), None)
    against = [(c.name, c.title) for c in results.scored if c.metric in AGAINST and c.name in wide]
    looks = {row.label: results.looks[row.label] for row in results.board.rows}
    figure = trade_off(wide, (dto.name, dto.title), against, looks, kind) if dto else None
    if figure is None:
        return []
    caption = (
        "Alignment and disentanglement, one mark a run: a low distance to orthogonality says that the decoder's "
        "principal directions lie along the axes."
    )
    return [replace(figure, name="alignment", caption=caption)]
