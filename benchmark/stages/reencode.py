"""Encode finished runs again from their weights, where a newer version or the suite wants more of their decoders."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmark import registry
from benchmark.atomic import share, write_atomically
from benchmark.digests import differing, file_digest
from benchmark.errors import BenchmarkError
from benchmark.execution import Workers, execute
from benchmark.run_seal import CODES, MEND, RECORD, SCORES, WEIGHTS, listed
from benchmark.spec import Run
from benchmark.stages.data_cache import load_data
from benchmark.stages.encode import ENCODING, encode_neural
from benchmark.store import Store, write_json
from benchmark.suite import EncodingSettings


@dataclass(frozen=True)
class EncodeTask:
    """One finished run to encode again."""

    results: Path
    run: Run
    encoding: EncodingSettings
    data_dir: Path | None
    plugins: tuple[Path, ...]


def outdated(store: Store, runs: list[Run], encoding: EncodingSettings) -> list[Run]:
    """The finished networks whose codes files hold less than this version and `encoding` would give them."""
    return [run for run in runs if run.network and store.is_done(run) and _lacks(store.read_run(run), encoding)]


def _lacks(record: dict[str, object], encoding: EncodingSettings) -> bool:
    kept = record.get("encoding")
    if not isinstance(kept, dict) or kept["version"] < ENCODING:
        return True
    wanted = encoding.plain()
    return bool(wanted["likelihood_points"]) and any(kept[key] < wanted[key] for key in wanted)


def reencode_runs(
    store: Store,
    runs: list[Run],
    encoding: EncodingSettings,
    *,
    jobs: Workers,
    data_dir: Path | None,
    on_encoded: Callable[[Run, str | None], None],
) -> None:
    """Encode runs again in `jobs` processes; `on_encoded` hears of each, with the reason where it failed."""
    tasks = [EncodeTask(store.root, run, encoding, data_dir, tuple(registry.plugins())) for run in runs]
    for outcome in execute(reencode, tasks, jobs):
        on_encoded(outcome.task.run, outcome.died or outcome.value)


def reencode(task: EncodeTask) -> str | None:
    """Encode one run again, in a worker process; return why it could not be done. Never raises.

    run.json first disowns the old codes and has the new ones' digest last: killed between, it is simply done again.
    What the old codes scored goes, so that no score outlives the arrays it was computed from.
    """
    from safetensors.torch import load_file

    from benchmark.training.loop import build
    from benchmark.training.process import set_up

    try:
        for plugin in task.plugins:
            registry.add_plugin(plugin)
        set_up()
        store = Store(task.results)
        folder = store.run_folder(task.run)
        start = time.monotonic()
        record = store.read_run(task.run)
        files = dict(listed(record) or {})
        for name, how in differing(folder, {WEIGHTS: files[WEIGHTS]} if WEIGHTS in files else {}):
            raise BenchmarkError(f"{folder / name} {how}; {MEND}")
        data = load_data(task.run.dataset, task.data_dir)
        model = build(task.run, data)
        model.load_state_dict(load_file(folder / WEIGHTS))
        codes = encode_neural(model, data, task.run, task.encoding)

        def save(scratch: Path) -> None:
            codes.save(scratch)
            share(scratch)

        files.pop(CODES, None)
        write_json(folder / RECORD, record | {"encoding": None, "files": files})
        write_atomically(folder / CODES, save)
        shutil.rmtree(folder / SCORES, ignore_errors=True)
        record["files"] = files | {CODES: file_digest(folder / CODES)}
        record["seconds"]["encoding"] = time.monotonic() - start
        record["encoding"] = {"version": ENCODING, **task.encoding.plain()}
        write_json(folder / RECORD, record)
    except BenchmarkError as error:
        return str(error)
    except Exception as error:  # weights may be damaged, and an author's model may raise anything
        return f"{type(error).__name__}: {error}"
    return None
