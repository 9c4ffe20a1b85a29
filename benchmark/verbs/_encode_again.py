"""The end of `run`, the beginning of `evaluate`: finished runs whose codes files hold too little are encoded again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.progress import Progress
from benchmark.spec import Run
from benchmark.stages import reencode
from benchmark.store import Store
from benchmark.suite import EncodingSettings
from benchmark.verbs._words import count, label
from benchmark.verbs._workers import workers


def encode_again(
    store: Store,
    runs: Sequence[Run],
    encoding: EncodingSettings,
    arrays: frozenset[str],
    jobs: int | None,
    scheduler: str | None,
    data_dir: Path | None,
    quiet: bool,
) -> None:
    """Bring the codes files of these runs up to what this version, the suite and measures that read `arrays` want."""
    failed: list[str] = []
    if not runs:
        return
    with (
        Progress(f"encoding {count(len(runs), 'run')} again", len(runs), quiet=quiet) as progress,
        workers(jobs, scheduler, store, progress.say) as at_work,
    ):

        def on_encoded(run: Run, reason: str | None) -> None:
            ending = f": {reason}" if reason else ""
            progress.say(f"{'failed ' if reason else 'encoded'} {run.run_id}  {label(run)}{ending}")
            progress.at(progress.done + 1)
            if reason:
                failed.append(f"{run.run_id}: {reason}")

        reencode.reencode_runs(store, runs, encoding, arrays, jobs=at_work, data_dir=data_dir, on_encoded=on_encoded)
    if failed:
        raise BenchmarkError(f"{count(len(failed), 'run')} could not be encoded again; the first: {failed[0]}")
