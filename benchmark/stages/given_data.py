"""Data that a caller asks for: a dataset's name with settings, a dataset, or data that are loaded already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark import registry
from benchmark.datasets._dataset import Data, Dataset
from benchmark.errors import UsageError


def given_dataset(dataset: Any, settings: Mapping[str, Any] | None, who: str) -> tuple[Dataset | Data, str]:
    """A dataset, not loaded yet, and what it is called. `who` asks, and begins what is wrong.

    Raises `UsageError` where it is none.
    """
    if isinstance(dataset, str):
        dataset_class = registry.load("dataset", dataset)
        made: Dataset = dataset_class(dataset_class.Settings.read(dict(settings or {}), dataset))
        words = [f"{key}={value}" for key, value in (settings or {}).items()]
        return made, " ".join([dataset, *words])
    if settings is not None:
        raise UsageError(f"{who}: settings belong to a dataset's name; a Dataset or Data has its own")
    if isinstance(dataset, Dataset):
        return dataset, type(dataset).__module__.rpartition(".")[2]
    if isinstance(dataset, Data):
        return dataset, ""
    raise UsageError(
        f"{who}: the dataset is {type(dataset).__name__}; give a name of `benchmark list datasets`, a Dataset, or Data"
    )


def given_data(dataset: Any, settings: Mapping[str, Any] | None, data_dir: Path | None, who: str) -> tuple[Data, str]:
    """The same, loaded."""
    found, name = given_dataset(dataset, settings, who)
    return (found if isinstance(found, Data) else found.load(data_dir)), name
