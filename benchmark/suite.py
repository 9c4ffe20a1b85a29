"""Suites: a TOML file of blocks, swept into runs."""

from __future__ import annotations

import hashlib
import itertools
import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from benchmark import registry
from benchmark.choice import Choice, read_choice, with_all
from benchmark.errors import UsageError
from benchmark.filtering import chosen_by
from benchmark.naming import check_name
from benchmark.registry import Kind
from benchmark.spec import LARGEST_SEED, PARTS, Component, Run, Settings, TrainingSettings, static, suggest
from benchmark.text import read_text

MOST_SEEDS = 100_000
CODES = (".npz", ".npy", ".csv", ".parquet")
"""How files of codes end."""


class EvaluationSettings(Settings):
    """What `evaluate` computes, unless its flags say otherwise."""

    metrics: tuple[str, ...] = static(
        (), "measures, such as mig or mig(bins=10), or a set of them; all, or none, is every one"
    )
    headline: str = static("mig", "the measure that orders a page's rows, picks median runs and is spoken of first")
    budget: Literal["quick", "full"] = static("full", "quick and full are different protocols of the costly measures")
    points: int = static(10_000, "points that the sampled measures share", ge=2)
    seed: int = static(0, "seed of every random choice of the evaluation", ge=0)


class ExecutionSettings(Settings):
    """How work is carried out; none of it changes a result."""

    checkpoint_seconds: float = static(60.0, "seconds between two checkpoints of a fleet", gt=0)


class EncodingSettings(Settings):
    """What is kept of a trained model's decoder for the measures; none of it changes what is trained."""

    likelihood_points: int = static(256, "points whose importance weights are kept; 0 keeps none", ge=0)
    likelihood_samples: int = static(2_000, "samples of the posterior a point; a convolution costs a second", ge=1)


class Block(Settings):
    """Some models on some data. Lists of names are swept; settings are swept under `sweep`, by dotted key."""

    dataset: str | dict[str, Any] | list[str | dict[str, Any]] = static(..., "name, table with name, or a list")
    model: str | dict[str, Any] | list[str | dict[str, Any]] = static(..., "name, table with name, or a list")
    network: str | dict[str, Any] | list[str | dict[str, Any]] | None = static(None, "name, table or list")
    training: dict[str, Any] = static({}, "overrides of the suite's training")
    sweep: dict[str, list[Any]] = static({}, 'lists of values by dotted key, such as "model.beta" = [1, 4]')
    seeds: int | list[int] | None = static(None, "how many seeds from 0, or which")


class SuiteFile(Settings):
    """The content of a suite's TOML file."""

    description: str = static(..., "one line, shown by `benchmark list suites`")
    seeds: int | list[int] = static(1, "how many seeds from 0, or which")
    training: dict[str, Any] = static({}, "training settings of every block")
    evaluation: EvaluationSettings = static(EvaluationSettings(), "what is computed")
    encoding: EncodingSettings = static(EncodingSettings(), "what is kept of trained models")
    execution: ExecutionSettings = static(ExecutionSettings(), "how it is carried out")
    block: list[Block] = static(..., "the blocks")


@dataclass(frozen=True)
class Suite:
    """A suite by name with its runs, in the order of the file."""

    name: str
    description: str
    source: str
    evaluation: EvaluationSettings
    encoding: EncodingSettings
    execution: ExecutionSettings
    runs: list[Run] = field(default_factory=list)


def find(name: str | Path) -> Path:
    """The file of a built-in suite's name, or of a path that ends in .toml."""
    name = str(name)
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"suite {name}: no such file")
        _refuse_built_in_name(path)
        return path
    if name not in registry.names("suite"):
        _refuse_codes(name)
        if Path(f"{name}.toml").is_file():
            raise UsageError(f'"{name}" is no suite of this package; the file beside it is written {name}.toml')
    file = registry.entry("suite", name).file
    assert file is not None
    return file


