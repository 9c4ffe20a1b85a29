"""Which schedule, peak rate and batch train conv64 best on all of dSprites in few steps.

    python tests/performance/recipes.py [--results FOLDER] [--jobs N] [--draw FOLDER]

trains the runs of `recipes.toml` beside this file (hours on two cores; the same command carries on), scores them and
prints a row a run; with `--draw` it writes recipes.csv, recipes-curves.csv and recipes.png there from what is finished,
and trains nothing.

A row: what was trained, its seconds, and the scores of the last weights. `idle_seconds` are its steps at the pace of
the fastest run of the same model and batch: other work slows some runs, and no recipe. `reconstruction` is in nats
at z = μ, `elbo` in nats, `dto` of 10 latents. Curves are means over the steps since the row before, at a sampled z.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark import evaluate, run
from benchmark.atomic import write_atomically
from benchmark.spec import TrainingSettings
from benchmark.store import Store
from benchmark.suite import settings_of
from benchmark.table import read_table

SUITE = Path(__file__).with_suffix(".toml")
SCORES = {
    "reconstruction": "reconstruction at μ, nats",
    "elbo": "ELBO, nats",
    "mig": "MIG",
    "factor_vae_score": "FactorVAE score",
    "dto": "DtO, d = 10",
}
MARKERS = "osD^vP"
COLOURS = {"constant": "tab:grey", "linear": "tab:blue", "cosine": "tab:orange"}


def finished(store: Store) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row a finished run, and their curves."""
    rows, curves = [], []
    table = read_table(store.suite_folder(SUITE.stem) / "results.parquet")
    means = table[(table["representation"] == "mean") & table["factor"].isna() & (table["status"] == "ok")]
    for each in store.plan(SUITE.stem):
        if not store.is_done(each) or each.training is None:
            continue
        training, record = settings_of(each.training, TrainingSettings), store.read_run(each)
        about: dict[str, Any] = {
            "model": each.model.name,
            **{name: getattr(training, name) for name in ("schedule", "warm_up", "learning_rate", "batch", "steps")},
            "seed": each.seed,
        }
        own = means[means["run_id"] == each.run_id].set_index("score")["value"]
        fleet = record["provenance"]["fleet"]
        rows.append(
            {
                **about,
                "seconds": record["seconds"]["training"],
                "products": fleet.get("products", ""),
                **{score: own.get(score) for score in SCORES},
            }
        )
        history = pd.read_csv(store.run_folder(each) / "history.csv")[["step", "rec", "kl"]]
        curves.append(history.assign(**about))
    if not rows:
        raise SystemExit(f"no run of {SUITE.name} is finished in {store.root}")
    order = ["model", "batch", "steps", "schedule", "learning_rate", "seed"]
    table, history = pd.DataFrame(rows).sort_values(order, ignore_index=True), pd.concat(curves, ignore_index=True)
    pace = (table["seconds"] / table["steps"]).groupby([table["model"], table["batch"]]).min().rename("pace")
    for frame, steps in ((table, "steps"), (history, "step")):
        at_pace = frame[["model", "batch"]].join(pace, on=["model", "batch"])["pace"]
        frame["idle_seconds"] = (frame[steps] * at_pace).round(1)
    return table.round({"seconds": 1}), history


def draw(rows: pd.DataFrame, curves: pd.DataFrame) -> Any:
    """Reconstruction while training, and every run's scores, against steps above, minutes of an idle core below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    models = list(dict.fromkeys(rows["model"]))
    figure = Figure(figsize=(3.1 * (1 + len(SCORES)), 3.1 * 2 * len(models)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2 * len(models), 1 + len(SCORES), squeeze=False)
    rates = sorted(set(rows["learning_rate"]))
    marker = dict(zip(rates, MARKERS, strict=False))
    scales = {"thousand steps": 1_000, "minutes": 60}
    rows = rows.assign(**{"thousand steps": rows["steps"] / 1_000, "minutes": rows["idle_seconds"] / 60})
    for index, (model, across) in enumerate((model, across) for model in models for across in scales):
        along, own = axes[index], rows[rows["model"] == model]
        kept = curves[(curves["model"] == model) & (curves["step"] >= 1000)]
        for (schedule, *_), curve in kept.groupby(["schedule", "learning_rate", "batch", "steps", "seed"]):
            place = curve["step"] if across == "thousand steps" else curve["idle_seconds"]
            along[0].plot(place / scales[across], curve["rec"], color=COLOURS[schedule], lw=0.8)
        along[0].set(ylabel=f"{model}: nats while training", xlabel=across)
        for axis, (score, title) in zip(along[1:], SCORES.items(), strict=True):
            for _, each in own.iterrows():
                filled = COLOURS[each["schedule"]] if each["batch"] == 64 else "none"
                axis.plot(
                    each[across],
                    each[score],
                    marker[each["learning_rate"]],
                    color=COLOURS[each["schedule"]],
                    markerfacecolor=filled,
                )
            axis.set(ylabel=title, xlabel=across)
        for axis in along:
            axis.xaxis.set_major_locator(MaxNLocator(4))
            axis.set_xlim(left=0)
    entries = [Line2D([], [], color=colour, lw=2, label=name) for name, colour in COLOURS.items()]
    entries += [Line2D([], [], ls="", marker=marker[r], color="k", label=f"peak rate {r:g}") for r in rates]
    entries += [Line2D([], [], ls="", marker="o", mfc="none", color="k", label="batch 128 (open)")]
    figure.legend(handles=entries, loc="outside lower center", ncols=len(entries), frameon=False)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--results", type=Path, default=Path("results"), help="the results folder")
    parser.add_argument("--jobs", type=int, help="processes; by default one a core")
    parser.add_argument("--draw", type=Path, metavar="FOLDER", help="write tables and the chart of what is finished")
    options = parser.parse_args()
    if options.draw is None:
        run(str(SUITE), results=options.results, jobs=options.jobs, quiet=False)
    evaluate(str(SUITE), results=options.results, jobs=options.jobs, quiet=False)
    rows, curves = finished(Store(options.results))
    print(rows.to_string(index=False))
    if options.draw is not None:
        options.draw.mkdir(parents=True, exist_ok=True)
        for name, frame in (("recipes.csv", rows), ("recipes-curves.csv", curves.round(4))):
            write_atomically(options.draw / name, lambda path, frame=frame: frame.to_csv(path, index=False))
        draw(rows, curves).savefig(options.draw / "recipes.png", dpi=110)


if __name__ == "__main__":
    main()
