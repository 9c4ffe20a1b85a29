"""Training distributions other than the whole grid: factors that are correlated, combinations that are absent.

Correlated factors: Träuble et al. 2021 draw two factors, each scaled to [0, 1], with p(a, b) ∝ exp(−(a − b)² / 2σ²);
Roth et al. 2023 multiply such terms for several pairs, and call a factor paired with every other one a shared
confounder. Absent combinations: Montero et al. 2021 leave out the cells in which every one of some factors has one of
some values (recombination); Schott et al. 2022 those in which any factor has a middle value (interpolation) or a value
at one end (extrapolation), and random ones. Which cells the files of Schott et al. hold out could not be confirmed:
the rule below is ours. At a share of ½ of dSprites' shape and posX it leaves out the heart in the right half, as Roth
et al.'s code does after Montero et al., whose own code leaves out the square there. dSprites' orientation goes round:
its last values lie between others that are trained on, and what is withheld of it is never extrapolated to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import floor
from typing import Annotated, Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray
from pydantic import AfterValidator, BeforeValidator, model_validator

from benchmark import spec
from benchmark.datasets._dataset import Data
from benchmark.errors import UsageError
from benchmark.seeds import stream
from benchmark.spec import Number, static, suggest

Split = Literal["none", "random", "recombination", "interpolation", "extrapolation"]

ROUNDING = 1e-9
"""0.29 of 100 values are 29, although 0.29 × 100 is a little less in floating point."""


def _inner_tuples(value: Any) -> Any:
    """TOML and JSON know lists only."""
    if not isinstance(value, list | tuple):
        return value
    return tuple(tuple(each) if isinstance(each, list) else each for each in value)


def _pairs(groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Each group's first factor with each of its others, as sorted pairs: equal distributions are one identity."""
    found = []
    for group in groups:
        if len(group) < 2:
            raise ValueError(f"{list(group)} is no pair: give two factors, or a confounder and those that follow it")
        found += [tuple(sorted((group[0], other))) for other in group[1:]]
    wrong = next((pair for pair in found if pair[0] == pair[1] or found.count(pair) > 1), None)
    if wrong is not None:
        raise ValueError(f"{' and '.join(wrong)} {'are one' if wrong[0] == wrong[1] else 'are paired twice'}")
    return tuple(sorted(found))


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("the same factor is named twice")
    return tuple(sorted(names))


Groups = Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_inner_tuples), AfterValidator(_pairs)]


class ShiftSettings(spec.Settings):
    """What a grid is trained on; it is encoded and scored whole in any case."""

    correlated: Groups = static(
        (), "pairs of factors that are drawn alike in training; of three or more, the first with each other", since=1
    )
    correlation_sigma: Number = static(
        0.2, "σ of the difference of two correlated factors, each scaled to [0, 1]; inf draws all alike", since=1, gt=0
    )
    split: Split = static(
        "none",
        "combinations of factors that are absent in training: random ones; those in which all split_factors have"
        " withheld values, the last (recombination); those in which any has one, of the middle (interpolation) or of"
        " the last (extrapolation)",
        since=1,
    )
    split_factors: Annotated[tuple[str, ...], AfterValidator(_different)] = static(
        (), "factors of which values are withheld; none for a random split", since=1
    )
    split_share: Number = static(
        0.5,
        "share of each such factor's values that is withheld, rounded down and at least one; of a random split, of all"
        " combinations",
        since=1,
        gt=0,
        lt=1,
    )

    @property
    def shifted(self) -> bool:
        """Whether training sees anything but the whole grid, every combination alike."""
        return bool(self.correlated) or self.split != "none"

    @model_validator(mode="after")
    def _together(self) -> ShiftSettings:
        fields = type(self).model_fields
        if not self.correlated and self.correlation_sigma != fields["correlation_sigma"].default:
            raise ValueError("correlation_sigma decides nothing: `correlated` names no factors")
        least = {"none": 0, "random": 0, "recombination": 2}.get(self.split, 1)
        if least == 0 and self.split_factors:
            raise ValueError(f'split_factors decides nothing: split = "{self.split}" withholds values of no factor')
        if len(self.split_factors) < least:
            wanted = "one factor or more" if least == 1 else "two factors or more, whose withheld values never meet"
            raise ValueError(f'split = "{self.split}" needs split_factors: {wanted}')
        if self.split == "none" and self.split_share != fields["split_share"].default:
            raise ValueError('split_share decides nothing: split = "none" withholds nothing')
        return self


