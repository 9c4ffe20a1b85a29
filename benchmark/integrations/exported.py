"""What is exported of a run: one object, whichever tool takes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from benchmark.archive.public import public_record, without_places
from benchmark.errors import BenchmarkError
from benchmark.integrations.score_names import score_names
from benchmark.integrity.run_seal import MEND, RECORD
from benchmark.integrity.sealed import check_format, read_json
from benchmark.spec import PARTS, Run, canonical, digest
from benchmark.stages.configurations import configurations
from benchmark.table import STATUSES, described

VERSION = 1
"""Of what is exported. Raise it when the same results arrive otherwise: what is there is then exported anew."""
HISTORY = "history.csv"


@dataclass(frozen=True)
class Exported:
    """A run of a suite, finished or failed.

    `label` tells its configuration as on the page, `dataset_label` its data. `record`: what is public of its run.json;
    of a failed run there is none, and `reason` says why. `history`: a row for each logged step, None where nothing was
    trained step by step. `scores`: its rows of the results table, with what `score_names` calls them in `name`.
    """

    suite: str
    run: Run
    label: str
    dataset_label: str
    status: Literal["finished", "failed"]
    scores: pd.DataFrame
    record: Mapping[str, Any]
    history: pd.DataFrame | None = None
    reason: str | None = None

    @property
    def run_id(self) -> str:
        return self.run.run_id

    @property
    def title(self) -> str:
        """What people call the run: its configuration on its data, and its seed."""
        return f"{self.label} on {self.dataset_label}, seed {self.run.seed}"

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting by its dotted name, such as model.beta, as JSON values; parts with their versions."""
        found: dict[str, Any] = {}
        for key in PARTS:
            part = getattr(self.run, key)
            if part is not None:
                found |= {key: part.name, f"{key}.version": part.version}
                found |= {f"{key}.{name}": canonical(value) for name, value in part.settings.items()}
        return found | {"seed": self.run.seed}

    @property
    def numbers(self) -> dict[str, float]:
        """The scores that are numbers, by name, but for those of single factors, coordinates and codes."""
        return {row["name"]: float(row["value"]) for row in self._named("ok")}

    @property
    def missing(self) -> dict[str, str]:
        """Why a score has no number, by name: `not_applicable: …` or `failed: …`."""
        return {row["name"]: f"{row['status']}: {row['reason']}" for row in self._named("not_applicable", "failed")}

    @property
    def protocols(self) -> dict[str, str]:
        """The protocol behind every name of `numbers` and `missing`."""
        return {row["name"]: row["protocol"] for row in self._named(*reversed(STATUSES))}

    @property
    def costs(self) -> dict[str, float]:
        """Seconds of process time, and how many parameters the model has, where known."""
        seconds = {} if "trained" in self.origin else self.record.get("seconds", {})
        scoring = self.scores.drop_duplicates(["protocol", "representation"])["seconds"]
        found = {
            "parameters": self.record.get("parameters"),
            "training_seconds": seconds.get("training"),
            "encoding_seconds": seconds.get("encoding"),
            "scoring_seconds": scoring.sum() if len(scoring) else None,
        }
        return {name: float(value) for name, value in found.items() if value is not None}

    @property
    def origin(self) -> Mapping[str, Any]:
        """The commit, device, versions and times of a finished run."""
        return self.record.get("provenance", {})

    @cached_property
    def digest(self) -> str:
        """The sha256 of all that is exported: what was exported under another one is not up to date."""
        about = [self.suite, self.label, self.dataset_label, self.status, self.reason, self.settings, self.record]
        history = None if self.history is None else self.history.to_csv(index=False)
        return digest([VERSION, *about, history, self.scores.to_csv(index=False)], 64)

    def _named(self, *statuses: str) -> Iterator[dict[Any, Any]]:
        rows = self.scores[self.scores["status"].isin(statuses) & (self.scores["name"] != "")]
        yield from rows.to_dict("records")


def exported(
    suite: str,
    table: pd.DataFrame,
    done: Sequence[tuple[Run, Path]],
    failures: Sequence[tuple[Run, Mapping[str, Any]]],
    chosen: Sequence[Run],
) -> Iterator[Exported]:
    """The chosen of a suite's runs, one after the other: its results table, its finished runs with their folders, and
    what is recorded of those that failed.

    Names and labels are told apart among all runs of the suite: they do not depend on which are chosen.
    Raises `BenchmarkError` on a record or history that cannot be read.
    """
    everyone = [run for run, _ in [*done, *failures]]
    told = configurations(described(suite, everyone))
    labels = {row["config_id"]: (str(row["label"]), str(row["dataset_label"])) for row in told.to_dict("records")}
    named = table.assign(name=score_names(table))
    none, rows = named.iloc[:0], dict(iter(named.groupby("run_id")))
    wanted = {run.run_id for run in chosen}
    for run, folder in done:
        if run.run_id in wanted:
            record, own = public_record(_record(folder)), rows.get(run.run_id, none)
            yield Exported(suite, run, *labels[run.config_id], "finished", own, record, _history(folder))
    for run, failure in failures:
        if run.run_id in wanted:
            reason = without_places(f"{failure['stage']}: {failure['reason']}")
            yield Exported(suite, run, *labels[run.config_id], "failed", none, {}, reason=reason)


def _record(folder: Path) -> dict[str, Any]:
    record = read_json(folder / RECORD, MEND)
    check_format(record, folder / RECORD)
    return record


def _history(folder: Path) -> pd.DataFrame | None:
    """A run's history; a value that was not a number stands empty."""
    path = folder / HISTORY
    if not path.exists():
        return None
    try:
        history = pd.read_csv(path)
        steps = history["step"].astype("int64")
    except (ValueError, KeyError) as error:  # an empty file, a line of too many cells, or none that counts steps
        raise BenchmarkError(f"{path} cannot be read ({error}); {MEND}") from None
    return history.assign(step=steps)
