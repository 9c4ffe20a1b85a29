"""A component chosen by name, with settings in brackets where they are not its defaults: `mig(bins=10)`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.errors import UsageError
from benchmark.spec import canonical_json

OUTER_COMMA = re.compile(r",(?![^()]*\))")
INNER_COMMA = re.compile(r",(?![^\[\]]*\])")

_THEIRS = ("mig", "modularity", "explicitness", "sap", "irs", "dci", "mutual_information_score")
SETS: dict[str, tuple[str, ...]] = {
    "disentanglement_lib": (
        "beta_vae_score",
        "factor_vae_score",
        *(f"{name}(definition=disentanglement_lib)" for name in _THEIRS),
        "gaussian_total_correlation",
        "wasserstein_correlation",
        "wasserstein_correlation(normalised=true)",
        "sample_efficiency",
        "sample_efficiency(model=logistic_regression)",
    )
}
"""Measures by the name of what they are together: `--metrics disentanglement_lib` is what that library computes.

Those without a setting are computed alike there, and keep the ids that they have.
"""


@dataclass(frozen=True)
class Choice:
    """A name and the settings that were written beside it."""

    name: str
    settings: Mapping[str, Any]

    def __str__(self) -> str:
        words = [f"{key}={spelled(value)}" for key, value in sorted(self.settings.items())]
        return f"{self.name}({', '.join(words)})" if words else self.name


def read_choice(text: str) -> Choice:
    """`NAME` or `NAME(KEY=VALUE, …)`. Raises `UsageError` on anything else."""
    name, bracket, rest = text.strip().partition("(")
    if not bracket:
        return Choice(name, {})
    pairs = [pair.partition("=") for pair in INNER_COMMA.split(rest.removesuffix(")"))]
    if not rest.endswith(")") or not all(key.strip() and equals and value.strip() for key, equals, value in pairs):
        raise UsageError(f"{text.strip()}: write NAME or NAME(KEY=VALUE, …), such as mig(bins=10); lists in [ ]")
    return Choice(name.strip(), {key.strip(): read_value(value.strip()) for key, _, value in pairs})


def split_choices(text: str) -> list[str]:
    """The choices of a list separated by commas; commas within brackets separate settings."""
    return [part.strip() for part in OUTER_COMMA.split(text) if part.strip()]


def with_all(choices: Iterable[str], names: Iterable[str]) -> list[str]:
    """The choices, `all` among them standing for every name and a set's name for its members; no choices are all names.

    Raises `UsageError` on a set with settings: its members have their own.
    """
    sets: dict[str, Iterable[str]] = {**SETS, "all": names}
    for choice in (chosen := list(choices) or ["all"]):
        if choice.strip() not in sets and (name := choice.partition("(")[0].strip()) in sets:
            raise UsageError(f"{choice}: {name} is a set of measures and takes no settings; choose its members singly")
    return [each for choice in chosen for each in sets.get(choice.strip(), [choice])]


def read_value(text: str) -> Any:
    """A value as TOML reads it; bare words are strings, and so are dates and NaN, which no setting is."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    except (ValueError, RecursionError):  # a number of thousands of digits, or as many brackets
        raise UsageError(f"{text[:40]}…: this is no value that could be read") from None
    return value if _is_json(value) else text


def spelled(value: Any) -> str:
    """A value as `read_value` takes it back."""
    if isinstance(value, str) and read_value(value) == value:
        return value
    return canonical_json(value) if _is_json(value) else str(value)


def _is_json(value: Any) -> bool:
    try:
        canonical_json(value)
    except (TypeError, ValueError):
        return False
    return True
