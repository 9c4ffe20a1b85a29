"""Tasks onto the workers of an existing dask scheduler: a worker that dies costs the one task that it had in hand."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from benchmark.errors import BenchmarkError, UsageError
from benchmark.execution.tasks import DEATHS, Deaths, Outcome, few_threads, no_progress

Task = TypeVar("Task")

CONNECT_SECONDS = 10.0
"""Seconds within which a scheduler must answer."""
SHARE_SECONDS = 10.0
"""Seconds within which a worker must see a new file in the results folder."""
LOOK_SECONDS = 1.0
"""Seconds between two looks at which workers there are."""
PATIENCE = 600.0
"""Seconds without any worker that could take a task, after which a run gives up."""
PAUSED_SECONDS = 10.0
"""Seconds that a task may lie with a worker that takes up no work because its memory is full."""


def sources() -> str:
    """The sha256 of this package's source files: a worker that has others would not compute what is asked here."""
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


SOURCES = sources()
"""As they were when this process began: a worker that outlives an edit of them is found out as well."""

_one_at_a_time = threading.Lock()
_running = threading.local()


@dataclass
class Worker:
    """A worker process: where it is, what it has in hand, whether it is fit for tasks, or why it is `unfit`."""

    address: str
    status: str = "running"
    index: int | None = None
    future: Any = None
    since: float = field(default_factory=time.monotonic)
    fit: bool = False
    unfit: str = ""

    def give(self, index: int | None, future: Any) -> None:
        self.index, self.future, self.since = index, future, time.monotonic()

    def take(self) -> tuple[int | None, Any]:
        found = self.index, self.future
        self.index = self.future = None
        return found


