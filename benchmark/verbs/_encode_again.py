"""The end of `run`, the beginning of `evaluate`: finished runs whose codes files hold too little are encoded again."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.errors import BenchmarkError
from benchmark.spec import Run
from benchmark.stages import reencode
from benchmark.stages.order import Order
from benchmark.verbs._workplace import Workplace
from benchmark.words.phrases import count, label


def encode_again(order: Order, runs: Sequence[Run], at: Workplace) -> None:
    """Bring the codes files of these runs up to what this version, the suite and its measures want, as `order` says."""
    failed: list[str] = []
    if not runs:
        return
    with (
        at.progress(f"encoding {count(len(runs), 'run')} again", len(runs)) as progress,
        at.workers(progress.say) as at_work,
    ):

        def on_encoded(run: Run, reason: str | None) -> None:
            ending = f": {reason}" if reason else ""
            progress.say(f"{'failed ' if reason else 'encoded'} {run.run_id}  {label(run)}{ending}")
            progress.at(progress.done + 1)
            if reason:
                failed.append(f"{run.run_id}: {reason}")

        reencode.reencode_runs(order, runs, jobs=at_work, on_encoded=on_encoded)
    if failed:
        raise BenchmarkError(f"{count(len(failed), 'run')} could not be encoded again; the first: {failed[0]}")