def check_shift(settings: ShiftSettings, sizes: Mapping[str, int]) -> None:
    """Raise `UsageError` where factors that settings name are not there, or cannot be correlated or withheld.

    `sizes`: the number of values of each factor, by name.
    """
    named = {
        "correlated": [name for pair in settings.correlated for name in pair],
        "split_factors": list(settings.split_factors),
    }
    for key, names in named.items():
        for name in names:
            if name not in sizes:
                raise UsageError(f"dataset.{key}: no factor is called {name!r}{suggest(name, list(sizes))}")
            if sizes[name] < 2:
                doing = "correlated with another" if key == "correlated" else "withheld and kept"
                raise UsageError(f"dataset.{key}: {name} takes one value in this grid, which cannot be {doing}")
    for name in settings.split_factors:
        if settings.split == "interpolation" and sizes[name] - withheld_number(sizes[name], settings.split_share) < 2:
            raise UsageError(
                f"dataset.split_share = {settings.split_share}: interpolation over the {sizes[name]} values of {name}"
                " leaves no value on either side of those that are withheld"
            )


def withheld_number(size: int, share: float) -> int:
    """How many of `size` values are withheld: the share, rounded down, and at least one."""
    return max(1, floor(share * size + ROUNDING))


def withheld(split: Split, size: int, share: float) -> Bool[ndarray, " size"]:
    """Which values of a factor are withheld: of m in all the middle ones from ⌊(size − m) / 2⌋ on to interpolate, the
    last m otherwise."""
    number = withheld_number(size, share)
    first = (size - number) // 2 if split == "interpolation" else size - number
    places = np.arange(size)
    return (places >= first) & (places < first + number)


def absent(settings: ShiftSettings, factors: Integer[ndarray, "N k"], sizes: Mapping[str, int]) -> Bool[ndarray, " N"]:
    """Which points are absent in training.

    Recombination leaves out the points all of whose `split_factors` have withheld values, interpolation and
    extrapolation those any of which has one; a random split draws points without replacement, the same for all runs.
    """
    n, share = len(factors), settings.split_share
    if settings.split == "none":
        return np.zeros(n, bool)
    if settings.split == "random":
        out = np.zeros(n, bool)
        out[stream("split", "random", n).permutation(n)[: withheld_number(n, share)]] = True
        return out
    names = list(sizes)
    each = np.stack(
        [withheld(settings.split, sizes[name], share)[factors[:, names.index(name)]] for name in settings.split_factors]
    )
    return np.asarray(each.all(axis=0) if settings.split == "recombination" else each.any(axis=0))


def likelihoods(
    settings: ShiftSettings, factors: Integer[ndarray, "a k"], sizes: Mapping[str, int]
) -> Float[ndarray, " a"]:
    """How likely each point is to be drawn in training, up to a factor: the product over the correlated pairs."""
    names = list(sizes)
    scaled = factors / np.maximum(np.array(list(sizes.values())) - 1, 1)
    exponent = np.zeros(len(factors))
    for a, b in settings.correlated:
        exponent -= (scaled[:, names.index(a)] - scaled[:, names.index(b)]) ** 2
    return np.asarray(np.exp(exponent / (2 * settings.correlation_sigma**2)))


def shifted(data: Data, settings: ShiftSettings) -> Data:
    """The data with the training distribution that settings ask for; encoded and scored rows stay all of the grid.

    Raises `UsageError` where the data are no grid, as `check_shift` does, and where nothing is left to train on.
    """
    if not settings.shifted:
        return data
    if not data.grid:
        raise UsageError(
            "dataset.correlated and dataset.split need a full grid: every combination of discrete factors once"
        )
    sizes = dict(zip(data.factor_names, data.factor_sizes, strict=True))
    check_shift(settings, sizes)
    rows = np.flatnonzero(~absent(settings, data.factors, sizes))
    if not len(rows):
        raise UsageError(f'dataset.split = "{settings.split}" leaves no combination of factors to train on')
    if not settings.correlated:
        return replace(data, training_rows=rows)
    weights = likelihoods(settings, data.factors[rows], sizes)
    if not weights.sum() > 0:
        raise UsageError(
            f"dataset.correlation_sigma = {settings.correlation_sigma}: no combination that the split leaves is likely"
        )
    return replace(data, training_rows=rows, training_weights=weights)


def in_words(plain: Mapping[str, Any]) -> str:
    """A dataset's training distribution in a few words, from its settings as a run's record has them."""
    split, share, sigma = (
        plain.get(key, ShiftSettings.model_fields[key].default) for key in ("split", "split_share", "correlation_sigma")
    )
    words = []
    if split == "random":
        words.append(f"random {share:.0%}")
    elif split != "none":
        words.append(f"{split} of {', '.join(plain['split_factors'])}, {share:.0%}")
    if pairs := plain.get("correlated", ()):
        told = ", ".join(f"{a} with {b}" for a, b in pairs)
        words.append(f"{told} at σ = {'∞' if sigma == 'inf' else sigma}")
    return "; ".join(words) or "all combinations alike"