def _refuse_built_in_name(path: Path) -> None:
    """Raise `UsageError` where a file is called like a suite of this package and says something else: the results of
    both would lie in one folder, and the settings of either score the other."""
    if path.stem not in registry.names("suite"):
        return
    known = registry.entry("suite", path.stem).file
    if known is not None and text_digest(known) != text_digest(path):
        raise UsageError(
            f"suite {path}: a suite of this package is called {path.stem} and says something else; rename the file,"
            f" such as my_{path.name}"
        )


def text_digest(path: Path) -> str:
    """The sha256 of a suite's text: of the same text, whatever editor saved it."""
    return hashlib.sha256(read_text(path).encode()).hexdigest()


def _refuse_codes(name: str) -> None:
    """Raise `UsageError` where a file of codes, or its name, stands in a suite's place."""
    lying = (path for path in (Path(name), *(Path(name + ending) for ending in CODES)) if path.is_file())
    file = next((path for path in lying if path.suffix in CODES), Path(name))
    if file.suffix in CODES:
        typed = shlex.join(["benchmark", "evaluate", "--codes", str(file)])
        raise UsageError(f'"{name}" is no suite; codes of your own become one by {typed}')


def read(name: str) -> tuple[str, SuiteFile, str]:
    """A suite's name, content and the sha256 of its text."""
    path = find(name)
    try:
        text = read_text(path)
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits, or as many brackets
        told = "; write paths with backslashes in single quotes" if re.search("hex value|backslash", str(error)) else ""
        raise UsageError(f"{path} is not valid TOML: {error}{told}") from None
    _read_tables(content, path.name)
    check_name(path.stem, f"suite {path.name[:40]}: its name")
    return path.stem, SuiteFile.read(content, path.name), hashlib.sha256(text.encode()).hexdigest()


def _read_tables(content: Mapping[str, Any], where: str) -> None:
    """Validate the tables inside a suite on their own, so that a misspelt key is compared with their keys.

    That of training also where nothing is trained.
    """
    inner: dict[str, type[Settings]] = {
        "training": TrainingSettings,
        "evaluation": EvaluationSettings,
        "encoding": EncodingSettings,
        "execution": ExecutionSettings,
    }
    for key, settings in inner.items():
        if isinstance(content.get(key), dict):
            settings.read(content[key], f"{where}.{key}")
    blocks = content.get("block")
    if isinstance(blocks, dict):
        raise UsageError(f"{where}.block: write [[block]], in two brackets, also where there is only one")
    for index, block in enumerate(blocks if isinstance(blocks, list) else []):
        if isinstance(block, dict):
            read = Block.read(block, f"{where}.block[{index}]")
            TrainingSettings.read(read.training, f"{where}.block[{index}].training")


def expand(
    name: str,
    *,
    overrides: Mapping[str, Any] | None = None,
    only: Mapping[str, Any] | None = None,
    seeds: list[int] | None = None,
) -> Suite:
    """Validate a suite and sweep it into runs.

    overrides: dotted keys and values, applied to every run whose component has the setting.
    only: dotted keys and the value or values to keep. seeds: these in place of the suite's own.
    """
    stem, content, source = read(name)
    overrides, only = dict(overrides or {}), dict(only or {})
    registry.metric_named(content.evaluation.headline)
    for metric in with_all(content.evaluation.metrics, ()):
        check_choice(read_choice(metric))  # said now rather than after hours of training
    used: set[str] = set()
    runs: dict[str, Run] = {}
    for index, block in enumerate(content.block):
        where = f"{stem}.block[{index}]"
        own = block.seeds if block.seeds is not None else content.seeds
        chosen = seeds if seeds is not None else seed_list(own, f"{where}.seeds")
        for table in _sweep(block, content.training, where):
            run = _run(_beside(table, find(name).parent), overrides, used, where)
            for seed in chosen:
                one = Run(run.dataset, run.model, run.network, run.training, seed)
                runs.setdefault(one.run_id, one)
    unused = set(overrides) - used
    if unused:
        known = sorted({f"{part}.{key}" for run in runs.values() for part, key in _settings_of_run(run)})
        wrong = sorted(unused)[0]
        raise UsageError(f"--set {wrong}: no run of suite {stem} has this setting{suggest(wrong, known)}")
    if not runs:
        raise UsageError(f"suite {stem}: no runs, because it has no blocks")
    kept = chosen_by(list(runs.values()), only, f"suite {stem}")
    return Suite(stem, content.description, source, content.evaluation, content.encoding, content.execution, kept)


