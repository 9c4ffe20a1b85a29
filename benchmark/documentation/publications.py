"""What is published: leaderboards as pages of their own, and every plain table, with its chart and what it holds."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark import registry
from benchmark.archive.manifest import MANIFEST
from benchmark.archive.opening import Archive, open_archive
from benchmark.documentation.prose import cell, escaped, table
from benchmark.errors import BenchmarkError
from benchmark.words.phrases import count
from leaderboard.cells import shortened

FILES, LEADERBOARDS = "published", "leaderboards"
"""Folders of the site."""
SUMMARY = "-summary"


@dataclass(frozen=True)
class Plain:
    """What the page says of a table, and which of its columns it shows where the table is short; a phone has six."""

    about: str
    shown: Sequence[str] = ()


PLAIN: Mapping[str, Plain] = {
    "recipes": Plain(
        "What schedules, peak rates and batches train a convolutional VAE and FactorVAE to on all of dSprites.",
        ("model", "schedule", "learning_rate", "steps", "reconstruction", "mig"),
    ),
    "recipes-curves": Plain("How the reconstruction falls on the way, of the same trainings."),
    "equivalence": Plain(
        "Whether scores move where products are of bfloat16: two one-sided tests within a margin stated before.",
        ("model", "score", "low", "high", "margin", "verdict"),
    ),
    "boosters": Plain(
        "DCI and the downstream task of one run of each model of `dsprites-core`, by LightGBM and by scikit-learn.",
        ("label", "score", "lightgbm", "scikit_learn"),
    ),
    "definitions": Plain("Measures by our definition and by disentanglement_lib's, on anchors and trained models."),
    "quickstart": Plain(
        "Every score of the suite `quickstart`, a row a run: what continuous integration checks against."
    ),
    "quickstart-margins": Plain("What each of those scores moves by from seed to seed: the margins of `check`."),
    "coverage": Plain("How often intervals hold what they should, in simulated suites."),
    "error_rates": Plain("How often `check` errs, on simulated results: false alarms, and drops that are caught."),
    "planted_faults": Plain("What turns red when real faults are planted into the quickstart."),
}
PICTURES: Mapping[str, str] = {
    "recipes.png": "The reconstruction over the steps of each recipe",
    "dsprites-shifts-mini.png": "R² of linear read-outs of combinations that were seen in training and of those"
    " that were not, by model and training distribution",
    "since2020-mini.png": "InfoMEC's modularity and a linear read-out of every run of what came since 2020 and before",
    "peste.png": "Informative components, linear separability, bounds and likelihood of Rényi VAEs over their order α",
    "dsprites-core.png": "What disentanglement costs: scores of the runs of dsprites-core and their reconstruction",
    "boosters.png": "DCI disentanglement, accuracies and sample efficiency by LightGBM against scikit-learn's boosting",
    "page.png": "The page of a suite: a sentence and a strip for each dataset, then its leaderboard",
}
ELSEWHERE = ("page.png",)
"""Pictures that are no result: the README shows them."""


def newest(folder: Path) -> dict[str, Archive]:
    """The highest version of each leaderboard that is archived in a folder, by its name."""
    found: dict[str, Archive] = {}
    for place in folder.glob(f"*/*/{MANIFEST}"):
        archive = open_archive(place.parent)
        name, version = archive.manifest.name, archive.manifest.version or 0
        if name not in found or version > (found[name].manifest.version or 0):
            found[name] = archive
    return dict(sorted(found.items()))


def write(docs: Path, folder: Path) -> None:
    """Lay what is published beside the pages: plain files as they are, and the site of leaderboards if there are any.

    Raises `BenchmarkError` on a file of which the page would not say what it is.
    """
    from benchmark.verbs.site import site

    (docs / FILES).mkdir()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        if path.name not in PICTURES and not path.stem.endswith(SUMMARY) and path.stem not in PLAIN:
            raise BenchmarkError(f"{path} is published and undescribed: say in {Path(__file__).name} what it holds")
        if path.name not in ELSEWHERE:
            shutil.copy(path, docs / FILES)
    if newest(folder):
        site(docs / LEADERBOARDS, source=folder)


def leaderboards(folder: Path) -> str:
    """The leaderboards, each with its page and what it is."""
    found = newest(folder)
    if not found:
        return (
            "None is archived yet. `benchmark publish SUITE --as archive` makes an archive of a suite,"
            " `benchmark site --to DIR --from FOLDER` a site of archives."
        )
    rows = [
        [f"[{archive.manifest.title}]({LEADERBOARDS}/{archive.manifest.title}/index.html)",
         cell(archive.manifest.description), f"`load_results(\"{archive.manifest.title}\")`"]
        for archive in found.values()
    ]  # fmt: skip
    listed = table(["leaderboard", "what it is", "in Python"], rows)
    all_of_them = f"[All of them, each with what it found]({LEADERBOARDS}/index.html), earlier versions too."
    return "\n\n".join([all_of_them, listed, *filter(None, (_chart(folder, name) for name in found))])


def summaries(folder: Path) -> str:
    """The summaries of suites: what each covers, counted in the file itself."""
    rows = []
    for path in sorted(folder.glob(f"*{SUMMARY}.csv")):
        suite, frame = path.stem.removesuffix(SUMMARY), pd.read_csv(path)
        numbers = {
            "configuration": len(frame.drop_duplicates(["dataset", "model", "label"])),
            "dataset": frame["dataset"].nunique(),
            "measure": frame["metric"].nunique(),
        }
        holds = ", ".join(count(number, noun) for noun, number in numbers.items())
        rows.append([_suite(suite), cell(registry.describe("suite", suite)), f"[{holds}]({FILES}/{path.name})"])
    charts = [_chart(folder, path.stem.removesuffix(SUMMARY)) for path in sorted(folder.glob(f"*{SUMMARY}.csv"))]
    return "\n\n".join([table(["suite", "what it is", "its table"], rows), *filter(None, charts)])


def plain(folder: Path) -> str:
    """The other tables, those with columns to show in full."""
    parts = []
    for stem, of in PLAIN.items():
        path = folder / f"{stem}.csv"
        if not path.is_file():
            continue
        frame = pd.read_csv(path)
        parts.append(f"### {stem}\n\n{of.about} {count(len(frame), 'row')}: {_linked(path)}.")
        parts.append(_chart(folder, stem))
        if of.shown:
            rows = [[cell(_short(value)) for value in row] for row in frame[list(of.shown)].itertuples(index=False)]
            parts.append(table([escaped(name) for name in of.shown], rows))
    return "\n\n".join(part for part in parts if part)


def _suite(name: str) -> str:
    return f"[`{name}`](suites/{name}.md)"


def _linked(path: Path) -> str:
    return f"[{path.name}]({FILES}/{path.name})"


def _chart(folder: Path, stem: str) -> str:
    """The picture of a table, where there is one, with what it shows in words; it leads to itself in full size."""
    name = f"{stem}.png"
    return f"[![{PICTURES[name]}]({FILES}/{name})]({FILES}/{name})" if (folder / name).is_file() else ""


def _short(value: object) -> str:
    """A cell of a table that is shown in full."""
    return shortened(value) if isinstance(value, float) else str(value)
