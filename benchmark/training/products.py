"""What multiplies on this machine: named in the record of a run, since bits are promised on one type of CPU only."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from benchmark.spec import Precision

UNITS = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16", "bf16": "BF16"}
"""What a processor's flags call its units for bfloat16, the fastest first, and what they are called in words."""


def described(precision: Precision, place: str = "cpu") -> str:
    """The products of networks that train on a device, in words."""
    import torch

    if place != "cpu":
        return precision
    if precision == "bfloat16":
        return f"{precision}, oneDNN, {narrow_units() or 'without units of its own'}"
    library = "MKL" if torch.backends.mkl.is_available() else "BLAS"  # type: ignore[no-untyped-call]
    return f"{precision}, {library} and oneDNN, {torch.backends.cpu.get_cpu_capability()}"


@cache
def narrow_units() -> str | None:
    """What multiplies bfloat16 in this processor; None where nothing is known to, and single precision is faster."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return None
    flags = {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split()}
    return next((name for flag, name in UNITS.items() if flag in flags), None)


def slow(precision: Precision, place: str = "cpu") -> str | None:
    """What to tell whoever asks for products that this machine is slow at; None where it is not."""
    if place != "cpu" or precision == "float32" or narrow_units():
        return None
    return (
        'training.precision = "bfloat16" is slow here: this processor has neither AVX512-BF16 nor AMX;'
        ' "float32" is faster, but another configuration'
    )
