"""Take out of a suite what should not be there: scores of a measure, runs of a model, one run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark import registry
from benchmark.atomic import disk_full_explained
from benchmark.choice import read_choice
from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.index import planned
from benchmark.integrity.suite_seal import PAGE, TABLE, seal_table
from benchmark.spec import Run, canonical, suggest
from benchmark.store import Store, read_json
from benchmark.verbs._given import located, started, suite_name, takes_paths
from benchmark.words.notebook import Shown
from benchmark.words.phrases import count

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Forgetting(Shown):
    """What `forget` takes out of a suite, found and not yet done: score files, or whole runs.

    `shared`: other suites that have some of these runs. Their plans and the runs stay; scores are gone for them too.
    """

    suite: str
    results: Path
    scores: Mapping[Path, str]
    """The protocol of each file."""
    runs: tuple[Run, ...]
    shared: tuple[str, ...]

    def sentence(self) -> str:
        """What is taken out, for people."""
        if self.scores:
            ids = sorted(set(self.scores.values()))
            more = f" and {len(ids) - 3} more protocols" if len(ids) > 3 else ""
            what = f"{count(len(self.scores), 'score')} ({', '.join(ids[:3])}{more})"
            also = f"; suite {', '.join(self.shared)} loses them too" if self.shared else ""
        else:
            what = f"{count(len(self.runs), 'run')} ({', '.join(sorted({_told(run) for run in self.runs}))})"
            also = f"; suite {', '.join(self.shared)} has some of them and keeps these" if self.shared else ""
        return f"{what} of suite {self.suite} in {self.results}{also}"

    def frame(self) -> pd.DataFrame:
        """A row a score that goes, with its protocol and file; or a row a run, with its model and dataset."""
        import pandas as pd

        scores = [{"protocol": protocol, "file": str(path)} for path, protocol in self.scores.items()]
        runs = [{"run_id": run.run_id, "model": run.model.name, "dataset": run.dataset.name} for run in self.runs]
        return pd.DataFrame(scores or runs)


@takes_paths
def find_forgotten(
    suite: str,
    *,
    metric: str | None = None,
    model: str | None = None,
    dataset: str | None = None,
    run: str | None = None,
    results: Path = RESULTS,
) -> Forgetting:
    """What `forget` would take out of a suite; nothing is changed.

    metric: a measure's name, with settings in brackets, or a protocol id: its scores go, those of `model`, `dataset`
    and `run` where these are given. Without it the runs of that model, on that dataset, or of that id go themselves,
    codes that were added from outside included. Raises `UsageError` where nothing is so called.
    """
    store = Store(results, make=False)
    name = suite_name(located(suite, results))
    started(store, name, suite)
    if not any((metric, model, dataset, run)):
        raise UsageError("benchmark forget: say what, by --metric, --model, --dataset or --run")
    chosen = store.plan(name)
    parts: tuple[tuple[str, str | None, Callable[[Run], str]], ...] = (
        ("--model", model, lambda each: each.model.name),
        ("--dataset", dataset, lambda each: each.dataset.name),
        ("--run", run, lambda each: each.run_id),
    )
    for flag, wanted, value_of in parts:
        if wanted is not None:
            known = sorted({value_of(each) for each in chosen})
            chosen = [each for each in chosen if value_of(each) == wanted]
            if not chosen:
                raise UsageError(f'{flag} {wanted}: suite "{name}" has no such run{suggest(wanted, known)}')
    scores = _scores(metric, [store.run_folder(each) for each in chosen]) if metric else ()
    protocols = {path: str(read_json(path)["protocol"]) for path in scores}
    return Forgetting(name, results, protocols, () if metric else tuple(chosen), _sharing(store, name, chosen, scores))


@takes_paths
def forget(
    suite: str,
    *,
    metric: str | None = None,
    model: str | None = None,
    dataset: str | None = None,
    run: str | None = None,
    results: Path = RESULTS,
) -> Forgetting:
    """Take out what `find_forgotten` finds, for ever, and compile the suite's table anew. Returns what it was."""
    found = find_forgotten(suite, metric=metric, model=model, dataset=dataset, run=run, results=results)
    carry_out(found)
    return found


