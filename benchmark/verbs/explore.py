"""The latent explorer of a decoder of one's own: a slider for each coordinate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leaderboard.alone import Explorer


def explore(
    decoder: Any,
    codes: Any,
    *,
    variances: Any = None,
    label: str = "my model",
    shape: tuple[int, int, int] | None = None,
    logits: bool = False,
    prior: bool | None = None,
    tensors: bool | None = None,
) -> Explorer:
    """A page with a slider for each coordinate, which a notebook shows and `.save("explorer.html")` writes.

    decoder: what turns codes (m d) into images, a torch module (by its mean image if it is one of ours, its `decoder`
        where it is one of pythae's, else by its `decode`, else itself) or a function. Modules and their methods get
        tensors, other functions arrays; `tensors` says otherwise. Images are (m c h w), (m h w c) or (m h w) with 1 or
        3 channels, or rows of pixels with `shape` = (c, h, w); from 0 (black) to 1 (white), or `logits` of that.
    codes: (n d) of a data set's points, or what `encode` returned. variances: (n d), of a stochastic encoder.
    prior: whether coordinates lie about N(0, 1): sliders then go from −3 to 3, else three standard deviations of the
        codes to either side of their mean. None: where there are variances.

    A decoder made of linear layers, transposed convolutions, reshapes (Unflatten) and ReLU, LeakyReLU, tanh or sigmoid,
    one after the other, runs in the page itself, every slider at once. Of any other, pictures are drawn in advance, one
    coordinate at a time from four codes, up to 20 coordinates; the page and `.reason` say so.
    Raises `UsageError` where the decoder fails or gives no images.
    """
    from benchmark.stages.foreign_decoder import explorer_arrays
    from benchmark.verbs._model_looked_at import subject_of
    from leaderboard.alone import explorer_alone

    options: dict[str, Any] = {"shape": shape, "logits": logits, "prior": prior, "tensors": tensors}
    return explorer_alone(explorer_arrays(subject_of("explore", decoder, codes, variances, **options)), label)
