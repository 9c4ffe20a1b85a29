"""Latent traversals of a decoder of one's own: a row of images for each coordinate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leaderboard.alone import Picture


def traversals(
    decoder: Any,
    codes: Any,
    *,
    variances: Any = None,
    label: str = "my model",
    shape: tuple[int, int, int] | None = None,
    logits: bool = False,
    prior: bool | None = None,
    tensors: bool | None = None,
) -> Picture:
    """What the decoder draws as one coordinate after the other moves, the picture of a suite's page: a notebook shows
    it with its caption, and `.save("traversals.png")` writes it.

    What it takes and raises is as in `explore`. Coordinates are sorted by mean KL in nats where there are variances,
    else by how much the picture changes; at most 12 are drawn.
    """
    from benchmark.stages.foreign_decoder import traversal_arrays
    from benchmark.verbs._model_looked_at import subject_of
    from leaderboard.alone import Picture
    from leaderboard.pictures.traversals import traversals as drawn

    options: dict[str, Any] = {"shape": shape, "logits": logits, "prior": prior, "tensors": tensors}
    subject = subject_of("traversals", decoder, codes, variances, **options)
    arrays = traversal_arrays(subject)
    kl = arrays.get("picture_coordinate_kl")
    return Picture(drawn(arrays["picture_traversals"][0], kl, label, prior=subject.prior))
