"""Arrays from files of torch.save: tensors under names, read with weights only, so that nothing is unpickled.

Only a file of this format brings torch in: measures, and all else that reads codes, never see it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from benchmark.datasets._archive import LIMIT
from benchmark.errors import UsageError
from benchmark.reading.array_files import Held, check_size, with_shape

ALONE = "codes"
"""What a tensor is that a file holds alone."""


def opened_file(path: Path) -> Held:
    """A dictionary of tensors, or one tensor, which is the codes. Raises `UsageError` on all else."""
    content = _loaded(path)
    if not isinstance(content, dict):
        content = {ALONE: content}
    known = {str(name): value for name, value in content.items()}
    if not any(map(_is_array, known.values())):
        raise UsageError(
            f"{path} must hold a dictionary of tensors, such as torch.save({{'codes': z, 'factors': v}}, FILE); it"
            f" holds {', '.join(known) or 'nothing'}"
        )

    def read(names: Sequence[str]) -> dict[str, ndarray]:
        return {name: _array(f"{path}: `{name}`", known[name]) for name in names}

    return Held(tuple(known), lambda: {name: _told(name, value) for name, value in known.items()}, read)


def _loaded(path: Path) -> Any:
    torch = import_module("torch")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UsageError(f"{path} is no file of torch.save, or is damaged ({error}); save it again") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if size > LIMIT:
        raise UsageError(f"{path} takes {size / 2**30:.1f} GiB; files up to {LIMIT / 2**30:.0f} GiB are read")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of torch's parser, pickle's and zip's: whatever they meet
        found = str(error)
        if "weights_only" in found or "Unsupported" in found:
            raise UsageError(
                f"{path} holds more than tensors, which cannot be read without unpickling it: save a dictionary of"
                " tensors"
            ) from None
        reason = found.splitlines()[0][:200] if found else type(error).__name__
        raise UsageError(f"{path} is no file of torch.save, or is damaged ({reason})") from None


def _is_array(value: Any) -> bool:
    """A tensor, or names in a list."""
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(each, str) for each in value)
    return isinstance(value, import_module("torch").Tensor)


def _told(name: str, value: Any) -> str:
    if not _is_array(value):
        return f"{name} ({type(value).__name__})"
    return with_shape(name, (len(value),) if isinstance(value, list | tuple) else tuple(value.shape))


def _array(where: str, value: Any) -> ndarray:
    if not _is_array(value):
        raise UsageError(f"{where} is no tensor but {type(value).__name__}; save it as one, by torch.as_tensor(…)")
    if isinstance(value, list | tuple):
        return np.array(value, dtype=str)
    torch = import_module("torch")
    if value.layout != torch.strided or value.is_quantized or value.is_meta:
        raise UsageError(f"{where} is no dense tensor of numbers; save it as one")
    value = value.detach()
    # A tensor may repeat few numbers: its shape says more than its bytes in the file.
    check_size(where, tuple(value.shape), max(value.element_size(), 4))
    if value.is_floating_point() and value.dtype not in (torch.float64, torch.float32, torch.float16):
        value = value.to(torch.float32)
    array: ndarray = np.array(value.resolve_conj().resolve_neg().numpy())
    return array
