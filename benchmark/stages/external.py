"""Codes that were made elsewhere become finished runs, which stand in tables and on pages like any other."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from benchmark import registry
from benchmark.atomic import write_atomically
from benchmark.codes import TRAINED_ON, Codes
from benchmark.errors import UsageError
from benchmark.metrics._check import classes
from benchmark.provenance import provenance
from benchmark.reading.factor_kinds import Wishes, kinds_differ
from benchmark.reading.read_codes import Reading, digests, read_codes
from benchmark.reading.read_codes import digest as arrays_digest
from benchmark.spec import Component, Run, digest
from benchmark.stages.score_task import declarations
from benchmark.store import FORMAT, Store, timestamp, write_json
from benchmark.suite import EvaluationSettings, read
from benchmark.text import read_text

DATASET = "external"
"""The dataset of codes that are not said to belong to one."""
VERSION = 1
"""Of the model and dataset that codes from outside stand for. Raise it when the same file may give other arrays."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
TOLERANCE = 1e-5
"""Continuous factors may differ by this share of their range: decimals that a text file does not keep."""


@dataclass(frozen=True)
class Source:
    """A file of codes as it was read, with the file of its factors where that is another."""

    path: Path
    reading: Reading
    factors: Path | None = None
    wishes: Wishes = field(default_factory=Wishes)

    def noted(self, note: str) -> Source:
        """The same with one more note on what was read."""
        return replace(self, reading=replace(self.reading, notes=(*self.reading.notes, note)))

    def provenance(self) -> dict[str, Any]:
        files = {"codes": self.path} | ({"factors": self.factors} if self.factors else {})
        return {kind: {"file": path.name, "sha256": _sha256(path)} for kind, path in files.items()}


@dataclass(frozen=True)
class External:
    """A run to be: codes, the digest of their arrays as they were read, and where they come from."""

    run: Run
    codes: Codes
    arrays: str
    source: Source


def read_sources(files: Sequence[Path], factors: Path | None, wishes: Wishes | None = None) -> list[Source]:
    """Files of codes, each with every array that a measure may ask for. Raises `UsageError`."""
    arrays = {name for metric in declarations().values() for name in metric.every_array} - {"history"}
    wishes = wishes or Wishes()
    return [Source(file, read_codes(file, factors, arrays, wishes), factors, wishes) for file in files]


def check_name(name: str, where: str) -> None:
    """Raise `UsageError` on a name that is no folder's name; `where` says which was given."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{where} {name!r}: a name begins with a letter or digit and has letters, digits and _ . + -")


def check_model(name: str, where: str) -> None:
    """The same for a model's name, which may be none of this package's models."""
    check_name(name, where)
    if name in registry.names("model"):
        raise UsageError(f"{where} {name!r}: a model here has this name; give --name another, such as {name}_external")


Offered = Mapping[str, tuple[Component, Callable[[], Codes]]]
"""Data that codes may join, each with what gives its points: codes whose factors count."""


def _finished(planned: Sequence[Run], store: Store) -> Offered:
    """The data of a suite's finished runs."""
    done = {str(run.dataset): run for run in planned if store.is_done(run)}
    return {key: (run.dataset, partial(_reference, run, store)) for key, run in done.items()}


def runs_of(
    sources: Sequence[Source],
    name: str,
    dataset: str | None,
    seed: int | None,
    store: Store,
    planned: Sequence[Run],
    *,
    joins: str = "",
    offered: Offered | None = None,
) -> list[External]:
    """The runs that files of codes are: seeds of one configuration, counted from `seed` or 0 in the files' order.

    A configuration is its name and its data: the runs of one are encoded from the same points. What a run's arrays
    were is kept in its folder, and decides: arrays that are there already are that run, whatever their file; others
    under a seed that is taken are an error. `planned`: the runs of the suite to join; where `dataset` is
    given, the codes join its data there, if their factors are those of its points, row by row.
    `joins`: of an archive to join in its place, the title, and `offered` its data: codes join one of them in any case.
    Raises `UsageError`, before anything is written.
    """
    if not joins:
        offered = _finished(planned, store) if planned else None
    found: dict[str, Source] = {}
    for source in sources:
        arrays = arrays_digest(source.reading.codes)
        known_as = found.setdefault(arrays, source)
        if known_as is not source:  # by their names: what is said of a run is published with it, paths are not
            found[arrays] = known_as.noted(
                f"{source.path.name} holds the same arrays as {known_as.path.name} and is no seed of its own"
            )
    externals: list[External] = []
    for place, (arrays, source) in enumerate(found.items()):
        component, codes = _placed(source, dataset, offered, joins)
        if externals and component != externals[0].run.dataset:
            raise UsageError(
                f"{source.path} holds other points or factors than {externals[0].source.path}:"
                " seeds of one configuration are encoded from the same points; add it under another --name"
            )
        run = Run(component, Component(name, VERSION, {"codes": DATASET}), None, None, (seed or 0) + place)
        there = _arrays_there(store, run)
        same = digests(source.reading.codes)
        known = next((number for number, other in there.items() if other in same), None)
        if known is not None:
            arrays = there[known]
        if known is not None and seed is None:
            run = replace(run, seed=known)
        elif known not in (None, run.seed):
            raise UsageError(
                f"{source.path} holds the arrays of seed {known} of {name}; another seed has codes of its own"
            )
        elif known is None and run.seed in there:
            raise UsageError(
                f"seed {run.seed} of {name} on {component.name} is there with other arrays than {source.path};"
                f" give another --name or --seed, or delete {store.run_folder(run)} to put these in its place"
            )
        externals.append(External(run, codes, arrays, source))
    return externals