def carry_out(found: Forgetting) -> None:
    """Delete scores, or runs that no other suite has; then the table and its summaries say no more of them."""
    store = Store(found.results, make=False)
    for path in found.scores:
        if _may_have_pieces(read_json(path)["metric"]):
            shutil.rmtree(path.parent / ".pieces", ignore_errors=True)  # a cache, of what may be wrong
        path.unlink(missing_ok=True)
    gone = {each.run_id for each in found.runs}
    elsewhere = _planned_elsewhere(store, found.suite) if gone else set()
    left = store.shorten_plan(found.suite, gone) if gone else store.plan(found.suite)
    for each in found.runs:
        if each.run_id not in elsewhere:
            store.clear_failure(each)
            if (gone_folder := store.run_folder(each)).exists():
                shutil.rmtree(gone_folder)
            _remove_empty(store.run_folder(each).parent, store.root / "runs")
    if left:
        _compile(store, found.suite, left)


def _scores(metric: str, folders: Sequence[Path]) -> tuple[Path, ...]:
    """The files of scores of a measure, of a measure under some settings, or of one protocol."""
    records = {path: read_json(path) for folder in folders for path in sorted((folder / "scores").glob("*.json"))}
    if "/" in metric:
        found = [path for path, record in records.items() if metric in _spellings(record["protocol"])]
        known = sorted({record["protocol"] for record in records.values()})
    else:
        choice = read_choice(metric)
        known = sorted({record["metric"] for record in records.values()})
        name = choice.name if choice.name in known else registry.metric_named(choice.name)
        settings = {key: canonical(value) for key, value in choice.settings.items()}
        found = [
            path
            for path, record in records.items()
            if record["metric"] == name and settings.items() <= _comparable(record.get("settings", {})).items()
        ]
    if not found:
        raise UsageError(f"--metric {metric}: no such score is there{suggest(metric, known)}")
    return tuple(found)


def _comparable(settings: dict[str, object]) -> dict[str, object]:
    return {key: canonical(value) for key, value in settings.items()}


def _spellings(protocol: str) -> tuple[str, str]:
    """A protocol's id, and its beginning without the number of points, by which failed scores are told."""
    return protocol, protocol.rpartition("/")[0].rpartition("-n")[0]


def _sharing(store: Store, suite: str, runs: Sequence[Run], scores: Sequence[Path]) -> tuple[str, ...]:
    """Other suites that plan runs of which something is taken out."""
    held = {path.parent.parent for path in scores}
    touched = {
        (store.run_folder(each).parent.relative_to(store.root).as_posix(), each.seed)
        for each in runs
        if not scores or store.run_folder(each) in held
    }
    return tuple(
        other
        for other, places in planned(store).items()
        if other != suite and touched & {(folder, seed) for folder, seeds in places.items() for seed in seeds}
    )


def _planned_elsewhere(store: Store, suite: str) -> set[str]:
    return {each.run_id for other in planned(store) if other != suite for each in store.plan(other)}


def _may_have_pieces(metric: str) -> bool:
    known = metric in registry.names("metric")
    return not known or registry.load("metric", metric).declaration.pieces is not None


def _remove_empty(folder: Path, top: Path) -> None:
    """Delete folders that hold nothing any more, up to `top`."""
    while folder != top and folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _compile(store: Store, suite: str, runs: Sequence[Run]) -> None:
    """The table without what was taken out, where there is a table; the page is deleted, `report` makes another."""
    from benchmark.stages.aggregate import aggregate
    from benchmark.stages.measures import measures_of
    from benchmark.table import compile_table, write_table

    folder = store.suite_folder(suite)
    if not (folder / TABLE).exists():
        return
    done = [(each, store.run_folder(each)) for each in runs if store.is_done(each)]
    table = compile_table(suite, done)
    places = [path for _, path in done]
    (folder / PAGE).unlink(missing_ok=True)
    shutil.rmtree(folder / "figures", ignore_errors=True)
    with disk_full_explained(folder / TABLE):
        write_table(table, folder / TABLE)
        names = [TABLE, "results.csv", *aggregate(table, measures_of(table, places)).write(folder)]
        seal_table(folder, names, places)


def _told(run: Run) -> str:
    return f"{run.model.name} on {run.dataset.name}"
