"""Take codes made elsewhere in as finished runs: what `evaluate --codes` does first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.commands import RESULTS, command_line
from benchmark.errors import UsageError
from benchmark.store import Store
from benchmark.verbs._given import add_plugins, located, names_in, started, suite_name, takes_paths
from benchmark.words.notebook import Shown
from benchmark.words.phrases import count

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class AddedCodes(Shown):
    """What `add_codes` did: the suite, the runs that the files are, and what is to be said of each and of the suite."""

    suite: str
    runs: list[str]
    notes: list[str]

    def sentence(self) -> str:
        return f"{self.suite}: {count(len(self.runs), 'run')} of codes from outside"

    def frame(self) -> pd.DataFrame:
        """A row a run: run_id, and what is to be said of its codes."""
        import pandas as pd

        return pd.DataFrame({"run_id": self.runs, "note": self.notes[: len(self.runs)]})


@takes_paths
def add_codes(
    files: Sequence[Path],
    suite: str | None = None,
    *,
    results: Path = RESULTS,
    name: str | None = None,
    dataset: str | None = None,
    seed: int | None = None,
    factors: Path | None = None,
    metrics: Sequence[str] = (),
    budget: str | None = None,
    plugins: Sequence[Path] = (),
    discrete: Sequence[str] = (),
    continuous: Sequence[str] = (),
    drop: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    classes_as_factors: Sequence[str] = (),
    groups: Any = None,
    beside: str | None = None,
    data_dir: Path | None = None,
) -> AddedCodes:
    """Make finished runs of codes from outside, the seeds of one configuration; `evaluate` then scores them.

    They join `suite`, which was run here, beside its runs on `dataset`; without one they are a suite of their own,
    called `name` and from now on scored by `metrics` under `budget`. `name` is by default that of the only file.
    Which factors are discrete is decided by their values and said in the notes; `discrete` and `continuous` name those
    that are another kind, `drop` factors and columns to leave out. `rename` gives a file's arrays or columns the names
    that are read: {"z": "codes"}, {"h*": "code_*"}. `classes_as_factors` names labels each class of which becomes a
    factor: data that have one label with many classes, cells or digits, then have factors to tell apart. `groups` says
    which codes belong together, a vector for each concept: 3 for every three columns, or the group of each column; they
    are then scored by the measures of groups and of all codes, and those of single columns are not applicable.
    `beside`: an archive's name, folder, file or address: codes join its data, whose points are made again or read from
    `data_dir`, and are scored under its protocols, unless `metrics` or `budget` say otherwise.
    Raises `UsageError` before anything is written.
    """
    from benchmark.archive.beside import evaluation_of, offered_data
    from benchmark.archive.opening import open_archive
    from benchmark.reading.code_groups import asked_groups
    from benchmark.reading.factor_kinds import Wishes
    from benchmark.stages import external
    from benchmark.stages.score_task import check_budget, check_metrics, declarations
    from benchmark.suite import EvaluationSettings
    from benchmark.words.codes_read import sentence

    add_plugins(plugins)
    texts = check_metrics(tuple(metrics)) if metrics else ()
    chosen = check_budget("full" if budget is None else budget)
    if name is None and len(files) > 1:
        raise UsageError(
            f"--codes is given {len(files)} times: say with --name of which model they are the seeds; two models side"
            f" by side: {command_line('compare', *files[:2])}"
        )
    if not files:
        raise UsageError("add_codes: give at least one file of codes")
    renamed = tuple((rename or {}).items())
    wishes = Wishes(
        names_in("add_codes: discrete", discrete),
        names_in("add_codes: continuous", continuous),
        names_in("add_codes: drop", drop),
        renamed,
        names_in("add_codes: classes_as_factors", classes_as_factors),
        asked_groups(groups),
    )
    sources = external.read_sources(files, factors, wishes)
    model = name or files[0].stem
    if name is None and not external.NAME.fullmatch(model):
        raise UsageError(f"{files[0]}: give its model a name of letters, digits and _ . + -, such as --name my_codes")
    external.check_model(model, "--name" if name else f"--codes {files[0]}: the name")
    store = Store(results, make=False)
    if suite is not None and beside is not None:
        raise UsageError(
            f"--beside {beside}: codes join suite {suite} or an archive, not both; a suite's page has an archive's rows"
            f" by {command_line('report', suite, '--beside', beside)}"
        )
    evaluation, planned, offered, joins = EvaluationSettings(metrics=texts, budget=chosen), [], None, ""
    if suite is not None:
        own = suite_name(located(suite, results))
        started(store, own, suite)
        planned = store.plan(own)
    else:
        own = model
        external.check_suite(own, store)
        if beside is None:
            external.check_name(dataset or external.DATASET, "--dataset")
        else:
            archive = open_archive(beside)
            offered, joins = offered_data(archive, data_dir), archive.manifest.title
            theirs = evaluation_of(archive, declarations())
            evaluation = EvaluationSettings(
                metrics=texts or theirs.metrics, budget=chosen, points=theirs.points, seed=theirs.seed
            )
    externals = external.runs_of(sources, model, dataset, seed, store, planned, joins=joins, offered=offered)

    store = Store(results)
    words = ["benchmark", "evaluate", *([] if suite is None else [suite])]
    words += [] if dataset is None else ["--dataset", dataset]
    words += [] if beside is None else ["--beside", beside]
    for each in externals:
        external.publish(each, store, words)
    runs = [each.run for each in externals]
    notes = [sentence(each) for each in externals]
    if suite is None:
        notes += external.write_suite(own, store, evaluation, runs)
    else:
        store.write_plan(own, "", runs, replace=False)
    return AddedCodes(suite or own, [run.run_id for run in runs], notes)
