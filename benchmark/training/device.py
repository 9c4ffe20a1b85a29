"""Where networks train: the CPU, or the CUDA devices that torch finds."""

from __future__ import annotations

import warnings
from typing import Literal, TypeAlias

from benchmark.errors import UsageError

Device: TypeAlias = Literal["cpu", "cuda"]

CHOICES = ("auto", "cpu", "cuda")


def check(choice: str) -> None:
    """Raise `UsageError` where it is none of the choices."""
    if choice not in CHOICES:
        raise UsageError(f"--device {choice}: choose auto, cpu or cuda")


def chosen(choice: str) -> Device:
    """The kind of device that a choice comes to: `auto` is CUDA where torch finds a GPU.

    Raises `UsageError` where a GPU is asked for and there is none.
    """
    check(choice)
    if choice == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if choice == "cuda":
        built = "finds no GPU" if torch.version.cuda else "is built without CUDA"
        raise UsageError(f"--device cuda: torch {torch.__version__} {built} here; use --device cpu or auto")
    return "cpu"


def places(device: Device) -> list[str]:
    """The devices of a kind, one for each process that trains: every GPU here, or the CPU."""
    if device == "cpu":
        return ["cpu"]
    import torch

    return [f"cuda:{index}" for index in range(torch.cuda.device_count())]


def described(place: str) -> str:
    """A device in words, for the record of a run."""
    if place == "cpu":
        return place
    import torch

    return f"cuda, {torch.cuda.get_device_name(place)}"


def set_up(place: str) -> None:
    """Single precision in full, and the same bits every time: neither TF32 nor algorithms that add in any order."""
    chosen("cuda" if place.startswith("cuda") else "cpu")
    if place == "cpu":
        return
    import torch

    torch.cuda.set_device(place)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    with warnings.catch_warnings():
        # Some versions announce another name for it, which no older one knows and which no newer one reads back.
        warnings.filterwarnings("ignore", ".*to control TF32", UserWarning)
        torch.backends.cudnn.allow_tf32 = False


def wait(place: str) -> None:
    """Return when a device has done all that it was given: a GPU works on while its orders are written."""
    if place != "cpu":
        import torch

        torch.cuda.synchronize(place)
