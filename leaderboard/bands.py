"""Public models of others, trained to the end with the same network, beside ours: where a score may lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmark.naming import score_name
from leaderboard.columns import title
from leaderboard.levels import Configuration, fitting, level, records, steps
from leaderboard.text_table import TextTable

TITLE = "Public models, and ours"
THEIRS = "public, one run"
OTHER = "†"
"""The mark of a number that is not under their protocol."""
CAPTION = (
    "Public models of others on dSprites: conv64 to the parameter, 10 latents, batches of 128, about 60 epochs, "
    "one run each, scored by the field’s reference code (20 bins, five factors) on redrawn images. Below each, "
    "ours of its objective: mean ± standard deviation (runs). One run has no interval, and theirs were trained "
    "longer than a suite of ours may be: they say where a score may lie, and are no target. How they counted "
    "active units is not said (of the annealed VAE two counts are known). DtO is of the decoder’s logits, and of "
    "random directions in ten dimensions 2.85."
)


class Band(NamedTuple):
    """A score of the bands: the measure under their protocol, and under ours where that is another."""

    score: str
    theirs: str
    ours: str | None = None


LIB = "definition=disentanglement_lib"
BANDS = (
    Band("reconstruction", "reconstruction"),
    Band("active_units", "active_units"),
    Band("mig", "mig"),
    Band("factor_vae_score", "factor_vae_score"),
    Band("beta_vae_score", "beta_vae_score"),
    Band("modularity", f"modularity({LIB})", "modularity"),
    Band("explicitness", f"explicitness({LIB})", "explicitness"),
    Band("sap", "sap(kind=continuous)", "sap"),
    Band("dto", "dto(of=logits)", "dto"),
)


def bands(paper: str, own: Sequence[Configuration], table: pd.DataFrame) -> TextTable | None:
    """The table of one dataset, whose configurations are `own`; None where a paper has none, or none of it is here."""
    path = Path(str(files("benchmark"))) / "suites" / f"{paper}-bands.csv"
    if not path.exists():
        return None
    cells: list[list[str]] = []
    numbers: list[dict[str, Any]] = []
    known = records(pd.read_csv(path, dtype="str"))
    for row, ours in _listed(known, own):
        cells.append([row["row"], THEIRS, *(row[band.score] for band in BANDS)])
        if not ours:
            cells.append(["", "not trained here", *("" for _ in BANDS)])
        for config, same in ours:
            scored = [_scored(config, band, table) for band in BANDS]
            cells.append([config["label"], _whose(config, same=same), *(text for text, _ in scored)])
            about = {"row": row["row"], "configuration": config["label"], "config_id": config["config_id"]}
            about |= {"dataset": config["dataset_label"], "same_setting": same}
            numbers += [
                {"table": TITLE, **about, "score": band.score, "paper": row[band.score], "paper_runs": 1, **found}
                for band, (_, found) in zip(BANDS, scored, strict=True)
            ]
    if not numbers:
        return None
    columns = ["model", "whose", *(title(score_name(band.score, band.score)) for band in BANDS)]
    return TextTable(TITLE, columns, cells, CAPTION + _marked(cells), pd.DataFrame(numbers))


def _whose(config: Configuration, *, same: bool) -> str:
    """What of ours differs from the public model: the network and the length of training, too."""
    return f"{'the same' if same else 'another'} setting, {config['network']}, {steps(config):,} steps"


def _listed(
    known: Sequence[dict[str, Any]], own: Sequence[Configuration]
) -> Iterator[tuple[dict[str, Any], list[tuple[Configuration, bool]]]]:
    """Each public model with ours of its setting; an objective's last with those of other settings as well."""
    exact = {row["row"]: fitting(own, f"{row['objective']} {row['setting']}") for row in known}
    taken = {config["config_id"] for configs in exact.values() for config in configs}
    last = {row["objective"]: row["row"] for row in known}
    for row in known:
        ours = [(config, True) for config in exact[row["row"]]]
        if last[row["objective"]] == row["row"]:
            others = [each for each in fitting(own, row["objective"]) if each["config_id"] not in taken]
            ours += [(config, False) for config in others]
        yield row, ours


def _scored(config: Configuration, band: Band, table: pd.DataFrame) -> tuple[str, dict[str, Any]]:
    """A cell, and what it says: under their protocol where that was scored, else under ours with a mark."""
    rows = table[table["config_id"] == config["config_id"]]
    for choice, mark in ((band.theirs, ""), (band.ours, OTHER)):
        found, protocol = level(rows, choice, band.score) if choice else (None, "")
        if found is not None:
            said = {"ours": found.mean, "ours_std": found.std, "ours_runs": found.runs, "protocol": protocol}
            return f"{found.short}{mark}", said | {"their_protocol": not mark}
    return "not scored", {}


def _marked(cells: Sequence[Sequence[str]]) -> str:
    if not any(text.endswith(OTHER) for row in cells for text in row):
        return ""
    theirs = ", ".join(band.theirs for band in BANDS if band.ours)
    return f" {OTHER} Under our own protocol, which is another measure: theirs ({theirs}) was not scored."
