"""Pictures in a palette of their own: a third of the size, and no difference that one sees."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SEEN = 48
"""Levels of 255 by which a palette may move a pixel in a channel: of many greys it moves them by some ten."""


def compact(data: bytes, dots: float | None = None) -> bytes:
    """The same picture in 64 colours of its own. dots: pixels to the inch, where the file is to say them.

    The palette goes by how many pixels have a colour: where that would lose one that few have, such as that of a small
    object before noise, it is in 256 that are spread over all, or else in all its colours.
    """
    from PIL import Image

    with Image.open(BytesIO(data)) as image:
        whole = image.convert("RGB")
    for colours, method in ((64, Image.Quantize.MEDIANCUT), (256, Image.Quantize.MAXCOVERAGE)):
        few = whole.quantize(colours, method=method, dither=Image.Dither.NONE)
        if _moved(whole, few) <= SEEN:
            return _saved(few, dots)
    return _saved(whole, dots)


def compact_chart(data: bytes, dots: float | None = None) -> bytes:
    """A chart in 256 colours spread over all that it has: a colour of few pixels may be a whole class of points."""
    from PIL import Image

    with Image.open(BytesIO(data)) as image:
        few = image.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    return _saved(few, dots)


def _moved(whole: Picture, few: Picture) -> int:
    """The most levels by which a pixel differs in a channel."""
    one, other = np.asarray(whole, dtype=np.int16), np.asarray(few.convert("RGB"), dtype=np.int16)
    return int(np.abs(one - other).max(initial=0))


def _saved(image: Picture, dots: float | None) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True, **({"dpi": (dots, dots)} if dots else {}))
    return buffer.getvalue()
