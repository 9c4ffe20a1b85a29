"""Score arrays: the measures of `benchmark evaluate --codes` in a notebook, without a file or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import UsageError
from benchmark.verbs._given import add_plugins, names_in, takes_paths
from benchmark.words.phrases import count
from benchmark.words.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.codes import Codes
    from benchmark.stages.score_arrays import ArrayScore

COLUMNS = {
    "metric": "str",
    "score": "str",
    "factor": "str",
    "value": "float64",
    "protocol": "str",
    "n": "Int64",
    "status": "str",
    "reason": "str",
}
"""Every column and its pandas type: those of a results table that arrays without a run have."""


@takes_paths
def score(
    codes: Any,
    factors: Any = None,
    metrics: Any = None,
    *,
    variances: Any = None,
    factor_names: Sequence[str] | None = None,
    split: tuple[Any, Any] | None = None,
    seed: int = 0,
    budget: str = "full",
    discrete: Sequence[str] = (),
    continuous: Sequence[str] = (),
    drop: Sequence[str] = (),
    classes_as_factors: Sequence[str] = (),
    groups: Any = None,
    plugins: Sequence[Path] = (),
    quiet: bool = False,
) -> pd.DataFrame:
    """The scores of codes (n d) of n points: those that `benchmark evaluate --codes` gives for the same arrays.

    codes: (n d), the means where the encoder is stochastic; or what `encode` returns, which brings all the rest.
    factors: (n k), or (n,) for one; None where none are known. variances: (n d), of diagonal Gaussian posteriors.
        Arrays may be numpy's, lists, data frames of pandas or polars (a pandas frame of factors brings their names, and
        its words become integers in alphabetical order) or tensors of torch on any device.
    metrics: as for `--metrics`, "mig,dci(model=lightgbm)", or a list of such or of measures; None are all. What a
        measure needs and is not given is a row that says so, like everything else that has no number.
    split: (training rows, test rows), as positions or as masks (n,), for the measures that learn from rows of the
        table: dci, disentanglement_score, explicitness, linear_separability, sample_efficiency, sap and others with a
        parameter `split`. They use all rows given, in a drawn order whatever order they are named in, and get the
        protocol id …/trainA-testB-given_split-…; those that make points of their own to learn from are not applicable;
        those that learn nothing are as ever.
    seed: of the rows and labels that measures draw. budget: "full", or "quick" for cheaper settings of costly measures.
    discrete, continuous: names of factors that are another kind than their values say. drop: factors to leave out.
    classes_as_factors: labels each class of which becomes a factor of its own, 1 on its rows and 0 elsewhere.
    groups: which columns of the codes belong together, a vector for each concept: 3 for every three, or the group of
        each column, as numbers or words. Measures of groups (group_dci, group_mig, group_readout) and of all codes
        then score them, and those that judge single columns are not applicable.
    plugins: files of measures of your own.

    Returns a row a number: metric, score, factor (None for a score of all), value, protocol, n (rows used), status
    ("ok", "not_applicable", "failed") and the reason where there is no value. `frame.attrs` has `factors` (what each
    was taken for), `notes`, `seed`, `budget` and `split` (its sizes, and the `measures` that learnt from it);
    progress and decisions go to stderr unless `quiet`.
    Nothing is written to disk. Raises `UsageError` on arrays and measures that cannot be used.
    """
    from benchmark.reading.code_groups import asked_groups
    from benchmark.reading.factor_kinds import Wishes
    from benchmark.reading.given_arrays import read_arrays, read_split
    from benchmark.stages.score_arrays import score_arrays
    from benchmark.stages.score_task import Protocol, check_budget, check_metrics
    from benchmark.words.codes_read import described

    add_plugins(plugins)
    protocol = Protocol(check_metrics(_chosen(metrics)), check_budget(budget), seed=_seed(seed))
    wishes = Wishes(
        names_in("score: discrete", discrete),
        names_in("score: continuous", continuous),
        names_in("score: drop", drop),
        classes=names_in("score: classes_as_factors", classes_as_factors),
        groups=asked_groups(groups),
        typed=False,
    )
    called = None if factor_names is None else names_in("score: factor_names", factor_names)
    reading = read_arrays(codes, factors, variances, called, wishes, "score")
    rows = None if split is None else read_split(split, reading)
    found: list[ArrayScore] = []
    notes = list(reading.notes)
    points, latents = reading.codes.means.shape
    with Progress(f"scoring {count(len(protocol.metrics), 'measure')}", 0, quiet=quiet) as progress:
        told = described(reading.codes.factor_names, reading.codes.factor_sizes) or "none"
        progress.say(f"{points:,} points × {latents} codes; factors: {told}")
        for note in notes:
            progress.say(f"note    {note}")

        def on_scored(one: ArrayScore) -> None:
            found.append(one)
            for note in one.scored.notes:
                if note not in notes:  # several measures say the same
                    notes.append(note)
                    progress.say(f"note    {note}")
            if one.scored.status == "failed":
                progress.say(f"failed  {one.protocol}: {one.scored.reason}")

        def on_cost(done: float, total: float) -> None:
            progress.total = total
            progress.at(done)

        score_arrays(reading.codes, protocol, rows, on_cost, on_scored)
    frame = _frame(found, reading.codes.factor_names)
    learnt = None
    if rows is not None:
        users = sorted({one.metric for one in found if one.split})
        learnt = {"train": len(rows[0]), "test": len(rows[1]), "measures": users}
    kinds = _kinds(reading.codes)
    frame.attrs = {"factors": kinds, "notes": notes, "seed": protocol.seed, "budget": budget, "split": learnt}
    return frame


def _kinds(codes: Codes) -> dict[str, str]:
    """What each factor was taken for."""
    sizes = zip(codes.factor_names, codes.factor_sizes, strict=True)
    return {name: f"discrete, {size:,} values" if size else "continuous" for name, size in sizes}


def _frame(found: Sequence[ArrayScore], factor_names: Sequence[str]) -> pd.DataFrame:
    """A row a number, in the order of the measures; a score that is missing is one row, named like its measure."""
    import pandas as pd

    from benchmark.table import split_key

    rows: list[dict[str, Any]] = []
    for one in found:
        about = {"metric": one.metric, "protocol": one.protocol, "n": one.n, "status": one.scored.status}
        if one.scored.status != "ok":
            rows.append(about | {"score": one.metric, "reason": one.scored.reason})
        for key, value in one.values.items():
            name, labels, index = split_key(key)
            known = index is not None and index < len(factor_names)
            factor = None if index is None else factor_names[index] if known else str(index)
            rows.append(
                about
                | {"score": name if labels is None else f"{name}_at_{labels}", "factor": factor, "value": float(value)}
            )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _chosen(metrics: Any) -> tuple[str, ...]:
    """Measures as a suite names them, none for all. Raises `UsageError` on what names none."""
    from benchmark.choice import split_choices

    if metrics is None:
        return ()
    listed = split_choices(metrics) if isinstance(metrics, str) else metrics
    listed = listed if isinstance(listed, list | tuple) else [listed]
    named = [each.declaration.name if hasattr(each, "declaration") else each for each in listed]
    wrong = [each for each in named if not isinstance(each, str)]
    if wrong or not named:
        what = f"holds {wrong[0]!r:.60}" if wrong else "names none"
        raise UsageError(f'score: metrics {what}; write "mig,dci(model=lasso)" or a list of such, leave it out for all')
    return tuple(named)


def _seed(seed: Any) -> int:
    """The seed itself. Raises `UsageError` where it is none."""
    import numpy as np

    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"score: seed = {seed!r} must be a whole number from 0 on")
    return int(seed)
