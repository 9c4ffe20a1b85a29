"""What was typed, as values: KEY=VALUE, seeds, shards, kinds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark import registry
from benchmark.choice import INNER_COMMA, read_value, split_choices
from benchmark.errors import UsageError


def add_plugins(plugins: list[Path] | None) -> None:
    for plugin in plugins or []:
        registry.add_plugin(plugin)


def read_kind(text: str) -> registry.Kind:
    from benchmark.spec import suggest

    singular = text.removesuffix("s")
    for kind in registry.KINDS:
        if kind == singular:
            return kind
    raise UsageError(f'unknown kind "{text}"{suggest(singular, list(registry.KINDS))}')


def read_setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not value:
        raise UsageError(f"--set {text}: write KEY=VALUE, such as training.steps=100")
    return key, read_value(value)


def read_metrics(text: str | None) -> list[str]:
    """The measures of --metrics; none where it was not given."""
    names = [] if text is None else split_choices(text)
    if text is not None and not names:
        raise UsageError("--metrics is empty: name measures, such as mig,dci, or leave it out")
    return names


def read_renaming(text: str) -> tuple[str, str]:
    old, _, new = text.partition("=")
    if not old or not new or old.count("*") != new.count("*") or old.count("*") > 1:
        raise UsageError(f"--rename {text}: write OLD=NEW, such as z=codes, or with one * on both sides, 'h*=code_*'")
    return old, new


def read_filter(text: str) -> tuple[str, list[Any]]:
    key, equals, values = text.partition("=")
    if not equals or not values:
        raise UsageError(f"--only {text}: write KEY=VALUE[,VALUE…], such as model=vae,beta_vae")
    # A name or an id is text, also where it looks like a number: a model called 7, a configuration 1234e5678901.
    read = read_value if "." in key or key == "seed" else read_name
    return key, [read(value.strip()) for value in INNER_COMMA.split(values)]


def read_name(text: str) -> str:
    """The text itself, or what stands in its quotation marks."""
    value = read_value(text)
    return value if isinstance(value, str) else text


def read_filters(texts: Sequence[str]) -> dict[str, list[Any]]:
    """All `--only` together: values of one key add up."""
    filters: dict[str, list[Any]] = {}
    for key, values in map(read_filter, texts):
        filters.setdefault(key, []).extend(values)
    return filters


def read_seeds(text: str) -> list[int]:
    from benchmark.suite import seed_list

    try:
        if "," in text:
            return seed_list([int(part) for part in text.split(",") if part.strip()], "--seeds")
        if "-" in text.lstrip("-"):
            first, last = text.split("-")
            return seed_list(range(int(first), int(last) + 1), "--seeds")
        if text.strip() == "0":
            raise UsageError("--seeds 0: a number says how many; seed 0 alone is --seeds 1, or as a range --seeds 0-0")
        return seed_list(int(text), "--seeds")
    except ValueError:
        raise UsageError(f"--seeds {text[:40]}: write how many (3), a list (0,4) or a range (2-5)") from None


def read_shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not slash or not part.isdecimal() or not parts.isdecimal() or len(text) > 20:
        raise UsageError(f"--shard {text[:40]}: write I/N, such as 1/4")
    return int(part), int(parts)