class Cluster:
    """The worker processes of a dask scheduler, in place of a number of processes here. A context manager.

    Tasks are handed out here rather than by dask, one for each worker process and bound to it: whose worker died is
    then known exactly, and a task's deaths are counted here. `folder` is the results folder, which every worker must
    reach under the same path; `say` hears of workers that cannot be used.
    """

    def __init__(self, address: str, folder: Path, say: Callable[[str], None] = lambda _: None) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise UsageError("--scheduler needs dask: pip install 'disentanglement-benchmark[dask]'") from None
        _check_address(address)
        for name in ("distributed", "distributed.client"):  # what matters of it is said here in a sentence
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.address = address
        self.folder = folder
        self._say = say
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"--scheduler {address}: no dask scheduler answers there ({error or type(error).__name__})"
            ) from None
        self._token = folder / f".cluster-{uuid.uuid4().hex}"
        self._token.touch()
        self._workers: dict[tuple[str, str], Worker] = {}
        self._looked = self._served = time.monotonic() - LOOK_SECONDS
        self._wake = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._token.unlink(missing_ok=True)
        with suppress(OSError):  # a scheduler that is gone has nothing to close
            self._client.close(timeout=5)

    def execute(
        self,
        function: Callable[[Task], Any],
        tasks: Sequence[Task],
        watch: Callable[[], None] = lambda: None,
        progress_of: Callable[[Task], int] = no_progress,
    ) -> Iterator[Outcome[Task]]:
        """Run `function` on every task; yield each outcome as it comes. `watch` is called twice a second, and
        `progress_of` is asked here, not in a worker.

        The function catches its own errors: one that escapes it ends everything with a `BenchmarkError`. Whoever
        stops listening cancels what is in hand: `told_to_stop` says so there.
        """
        deaths = Deaths(tasks, progress_of)
        waiting = list(reversed(range(len(tasks))))
        self._served = time.monotonic()
        try:
            while waiting or self._busy():
                watch()
                with self._answering():
                    lost = self._look()
                    finished, more = self._collect()
                for index, value in finished:
                    yield Outcome(tasks[index], value)
                for index in lost + more:
                    if deaths.count(index):
                        yield Outcome(tasks[index], died=f"its worker died {DEATHS} times")
                    else:
                        waiting.append(index)
                with self._answering():
                    waiting += self._withdraw()
                    for worker in self._free():
                        if waiting:
                            index = waiting.pop()
                            worker.give(index, self._submit(worker, _run, function, tasks[index]))
                self._check_patience()
                self._wake.wait(0.5)
                self._wake.clear()
        finally:
            futures = [worker.take()[1] for worker in self._busy()]
            if futures and self._client.status == "running":
                with suppress(OSError):  # the scheduler is gone, and its workers stop with it
                    self._client.cancel(futures, force=True)

    def _busy(self) -> list[Worker]:
        return [worker for worker in self._workers.values() if worker.index is not None]

    def _free(self) -> list[Worker]:
        return [w for w in self._workers.values() if w.fit and w.index is None and w.status == "running"]

    def _identity(self) -> dict[str, Any]:
        # Not Client.scheduler_info: its answer is shared with a callback of the client's that asks for no workers.
        found: dict[str, Any] = self._client.sync(self._client.scheduler.identity)["workers"]
        return found

    def _look(self) -> list[int]:
        """See which workers came, which are ready and which died; returns the tasks that were in the dead ones' hands.

        A worker that came is asked first whether it is fit for tasks.
        """
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return []
        self._looked = time.monotonic()
        # A worker that is restarted under its address has another folder of its own.
        found = {(address, each["local_directory"]): each for address, each in self._identity().items()}
        gone = [self._workers.pop(key) for key in list(self._workers) if key not in found]
        for worker in gone:
            if worker.future is not None:
                self._client.cancel([worker.future], force=True)
        for key, each in found.items():
            if key not in self._workers:
                worker = self._workers[key] = Worker(key[0])
                worker.give(None, self._submit(worker, _greet, SOURCES, str(self._token)))
                if each["nthreads"] > 1:
                    self._say(f"note: {key[0]} has {each['nthreads']} threads and is given one task; use --nthreads 1")
            self._workers[key].status = each["status"]
        return [worker.index for worker in gone if worker.index is not None]

    def _collect(self) -> tuple[list[tuple[int, Any]], list[int]]:
        """What is finished, as (index, value), and the tasks that are lost with their worker."""
        finished, lost = [], []
        for worker in self._workers.values():
            if worker.future is None or worker.future.status == "pending":
                continue
            index, future = worker.take()
            try:
                value = self._value(future)
            except _Lost:
                if index is not None:
                    lost.append(index)
                continue  # of a worker that never said whether it is fit, nothing more is heard
            except Exception as error:
                if index is not None:
                    raise BenchmarkError(f"{worker.address} failed: {type(error).__name__}: {error}") from error
                value = f"cannot import this version ({type(error).__name__}: {error}); install it there"
            if index is not None:
                finished.append((index, value))
                continue
            worker.fit, worker.unfit = not value, value or ""
            if value:
                self._say(f"not used: {worker.address} {value}")
        return finished, lost

    def _value(self, future: Any) -> Any:
        """A future's result. Raises `_Lost` where its worker died, and what it raised otherwise."""
        from distributed.scheduler import KilledWorker, NoValidWorkerError

        if future.status in ("cancelled", "lost"):
            raise _Lost
        try:
            return future.result(timeout=60)
        except (KilledWorker, NoValidWorkerError, TimeoutError):
            raise _Lost from None

    def _withdraw(self) -> list[int]:
        """Take back tasks that were given to a worker just before it paused, and that it did not begin."""
        back = []
        for worker in self._busy():
            if worker.status == "paused" and time.monotonic() - worker.since > PAUSED_SECONDS:
                if self._client.call_stack(keys=[worker.future.key]):
                    worker.since = time.monotonic()
                    continue
                index, future = worker.take()
                self._client.cancel([future], force=True)
                back.append(index)
        return [index for index in back if index is not None]

    def _submit(self, worker: Worker, function: Callable[..., Any], *arguments: Any) -> Any:
        key = f"benchmark-{uuid.uuid4().hex}"
        future = self._client.submit(function, *arguments, key=key, workers=[worker.address], retries=0, pure=False)
        future.add_done_callback(lambda _: self._wake.set())
        return future

    def _check_patience(self) -> None:
        """Give up where no worker is fit, or none was there for long."""
        workers = self._workers.values()
        if self._busy() or any(worker.fit and worker.status == "running" for worker in workers):
            self._served = time.monotonic()
        elif workers and all(worker.unfit for worker in workers):
            first = next(iter(workers))
            raise UsageError(
                f"--scheduler {self.address}: none of its workers can be used: {first.address} {first.unfit}"
            )
        elif time.monotonic() - self._served > PATIENCE:
            raise BenchmarkError(
                f"--scheduler {self.address}: no worker took a task for {PATIENCE:.0f} s; nothing finished is lost:"
                " start workers and run the same command again"
            )

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Say in a sentence that the scheduler is gone."""
        gone = f"the dask scheduler {self.address} is gone; nothing finished is lost: run the same command again"
        if self._client.status != "running":
            raise BenchmarkError(gone)
        try:
            yield
        except OSError as error:
            raise BenchmarkError(f"{gone} ({type(error).__name__}: {error})") from None


def _check_address(address: str) -> None:
    """Raise `UsageError` on what is no address, before dask makes a client of it, which complains again at the end."""
    from distributed.comm import get_address_host_port
    from distributed.comm.registry import get_backend

    scheme, separator, _ = address.partition("://")
    try:
        get_backend(scheme if separator else "tcp")
        if scheme != "inproc":
            get_address_host_port(address)
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"--scheduler {address}: this is no address of a dask scheduler, such as tcp://host:8786 ({error})"
        ) from None


class _Lost(Exception):
    """A task's worker died before its result was here."""


def _greet(wanted: str, token: str) -> str | None:
    """In a worker: why it cannot be used, if so."""
    if wanted != SOURCES:
        return "runs other sources of this package: install the same version there and restart it"
    # A folder over the network may show a new file seconds later.
    deadline = time.monotonic() + SHARE_SECONDS
    while not Path(token).exists():
        if time.monotonic() > deadline:
            return f"does not see {Path(token).parent}: the results folder must be shared under the same path"
        time.sleep(0.2)
    return None


def _run(function: Callable[[Task], Any], task: Task) -> Any:
    """In a worker: one task at a time, whatever its threads, since torch's seeds and threads are the process's."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def cancelled() -> bool:
        state = worker.state.tasks.get(key)
        return state is None or state.state == "cancelled"

    with _one_at_a_time:
        _running.cancelled = cancelled
        try:
            with few_threads():  # a nanny sets the worker's environment; without one numpy takes every core
                return function(task)
        finally:
            del _running.cancelled


def told_to_stop() -> bool:
    """In a worker: whether whoever handed out this thread's task no longer waits for it, or is gone."""
    cancelled: Callable[[], bool] | None = getattr(_running, "cancelled", None)
    return cancelled is not None and cancelled()