def _arrays_there(store: Store, run: Run) -> dict[int, str]:
    """The digests of the arrays of a configuration's finished runs, by seed."""
    seeds = [int(path.parent.name[1:]) for path in store.run_folder(run).parent.glob("s*/run.json")]
    return {seed: store.read_run(replace(run, seed=seed)).get("arrays", "") for seed in sorted(seeds)}


def _placed(source: Source, dataset: str | None, offered: Offered | None, joins: str) -> tuple[Component, Codes]:
    """The data that codes belong to, and the codes with its factors."""
    codes = source.reading.codes
    if offered is None or (not joins and dataset in (None, DATASET)):
        factors = digest(_factors_digest(codes)) if codes.factors.shape[1] else "unknown"
        return Component(dataset or DATASET, VERSION, {"factors": factors, "points": len(codes.means)}), codes
    name, *words = (dataset or "").split() or [""]
    fitting = {
        key: (part, load)
        for key, (part, load) in offered.items()
        if name in ("", part.name) and set(words) <= _words(part)
    }
    # A dataset's words may be some of another's: the grid beside its splits.
    exact = {key: (part, load) for key, (part, load) in fitting.items() if set(words) == _words(part)}
    fitting = exact if dataset and exact else fitting
    if not fitting:
        known = ", ".join(sorted({part.name for part, _ in offered.values()})) or "none"
        raise UsageError(f"--dataset {dataset}: no finished run of {joins or 'the suite'} is on it; there: {known}")
    references = {key: (part, load()) for key, (part, load) in fitting.items()}
    reasons = {key: _difference(codes, reference) for key, (_, reference) in references.items()}
    same = [references[key] for key, reason in reasons.items() if reason is None]
    if not same:
        each = dict.fromkeys(f"{references[key][0].name}: {why}" for key, why in reasons.items())
        which, flag = ("; ".join(each), "--beside") if joins else (next(iter(reasons.values())), "--dataset")
        raise UsageError(
            f"{source.path}: {which}; codes join a dataset with its own points and factors in their order, others stand"
            f" on their own without {flag}"
        )
    if len(same) > 1:
        told = " or ".join(f'--dataset "{" ".join([part.name, *sorted(_words(part))])}"' for part, _ in same)
        where = f"--dataset {dataset}: the suite" if dataset else joins
        raise UsageError(f"{where} has {len(same)} such, with the same factors; say {told}")
    component, reference = same[0]
    return component, replace(
        codes,
        factors=reference.factors,
        factor_names=reference.factor_names,
        factor_sizes=reference.factor_sizes,
        grid=reference.grid,
        arrays={**codes.arrays, **reference.arrays},
    )


def _words(component: Component) -> set[str]:
    """A dataset's settings as the page writes them."""
    return {
        f"{key}={value if isinstance(value, str) else json.dumps(value)}".replace('"', "").replace(" ", "")
        for key, value in component.settings.items()
    }


def _reference(run: Run, store: Store) -> Codes:
    """A run's codes, and of other arrays only which of its points were trained on, where some were not."""
    return Codes.load(store.run_folder(run) / "codes.safetensors", {TRAINED_ON})


