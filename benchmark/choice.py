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
        raise UsageError(f"{text.strip()}: write NAME or NAME(KEY=VALUE, …), such as mig(bins=10)")
    return Choice(name.strip(), {key.strip(): read_value(value.strip()) for key, _, value in pairs})


def split_choices(text: str) -> list[str]:
    """The choices of a list separated by commas; commas within brackets separate settings."""
    return [part.strip() for part in OUTER_COMMA.split(text) if part.strip()]


def with_all(choices: Iterable[str], names: Iterable[str]) -> list[str]:
    """The choices, `all` among them standing for every name; no choices are all names."""
    chosen = list(choices) or ["all"]
    return [each for choice in chosen for each in (names if choice == "all" else [choice])]


def read_value(text: str) -> Any:
    """A value as TOML reads it; bare words are strings."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    except (ValueError, RecursionError):  # a number of thousands of digits, or as many brackets
        raise UsageError(f"{text[:40]}…: this is no value that could be read") from None


def spelled(value: Any) -> str:
    """A value as `read_value` takes it back."""
    return value if isinstance(value, str) and read_value(value) == value else canonical_json(value)