def check_choice(choice: Choice) -> None:
    """Raise `UsageError` where a measure is unknown, or its settings are wrong or do not go with its quick ones."""
    declaration = registry.load("metric", registry.metric_named(choice.name)).declaration
    for settings in (choice.settings, {**declaration.quick, **choice.settings}):
        read = declaration.settings.read(settings, choice.name)
        if declaration.installed:
            declaration.installed(**{name: getattr(read, name) for name in type(read).model_fields})


def evaluation_settings(name: str) -> EvaluationSettings:
    """A suite's evaluation, without expanding its runs."""
    return read(name)[1].evaluation


def parse_evaluation(text: str, where: str) -> EvaluationSettings:
    """The evaluation of a suite whose file is this text. Raises `UsageError` on what is none."""
    try:
        content = tomllib.loads(text).get("evaluation", {})
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is not valid TOML: {error}") from None
    if not isinstance(content, dict):
        raise UsageError(f"{where}: evaluation = {content!r:.60} is no table")
    return EvaluationSettings.read(content, f"{where}.evaluation")


def _settings_of_run(run: Run) -> list[tuple[str, str]]:
    components = [(part, getattr(run, part)) for part in PARTS]
    return [(part, key) for part, component in components if component for key in component.settings]


def seed_list(value: int | Sequence[int], where: str) -> list[int]:
    """Seeds 0 … n − 1 for a number n, or the list itself."""
    given = range(value) if isinstance(value, int) else value
    # A range of more than a machine's word has no length.
    if (given.stop - given.start if isinstance(given, range) else len(given)) > MOST_SEEDS:
        raise UsageError(f"{where}: a suite has at most {MOST_SEEDS:,} seeds")
    seeds = list(given)
    if not seeds:
        raise UsageError(f"{where}: no seeds, so no runs")
    if min(seeds) < 0 or len(set(seeds)) != len(seeds):
        raise UsageError(f"{where} = {value}: seeds are distinct and not negative")
    if max(seeds) > LARGEST_SEED:
        raise UsageError(f"{where}: a seed is at most {LARGEST_SEED:,}")
    return seeds


def _sweep(block: Block, training: dict[str, Any], where: str) -> Iterable[dict[str, dict[str, Any] | None]]:
    """Every combination of a block as {part: table of name and settings}."""
    choices = [_tables(getattr(block, part), f"{where}.{part}") for part in ("dataset", "model", "network")]
    for key, values in block.sweep.items():
        part, _, setting = key.partition(".")
        if part not in PARTS or not setting:
            raise UsageError(f"{where}.sweep.{key}: a key is a part and a setting, such as model.beta")
        if not values:
            raise UsageError(f"{where}.sweep.{key}: an empty list sweeps nothing; give values or delete the key")
    for dataset, model, network in itertools.product(*choices):
        for point in itertools.product(*block.sweep.values()):
            table: dict[str, dict[str, Any] | None] = {
                "dataset": dict(cast("dict[str, Any]", dataset)),
                "model": dict(cast("dict[str, Any]", model)),
                "network": None if network is None else dict(network),
                "training": {**training, **block.training},
            }
            for key, value in zip(block.sweep, point, strict=True):
                part, _, setting = key.partition(".")
                target = table[part]
                if target is None:
                    raise UsageError(f"{where}.sweep.{key}: the block has no network")
                target[setting] = value
            yield table


