"""Codes of a model of one's own on a dataset of ours: any torch module, or any function from images to codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import UsageError
from benchmark.verbs._given import add_plugins, takes_paths
from benchmark.words.phrases import count
from benchmark.words.progress import Progress

if TYPE_CHECKING:
    from benchmark.reading.encoded import Encoded


@takes_paths
def encode(
    model: Any,
    dataset: Any,
    *,
    settings: Mapping[str, Any] | None = None,
    data_dir: Path | None = None,
    layout: str = "nchw",
    channels: int | None = None,
    batch: int = 1024,
    tensors: bool | None = None,
    plugins: Sequence[Path] = (),
    quiet: bool = False,
) -> Encoded:
    """Codes (n d) of every evaluation point of a dataset, in its order: ready for `score`, or `.save("mine.npz")` for
    `benchmark evaluate SUITE --codes mine.npz --dataset NAME`.

    model: a torch module, or a function or method. A module is called by its `encoder` where it is one of pythae's,
        else by its `encode`, else itself; on its own device, in eval() mode, without gradients, and is in the mode that
        it was in afterwards. A function gets arrays of numpy, a module or its method tensors; `tensors` says otherwise.
    dataset: a name (`benchmark list datasets`) with `settings`, a Dataset, or Data. `data_dir`: where its files are.
    layout: how images go in: "nchw" (n c h w), "nhwc" or "flat" (n, c·h·w). channels: repeat the one channel of grey
        images so often. Images are float32 from 0 (black) to 1 (white); points go in as they are.
    batch: points at once. plugins: files of datasets of your own.

    What is read of the model's output: one array or tensor (b d); a pair (mean, log variance); a dictionary or object
    with `embedding`, `mu` or `mean` and maybe `log_covariance`, `logvar` or `log_var`, as pythae's encoders return; a
    Normal of torch. Which it was is said on stderr, and in `.notes`. Where the same image has another code each time,
    that is noted: such codes are draws, not means.
    Raises `UsageError` where the model does not take such images, or gives other shapes, NaN, or none of these forms.
    """
    import numpy as np

    from benchmark.reading.encoded import Encoded
    from benchmark.stages.foreign_encoder import encode_foreign, encoder_of
    from benchmark.stages.given_data import given_data

    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise UsageError(f"encode: batch = {batch!r} must be a whole number from 1 on")
    add_plugins(plugins)
    encoder = encoder_of(model, layout, channels, tensors)
    data, name = given_data(dataset, settings, data_dir, "encode")
    points = len(data.evaluation_rows)
    with Progress(f"encoding {count(points, 'point')}", points, quiet=quiet) as progress:
        means, variances, notes = encode_foreign(encoder, data, batch, progress.at)
        for note in notes:
            progress.say(f"note    {note}")
    sizes = dict(zip(data.factor_names, data.factor_sizes, strict=True))
    return Encoded(
        codes=means,
        factors=np.ascontiguousarray(data.factors[data.evaluation_rows]),
        factor_names=tuple(data.factor_names),
        discrete=tuple(name for name, size in sizes.items() if size),
        variances=variances,
        dataset=name,
        notes=tuple(notes),
    )
