"""Matrices of codes by factors are of the runs that stand for configurations, and say what the scores say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from benchmark.archive.checks.content import Check, Content
from benchmark.archive.matrices import REPRESENTATION, Record, scores_by_run
from benchmark.errors import BenchmarkError
from benchmark.table import split_key

ROUNDING = 1e-9
Known = Mapping[tuple[str, str], Mapping[tuple[str, str], float]]
"""By run and protocol, the scores of single factors by the score's and the factor's name."""


def check_matrices(content: Content) -> Check:
    title = "matrices"
    try:
        kept = scores_by_run(content.archive)
    except BenchmarkError as error:
        return Check(title, "", (str(error),))
    many = sum("matrix" in score for scores in kept.values() for score in scores)
    holds = f"{many:,} matrices of {len(kept):,} shown runs stand beside the scores per factor that those have"
    return Check(title, holds, tuple(_wrong(content, kept)))


def _wrong(content: Content, kept: Mapping[str, Any]) -> Iterator[str]:
    standing = set(content.runs.loc[content.runs["chosen_by"].notna(), "run_id"])
    for run_id in sorted(set(kept) - standing):
        yield f"there are matrices of {run_id}, which stands for no configuration"
    known, protocols = _known(content)
    for run_id in sorted(set(kept) & standing):
        for score in kept[run_id]:
            at = (run_id, score["protocol"])
            if at not in protocols or score["representation"] != REPRESENTATION:
                yield f"run {run_id} has a matrix or values of {score['protocol']}, and no such score"
            else:
                yield from _differing(run_id, score, known.get(at, {}))


def _differing(run_id: str, score: Record, known: Mapping[tuple[str, str], float]) -> Iterator[str]:
    names = score.get("factor_names", [])
    for key, value in score["values"].items():
        try:
            name, _, factor = split_key(key)
        except BenchmarkError as error:
            yield f"run {run_id}: {error}"
            continue
        said = names[factor] if factor is not None and factor < len(names) else str(factor)
        there = known.get((name, said))
        if there is None or not np.isclose(there, value, rtol=ROUNDING, atol=ROUNDING):
            of = "no such score is there" if there is None else f"its score there is {there:.6g}"
            yield f"run {run_id} has {name} {value:.6g} of factor {said} ({score['protocol']}), and {of}"


def _known(content: Content) -> tuple[Known, set[tuple[str, str]]]:
    """Scores of single factors, and all runs with the protocols that they have, of mean codes."""
    every = content.every[content.every["representation"] == REPRESENTATION]
    protocols = set(every[["run_id", "protocol"]].itertuples(index=False, name=None))
    found: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
    single = every[every["factor"].notna() & every["budget"].isna()]
    columns = ["run_id", "protocol", "score", "factor", "value"]
    for run_id, protocol, score, factor, value in single[columns].itertuples(index=False, name=None):
        found.setdefault((run_id, protocol), {})[score, factor] = float(value)
    return found, protocols