def _difference(codes: Codes, reference: Codes) -> str | None:
    """How the factors differ from those of a dataset's points; None where they are the same, row by row.

    Discrete factors may be written in other numbers of the same order.
    """
    ours, theirs = codes.factors, reference.factors
    if len(ours) != len(theirs):
        return f"{len(ours):,} codes for {len(theirs):,} points"
    if ours.shape != theirs.shape:
        return f"it holds {ours.shape[1]} factors, the dataset {theirs.shape[1]} ({', '.join(reference.factor_names)})"
    for name, own, their, size in zip(reference.factor_names, ours.T, theirs.T, reference.factor_sizes, strict=True):
        wrong = _differs(own, their, discrete=size > 0)
        if wrong.any():
            return f"factor {name} is another than the dataset's from row {int(wrong.argmax())} on"
    return None


def _differs(own: ndarray, their: ndarray, *, discrete: bool) -> ndarray:
    if discrete:
        return np.asarray(classes(own) != classes(their))
    return np.asarray(np.abs(own - their) > TOLERANCE * np.ptp(their))


def _factors_digest(codes: Codes) -> list[str]:
    content = np.ascontiguousarray(codes.factors.astype(np.float64))
    kinds = kinds_differ(codes.factors, codes.factor_sizes)
    return [*codes.factor_names, hashlib.sha256(content.data).hexdigest(), *([f"discrete {kinds}"] if kinds else [])]


def publish(external: External, store: Store, command: Sequence[str]) -> None:
    """Publish a run's folder, codes and run.json, where it is not there already. `command`: how it was asked for."""
    run, source = external.run, external.source
    words = [*command, "--codes", str(source.path), *(("--factors", str(source.factors)) if source.factors else ())]
    words += source.wishes.words()

    def fill(folder: Path) -> None:
        external.codes.save(folder / "codes.safetensors")
        write_json(
            folder / "run.json",
            {
                "format": FORMAT,
                "run_id": run.run_id,
                "config_id": run.config_id,
                "run": run.to_json(),
                "command": shlex.join([*words, "--name", run.model.name, "--seed", str(run.seed)]),
                "arrays": external.arrays,
                "parameters": None,
                "seconds": {"training": 0.0, "encoding": 0.0},
                "provenance": {
                    **provenance(),
                    "trained": "elsewhere: this program only read the codes",
                    "source": source.provenance(),
                    "notes": list(source.reading.notes),
                    "finished": timestamp(),
                    "fleet": {},
                },
            },
        )

    if not store.is_done(run):
        store.publish(run, fill)
    if store.read_run(run)["arrays"] != external.arrays:
        raise UsageError(f"{store.run_folder(run)} was given other arrays by another process; give another --seed")


def check_suite(name: str, store: Store) -> None:
    """Raise `UsageError` where a suite of this name is there that does not consist of codes from outside."""
    file = _suite_file(name, store)
    if name in registry.names("suite") or (file.with_name("plan.json").exists() and not file.exists()):
        raise UsageError(f'a suite "{name}" is there already: give another --name, or name the suite to join it')


def write_suite(name: str, store: Store, evaluation: EvaluationSettings, runs: Sequence[Run]) -> list[str]:
    """Write the file of a suite that consists of codes from outside, and its plan: these runs beside those there.

    It is scored as is asked for now, whatever was asked for before. A file that someone edited stays, and what comes
    back says so.
    """
    file = _suite_file(name, store)
    held = read(str(file))[1].evaluation if file.exists() else evaluation
    edited = file.exists() and read_text(file) != _suite_text(name, held)
    if not edited:
        write_atomically(file, lambda scratch: scratch.write_text(_suite_text(name, evaluation)))
    # Runs of codes from outside stay in a plan of another text; of an edited file, so does whatever else it has.
    store.write_plan(name, read(str(file))[2], list(runs), replace=not edited)
    asked = evaluation.model_copy(update={"headline": held.headline})
    if not edited or held == asked:
        return []
    return [
        f"{file} was edited and stays as it is: what --metrics and --budget do not say is scored as it says"
        f" (metrics {', '.join(held.metrics) or 'all'}; budget {held.budget}; points {held.points:,}; seed {held.seed})"
    ]


def _suite_text(name: str, evaluation: EvaluationSettings) -> str:
    """The file of such a suite, as this program writes it."""
    chosen = ", ".join(map(json.dumps, evaluation.metrics))
    text = (
        f'description = "Codes from outside: {name}"\nblock = []\n\n[evaluation]\n'
        f'metrics = [{chosen}]\nbudget = "{evaluation.budget}"\n'
    )
    default = EvaluationSettings()
    for key in ("points", "seed"):
        if getattr(evaluation, key) != getattr(default, key):
            text += f"{key} = {getattr(evaluation, key)}\n"
    return text


def _suite_file(name: str, store: Store) -> Path:
    return store.suite_folder(name) / f"{name}.toml"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
