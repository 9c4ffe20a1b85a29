"""The weights of published networks, in half precision: how they are written, and how they become models again."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark import registry
from benchmark.archive.manifest import LARGEST
from benchmark.archive.naming import chosen_run
from benchmark.archive.opening import Archive, open_archive
from benchmark.archive.results import read_run, runs_of
from benchmark.datasets._dataset import Data
from benchmark.errors import UsageError
from benchmark.spec import Component, Run

if TYPE_CHECKING:
    from benchmark.models._neural import NeuralModel

FOLDER, EXPLORERS = "weights", "explorers"
UNREADABLE = (zipfile.BadZipFile, zlib.error, ValueError, KeyError, TypeError, OSError, EOFError, NotImplementedError)
"""What numpy and zipfile raise on a file that is no archive of arrays."""
MOST_WEIGHTS = 100_000_000
"""Of a network, three times what a file can hold in half precision: a stranger's settings may say more."""
TOGETHER = 1_000
"""Points that are encoded or decoded at once."""


def weights_file(config_id: str) -> str:
    return f"{FOLDER}/{config_id}.safetensors"


def explorer_file(config_id: str) -> str:
    return f"{EXPLORERS}/{config_id}.npz"


def compressed(arrays: Mapping[str, ndarray]) -> bytes:
    """What is kept of a run to draw it, by name. Pictures are mostly empty, and seven times smaller compressed."""
    file = io.BytesIO()
    np.savez_compressed(file, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    return file.getvalue()


def arrays_of(archive: Archive, config_id: str) -> dict[str, ndarray]:
    """What was kept of a configuration's run to draw it: `encode`'s arrays by their names; none where it has none.

    Raises `UsageError` on a file that holds no such arrays, or says that it unpacks to more than any holds.
    """
    name = explorer_file(config_id)
    if not archive.holds(name):
        return {}
    where, content = f"{archive.place.where}: {name}", archive.read(name)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            size = sum(info.file_size for info in file.infolist())
        if size > LARGEST:
            raise ValueError(f"unpacked they would be more than {LARGEST >> 20} MiB")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)
    except (*UNREADABLE, MemoryError) as error:
        raise UsageError(f"{where} cannot be read as arrays ({error})") from None


def halved(weights: Mapping[str, ndarray]) -> dict[str, ndarray]:
    """Arrays of a network with their floating-point numbers in half precision; where one is too large for that (above
    65,504), its array stays as it is."""
    found = {}
    for name, array in weights.items():
        half = array
        if array.dtype.kind == "f" and not (np.abs(array) > np.finfo(np.float16).max).any():
            half = array.astype(np.float16)
        found[name] = np.ascontiguousarray(half)
    return found


def packed(run: Run, weights: Mapping[str, ndarray], data: Data, critics: tuple[str, ...]) -> bytes:
    """A run's weights as a safetensors file that says what network they are of. Critics, which neither encode nor
    decode, are left out."""
    from safetensors.numpy import save

    kept = {name: array for name, array in weights.items() if name.partition(".")[0] not in critics}
    about = {"run": run.run_id, "shape": data.shape, "training_points": len(data.training_rows)}
    return save(halved(kept), metadata={"archive": json.dumps(about, sort_keys=True)})


@dataclass(frozen=True)
class PublishedModel:
    """A published network. `model` is the module itself; `archive` the version that was read, such as dsprites-core/1,
    `label` its configuration as on the page, `run` its run."""

    archive: str
    label: str
    run: Run
    shape: tuple[int, ...]
    model: NeuralModel = field(repr=False)

    def __repr__(self) -> str:
        return f"PublishedModel({self.label} of {self.archive}, run {self.run.run_id}, points of shape {self.shape})"

    def encode(self, x: Float[ndarray, "m ..."]) -> Float[ndarray, "m d"]:
        """The mean codes of data points: images (m c h w) from 0, black, to 1, white, or points (m D).

        Raises `UsageError` on another shape, and on pixels outside of 0 to 1.
        """
        import torch

        points = np.asarray(x)
        if points.shape[1:] != self.shape:
            raise UsageError(
                f"encode: {points.shape} are no points of the shape {self.shape} that {self.label} was trained on"
            )
        if len(self.shape) == 3 and points.size and (points.min() < 0 or points.max() > 1):
            raise UsageError("encode: pixels go from 0 to 1; divide by the dataset's `maximum`")
        with torch.no_grad():
            parts = [self.model.posterior(torch.from_numpy(part)).mu.numpy() for part in _parts(points)]
        return np.concatenate(parts) if parts else np.empty((0, self.model.latents), np.float32)

    def decode(self, z: Float[ndarray, "m d"]) -> Float[ndarray, "m ..."]:
        """The mean images or points that codes stand for. Raises `UsageError` on codes of another size."""
        import torch

        codes = np.asarray(z)
        if codes.ndim != 2 or codes.shape[1] != self.model.latents:
            raise UsageError(
                f"decode: codes of {self.label} have the shape (m, {self.model.latents}), not {codes.shape}"
            )
        if not self.model.decodes:
            raise UsageError(f"decode: {self.run.model.name} has no way back from codes to data")
        with torch.no_grad():
            parts = [self.model.mean_image(self.model.decode(torch.from_numpy(part))).numpy() for part in _parts(codes)]
        return np.concatenate(parts) if parts else np.empty((0, *self.shape), np.float32)


