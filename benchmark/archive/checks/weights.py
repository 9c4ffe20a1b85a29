"""The weights are those of the runs that they are said to be of, and give the codes that the explorers start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark import registry
from benchmark.archive.checks.content import Check, Content
from benchmark.archive.weights import EXPLORERS, FOLDER, arrays_of, explorer_file, network_of, weights_file
from benchmark.errors import BenchmarkError, UsageError

if TYPE_CHECKING:
    from benchmark.spec import Run

SLACK = 0.05
"""How far a code may lie from the one that was kept, as a share of what those scatter: half precision
moves codes by less than a hundredth of it."""


def check_weights(content: Content) -> Check:
    listed = {name for name in content.archive.manifest.files if name.startswith(f"{FOLDER}/")}
    shown = _shown(content)
    wrong = [
        f"{name} is there and no run's" if name in listed else f"run {shown[name].run_id} is shown and has no {name}"
        for name in sorted(listed ^ shown.keys())
    ]
    standing = set(content.runs.loc[content.runs["chosen_by"].notna(), "config_id"].map(explorer_file))
    drawn = {name for name in content.archive.manifest.files if name.startswith(f"{EXPLORERS}/")}
    wrong += [f"{name} is there and no configuration's" for name in sorted(drawn - standing)]
    notes, looked = [], 0
    for name in sorted(listed & shown.keys()):
        run = shown[name]
        if not _has_code(run):
            notes.append(f"{name} was not looked into: the code of {run.model.name} is not here, give it by --plugin")
            continue
        try:
            far = _distance(content, run)
        except BenchmarkError as error:
            wrong.append(str(error))
            continue
        looked += far is not None
        if far is not None and not far <= SLACK:
            wrong.append(
                f"{name} is another network than that of {run.run_id}: its codes of the images that the explorer starts"
                f" from lie {far:.2g} times their scatter beside those that were kept"
            )
    holds = f"{len(listed):,} networks are of the shown runs, and the {looked:,} with images encode them as those did"
    return Check("weights", holds, tuple(wrong), tuple(notes))


def _shown(content: Content) -> dict[str, Run]:
    """By the name of its weights, the run that stands for a configuration."""
    rows = content.runs[content.runs["shown"].astype(bool)][["config_id", "run_id"]]
    pairs = rows.itertuples(index=False, name=None)
    return {weights_file(config_id): content.described[run_id] for config_id, run_id in pairs}


def _has_code(run: Run) -> bool:
    network = run.network
    return (
        run.model.name in registry.names("model") and network is not None and network.name in registry.names("network")
    )


def _distance(content: Content, run: Run) -> float | None:
    """The largest distance of the network's codes from those of the explorer, in what those scatter;
    None where the archive keeps no images of it. Raises `BenchmarkError` on weights that are no such network's."""
    import torch

    model, shape = network_of(content.archive, run)
    arrays = arrays_of(content.archive, run.config_id)
    images, codes = arrays.get("picture_images"), arrays.get("explorer_codes")
    if images is None or codes is None or images.shape[1:] != shape:
        return None
    fit = codes.ndim == 2 and codes.shape[1] == model.latents
    if not fit or not len(images) or not len(codes) or {images.dtype.kind, codes.dtype.kind} - set("fiu"):
        name = explorer_file(run.config_id)
        raise UsageError(f"{name} holds no images and codes of the network of {run.run_id}: what is drawn is another's")
    count = min(len(images), len(codes))
    x = images[:count].astype(np.float32) / 255
    with torch.no_grad():
        mu = model.posterior(torch.from_numpy(np.ascontiguousarray(x))).mu.numpy()
    # What these very codes scatter: a larger ruler, said elsewhere or by codes without images, would pass any network.
    scatter = float(codes[:count].std(axis=0).max()) or 1.0
    return float(np.abs(mu - codes[:count]).max() / scatter)
