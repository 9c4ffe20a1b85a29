"""What a worker process does with one fleet: claim it, train it, encode and publish its members."""

from __future__ import annotations

import shutil
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from benchmark import registry
from benchmark.atomic import disk_full_explained
from benchmark.codes import Codes
from benchmark.datasets._dataset import Data
from benchmark.errors import BenchmarkError, ModelError
from benchmark.execution.claim import Claim
from benchmark.execution.cluster import told_to_stop
from benchmark.models._model import Anchor, Embedding
from benchmark.models._neural import NeuralModel
from benchmark.provenance import provenance
from benchmark.seeds import stream
from benchmark.spec import Run, TrainingSettings
from benchmark.stages.data_cache import load_data
from benchmark.stages.encode import encode_anchor, encode_embedding, encode_neural
from benchmark.stages.kept import kept, parts_of
from benchmark.stages.order import Order
from benchmark.stages.points import chunks, flattened, images
from benchmark.stages.stacking import advice
from benchmark.store import FORMAT, Store, timestamp, write_json
from benchmark.suite import settings_of
from benchmark.training.fleet import Fleet, read_fleet

HEARTBEAT = 10.0
"""Seconds between two beats of a claim."""
FINISHING = 10_000
"""Training points whose codes a finished network sees."""


@dataclass(frozen=True)
class FleetTask:
    """All that a worker process needs to train one fleet."""

    order: Order
    fleet_id: str
    place: str = "cpu"


@dataclass
class FleetOutcome:
    """What a worker says of a fleet: who holds it where it is `busy`, `interrupted` if it was told to stop, `starved`
    if there was not enough memory, and `notes` for people."""

    fleet_id: str
    published: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    resumed_at: int | None = None
    busy: str | None = None
    starved: str | None = None
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False
    fatal: str | None = None


def claim_of(store: Store, fleet_id: str) -> Claim:
    """What says who trains a fleet."""
    return Claim(store.fleet_folder(fleet_id) / "claim.json")


def train_fleet(task: FleetTask) -> FleetOutcome:
    """Train, encode and publish one fleet, in a worker process. Never raises: what failed is recorded and returned."""
    outcome, order = FleetOutcome(task.fleet_id), task.order
    try:
        store = Store(order.results)
        folder = store.fleet_folder(task.fleet_id)
        claim = claim_of(store, task.fleet_id)
        if not (folder / "fleet.json").exists():
            return outcome  # another process finished it in the meantime
        if not claim.take():
            outcome.busy = claim.holder()
            return outcome
        try:
            if not (folder / "fleet.json").exists():
                return outcome  # finished between the two looks
            with beating(claim), stop_requested() as stopping:
                fleet, command = read_fleet(folder / "fleet.json")
                for run in fleet.runs:
                    registry.check_sources(run)
                data = load_data(fleet.runs[0].dataset, order.data_dir)
                _train(Work(fleet, command, data, store, task, outcome, timestamp()), stopping)
            # Whoever took over from a process that seemed dead still works in the folder.
            if not outcome.interrupted and not outcome.starved and claim.is_mine():
                shutil.rmtree(folder, ignore_errors=True)
            # What came while the last run was fitted or encoded is for whoever has more to do.
            outcome.interrupted |= stopping()
        finally:
            claim.release()
    except BenchmarkError as error:
        outcome.fatal = str(error)
    except OSError as error:
        outcome.fatal = f"{type(error).__name__} while training: {error}"
    except Exception as error:
        if not lacks_memory(error):
            raise
        outcome.starved = str(error).split("\n")[0]
    return outcome


