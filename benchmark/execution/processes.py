"""Tasks onto processes: outcomes come back as they finish, and a killed worker costs its own task in hand, no other."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from benchmark.atomic import is_full
from benchmark.errors import BenchmarkError
from benchmark.execution.semaphores import clear_dead, name_ours
from benchmark.execution.tasks import DEATHS, Deaths, Elsewhere, Outcome, Task, few_threads, no_progress

Workers: TypeAlias = "int | Elsewhere"
"""Where tasks run: so many processes here, none for this process itself, or the workers of a dask scheduler."""


def execute(
    function: Callable[[Task], Any],
    tasks: Sequence[Task],
    jobs: Workers,
    watch: Callable[[], None] = lambda: None,
    progress_of: Callable[[Task], int] = no_progress,
) -> Iterator[Outcome[Task]]:
    """Run `function` on every task in `jobs` processes, or on a cluster; yield each outcome as it comes.

    The function catches its own errors and returns them: only a death of its process is handled here. A broken pool
    loses the tasks in hand; those are then run one at a time, so that a second death names its task.
    `watch` is called twice a second. `progress_of` says how much of a task is kept: one that got further than ever is
    carried on however often its process dies. With jobs = 0 everything runs in this process, for debugging.
    """
    if not isinstance(jobs, int):
        yield from jobs.execute(function, tasks, watch, progress_of)
        return
    if jobs == 0:
        for task in tasks:
            watch()
            with few_threads():
                value = function(task)
            yield Outcome(task, value)
        return
    deaths = Deaths(tasks, progress_of)
    waiting = list(range(len(tasks)))
    while waiting:
        suspects = [index for index in waiting if deaths[index]]
        batch, width = (suspects[:1], 1) if suspects else (waiting, min(jobs, len(waiting)))
        finished: set[int] = set()
        for index, value, started in _round(function, tasks, batch, width, watch):
            if index is not None:
                finished.add(index)
                yield Outcome(tasks[index], value)
                continue
            for lost in started:
                if deaths.count(lost):
                    finished.add(lost)
                    yield Outcome(tasks[lost], died=f"its process was killed {DEATHS} times")
        waiting = [index for index in waiting if index not in finished]


@contextmanager
def _shared_memory() -> Iterator[None]:
    """Say in a sentence that processes cannot be started because there is no room for what they share."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise BenchmarkError(
            "no space left in /dev/shm, where processes share their semaphores: free some and run the same command"
            " again, or work in this process alone with --jobs 0"
        ) from None


def _end_with(parent: int) -> None:
    """End this worker process when the one that started it is gone: nobody is left to take its results."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


def _start_tracker() -> None:
    """Start loky's tracker of semaphores, unless it runs, so that it is silent: a worker that is killed leaves some
    behind, which the tracker removes at the end, and would complain of on stderr."""
    from joblib.externals.loky.backend import resource_tracker

    given = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (given, "ignore:resource_tracker")))
    try:
        resource_tracker.ensure_running()
    finally:
        if given is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = given


def _round(
    function: Callable[[Task], Any], tasks: Sequence[Task], batch: list[int], width: int, watch: Callable[[], None]
) -> Iterator[tuple[int | None, Any, list[int]]]:
    """One pool's life: (index, value, []) for each task done, and (None, None, tasks in hand) if the pool broke."""
    from joblib.externals.loky.process_executor import BrokenProcessPool, ProcessPoolExecutor, ShutdownExecutorError

    # loky replaces a worker that has grown by 300 MB between two tasks, as loading data makes it do, and warns of it.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    # A process a core, each of one thread: numpy's own threads on top would fight for the cores.
    threads = {name: os.environ.get(name, "1") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    _start_tracker()
    clear_dead()
    name_ours()
    with _shared_memory():
        pool = ProcessPoolExecutor(max_workers=width, initializer=_end_with, initargs=(os.getpid(),), env=threads)
    queue = list(reversed(batch))
    running: dict[Future[Any], int] = {}
    broken = False
    try:
        while (queue or running) and not broken:
            # No more than one task a process is handed over, so that those in hand are known when the pool breaks.
            while queue and len(running) < width:
                try:
                    with _shared_memory():
                        future = pool.submit(function, tasks[queue[-1]])
                except (BrokenProcessPool, ShutdownExecutorError):
                    broken = True  # an idle worker was killed: nothing of it was in hand
                    break
                running[future] = queue.pop()
            watch()
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    value = future.result()
                except (BrokenProcessPool, ShutdownExecutorError):
                    broken = True
                    continue
                yield running.pop(future), value, []
        if broken:
            yield None, None, list(running.values())
    except KeyboardInterrupt:
        # Whether or not the workers got the same signal, they save and stop; give them a moment to do so.
        for pid in list(pool._processes or ()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        wait(running, timeout=30)
        raise
    finally:
        pool.shutdown(wait=True, kill_workers=True)
