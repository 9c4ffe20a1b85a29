"""The rate–distortion plane (M Fig. 4.2; Alemi et al. 2018): what a code costs against what it leaves out."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmark.codes import Codes
from leaderboard.cells import shortened
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.style import MUTED, STYLE, Figure, Look, Wanted, canvas, drawn, legend


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    wide = results.wide
    if not {"kl", "elbo"} <= set(wide):
        return []
    looks = {row.label: results.looks[row.label] for row in results.board.rows}
    values = plane(wide)
    return [rate_distortion(values, looks, None if _density(results, values) else _entropy(results, values), kind)]


def plane(wide: pd.DataFrame) -> pd.DataFrame:
    """The runs' rates and distortions, both under q: the loss at the mean code is smaller, most so of noisy codes."""
    return wide[["label", "run_id", "kl"]].assign(distortion=-wide["elbo"] - wide["kl"]).dropna()


def _density(results: Results, values: pd.DataFrame) -> bool:
    """Whether any run's distortion is that of a density, a Gaussian likelihood, which has no bound."""
    settings = results.rows.loc[results.rows["run_id"].isin(values["run_id"]), "settings"].drop_duplicates()
    likelihoods = {(json.loads(text)["model"] or {}).get("likelihood") for text in settings}
    return any(str(likelihood).startswith("gaussian") for likelihood in likelihoods)


def _entropy(results: Results, values: pd.DataFrame) -> float | None:
    """H of the data in nats, where they are a full grid of factors: the logarithm of the number of images."""
    for run_id in values["run_id"]:
        record = results.records.get(str(run_id))
        path = record["folder"] / "codes.safetensors" if record else None
        if path is not None and path.exists():
            codes = Codes.load(path, names=set())
            return float(np.log(len(codes.means))) if codes.grid else None
    return None


def rate_distortion(
    values: pd.DataFrame, looks: Mapping[str, Look], entropy: float | None, kind: Wanted = "svg"
) -> Figure | None:
    """Rate R = KL against distortion D = −E log p(x|z) under q, both in nats: `values` has `label`, `kl`, `distortion`.

    `entropy` H of discrete data draws the bound D = H − R, which no model crosses, and R = H, all that there is to say.
    """
    from matplotlib import rc_context

    if values.empty:
        return None
    labels = [label for label in looks if label in set(values["label"])]
    with rc_context(STYLE):
        figure, (axis,) = canvas(1, 1, 6.0, 3.9)
        if entropy is not None:
            top = max(float(values["kl"].max()), entropy) * 1.05
            rates = np.linspace(0, entropy, 2)
            axis.plot(rates, entropy - rates, color=MUTED, linewidth=1)
            axis.axvline(entropy, color=MUTED, linewidth=1, linestyle=(0, (4, 2)))
            axis.set_xlim(0, top)
            axis.annotate("R = H", (entropy, 1), xycoords=("data", "axes fraction"), xytext=(3, -10),
                          textcoords="offset points", fontsize=8, color=MUTED)  # fmt: skip
            axis.annotate("D = H − R", (entropy * 0.03, entropy), xytext=(2, 2), textcoords="offset points", fontsize=8,
                          color=MUTED)  # fmt: skip
        marks: list[Mark] = []
        for label in labels:
            runs, look = values[values["label"] == label], looks[label]
            axis.scatter(
                runs["kl"], runs["distortion"], s=34, marker=look.marker, color=[look.colour], alpha=0.85,
                edgecolor="white", linewidth=0.5,
            )  # fmt: skip
            marks += [
                Mark(axis, rate, loss, label, f"R {shortened(rate)}, D {shortened(loss)} nats")
                for rate, loss in runs[["kl", "distortion"]].astype(float).itertuples(index=False)
            ]
        axis.set_xlabel("rate R: KL to the prior, nats")
        axis.set_ylabel("distortion D: −E log p(x|z), nats")
        legend(figure, {label: looks[label] for label in labels}, lines=False)
        bound = (
            ""
            if entropy is None
            else f" No model lies below D = H − R, H = {entropy:.2f} nats for these images, and none needs R > H."
        )
        return drawn(
            "rate-distortion",
            figure,
            kind,
            f"Scatter plot of distortion against KL for {', '.join(labels)}.",
            f"The rate–distortion plane, one mark a run: left is a cheaper code, down is a better picture.{bound}",
            marks,
        )
