"""What was typed, as what verbs are asked for: the one place that makes a request, and says where it is worked off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli.typed import read_filters, read_seeds, read_setting, read_shard

if TYPE_CHECKING:
    from benchmark.verbs._request import Request
    from benchmark.verbs._workplace import Workplace


def request(
    suite: str,
    *,
    only: Sequence[str] | None,
    plugins: Sequence[Path] | None,
    retry_failed: bool,
    overrides: Sequence[str] | None = None,
    seeds: str | None = None,
    shard: str | None = None,
) -> Request:
    """What is asked for, from the words of --only, --plugin, --retry-failed, --set, --seeds and --shard."""
    from benchmark.verbs._request import Request

    return Request(
        suite=suite,
        only=read_filters(only or []),
        overrides=dict(map(read_setting, overrides or [])),
        seeds=None if seeds is None else read_seeds(seeds),
        shard=None if shard is None else read_shard(shard),
        plugins=tuple(plugins or ()),
        retry_failed=retry_failed,
    )


def workplace(
    results: Path,
    data_dir: Path | None,
    *,
    jobs: int | None,
    scheduler: str | None,
    as_json: bool,
    device: str = "auto",
) -> Workplace:
    """Where it is worked off; what is printed as JSON shows no progress."""
    from benchmark.verbs._workplace import Workplace

    return Workplace(results=results, data_dir=data_dir, jobs=jobs, scheduler=scheduler, device=device, quiet=as_json)
