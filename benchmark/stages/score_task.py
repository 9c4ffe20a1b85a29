"""A score that is asked for: of which runs, by which measure and protocol, and what became of it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from benchmark import registry
from benchmark.choice import Choice, read_choice, with_all
from benchmark.errors import BenchmarkError, NotApplicable, ScoreWarning, TooFewPoints, UsageError
from benchmark.metrics._declare import Metric
from benchmark.spec import Settings
from benchmark.suite import check_choice

Budget = Literal["quick", "full"]


Found = TypeVar("Found")


@dataclass(frozen=True)
class Protocol:
    """How an evaluation scores: which measures, at which cost, from how many points, with which seed.

    `metrics` are written as in a suite: `mig`, or `mig(bins=10)` with settings other than its defaults.
    """

    metrics: tuple[str, ...]
    budget: Budget = "full"
    points: int = 10_000
    seed: int = 0


@dataclass(frozen=True)
class ScoreTask:
    """One measure of one representation of one run, of all runs of a configuration, or one piece of it.

    `folders` are the run's folder, or those of all runs of the configuration by ascending seed.
    """

    folders: tuple[Path, ...]
    seeds: tuple[int, ...]
    metric: str
    representation: str
    protocol: Protocol
    plugins: tuple[Path, ...] = ()
    piece: str | None = None

    @property
    def folder(self) -> Path:
        return self.folders[0]


@dataclass(frozen=True)
class Scored:
    """What a worker says of a task: the status of a score, or the names and costs of the pieces that it waits for.

    `notes`: what a reader of the score should know of its input.
    """

    status: str
    reason: str | None = None
    pieces: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()


def declarations(names: tuple[str, ...] = ()) -> dict[str, Metric]:
    """The declarations of the named measures, or of all."""
    chosen = names or tuple(registry.names("metric"))
    return {name: registry.load("metric", name).declaration for name in chosen}


def check_metrics(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The measures chosen, each spelled one way, or all. Raises `UsageError` on an unknown one or a wrong setting."""
    choices = [read_choice(text) for text in with_all(texts, registry.names("metric"))]
    for choice in choices:
        check_choice(choice)
    choices = [replace(choice, name=registry.metric_named(choice.name)) for choice in choices]
    return tuple(dict.fromkeys(map(str, choices)))


def arrays_read(texts: Iterable[str]) -> frozenset[str]:
    """The arrays that measures read, each chosen as a suite writes it."""
    found: set[str] = set()
    for choice in map(read_choice, texts):
        metric: Metric = registry.load("metric", choice.name).declaration
        found.update(metric.arrays(metric.settings.read(choice.settings, choice.name)))
    return frozenset(found)


def of_configurations(texts: Iterable[str]) -> tuple[str, ...]:
    """Those of the measures that are of all runs of a configuration together, each chosen as a suite writes it."""
    return tuple(
        text for text in texts if registry.load("metric", read_choice(text).name).declaration.scope == "configuration"
    )


def check_budget(text: str) -> Budget:
    """The budget of that name. Raises `UsageError` where there is none."""
    for budget in get_args(Budget):
        if budget == text:
            return budget
    raise UsageError(f'--budget {text}: choose "quick" or "full"')


def options_of(settings: Settings, seed: int) -> dict[str, Any]:
    """The keyword arguments of a measure."""
    return {**{key: getattr(settings, key) for key in type(settings).model_fields}, "seed": seed}


def check_numbers(values: Mapping[str, float]) -> None:
    """Raise `BenchmarkError` unless a measure returned numbers, all finite."""
    wrong = {key: value for key, value in values.items() if not math.isfinite(value)}
    if wrong or not values:
        raise BenchmarkError(f"the measure returned {wrong or 'nothing'}: every score is a finite number")


def missing_score(task: ScoreTask, error: Exception) -> Scored:
    """What stands in place of a score whose measure raised this."""
    if isinstance(error, NotApplicable):
        out = way_out(task, error.points) if isinstance(error, TooFewPoints) else ""
        return Scored("not_applicable", f"{error.reason}{out}")
    return Scored("failed", f"{type(error).__name__}: {error}")


def noted(
    measure: Callable[..., Found], arrays: list[Any], options: Mapping[str, Any]
) -> tuple[Found, tuple[str, ...]]:
    """What a measure gives, and what it warned of that belongs beside them; other warnings go their way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ScoreWarning)
        found = measure(*arrays, **options)
    notes = dict.fromkeys(str(each.message) for each in caught if issubclass(each.category, ScoreWarning))
    for each in caught:
        if not issubclass(each.category, ScoreWarning):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return found, tuple(notes)


def protocol_of(task: ScoreTask) -> tuple[Metric, Settings]:
    """A task's measure, and its settings: those written beside its name, then those of the task's budget."""
    choice = read_choice(task.metric)
    metric: Metric = registry.load("metric", choice.name).declaration
    quick = metric.quick if task.protocol.budget == "quick" else {}
    return metric, metric.settings.read({**quick, **choice.settings}, metric.name)


def way_out(task: ScoreTask, points: int) -> str:
    """What to ask for where `points` are too few for a measure that learns; nothing where no setting helps."""
    metric, asked = declaration_of(task), read_choice(task.metric).settings
    fields = metric.settings.model_fields
    largest = "budgets" if "budgets" in fields else "train"
    if not {largest, "test"} <= set(fields):
        return ""
    quick = {name: metric.quick.get(name, fields[name].default) for name in (largest, "test")}
    rows = max(quick[largest]) if largest == "budgets" else quick[largest]
    fits = bool(metric.quick) and rows + quick["test"] <= points
    if fits and task.protocol.budget == "full" and not {largest, "test"} & set(asked):
        return f"; --budget quick asks for {rows + quick['test']:,}"
    train, test = points * 2 // 3, points - points * 2 // 3
    if not train or not test:
        return ""
    return (
        f"; {Choice(metric.name, {largest: [train] if largest == 'budgets' else train, 'test': test})} asks for fewer"
    )


def declaration_of(task: ScoreTask) -> Metric:
    metric: Metric = registry.load("metric", read_choice(task.metric).name).declaration
    return metric


def seeded(task: ScoreTask, metric: Metric) -> str:
    """The representation; of a measure over runs, with the set of their seeds, which belongs to the protocol."""
    if metric.scope == "run":
        return task.representation
    first, last = task.seeds[0], task.seeds[-1]
    whole = last - first + 1 == len(task.seeds) > 2
    return f"{task.representation}-seeds{f'{first}to{last}' if whole else 'x'.join(map(str, task.seeds))}"
