"""Which of a suite's runs are meant: those that `--only` keeps, and one's own share of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.choice import spelled
from benchmark.errors import UsageError
from benchmark.spec import PARTS, Component, Run, canonical, plainly, suggest


def chosen_by(runs: Sequence[Run], only: Mapping[str, list[Any]], where: str) -> list[Run]:
    """The runs that have one of the wanted values at each dotted key.

    Raises `UsageError` where none is left, and on a value that no run has: it is a slip, and fewer runs than meant.
    """
    for key, values in only.items():
        there = [_value_at(run, key) for run in runs]
        for value in values:
            if not any(_is(found, canonical(value)) for found in there):
                known = sorted({spelled(found) for found in there if found is not None})
                hint = suggest(spelled(value), known) if known else f"; none has any {key}"
                raise UsageError(f"{where}: no run matches --only {key}={spelled(value)}{hint}")
    kept = [run for run in runs if _matches(run, only)]
    if not kept and only:
        asked = " ".join(f"{key}={','.join(map(spelled, values))}" for key, values in only.items())
        raise UsageError(f"{where}: no run is left by --only {asked}: none has all of these")
    return kept


def _value_at(run: Run, key: str) -> Any:
    """What a run has at a dotted key; None where it has no such part or setting."""
    part, _, setting = key.partition(".")
    if part not in (*PARTS, "config", "seed"):
        raise UsageError(f"--only {key}: filter by one of dataset, model, network, training, config or seed")
    if part in ("config", "seed"):
        return run.seed if part == "seed" else run.config_id
    component: Component | None = getattr(run, part)
    if component is None:
        return None
    return component.settings.get(setting) if setting else component.name


def _matches(run: Run, only: Mapping[str, list[Any]]) -> bool:
    """Whether a run has one of the wanted values at each dotted key; words in any spelling: VAE is vae."""
    return all(any(_is(_value_at(run, key), canonical(item)) for item in wanted) for key, wanted in only.items())


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return plainly(value) == plainly(wanted)
    return bool(value == wanted)


def shard(runs: list[Run], part: int, parts: int) -> list[Run]:
    """The `part`-th (from 1) of `parts` disjoint shares of the runs."""
    if not 1 <= part <= parts:
        raise UsageError(f"--shard {part}/{parts}: the first number goes from 1 to the second")
    return runs[part - 1 :: parts]
