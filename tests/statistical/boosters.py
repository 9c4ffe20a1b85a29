"""How far do DCI and the downstream task move where LightGBM boosts instead of scikit-learn?

    python tests/statistical/boosters.py FOLDER [--archive NAME] [--jobs N] [--to FILE]

scores every configuration of a published leaderboard by both, on the same codes and rows: the published network, which
is the median run in half precision, where there is one, and else seed 0, which takes no training. Hours; FOLDER keeps
what is done, and the same command carries on. `--to` writes a row a configuration and score, `lightgbm` and
`scikit_learn` of these codes, and `archived`, what the run scored by LightGBM before its weights were halved; and a
picture beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed

from benchmark import encode, evaluate, load_model, load_results, run, score
from benchmark.archive.opening import open_archive
from benchmark.archive.weights import weights_file
from benchmark.atomic import write_atomically
from benchmark.table import read_table, write_csv

MEASURES = ["dci", "dci(model=lightgbm)", "sample_efficiency", "sample_efficiency(model=lightgbm)"]
PANELS = {
    "disentanglement": "DCI disentanglement",
    "accuracy_at_100": "accuracy, 100 labels",
    "accuracy_at_10000": "accuracy, 10,000 labels",
    "sample_efficiency": "sample efficiency",
}
KEY = ["run_id", "metric", "score"]


def of_network(archive: str, label: str, dataset: str, folder: Path) -> pd.DataFrame:
    """The scores of a published network's codes of all its data."""
    path = folder / f"{label.replace(' ', '_')}.csv"
    if not path.exists():
        model = load_model(archive, label)
        scores = score(encode(model.encode, dataset, quiet=True), metrics=MEASURES, quiet=True)
        write_csv(scores.assign(run_id=model.run.run_id), path)
    return pd.read_csv(path)


def of_references(suite: str, models: list[str], folder: Path, jobs: int) -> pd.DataFrame:
    """The scores of models that take no training, at seed 0."""
    only = {"model": models}
    run(suite, results=folder, only=only, seeds=1, jobs=jobs)
    evaluate(suite, results=folder, only=only, metrics=MEASURES, jobs=jobs)
    return read_table(folder / "suites" / suite / "results.parquet")


def by_both(archive: str, folder: Path, jobs: int) -> pd.DataFrame:
    """A row a run and score of all factors together, with what both libraries give."""
    archived = load_results(archive)
    configurations = archived.drop_duplicates("config_id")
    published = configurations["config_id"].map(weights_file).isin(open_archive(archive).manifest.files)
    networks, rest = configurations[published], configurations[~published]
    folder.mkdir(parents=True, exist_ok=True)
    parts = Parallel(n_jobs=jobs)(
        delayed(of_network)(archive, row.label, row.dataset, folder) for row in networks.itertuples()
    )
    parts.append(of_references(archive.partition("/")[0], list(rest["model"]), folder, jobs))
    scores, archived = pd.concat(map(of_all_factors, parts)), of_all_factors(archived)
    library = scores["protocol"].str.contains("lightgbm").map({True: "lightgbm", False: "scikit_learn"})
    wide = scores.assign(library=library).pivot(index=KEY, columns="library", values="value").reset_index()
    wide = wide.merge(archived[[*KEY, "value"]].rename(columns={"value": "archived"}), on=KEY, how="left")
    labels = archived.drop_duplicates("run_id").set_index("run_id")["label"]
    wide.insert(0, "label", pd.Categorical(wide["run_id"].map(labels), labels.unique()))
    return wide.sort_values(["label", *KEY], ignore_index=True).astype({"label": "str"})


def of_all_factors(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of both measures that are of no single factor; scores of a number of labels are named by it."""
    kept = scores[scores["metric"].isin(("dci", "sample_efficiency")) & scores["factor"].isna()]
    if "budget" in kept:  # of a table; `score` has it in the name
        at = kept["score"] + "_at_" + kept["budget"].astype("str")
        kept = kept.assign(score=kept["score"].where(kept["budget"].isna(), at))
    return kept


def drawn(found: pd.DataFrame, references: set[str]) -> Any:
    """What LightGBM gives against what scikit-learn gives, a panel a score."""
    from matplotlib import rc_context

    from leaderboard.style import MUTED, STYLE, canvas, legend, looks

    models = {label: label.split(" ")[0] for label in dict.fromkeys(found["label"])}
    seen = looks(models, sorted(references))
    with rc_context(STYLE):
        figure, axes = canvas(len(PANELS), len(PANELS), 3.4, 3.2)
        for axis, (score_, title) in zip(axes, PANELS.items(), strict=True):
            axis.axline((0, 0), slope=1, color=MUTED, linewidth=0.8, linestyle=":")
            for row in found[found["score"] == score_].itertuples():
                look = seen[row.label]
                axis.plot(row.scikit_learn, row.lightgbm, look.marker, color=look.colour, markersize=6, alpha=0.9)
            axis.set(
                xlabel="scikit-learn's gradient boosting", ylabel="LightGBM", xlim=(-0.03, 1.05), ylim=(-0.03, 1.05)
            )
            axis.set_title(title)
        entries = {label: look for label, look in seen.items() if label not in references}
        entries["references"] = next(seen[label] for label in references)
        legend(figure, entries, lines=False)
        return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--archive", default="dsprites-core")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--to", type=Path)
    options = parser.parse_args()
    found = by_both(options.archive, options.folder, options.jobs)
    print(found.to_string(index=False))
    if options.to:
        write_atomically(options.to, lambda path: found.to_csv(path, index=False, float_format="%.4g"))
        about = load_results(options.archive).drop_duplicates("label")
        references = set(about["label"][about["reference"]])
        drawn(found, references).savefig(options.to.with_suffix(".png"), dpi=110)
