"""What `explore` and `traversals` are given: a decoder, and codes to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmark.errors import UsageError

if TYPE_CHECKING:
    from benchmark.stages.foreign_decoder import Subject


def subject_of(
    who: str,
    decoder: Any,
    codes: Any,
    variances: Any,
    *,
    shape: tuple[int, int, int] | None,
    logits: bool,
    prior: bool | None,
    tensors: bool | None,
) -> Subject:
    """A decoder and the codes that it is looked at with. Raises `UsageError` on what cannot be used."""
    import numpy as np

    from benchmark.reading.factor_kinds import Wishes
    from benchmark.reading.given_arrays import read_arrays
    from benchmark.stages.foreign_decoder import Subject, decoder_of

    read = read_arrays(codes, None, variances, None, Wishes(typed=False), who).codes
    if len(read.means) < 2:
        raise UsageError(f"{who}: one code has no spread; give the codes of many points")
    single = read.means.astype(np.float32)
    own = None if read.variances is None else read.variances
    return Subject(
        decoder_of(decoder, shape, logits, tensors), single, own, own is not None if prior is None else prior
    )
