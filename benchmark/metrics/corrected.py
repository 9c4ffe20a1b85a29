"""A score of information less what it is under shuffled factors: for the few hundred points that others refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray
from pydantic import Field

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics import med, mig, modularity
from benchmark.metrics._declare import metric
from benchmark.metrics._information import Information, binned_columns, information
from benchmark.metrics._settings import Bins

Of = Literal["mig", "modularity", "med"]

LEAST = 50
"""Fewer points than this hold hardly one of most pairs of a bin and a value."""

MOST_COUNTS = 10**9
"""Points counted, once for each pair of a code and a factor and for each shuffle: about a minute."""

SCORES: dict[str, Callable[[Information], dict[str, float]]] = {
    "mig": mig.scores_of_information,
    "modularity": modularity.scores_of_information,
    "med": med.scores_of_information,
}


@metric(
    also=("corrected_plain", "corrected_chance", "corrected_chance_deviation"),
    bounds=(-1.0, 1.0),
    supervised=True,
    minimum_rows=LEAST,
    quick={"shuffles": 20},
    invariances=("permutation", "sign", "scale"),
    cost=0.5,
)
def corrected(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    of: Of = "mig",
    bins: Bins = 20,
    shuffles: Annotated[int, Field(ge=2)] = 100,
    seed: int = 0,
) -> dict[str, float]:
    """A measure of information from counts, less its mean over tables whose factors are dealt to the points anew.

    `of` = "mig", "modularity" or "med", each as it is defined there with its other settings at their defaults. A
    shuffle permutes the rows of all factors together, so that codes know nothing of them while codes among themselves
    and factors among themselves stay as they are: what is then scored is the bias of counts from so few points.
    Shuffles under which no code tells of any factor, as happens to codes of two values, have no modularity and are
    left out.

    Returns `corrected` = `corrected_plain` − `corrected_chance`, in [−1, 1], higher is better, the measure itself, its
    mean over `shuffles` shuffles, and `corrected_chance_deviation`, the standard deviation over them: a score within
    two of it is what codes reach that know nothing. With 300 points and two factors of four values five codes of noise
    have a modularity of 0.3 on average, and a corrected one of 0.0.
    Cost: 0.5 s on 10,000 × 10 codes with five factors.
    Blind to what its measure is blind to. The bias of codes that know something is smaller than that of noise, so that
    good codes are corrected by too much: no estimate of the value at many points, but a score that noise does not have.
    Others: adjusted mutual information (Vinh et al. 2010) also divides by what is left to the maximum; here the unit
    stays the measure's. No paper defines these scores; they are ours, for tables that adopters bring.
    Raises `NotApplicable` below 50 points, where the measure is not defined and where it would take minutes,
    `UsageError` on unusable input.
    """
    if of not in SCORES:
        raise UsageError(f"of = {of!r}: {', '.join(SCORES)}")
    if shuffles < 2:
        raise UsageError(f"shuffles = {shuffles}: a spread needs at least 2")
    varying, binned, labels = binned_columns(codes, factors, bins, LEAST)
    if binned.size * len(labels) * shuffles > MOST_COUNTS:
        fewer = MOST_COUNTS // (binned.size * len(labels))
        raise NotApplicable(
            f"{len(binned):,} codes × {len(labels)} factors × {len(codes):,} points × {shuffles} shuffles take more"
            f" than a minute{f': ask for {fewer} shuffles' if fewer >= 2 else '; med takes more codes'}"
        )
    plain = SCORES[of](information(varying, binned, labels))[of]
    rng = np.random.default_rng(seed)
    chance = []
    for _ in range(shuffles):
        order = rng.permutation(len(codes))
        found = information(varying, binned, [label[order] for label in labels])
        if of != "modularity" or found.shared.max() > modularity.NOTHING:
            chance.append(SCORES[of](found)[of])
    if len(chance) < 2:
        raise NotApplicable(
            f"under {shuffles - len(chance)} of {shuffles} shuffles no code tells of a factor, and modularity is not"
            ' defined: take of = "mig"'
        )
    return {
        "corrected": plain - float(np.mean(chance)),
        "corrected_plain": plain,
        "corrected_chance": float(np.mean(chance)),
        "corrected_chance_deviation": float(np.std(chance, ddof=1)),
    }
