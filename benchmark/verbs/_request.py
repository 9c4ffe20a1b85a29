"""What is asked for: a suite, which of its runs, changed how, and the loose files that define parts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.choice import spelled
from benchmark.commands import command_line
from benchmark.filtering import chosen_by, shard
from benchmark.spec import Run

if TYPE_CHECKING:
    from benchmark.suite import Suite


@dataclass(frozen=True, kw_only=True)
class Request:
    """The runs of a suite that `only` keeps (dotted keys and the values to keep), with `overrides` (dotted keys and
    values) and `seeds` in place of the suite's own; of these the part I of N that `shard` names.

    plugins: loose files with components. retry_failed: whether what failed before is tried again.
    Raises `UsageError` on seeds and shards that there cannot be.
    """

    suite: str
    only: Mapping[str, list[Any]] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    seeds: Sequence[int] | None = None
    shard: tuple[int, int] | None = None
    plugins: tuple[Path, ...] = ()
    retry_failed: bool = False

    def __post_init__(self) -> None:
        from benchmark.suite import seed_list

        if self.seeds is not None:
            seed_list(self.seeds, "--seeds")
        if self.shard is not None:
            shard([], *self.shard)

    def expanded(self) -> Suite:
        """The suite with all runs that are asked for, of every share."""
        from benchmark.suite import expand

        seeds = None if self.seeds is None else list(self.seeds)
        return expand(self.suite, only=self.only, overrides=self.overrides, seeds=seeds)

    def share(self, runs: list[Run]) -> list[Run]:
        """Those of the runs that are this process's own: all, unless a shard is asked for."""
        return runs if self.shard is None else shard(runs, *self.shard)

    def chosen(self, runs: list[Run], where: str) -> list[Run]:
        """Those of the runs that `only` keeps; `where` says in an error what they are the runs of."""
        return chosen_by(runs, self.only, where)

    def command(self) -> str:
        """The command line that defines the same configurations."""
        settings = [word for key, value in self.overrides.items() for word in ("--set", f"{key}={spelled(value)}")]
        plugins = [word for plugin in self.plugins for word in ("--plugin", plugin)]
        return command_line("run", self.suite, *settings, *plugins)