@dataclass(frozen=True)
class Work:
    """One fleet in the hands of a worker."""

    fleet: Fleet
    command: str
    data: Data
    store: Store
    task: FleetTask
    outcome: FleetOutcome
    started: str

    def publish(self, run: Run, codes: Codes, weights: Mapping[str, ndarray], details: Mapping[str, Any]) -> None:
        """Publish a run's folder: codes, weights and run.json, and the history where there is one."""
        history: str | None = details.get("history")

        def fill(folder: Path) -> None:
            codes.save(folder / "codes.safetensors")
            if weights:
                save_arrays({name: np.ascontiguousarray(value) for name, value in weights.items()}, folder)
            if history:
                (folder / "history.csv").write_text(history)
            write_json(
                folder / "run.json",
                {
                    "format": FORMAT,
                    "run_id": run.run_id,
                    "config_id": run.config_id,
                    "run": run.to_json(),
                    "command": f"{self.command} --only config={run.config_id} --seeds {run.seed}-{run.seed}",
                    "parameters": sum(value.size for value in weights.values()),
                    "seconds": details["seconds"],
                    "marks": registry.load("model", run.model.name).marks(),
                    "encoding": kept(self.task.order.encoding, parts_of(self.task.order.arrays)),
                    "provenance": {
                        **provenance(),
                        "device": details.get("device", "cpu"),
                        "started": self.started,
                        "finished": timestamp(),
                        "fleet": details.get("fleet", {}),
                    },
                },
            )

        self.store.publish(run, fill)
        self.outcome.published.append(run.run_id)

    def fail(self, runs: Sequence[Run], reason: str, **details: Any) -> None:
        """Record why some runs have no result."""
        fail(runs, reason, self.store, self.outcome, **details)


def fail(runs: Sequence[Run], reason: str, store: Store, outcome: FleetOutcome, **details: Any) -> None:
    """Record why some runs have no result; those that are published, or failed for their own reason, are left."""
    for run in runs:
        if not store.is_done(run) and run.run_id not in dict(outcome.failed):
            store.record_failure(run, "train", reason, **details)
            outcome.failed.append((run.run_id, reason))


def lacks_memory(error: Exception) -> bool:
    """Whether an error says that there was no memory left; torch says so on a CPU in its text alone."""
    text = str(error)
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and ("out of memory" in text or "can't allocate memory" in text or "not enough memory" in text)
    )


def save_arrays(arrays: dict[str, ndarray], folder: Path) -> None:
    """Write weights.safetensors."""
    from safetensors.numpy import save_file

    save_file(arrays, folder / "weights.safetensors")


def _train(work: Work, stopping: Callable[[], bool]) -> None:
    missing = [run for run in work.fleet.runs if not work.store.is_done(run)]
    try:
        if work.fleet.engine == "closed_form":
            for run in missing:
                _fit(run, work)
        elif missing:
            _train_networks(work, stopping)
    except ModelError as error:
        work.fail(missing, str(error))
    except BenchmarkError:
        raise  # a missing file or a full disk concerns everything
    except OSError:
        with disk_full_explained(work.store.root):
            raise
    except Exception as error:  # an author's model may raise anything: its runs are recorded as failed with the reason
        if lacks_memory(error):
            raise  # of the machine, not of the model
        reason = advice(error) if work.fleet.engine in ("stacked", "graphed") else None
        work.fail(missing, reason or f"{type(error).__name__}: {error}", traceback=traceback.format_exc())


def _fit(run: Run, work: Work) -> None:
    """Fit a closed form, or make an anchor's codes, and publish it."""
    start = time.monotonic()
    model_class = registry.load("model", run.model.name)
    model: Anchor | Embedding = model_class(settings_of(run.model, model_class.Settings))
    weights: dict[str, ndarray] = {}
    embedded = None
    if isinstance(model, Embedding):
        rows = (
            seeded_rows(work.data.evaluation_rows, model.settings.subset, run, "subset")
            if model.transductive
            else training_sample(work.data, model.settings.subset, run, "subset")
        )
        model.fit(flattened(work.data, rows), stream(run.run_id, "fit"))
        weights = model.state()
        if model.transductive:
            embedded = rows
    trained = time.monotonic()
    if isinstance(model, Embedding):
        codes = encode_embedding(model, work.data, run, embedded)
    else:
        codes = encode_anchor(model, work.data, run)
    seconds = {"training": trained - start, "encoding": time.monotonic() - trained}
    work.publish(run, codes, weights, {"seconds": seconds})


def seeded_rows(rows: ndarray, size: int, run: Run, purpose: str) -> ndarray:
    """A sample of rows from the run's own stream, ascending; all where there are no more."""
    return np.sort(stream(run.run_id, purpose).choice(rows, min(size, len(rows)), replace=False))


