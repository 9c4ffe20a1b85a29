"""Pictures of one run, drawn from the arrays that `encode` kept: reconstructions, traversals, samples."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from leaderboard.figures import INK, MUTED, STYLE, Figure, canvas, finished

PASSIVE = 0.01
"""Below this mean KL, in nats, a coordinate carries nothing and is greyed."""
GAP = 2
"""Pixels between the tiles of a grid."""


def as_rgb(images: UInt8[ndarray, "*n c h w"]) -> UInt8[ndarray, "*n h w 3"]:
    """Images for the eye: one channel is repeated, of more than three the first three are shown."""
    channels = images[..., :3, :, :] if images.shape[-3] >= 3 else images[..., :1, :, :].repeat(3, axis=-3)
    return np.moveaxis(channels, -3, -1)


def difference(images: UInt8[ndarray, "n c h w"], others: UInt8[ndarray, "n c h w"]) -> UInt8[ndarray, "n h w 3"]:
    """The mean difference over channels: blue where `others` are too bright, orange where too dark, else white."""
    signed = (others.astype(np.float32) - images.astype(np.float32)).mean(axis=1) / 255
    bright, dark = np.array([11, 92, 147]), np.array([213, 94, 0])
    target = np.where(signed[..., None] > 0, bright, dark)
    return (255 + (target - 255) * np.abs(signed)[..., None]).astype(np.uint8)


def tiles(grid: UInt8[ndarray, "rows columns h w 3"]) -> UInt8[ndarray, "H W 3"]:
    """A table of images as one, on white with a small gap."""
    rows, columns, h, w, _ = grid.shape
    sheet = np.full((rows * (h + GAP) - GAP, columns * (w + GAP) - GAP, 3), 255, np.uint8)
    for i in range(rows):
        for j in range(columns):
            top, left = i * (h + GAP), j * (w + GAP)
            sheet[top : top + h, left : left + w] = grid[i, j]
    return sheet


def reconstructions(
    images: UInt8[ndarray, "n c h w"], others: UInt8[ndarray, "n c h w"], title: str, limit: int = 10
) -> Figure:
    """Originals, their reconstructions, and the difference, in three rows."""
    images, others = images[:limit], others[:limit]
    grid = np.stack([as_rgb(images), as_rgb(others), difference(images, others)])
    error = np.abs(images.astype(float) - others).mean() / 255
    return Figure(
        "reconstructions",
        _sheet(grid, ["original", "reconstruction", "difference"], [INK] * 3),
        "png",
        f"{len(images)} images, their reconstructions by {title} and the differences: {error:.3f} on average.",
        "Reconstructions. Difference: blue where too bright, orange where too dark; on average it is "
        f"{error:.3f} of the range from black to white.",
    )


def traversals(
    moved: UInt8[ndarray, "d s c h w"], kl: Float[ndarray, " d"] | None, title: str, limit: int = 12
) -> Figure:
    """What the decoder draws as one coordinate moves from −3 to 3, coordinates sorted by mean KL in nats.

    Without KLs (a deterministic encoder) they are sorted by how much the picture changes.
    """
    change = moved.astype(np.float32).std(axis=1).mean(axis=(1, 2, 3))
    weight = change if kl is None else kl
    order = np.argsort(-weight, kind="stable")[:limit]
    active = np.full(len(moved), True) if kl is None else kl >= PASSIVE
    grid = np.stack([as_rgb(moved[j]) if active[j] else _faded(as_rgb(moved[j])) for j in order])
    names = [f"z{_subscript(int(j))}" + ("" if kl is None else f"  {kl[j]:.2f} nats") for j in order]
    left_out = len(moved) - len(order)
    by = "mean KL" if kl is not None else "how much the picture changes (no KL: the encoder is deterministic)"
    passive = (
        "" if active.all() else f" Faded: passive, KL below {PASSIVE} nats ({int((~active).sum())} of {len(moved)})."
    )
    return Figure(
        "traversals",
        _sheet(grid, names, [INK if active[j] else MUTED for j in order], ["−3", "0", "3"]),
        "png",
        f"Latent traversals of {title}: {len(order)} rows of {moved.shape[1]} images, "
        f"{int(active.sum())} coordinates active.",
        f"Traversals: one coordinate at a time from −3 to 3, sorted by {by}.{passive}"
        + (f" {left_out} further coordinates are not shown." if left_out else ""),
    )


def samples(drawn: UInt8[ndarray, "n c h w"], title: str) -> Figure:
    """Decoded draws from the prior, in rows of 16."""
    n = len(drawn) - len(drawn) % 16 or len(drawn)
    images = enlarged(as_rgb(drawn[:n]))
    grid = images.reshape(-1, min(16, n), *images.shape[1:])
    return Figure(
        "samples",
        _compact(_png(tiles(grid))),
        "png",
        f"{n} images decoded by {title} from draws of the prior.",
        "Samples: what the decoder draws from points of the prior.",
    )


def _faded(images: UInt8[ndarray, "*n h w 3"]) -> UInt8[ndarray, "*n h w 3"]:
    return (190 + images.astype(np.float32) * 0.25).astype(np.uint8)


def _subscript(number: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(number))


def enlarged(images: UInt8[ndarray, "*n h w 3"]) -> UInt8[ndarray, "*n h2 w2 3"]:
    """Small images by a whole number, so that pixels stay crisp squares."""
    factor = max(1, 48 // images.shape[-2])
    return images.repeat(factor, axis=-3).repeat(factor, axis=-2)


def _sheet(
    grid: UInt8[ndarray, "rows columns h w 3"], names: list[str], colours: list[str], ends: list[str] | None = None
) -> bytes:
    """A grid with a name before each row and, with `ends`, marks below its first, middle and last column."""
    from matplotlib import rc_context

    sheet = tiles(enlarged(grid))
    height, width = sheet.shape[:2]
    row, column = height / len(grid), width / grid.shape[1]
    with rc_context(STYLE):
        # One sheet pixel is one pixel of the 160 dpi file, so nothing is resampled.
        figure, (axis,) = canvas(1, 1, width / 160, height / 160)
        figure.set_layout_engine("none")
        axis.set_position((0, 0, 1, 1))
        axis.imshow(sheet, interpolation="nearest")
        axis.set_axis_off()
        for i, (name, colour) in enumerate(zip(names, colours, strict=True)):
            axis.text(-8, (i + 0.5) * row, name, ha="right", va="center", fontsize=7.5, color=colour)
        for mark, place in zip(ends or [], (0.5, grid.shape[1] / 2, grid.shape[1] - 0.5), strict=False):
            axis.text(place * column, height + 6, mark, ha="center", va="top", fontsize=7.5, color=MUTED)
        return _compact(finished(figure, "png"))


def _png(sheet: UInt8[ndarray, "H W 3"]) -> bytes:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(sheet).save(buffer, "PNG")
    return buffer.getvalue()


def _compact(png: bytes) -> bytes:
    """The same picture in 64 colours of its own: a third of the size, and no difference that one sees."""
    from PIL import Image

    buffer = BytesIO()
    with Image.open(BytesIO(png)) as image:
        image.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
