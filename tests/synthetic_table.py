"""A results table that nobody measured, of any size: what summaries and leaderboards are tested and timed on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmark.metrics._declare import Metric
from benchmark.table import COLUMNS, checked

SCORES = 30
MODELS = ("vae", "beta_vae", "beta_tcvae", "factor_vae", "dip_vae")
FIRST = ("mig", "elbo", "reconstruction", "udr", "kl", "dto")
"""Scores that small tables have as well: a criterion of each kind, one without a direction, one of the decoder."""


def chosen(declarations: dict[str, Metric], scores: int) -> list[Metric]:
    """So many measures, the first of them `FIRST`, then by name."""
    names = [*FIRST, *(name for name in sorted(declarations) if name not in FIRST)]
    return [declarations[name] for name in names[:scores]]


def synthetic_table(
    declarations: dict[str, Metric],
    configurations: int,
    seeds: int | Sequence[int] = 10,
    scores: int = SCORES,
    *,
    gaps: bool = False,
) -> pd.DataFrame:
    """A number for each configuration, seed and score, the configurations spread over five models.

    A configuration has a quality that all of its scores share in part, and seeds scatter. seeds: their number, or that
    of each configuration. gaps: every fourth configuration has no ELBO, and every third score has ties.
    """
    numbers = [seeds] * configurations if isinstance(seeds, int) else list(seeds)
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for place, number in enumerate(numbers):
        model, quality = MODELS[place % len(MODELS)], rng.normal()
        config_id = f"{place:012x}"
        settings = {"dataset": {"points": 1000}, "model": {"weight": place}, "network": {}, "training": {"steps": 10}}
        for order, metric in enumerate(chosen(declarations, scores)):
            missing = gaps and metric.name == "elbo" and place % 4 == 3
            values = 0.6 * quality + 0.5 * rng.normal() + 0.4 * rng.normal(size=number)
            for seed, value in enumerate(np.round(values, 1) if gaps and order % 3 == 2 else values):
                rows.append(
                    {
                        "run_id": f"{config_id}-s{seed}",
                        "config_id": config_id,
                        "suite": "many",
                        "dataset": "shapes",
                        "dataset_version": 1,
                        "model": model,
                        "model_version": 1,
                        "network": "linear",
                        "settings": json.dumps(settings),
                        "seed": seed,
                        "metric": metric.name,
                        "metric_version": metric.version,
                        "protocol": metric.protocol(metric.settings.read({}, metric.name), "mean", 1000),
                        "score": metric.name if missing else metric.headline.partition("_at_")[0],
                        "budget": None if missing else _budget(metric),
                        "representation": "mean",
                        "value": None if missing else value,
                        "status": "not_applicable" if missing else "ok",
                        "reason": "no variances" if missing else None,
                        "n": 1000,
                        "evaluation_seed": 0,
                        "seconds": 0.1,
                    }
                )
    return checked(pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS), "the synthetic table")


def _budget(metric: Metric) -> int | None:
    _, found, budget = metric.headline.partition("_at_")
    return int(budget) if found else None