def training_sample(data: Data, size: int, run: Run, purpose: str) -> ndarray:
    """A sample of the training rows from the run's own stream, ascending: all where there are no more.

    Where some are likelier than others, as many are drawn with replacement.
    """
    rows, weights = data.training_rows, data.training_weights
    if weights is None:
        return seeded_rows(rows, size, run, purpose)
    drawn = stream(run.run_id, purpose).choice(rows, min(size, len(rows)), p=weights / weights.sum())
    return np.sort(drawn)


def finish(model: NeuralModel, data: Data, run: Run) -> None:
    """Have a trained network fit what it fits to its mean codes of a sample of training points.

    Raises `ModelError` where they are not all finite.
    """
    import torch

    if type(model).finish is NeuralModel.finish:
        return
    rows = training_sample(data, FINISHING, run, "finish.rows")
    model.eval()
    with torch.no_grad():
        parts = [model.posterior(torch.from_numpy(images(data, chunk))).mu.numpy() for chunk in chunks(rows)]
    codes = np.concatenate(parts)
    if not np.isfinite(codes).all():
        raise ModelError("the encoder gives codes that are not finite numbers")
    model.finish(codes, stream(run.run_id, "finish"))


def _train_networks(work: Work, stopping: Callable[[], bool]) -> None:
    """Train a fleet of networks to its end, then encode and publish each member."""
    from benchmark.training import device, process, products
    from benchmark.training.loop import Interrupted, train
    from benchmark.training.on_device import OnDevice

    process.set_up()
    device.set_up(work.task.place)
    fleet, folder = work.fleet, work.store.fleet_folder(work.task.fleet_id)
    try:
        often, say = work.task.order.checkpoint_seconds, work.outcome.notes.append
        engine, progress = train(fleet, work.data, folder, often, stopping, work.task.place, say)
    except Interrupted:
        work.outcome.interrupted = True
        return
    work.outcome.resumed_at = progress.resumed[-1] if progress.resumed else None
    training = fleet.runs[0].training
    precision = settings_of(training, TrainingSettings).precision if training else "float32"
    about = {
        "id": fleet.fleet_id,
        "engine": fleet.engine,
        "members": len(fleet.runs),
        "seconds": progress.seconds,
        "resumed_at": progress.resumed,
        "products": products.described(precision, work.task.place),
    }
    trained_on = ", then ".join(progress.devices)
    for index, run in enumerate(fleet.runs):
        if index in progress.history.diverged:
            step = progress.history.diverged[index]
            work.fail([run], f"the loss stopped being a finite number at step {step}", step=step)
        elif not work.store.is_done(run):
            if stopping():
                work.outcome.interrupted = True  # the last checkpoint holds all that is left to encode
                return
            start = time.monotonic()
            model = engine.member(index)
            try:
                finish(model, work.data, run)
                place = work.task.place
                encoder = model if place == "cpu" else OnDevice(model, place)
                order = work.task.order
                codes = encode_neural(encoder, work.data, run, order.encoding, parts_of(order.arrays))
            except ModelError as error:
                work.fail([run], str(error))
                continue
            except (BenchmarkError, OSError):
                raise  # of the machine: it concerns everything
            except Exception as error:  # of this member alone, such as weights whose Jacobian has no decomposition
                if lacks_memory(error):
                    raise
                work.fail([run], f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
                continue
            seconds = {"training": progress.seconds / len(fleet.runs), "encoding": time.monotonic() - start}
            weights = {name: value.detach().numpy() for name, value in model.state_dict().items()}
            history = progress.history.csv(index) if progress.history.rows[index] else None
            work.publish(
                run, codes, weights, {"seconds": seconds, "fleet": about, "history": history, "device": trained_on}
            )


@contextmanager
def beating(claim: Claim) -> Iterator[None]:
    """Keep a claim's heartbeat; a beat that the folder refuses is passed over, and the next one tried."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT):
            with suppress(OSError):
                claim.beat()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Within the block an interrupt only sets a flag, which the loop reads after a step; a cluster has its own way."""
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield told_to_stop
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, lambda *_: flag.set()) for number in signals]
    try:
        yield flag.is_set
    finally:
        for number, handler in zip(signals, previous, strict=True):
            signal.signal(number, handler)
