"""Images decoded from draws of the prior (M Fig. 5.2, S Fig. 5)."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import UInt8
from numpy import ndarray

from leaderboard.few_colours import compact
from leaderboard.style import Figure
from leaderboard.tiles import as_rgb, enlarged, png, tiles

NEEDS = {"picture_samples"}


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    return [samples(arrays["picture_samples"], title)]


def samples(drawn: UInt8[ndarray, "n c h w"], title: str) -> Figure:
    """Decoded draws from the prior, in rows of 16."""
    n = len(drawn) - len(drawn) % 16 or len(drawn)
    images = enlarged(as_rgb(drawn[:n]))
    grid = images.reshape(-1, min(16, n), *images.shape[1:])
    return Figure(
        "samples",
        compact(png(tiles(grid))),
        "png",
        f"{n} images decoded by {title} from draws of the prior.",
        "Samples: what the decoder draws from points of the prior.",
    )
