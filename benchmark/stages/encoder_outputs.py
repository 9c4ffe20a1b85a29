"""What other people's encoders return, read as means and variances: which forms are known, and a sentence on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.metrics._boundary import as_array
from benchmark.reading.read_codes import variances_of

MEANS = ("embedding", "mu", "mean")
LOG_VARIANCES = ("log_covariance", "logvar", "log_var")
"""How outputs with names call means and log variances: pythae's encoders, then others'."""


@dataclass(frozen=True)
class Output:
    """Means (b d) and, of a diagonal Gaussian, variances (b d); `form`: what they were read from, for people."""

    means: Float[ndarray, "b d"]
    variances: Float[ndarray, "b d"] | None
    form: str


def read_output(output: Any, rows: int, who: str) -> Output:
    """The codes in what an encoder returned for so many images. `who` begins what is said of it.

    Known: one array or tensor (b d), the codes; a pair (mean, log variance); a dictionary or object with `embedding`,
    `mu` or `mean`, and maybe `log_covariance`, `logvar` or `log_var` (pythae's ModelOutput); torch's Normal, alone or
    within Independent. Raises `UsageError` on anything else, on other shapes and on what is not finite.
    """
    means, logvar, variances, form = _found(output, who)
    table = _table(means, rows, who, "codes")
    if logvar is not None:
        own = _table(logvar, rows, who, "log variances")
        variances = variances_of(who, own)
    elif variances is not None:
        variances = _table(variances, rows, who, "variances")
    if variances is not None and variances.shape != table.shape:
        raise UsageError(f"{who} gives variances of shape {variances.shape} beside codes of shape {table.shape}")
    return Output(table, variances, form)


def _found(output: Any, who: str) -> tuple[Any, Any, Any, str]:
    """Means, log variances or None, variances or None, and the form."""
    if _is_array(output):
        return output, None, None, "an array: the codes"
    names = output if isinstance(output, Mapping) else None

    def held(name: str) -> Any:
        value = names.get(name) if names is not None else getattr(output, name, None)
        return value if _is_array(value) else None

    if _is_normal(output):
        return output.mean, None, output.variance, "a normal distribution: its mean and variance"
    mean = next((name for name in MEANS if held(name) is not None), None)
    if mean is not None:
        other = next((name for name in LOG_VARIANCES if held(name) is not None), None)
        if other is None:
            return held(mean), None, None, f"`{mean}`: the codes"
        return held(mean), held(other), None, f"`{mean}` and `{other}`: mean and log variance"
    if isinstance(output, tuple | list) and all(map(_is_array, output)):
        if len(output) == 2 and np.shape(output[0]) == np.shape(output[1]):
            return output[0], output[1], None, "a pair: mean and log variance"
        shapes = ", ".join(str(tuple(np.shape(part))) for part in output)
        raise UsageError(
            f"{who} gives {len(output)} arrays of shapes {shapes}, of which nothing says which are means and log"
            " variances; hand over a function that returns the codes, or the pair (mean, log variance)"
        )
    told = f"a dictionary of {', '.join(map(str, output))}" if isinstance(output, Mapping) else type(output).__name__
    raise UsageError(
        f"{who} gives {told}; codes are read from an array (n d), a pair (mean, log variance), or a dictionary or"
        f" object with {', '.join(MEANS)} and maybe {', '.join(LOG_VARIANCES)}: hand over a function that returns one"
    )


def _is_array(value: Any) -> bool:
    """Whether something is one array of numbers, of any library."""
    if isinstance(value, ndarray | Mapping):
        return isinstance(value, ndarray)
    return hasattr(value, "detach") or hasattr(value, "to_numpy")


def _is_normal(output: Any) -> bool:
    from torch.distributions import Independent, Normal

    return isinstance(output.base_dist if isinstance(output, Independent) else output, Normal)


def _table(value: Any, rows: int, who: str, what: str) -> Float[ndarray, "b d"]:
    """Numbers in single precision, or double where they come so. Raises `UsageError` where they are no table."""
    array = as_array(f"{who}: the {what}", value)
    if array.ndim != 2 or len(array) != rows or not array.shape[1]:
        raise UsageError(f"{who} gives {what} of shape {array.shape} for {rows} images: {what} are (images, latents)")
    if array.dtype.kind not in "fiu":
        raise UsageError(f"{who} gives {what} of type {array.dtype}; they are real numbers")
    array = array.astype(np.float64 if array.dtype == np.float64 else np.float32)
    if not np.isfinite(array).all():
        wrong = int((~np.isfinite(array)).any(axis=1).sum())
        raise UsageError(
            f"{who} gives {what} that are NaN or infinite for {wrong} of {rows} images: did training diverge, or does"
            " it take images of another scale than 0 to 1?"
        )
    return array
