"""Training on corrupted data: error against clean data by corruption and latent size (S Fig. 6, after Dai et al.)."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from leaderboard.style import STYLE, Figure, Wanted, canvas, drawn

CORRUPTIONS = {"noise": "noise", "ratio": "share of outliers"}
"""Settings of datasets that corrupt what is trained on, and nothing that is scored."""


def across(rows: pd.DataFrame, kind: Wanted) -> list[Figure | None]:
    """`rows`: the headline scores of a whole suite, with `settings`; those of mean codes are drawn."""
    own = rows[(rows["metric"] == "reconstruction") & ~rows["reference"] & (rows["representation"] == "mean")]
    parts = [json.loads(text) for text in own["settings"]]
    found: list[Figure | None] = []
    for setting, name in CORRUPTIONS.items():
        level = [(part["dataset"] or {}).get(setting) for part in parts]
        latents = pd.Series([_latents(part) for part in parts], own.index, dtype=float)
        table = own.assign(level=pd.Series(level, own.index, dtype=float), latents=latents).dropna(subset=["latents"])
        for dataset, group in table.groupby("dataset", sort=False):
            if group["level"].any():
                group = group.assign(level=group["level"].fillna(0.0))  # a clean dataset leaves the setting out
                found.append(corrupted_training(group, str(dataset), name, kind))
    return found


def _latents(part: dict[str, Any]) -> int | None:
    return (part["network"] or part["model"] or {}).get("latents")


def corrupted_training(rows: pd.DataFrame, dataset: str, name: str, kind: Wanted = "svg") -> Figure:
    """A heat map per model of its mean reconstruction loss in nats: `rows` has `model`, `level`, `latents`, `value`.

    All maps share one scale, so that models compare; bright is a smaller error.
    """
    import seaborn as sns
    from matplotlib import rc_context

    models = list(dict.fromkeys(rows["model"]))
    low, high = rows["value"].min(), rows["value"].max()
    with rc_context(STYLE):
        levels, sizes = rows["level"].nunique(), rows["latents"].nunique()
        figure, axes = canvas(len(models), 3, 0.62 * sizes + 1.6, 0.42 * levels + 1.3, keep_height=True)
        for model, axis in zip(models, axes, strict=True):
            means = (
                rows[rows["model"] == model]
                .astype({"latents": int})
                .pivot_table(index="level", columns="latents", values="value")
            )
            sns.heatmap(means, vmin=low, vmax=high, cmap="viridis_r", annot=True, fmt=".4g", annot_kws={"fontsize": 8},
                        cbar=False, square=False, ax=axis)  # fmt: skip
            axis.set_title(model)
            axis.set_ylabel(name)
            axis.set_xlabel("latents")
            axis.tick_params(length=0)
            axis.grid(visible=False)
        return drawn(
            f"corrupted-data-{dataset}",
            figure,
            kind,
            f"Heat maps of reconstruction loss on {dataset} by {name} and latent size for {', '.join(models)}.",
            f"Trained on corrupted {dataset}, scored on clean points: −log p(x|z) at z = μ in nats, means over seeds, "
            f"by {name} and latent size. Brighter is better; one scale for all models.",
        )
