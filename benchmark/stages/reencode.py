"""Encode finished runs again from their weights, where a newer version or measures want more of their decoders.

What a newer version changes is encoded anew. Where only arrays are missing, they are added and the codes stay, bit by
bit. Scores hold the digest of the codes file that they came from, and go with it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark import registry
from benchmark.atomic import share, write_atomically
from benchmark.codes import Codes
from benchmark.errors import BenchmarkError
from benchmark.execution.processes import Workers, execute
from benchmark.integrity.digests import differing, file_digest
from benchmark.integrity.run_seal import CODES, MEND, RECORD, SCORES, WEIGHTS, listed
from benchmark.spec import Run
from benchmark.stages.data_cache import load_data
from benchmark.stages.encode import asked, encode_neural, prepare
from benchmark.stages.kept import combined, is_old, kept, missing
from benchmark.stages.order import Order
from benchmark.store import Store, write_json


@dataclass(frozen=True)
class EncodeTask:
    """One finished run to encode again."""

    order: Order
    run: Run


def reencode_runs(
    order: Order, runs: Sequence[Run], *, jobs: Workers, on_encoded: Callable[[Run, str | None], None]
) -> None:
    """Encode runs again in `jobs` processes; `on_encoded` hears of each, with the reason where it failed."""
    tasks = [EncodeTask(order, run) for run in runs]
    for outcome in execute(registry.with_plugins(reencode, order.plugins), tasks, jobs):
        on_encoded(outcome.task.run, outcome.died or outcome.value)


def reencode(task: EncodeTask) -> str | None:
    """Encode one run again, in a worker process; return why it could not be done. Never raises.

    run.json first disowns the old codes and has the new ones' digest last: killed between, it is simply done again.
    What the old codes scored goes, so that no score outlives the file it was computed from.
    """
    from safetensors.torch import load_file

    from benchmark.training.loop import build
    from benchmark.training.process import set_up

    order = task.order
    try:
        registry.check_sources(task.run)
        set_up()
        store = Store(order.results)
        folder = store.run_folder(task.run)
        start = time.monotonic()
        record = store.read_run(task.run)
        files = dict(listed(record) or {})
        for name, how in differing(folder, {WEIGHTS: files[WEIGHTS]} if WEIGHTS in files else {}):
            raise BenchmarkError(f"{folder / name} {how}; {MEND}")
        data = load_data(task.run.dataset, order.data_dir)
        model = build(task.run, data)
        model.load_state_dict(load_file(folder / WEIGHTS))
        wanted = combined(record, order.encoding, order.arrays)
        seconds = 0.0
        if is_old(record) or CODES not in files or differing(folder, {CODES: files[CODES]}):
            codes = encode_neural(model, data, task.run, wanted.encoding, wanted.parts)
        else:
            codes = Codes.load(folder / CODES)
            prepare(model)
            parts = missing(record, order.encoding, order.arrays) if model.decodes else ()
            codes.arrays.update(asked(model, codes, data, task.run, wanted.encoding, parts))
            seconds = record["seconds"]["encoding"]

        def save(scratch: Path) -> None:
            codes.save(scratch)
            share(scratch)

        files.pop(CODES, None)
        write_json(folder / RECORD, record | {"encoding": None, "files": files})
        write_atomically(folder / CODES, save)
        shutil.rmtree(folder / SCORES, ignore_errors=True)
        record["files"] = files | {CODES: file_digest(folder / CODES)}
        record["seconds"]["encoding"] = seconds + time.monotonic() - start
        record["encoding"] = kept(wanted.encoding, wanted.parts)
        write_json(folder / RECORD, record)
    except BenchmarkError as error:
        return str(error)
    except Exception as error:  # weights may be damaged, and an author's model may raise anything
        return f"{type(error).__name__}: {error}"
    return None
