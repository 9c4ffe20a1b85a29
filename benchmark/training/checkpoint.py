"""A fleet's state on disk: everything a rerun needs to go on as if nothing had happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from benchmark.atomic import write_atomically
from benchmark.errors import BenchmarkError
from benchmark.integrity.stamp import BLANK, KEY, check_stamp, stamp
from benchmark.training.engine import Engine
from benchmark.training.history import History

FORMAT = 2


class Progress(NamedTuple):
    """Steps done, seconds spent, the log so far, the steps at which training was resumed, and on what it trained."""

    step: int
    seconds: float
    history: History
    resumed: list[int]
    devices: tuple[str, ...] = ()


def save(path: Path, engine: Engine, progress: Progress) -> None:
    """Write weights, optimiser state and progress as one file, atomically."""
    from safetensors.torch import save_file

    # Copies: safetensors refuses arrays that share memory, and every scalar of the optimiser is a tensor.
    tensors = {name: tensor.detach().contiguous().clone().cpu() for name, tensor in engine.state().items()}
    header = {
        "format": FORMAT,
        "step": progress.step,
        "seconds": progress.seconds,
        "history": progress.history.to_json(),
        "resumed": progress.resumed,
        "devices": progress.devices,
    }

    def fill(scratch: Path) -> None:
        save_file(tensors, str(scratch), metadata={"checkpoint": json.dumps(header), KEY: BLANK})
        stamp(scratch)

    write_atomically(path, fill)


def restore(path: Path, engine: Engine) -> Progress:
    """Bring an engine to where a checkpoint left it. Raises `BenchmarkError` on a damaged file, before the engine is
    touched: its own digest is compared first."""
    from safetensors import SafetensorError, safe_open

    check_stamp(path)
    try:
        with safe_open(str(path), framework="pt") as file:
            header = json.loads((file.metadata() or {})["checkpoint"])
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
        raise BenchmarkError(f"{path} is not a checkpoint ({error})") from None
    if header.get("format") != FORMAT:
        raise BenchmarkError(f"{path} has format {header.get('format')}, this version resumes from {FORMAT}")
    with torch.no_grad():
        engine.restore(tensors)
    history, devices = History.from_json(header["history"]), tuple(header.get("devices", ()))
    return Progress(header["step"], header["seconds"], history, header["resumed"], devices)


def kept_step(path: Path) -> int:
    """The step that a checkpoint holds, of its header alone; 0 where there is none, or a damaged one."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            return int(json.loads((file.metadata() or {})["checkpoint"])["step"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return 0
