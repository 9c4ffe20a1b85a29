"""Scores on a part of a grid: the combinations of factors that a model was trained on, or those that it was not.

A slice is scored as a representation of its own, `seen` or `unseen`: the mean codes of those points alone. Read-outs
learn from seen points in both and are tested on others of the slice, so that their difference is what a read-out loses
on combinations that neither it nor the model has met (Schott et al. 2022). Both slices have the same factors: those
that vary in both, of which a read-out of classes also needs every value among the seen ones. What is no read-out by its
declaration and learns all the same (DCI's trees, SAP, SNC) says how codes are arranged on the slice, and learns there.

Between the slices the distribution of the factors differs, too: R² is relative to a variance that is smaller where a
slice has fewer values, a read-out has not met the unseen combinations whatever the model has, and on a slice factors
may depend on each other. The fall from one slice to the other is to be compared with that of other models. In a trial
(a VAE on coarse dSprites, two seeds) R² fell from 0.50 to 0.07 where the larger positions on both axes never met in
training, and from 0.51 to 0.19 on the same slices where they did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, Integer
from numpy import ndarray

from benchmark.codes import Codes
from benchmark.errors import NotApplicable
from benchmark.metrics._declare import Metric
from benchmark.seeds import stream
from benchmark.spec import Settings

SliceName = Literal["seen", "unseen"]
SLICES: tuple[str, ...] = get_args(SliceName)
OFFERED = frozenset({"codes", "means", "variances", "samples", "factors", "groups"})
"""What can be had of a part of the points: arrays that `encode` reduced from the model are of other points."""


@dataclass(frozen=True)
class Slice:
    """Codes of a slice's points, further keyword arguments of the measure, and what a reader of its score should know.

    Of a read-out, the codes of the points that it learns from come first, then those that it is tested on.
    """

    codes: Codes
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def can_be_sliced(metric: Metric) -> bool:
    """Whether a measure is one of a single run's mean codes, and of nothing that a slice does not have."""
    return metric.scope == "run" and "mean" in metric.representations and metric.every_array <= OFFERED


def slice_of(
    codes: Codes, trained_on: Bool[ndarray, " n"], name: str, metric: Metric, settings: Settings, seed: int
) -> Slice:
    """What a measure is given of one slice; `seed` draws the rows of read-outs.

    Raises `NotApplicable` where no factor is left to score, and for a read-out where the slices have too few points.
    """
    seen, unseen = np.flatnonzero(trained_on), np.flatnonzero(~trained_on)
    kept, notes = (
        _scored_factors(codes, seen, unseen, metric)
        if "factors" in metric.needs
        else (range(len(codes.factor_names)), ())
    )
    if metric.readout is None:
        return Slice(_part(codes, seen if name == "seen" else unseen, kept), notes=notes)
    train, test = _sizes(settings)
    seen, unseen = (
        stream("evaluation", "slices", each, seed).permutation(rows)
        for each, rows in zip(SLICES, (seen, unseen), strict=True)
    )
    if len(seen) < train + test or len(unseen) < test:
        raise NotApplicable(
            f"learning from {train:,} and testing on {test:,} other combinations that were trained on, and on"
            f" {test:,} that were not, takes more than the {len(seen):,} and {len(unseen):,} that there are:"
            f" ask for fewer, or take --budget quick"
        )
    rows = np.concatenate([seen[:train], seen[train : train + test] if name == "seen" else unseen[:test]])
    split = np.arange(train), np.arange(train, train + test)
    return Slice(_part(codes, rows, kept), {"split": split}, notes)


def _sizes(settings: Settings) -> tuple[int, int]:
    """How many rows a read-out learns from at most, and how many it is tested on."""
    budgets = getattr(settings, "budgets", None)
    return max(budgets) if budgets else getattr(settings, "train"), getattr(settings, "test")  # noqa: B009


def _scored_factors(
    codes: Codes, seen: Integer[ndarray, " a"], unseen: Integer[ndarray, " b"], metric: Metric
) -> tuple[list[int], tuple[str, ...]]:
    """The factors that both slices are scored on, and why the others that vary on the grid are not."""
    kept, notes = [], []
    for k, name in enumerate(codes.factor_names):
        column = codes.factors[:, k]
        if column.min() == column.max():
            continue
        reason = _not_scored(column[seen], column[unseen], metric.readout == "classes")
        if reason:
            notes.append(f"{name} is left out, seen and unseen: {reason}")
        else:
            kept.append(k)
    if not kept:
        raise NotApplicable("no factor is left to score: " + "; ".join(notes))
    return kept, tuple(notes)


def _not_scored(seen: ndarray, unseen: ndarray, by_class: bool) -> str | None:
    """Why a factor with these values makes no sense to score on both slices."""
    for word, values in (("unseen", unseen), ("seen", seen)):
        if values.min() == values.max():
            return f"it takes one value on the {word} combinations"
    if by_class and len(missing := np.setdiff1d(unseen, seen)):
        return f"{len(missing)} of its values are absent in training, and what learns classes cannot name them"
    return None


def _part(codes: Codes, rows: Integer[ndarray, " m"], kept: Any) -> Codes:
    """Some points and some factors of codes."""
    return replace(
        codes,
        means=codes.means[rows],
        variances=None if codes.variances is None else codes.variances[rows],
        samples=None if codes.samples is None else codes.samples[rows],
        factors=codes.factors[np.ix_(rows, np.array(kept, dtype=int))],
        factor_names=tuple(codes.factor_names[k] for k in kept),
        factor_sizes=tuple(codes.factor_sizes[k] for k in kept),
        grid=False,
        arrays={},
    )
