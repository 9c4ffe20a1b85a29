"""The end of `run`, the beginning of `evaluate`: finished runs whose codes files hold too little are encoded again."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.errors import BenchmarkError
from benchmark.spec import Run
from benchmark.stages import reencode
from benchmark.stages.order import Order
from benchmark.verbs._workplace import Workplace
from benchmark.words.encoding import Encoding
from benchmark.words.phrases import count


def encode_again(order: Order, runs: Sequence[Run], at: Workplace) -> None:
    """Bring the codes files of these runs up to what this version, the suite and its measures want, as `order` says."""
    if not runs:
        return
    with (
        at.progress(f"encoding {count(len(runs), 'run')} again", len(runs)) as progress,
        at.workers(progress.say) as at_work,
    ):
        said = Encoding(progress)
        reencode.reencode_runs(order, runs, jobs=at_work, on_encoded=said.on_encoded)
    if said.failed:
        run, reason = said.failed[0]
        raise BenchmarkError(
            f"{count(len(said.failed), 'run')} could not be encoded again; the first: {run.run_id}: {reason}"
        )
