"""A dataset of ours, or codes, as an object of Hugging Face's `datasets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.verbs._given import add_plugins, takes_paths


@takes_paths
def huggingface_dataset(
    dataset: Any = None,
    *,
    settings: Mapping[str, Any] | None = None,
    codes: Any = None,
    training: bool = False,
    streaming: bool = False,
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
    plugins: Sequence[Path] = (),
) -> Any:
    """A `datasets.Dataset`, or with `streaming` an `IterableDataset`, a row for each point that models are scored on.

    dataset: a name (`benchmark list datasets`) with `settings`, a Dataset, Data, or None for codes alone. `data_dir`:
        where its files are.
    codes: an array (n d), what `encode` returned, or the Codes of a run, `Codes.load(folder / "codes.safetensors")`; of
        the same points in the same order.
    training: the points that models are trained on, where those are others; a `weight` says how likely each is drawn,
        where they are not alike.
    streaming: nothing is written; points are read or drawn as they are asked for, and workers share blocks of them.
        Otherwise they are written once, block by block, into the files of `cache_dir`, by default Hugging Face's
        cache, and mapped into memory from there; images take a few hundred bytes each. Data in memory, which have no
        name, are written anew at every call.

    Columns: `image`, white at 255, or `point` (D numbers); a factor each by its name, a ClassLabel where it is
    discrete, whose classes are the places of its values in ascending order, else a number; then `codes`, `variances`
    and `samples` (d numbers).
    Raises `UsageError` where the package is absent, or codes and data are of different points.
    """
    from benchmark.errors import UsageError
    from benchmark.integrations.hugging_face import WHO, Examples, given_codes, made
    from benchmark.stages.given_data import given_dataset

    add_plugins(plugins)
    if dataset is None and codes is None:
        raise UsageError(f"{WHO}: give a dataset, codes, or both")
    data = None if dataset is None else given_dataset(dataset, settings, WHO)[0]
    found = None if codes is None else given_codes(codes)
    examples = Examples(data, found, training=training, data_dir=data_dir)
    return made(examples, streaming=streaming, cache_dir=cache_dir)