def _parts(points: ndarray) -> list[ndarray]:
    whole = np.ascontiguousarray(points, dtype=np.float32)
    return [whole[start : start + TOGETHER] for start in range(0, len(whole), TOGETHER)]


def load_model(
    where: str | Path,
    configuration: str,
    *,
    dataset: str | None = None,
    plugins: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
) -> PublishedModel:
    """A published network, ready to encode and decode: the median run of a configuration, in half precision.

    where: as for `load_results`; "dsprites-core/1" stays that version. configuration: its label as on the page,
    "beta_tcvae β=6" or "beta_tcvae beta=6", any settings that tell it, or its config_id. dataset: its dataset's label
    or name, where several have such a configuration. plugins: the file or files of models and networks that are not
    part of this package.
    What half precision moves in codes and scores stands in the archive's float16.parquet.
    Raises `UsageError` where none or several fit, naming those that are near, and where the model here is of another
    version than the published one.
    """
    for plugin in [plugins] if isinstance(plugins, str | os.PathLike) else plugins:
        registry.add_plugin(Path(plugin))
    archive = open_archive(where)
    row = chosen_run(runs_of(archive), configuration, dataset, archive)
    run = read_run(row["record"], f"{archive.manifest.title}: {row['run_id']}")
    model, shape = network_of(archive, run)
    return PublishedModel(archive.manifest.title, str(row["label"]), run, shape, model)


def network_of(archive: Archive, run: Run) -> tuple[NeuralModel, tuple[int, ...]]:
    """The network of a run whose weights an archive holds, and the shape of a data point."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    from benchmark.stages.encode import prepare
    from benchmark.training.loop import build

    name = weights_file(run.config_id)
    where = f"{archive.place.where}: {name}"
    content = archive.read(name)
    for kind, component in (("model", run.model), ("network", run.network)):
        assert component is not None
        check_version(kind, component, archive.manifest.title)
    try:
        about, state = _about(content), load(content)
        shape, points = tuple(map(int, about["shape"])), int(about["training_points"])
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UsageError(f"{where} cannot be read as weights ({error})") from None
    if about["run"] != run.run_id:
        raise UsageError(f"{where} is of {about['run']!r:.60}, not of {run.run_id}")
    try:
        if (size := _size_of(run, _outline(shape, points))) > MOST_WEIGHTS:
            raise ValueError(f"it would have {size:,} weights, and {MOST_WEIGHTS:,} are the most")
        model = build(run, _outline(shape, points))
    except (ValueError, RuntimeError, MemoryError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"{where}: no {run.model.name} can be built for points of shape {shape} ({reason})") from None
    wide = {key: value.float() if value.dtype == torch.float16 else value for key, value in state.items()}
    try:
        said = model.load_state_dict(wide, strict=False)
    except RuntimeError as error:
        raise UsageError(f"{where} does not fit {run.model.name}: {' '.join(str(error).split())[:200]}") from None
    lacking = [key for key in said.missing_keys if key.partition(".")[0] not in model.critics]
    if lacking or said.unexpected_keys:
        raise UsageError(
            f"{where} does not fit {run.model.name}: {(lacking + said.unexpected_keys)[0]} is of one alone"
        )
    prepare(model)
    return model, shape


def _size_of(run: Run, data: Data) -> int:
    """How many weights a network would have, without any of them; 0 where its code cannot be run without."""
    import torch

    from benchmark.training.loop import build

    try:
        with torch.device("meta"):
            return sum(weight.numel() for weight in build(run, data).state_dict().values())
    except RuntimeError:
        return 0


def check_version(kind: str, component: Component, title: str) -> None:
    """Raise `UsageError` where a component here is not the one that was published."""
    registered: Any = kind
    here = registry.load(registered, component.name)
    source = registry.source(registered, component.name)
    if source != component.source:
        raise UsageError(
            f"{title}: {kind} {component.name} is another file than the one that was published: give that one"
        )
    if here.version != component.version:
        raise UsageError(
            f"{title}: {kind} {component.name} is of version {component.version}, here is {here.version}: the weights"
            " need the program of then"
        )


def _about(content: bytes) -> dict[str, Any]:
    """What a weights file says of itself in its header."""
    length = int.from_bytes(content[:8], "little")
    return dict(json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["archive"]))


def _outline(shape: tuple[int, ...], points: int) -> Data:
    """Data of this shape without content: what a network is built from."""
    rows = np.broadcast_to(np.int64(0), (points,))  # only their number counts, and it may be any that a file says
    images = np.broadcast_to(np.float32(0), (points, *shape))
    return Data(images, np.zeros((points, 0)), (), (), rows, rows)
