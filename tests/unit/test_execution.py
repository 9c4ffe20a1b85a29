"""Tasks onto processes: a killed worker costs its own task in hand, and no other."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from benchmark.errors import BenchmarkError
from benchmark.execution.claim import born, space
from benchmark.execution.processes import execute
from benchmark.execution.semaphores import FOLDER, clear_dead
from benchmark.execution.tasks import DEATHS, Deaths


def square(task: int) -> tuple[int, int]:
    return task * task, os.getpid()


def work(folder: Path, doomed: dict[int, int], task: int) -> int:
    """Note the try; kill this process while the task has deaths left."""
    tries = folder / str(task)
    with tries.open("a") as file:
        file.write("x")
    time.sleep(0.05)
    if tries.stat().st_size <= doomed.get(task, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    return task * task


def tries(folder: Path) -> Counter[int]:
    return Counter({int(path.name): path.stat().st_size for path in folder.iterdir()})


@pytest.mark.parametrize("jobs", [0, 1, 2])
def test_every_task_comes_back_once(jobs):
    outcomes = list(execute(square, range(5), jobs))
    assert sorted(outcome.task for outcome in outcomes) == list(range(5))
    assert all(outcome.value[0] == outcome.task**2 and outcome.died is None for outcome in outcomes)
    pids = {outcome.value[1] for outcome in outcomes}
    assert (pids == {os.getpid()}) == (jobs == 0)
    assert len(pids) <= max(jobs, 1)


@pytest.mark.parametrize("jobs", [0, 2])
def test_without_tasks_there_is_nothing_to_do(jobs):
    assert list(execute(square, [], jobs)) == []


def test_in_this_process_the_order_is_kept_and_watch_is_called():
    calls = []
    outcomes = list(execute(square, [3, 1, 2], 0, lambda: calls.append(1)))
    assert [outcome.task for outcome in outcomes] == [3, 1, 2]
    assert len(calls) == 3


def test_watch_is_called_while_work_goes_on():
    calls: list[float] = []
    list(execute(time.sleep, [1.3], 1, lambda: calls.append(time.monotonic())))
    assert len(calls) >= 3


def test_a_worker_killed_once_is_retried_and_everything_completes(tmp_path):
    outcomes = list(execute(partial(work, tmp_path, {2: 1}), range(6), 2))
    assert {outcome.task: outcome.value for outcome in outcomes} == {task: task**2 for task in range(6)}
    assert len(outcomes) == 6
    assert tries(tmp_path)[2] == 2


def test_a_task_that_always_kills_its_worker_is_given_up_and_named_alone(tmp_path):
    outcomes = {outcome.task: outcome for outcome in execute(partial(work, tmp_path, {2: 99}), range(6), 2)}
    assert set(outcomes) == set(range(6))
    assert outcomes[2].died == f"its process was killed {DEATHS} times"
    assert outcomes[2].value is None
    assert {task: outcomes[task].value for task in range(6) if task != 2} == {t: t**2 for t in range(6) if t != 2}
    assert tries(tmp_path)[2] == DEATHS


def test_a_task_that_gets_further_before_each_death_is_carried_on(tmp_path):
    def tries_of(task: int) -> int:
        return tries(tmp_path)[task]

    outcomes = list(execute(partial(work, tmp_path, {0: DEATHS + 1}), range(2), 2, progress_of=tries_of))
    assert sorted((outcome.task, outcome.value, outcome.died) for outcome in outcomes) == [(0, 0, None), (1, 1, None)]
    assert tries(tmp_path)[0] == DEATHS + 2


def test_deaths_count_from_where_a_task_last_got_further_than_ever():
    reached = {"long": 7, "short": 0}
    deaths = Deaths(["long", "short"], reached.__getitem__)
    assert not deaths.count(0) and deaths[0] == 1
    for reached["long"] in (8, 9):
        assert not deaths.count(0) and deaths[0] == 0
    assert not deaths.count(0)
    reached["long"] = 3  # its checkpoint was damaged: it gets as far as it was, and dies there again
    assert deaths.count(0) and deaths[0] == DEATHS
    assert deaths[1] == 0


def test_two_that_kill_are_both_given_up(tmp_path):
    outcomes = list(execute(partial(work, tmp_path, {0: 99, 1: 99}), range(3), 2))
    assert {outcome.task for outcome in outcomes if outcome.died} == {0, 1}
    assert [outcome.value for outcome in outcomes if not outcome.died] == [4]


def test_an_idle_worker_that_is_killed_costs_no_task(tmp_path):
    outcomes = []
    for outcome in execute(square, range(4), 1):
        outcomes.append(outcome)
        if len(outcomes) == 1:
            os.kill(outcome.value[1], signal.SIGKILL)
            time.sleep(1.0)  # the pool notices before the next task is handed over
    assert [outcome.value[0] for outcome in outcomes] == [0, 1, 4, 9]


def test_whoever_stops_listening_stops_the_processes():
    outcomes = execute(square, range(100), 2)
    pid = next(outcomes).value[1]
    outcomes.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


KILLED = """
import os, signal, time
from benchmark.execution.processes import execute

def kill(task):
    os.killpg(os.getppid(), signal.SIGKILL)

if __name__ == "__main__":
    list(execute(kill, [0], 1))
"""


@pytest.mark.skipif(not FOLDER.is_dir() or space() is None, reason="only Linux shows its semaphores")
def test_semaphores_of_the_killed_are_cleared_and_those_of_the_living_and_of_elsewhere_kept(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    process = subprocess.Popen([sys.executable, str(script)], start_new_session=True, stderr=subprocess.DEVNULL)
    assert process.wait(60) == -signal.SIGKILL
    left = list(FOLDER.glob(f"sem.benchmark-*-{process.pid}-*"))
    assert left, "the process left nothing to clear"
    others = [
        FOLDER / f"sem.benchmark-{space()}-{os.getpid()}-{born(os.getpid())}-abc",
        FOLDER / f"sem.benchmark-1-{process.pid}-1-abc",
        FOLDER / f"sem.loky-{process.pid}-abc",
    ]
    for path in others:
        path.touch()
    try:
        assert clear_dead() >= len(left)
        assert not any(path.exists() for path in left)
        assert all(path.exists() for path in others)
    finally:
        for path in others:
            path.unlink()


def test_no_room_for_semaphores_is_one_sentence(monkeypatch):
    from joblib.externals.loky.backend import synchronize

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(synchronize, "_SemLock", full)
    with pytest.raises(BenchmarkError, match="no space left in /dev/shm"):
        list(execute(square, [1], 1))


def threads(_: int) -> set[int]:
    from threadpoolctl import threadpool_info

    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_in_this_process_products_take_one_thread_as_in_a_worker(monkeypatch):
    from threadpoolctl import threadpool_limits

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    with threadpool_limits(2, "blas"):
        assert [outcome.value for outcome in execute(threads, [0], 0)] == [{1}]
        assert threads(0) == {2}
