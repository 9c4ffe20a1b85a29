"""What `run` would do and cost: the verb's --dry-run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.store import Store
from benchmark.verbs._given import RESULTS, add_plugins, takes_paths
from benchmark.verbs._workers import cores, devices

if TYPE_CHECKING:
    from benchmark.stages.estimate import Estimate


@takes_paths
def estimate(
    suite: str,
    *,
    results: Path = RESULTS,
    only: Mapping[str, list[Any]] | None = None,
    overrides: Mapping[str, Any] | None = None,
    seeds: list[int] | None = None,
    shard: tuple[int, int] | None = None,
    jobs: int | None = None,
    data_dir: Path | None = None,
    plugins: Sequence[Path] = (),
    device: str = "auto",
) -> Estimate:
    """What `run` would do with the same arguments, and what it would cost. Nothing is written."""
    from benchmark.stages import train
    from benchmark.stages.estimate import estimate as cost
    from benchmark.stages.kept import parts_of
    from benchmark.stages.score_task import arrays_read, check_metrics
    from benchmark.suite import expand
    from benchmark.suite import shard as share

    add_plugins(plugins)
    expanded = expand(suite, only=only, overrides=overrides, seeds=seeds)
    runs = expanded.runs if shard is None else share(expanded.runs, *shard)
    store = Store(results, make=False)
    kind, places = devices(device, None)
    fleets = train.plan(store, runs, device=kind)
    arrays = arrays_read(check_metrics(expanded.evaluation.metrics))
    done = sum(store.is_done(each) for each in runs)
    if jobs is None:
        jobs = cores() if kind == "cpu" else len(places)
    return cost(fleets, done, jobs, data_dir, expanded.encoding, places[0], parts_of(arrays))