def _tables(value: Any, where: str) -> list[dict[str, Any] | None]:
    if value is None:
        return [None]
    tables = [
        {"name": item} if isinstance(item, str) else item for item in (value if isinstance(value, list) else [value])
    ]
    if not tables:
        raise UsageError(f"{where}: an empty list sweeps nothing")
    for table in tables:
        if not isinstance(table.get("name"), str):
            raise UsageError(f'{where}: give a name, or a table with a name, such as {{ name = "…" }}')
    return list(tables)


def _run(table: dict[str, dict[str, Any] | None], overrides: dict[str, Any], used: set[str], where: str) -> Run:
    """Validate one combination; the seed is filled in later."""
    dataset_name, dataset_settings = _settings("dataset", table["dataset"], overrides, used, where)
    if hasattr(dataset_settings, "resolved"):
        dataset_settings = dataset_settings.resolved()
    dataset = registry.load("dataset", dataset_name)(dataset_settings)
    model_name, model_settings = _settings("model", table["model"], overrides, used, where)
    model_class = registry.load("model", model_name)
    if model_class.transductive and dataset.shifted:
        raise UsageError(
            f"{where}: model {model_name} is fitted to the very points that it is scored on, so dataset.split and"
            " dataset.correlated do not reach it; put it on a dataset without them"
        )
    model_class.check_idle(model_settings)
    model_settings = model_class.resolve(model_settings, dataset)
    network = training = None
    if table["network"] is not None:
        registry.entry("network", table["network"]["name"])  # also where only closed forms stand beside it
    if model_class.needs_network:
        if table["network"] is None:
            raise UsageError(f"{where}: model {model_name} needs a network{suggest('', registry.names('network'))}")
        network_name, network_settings = _settings("network", table["network"], overrides, used, where)
        network = _component("network", network_name, registry.load("network", network_name).version, network_settings)
        values = _override("training", dict(table["training"] or {}), TrainingSettings, overrides, used)
        settings = TrainingSettings.read(values, f"{where}.training")
        training = _component(None, "adam", TrainingSettings.VERSION, settings)
    return Run(
        dataset=_component("dataset", dataset_name, dataset.version, dataset_settings),
        model=_component("model", model_name, model_class.version, model_settings),
        network=network,
        training=training,
        seed=0,
    )


def _beside(table: dict[str, dict[str, Any] | None], folder: Path) -> dict[str, dict[str, Any] | None]:
    """The table with relative paths of data files that lie beside the suite's file; others start where one works."""
    dataset = table["dataset"]
    assert dataset is not None
    settings: type[Settings] = registry.load("dataset", dataset["name"]).Settings
    found = {
        key: str(folder / value)
        for key, value in dataset.items()
        if key in settings.model_fields and settings.extra(key, "location") and isinstance(value, str)
        if (folder / value).exists()
    }
    return {**table, "dataset": {**dataset, **found}}


def _settings(
    kind: Kind, table: dict[str, Any] | None, overrides: dict[str, Any], used: set[str], where: str
) -> tuple[str, Settings]:
    assert table is not None
    values = dict(table)
    name = values.pop("name")
    settings: type[Settings] = registry.load(kind, name).Settings
    values = _override(kind, values, settings, overrides, used)
    return name, settings.read(values, f"{where}.{kind}.{name}")


def _override(
    part: str, values: dict[str, Any], settings: type[Settings], overrides: dict[str, Any], used: set[str]
) -> dict[str, Any]:
    for key, value in overrides.items():
        prefix, _, setting = key.partition(".")
        if prefix == part and setting in settings.model_fields:
            values[setting] = value
            used.add(key)
    return values


def _component(kind: Kind | None, name: str, version: int, settings: Settings) -> Component:
    plain = settings.plain()
    locations = {key: plain[key] for key in plain if settings.extra(key, "location")}
    source = registry.source(kind, name) if kind else None
    return Component(name, version, settings.identity(), locations, source)


Chosen = TypeVar("Chosen", bound=Settings)


def settings_of(component: Component, settings: type[Chosen]) -> Chosen:
    """The validated settings of a component of a plan."""
    return settings.read({**component.settings, **component.locations}, component.name)
