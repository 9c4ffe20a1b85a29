"""Which of a suite's runs are meant: those that `--only` keeps, and one's own share of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.choice import spelled
from benchmark.errors import UsageError
from benchmark.spec import PARTS, Component, Run, canonical, plainly, suggest


def chosen_by(runs: Sequence[Run], only: Mapping[str, Any], where: str) -> list[Run]:
    """The runs that have one of the wanted values, or the one that is given, at each dotted key.

    Names may be written in any spelling, VAE is vae, unless a run has the very name; settings are as they are.
    Raises `UsageError` where none is left, and on a value that no run has: it is a slip, and fewer runs than meant.
    """
    asked = {key: list(each) if isinstance(each, list | tuple) else [each] for key, each in only.items()}
    kept = list(runs)
    for key, values in asked.items():
        there = [_value_at(run, key) for run in runs]
        meant: list[Any] = []
        for value in values:
            found = _meant(canonical(value), there, spellings="." not in key)
            if not found:
                known = sorted({spelled(each) for each in there if each is not None})
                hint = suggest(spelled(value), known) if known else f"; none has any {key}"
                raise UsageError(f"{where}: no run matches --only {key}={spelled(value)}{hint}")
            meant += found
        kept = [run for run in kept if _value_at(run, key) in meant]
    if not kept and only:
        told = " ".join(f"{key}={','.join(map(spelled, values))}" for key, values in asked.items())
        raise UsageError(f"{where}: no run is left by --only {told}: none has all of these")
    return kept


def _meant(wanted: Any, there: Sequence[Any], *, spellings: bool) -> list[Any]:
    """Which of the values that runs have are wanted: that very one, or names that are spelled otherwise."""
    if wanted in there:
        return [wanted]
    if not spellings or not isinstance(wanted, str):
        return []
    return [each for each in there if isinstance(each, str) and plainly(each) == plainly(wanted)]


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


def shard(runs: list[Run], part: int, parts: int) -> list[Run]:
    """The `part`-th (from 1) of `parts` disjoint shares of the runs."""
    if not 1 <= part <= parts:
        raise UsageError(f"--shard {part}/{parts}: the first number goes from 1 to the second")
    return runs[part - 1 :: parts]
