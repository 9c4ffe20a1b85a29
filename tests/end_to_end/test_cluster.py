"""Suites on a real dask cluster of separate processes: the same results, and no death, of anyone, loses or hangs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import kill
import pytest
from command import command, environment, sentence, succeed, tensors
from test_interrupt import DEADLY, KILLER, SUITE

import benchmark
from benchmark.errors import BenchmarkError, UsageError
from benchmark.execution import cluster as module
from benchmark.execution.cluster import Cluster, told_to_stop
from benchmark.execution.processes import execute
from benchmark.execution.tasks import DEATHS
from benchmark.integrity.sealed import write_json

pytest.importorskip("distributed")

HERE = Path(__file__).parent
PACKAGE = Path(benchmark.__file__).parents[1]
MIXED = """
description = "networks, a closed form and codes alone, scored by measures with and without pieces"
seeds = 2

[training]
steps = 60
batch = 16
learning_rate = 1e-3

[evaluation]
budget = "quick"
metrics = ["mig", "kl", "dci"]

[[block]]
dataset = { name = "synth_linear", points = 600 }
network = { name = "mlp_tiny", hidden = 8 }
model = ["beta_vae", { name = "pca", latents = 2 }, "mine"]
"""
MINE = '''
"""Codes that are the factors, from a loose file."""
from benchmark import Anchor


class Mine(Anchor):
    def codes(self, factors, rng):
        return factors.astype("float32")
'''


class Processes:
    """A scheduler and its workers, each a process of its own group, in a folder of their own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = settings
        folder.mkdir()
        self.all: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", file=True)
        deadline = time.monotonic() + 60
        while not (folder / "scheduler.json").exists():
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.1)
        self.address: str = json.loads((folder / "scheduler.json").read_text())["address"]

    def add(self, *options: str, package: Path = PACKAGE) -> subprocess.Popen[bytes]:
        """A worker, with its nanny unless the options say otherwise."""
        options = ("--nthreads", "1", "--no-dashboard", "--memory-limit", "0", *options)
        return self._start("worker", self.address, *options, package=package)

    def _start(self, *arguments: str, file: bool = False, package: Path = PACKAGE) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "dask", *arguments, *(["--scheduler-file", "scheduler.json"] if file else [])]
        paths = os.pathsep.join(map(str, (package, HERE, HERE.parent)))
        self.all.append(
            subprocess.Popen(
                line,
                cwd=self.folder,
                env=environment(self.folder) | self.settings | {"PYTHONPATH": paths},
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return self.all[-1]

    def wait_for(self, workers: int) -> None:
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)

    def stop(self) -> None:
        for process in self.all:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Two workers that their nannies restart, so that tests may kill them."""
    processes = Processes(tmp_path_factory.mktemp("cluster") / "processes")
    processes.add("--nworkers", "2")
    yield processes
    processes.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Processes]:
    """A scheduler without workers, for a test that spoils it."""
    processes = Processes(tmp_path / "processes")
    yield processes
    processes.stop()


def square(task: int) -> int:
    return task * task


def square_beside_another(folder: Path, task: int) -> tuple[int, int]:
    """Finish no task before a second process has begun one: on a busy machine one worker may be late by many tasks."""
    (folder / str(os.getpid())).touch()
    deadline = time.monotonic() + 60
    while len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    return task * task, os.getpid()


def work(folder: Path, doomed: dict[int, int], task: int) -> int:
    """Note the try; kill this process while the task has deaths left."""
    tries = folder / str(task)
    with tries.open("a") as file:
        file.write("x")
    time.sleep(0.1)
    if tries.stat().st_size <= doomed.get(task, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    return task * task


def freeze(folder: Path, task: int) -> int:
    """Stop this process the first time, as if its machine hung: its connections stay open."""
    try:
        (folder / "frozen").touch(exist_ok=False)
    except FileExistsError:
        return task
    os.kill(os.getpid(), signal.SIGSTOP)
    return -1


def wait_for_the_end(folder: Path, task: int) -> bool:
    """Work until told to stop, and say so."""
    (folder / f"began{task}").touch()
    deadline = time.monotonic() + 60
    while not told_to_stop():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    (folder / f"stopped{task}").touch()
    return True


def pause(task: int) -> int:
    """Let this worker take up no further work, as dask does when its memory is nearly full."""
    from distributed import get_worker
    from distributed.core import Status

    if task == 0:
        get_worker().status = Status.paused
    return task


def appears(path: Path, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return path.exists()


def test_every_task_comes_back_once_from_both_workers(two, tmp_path):
    for name in ("shared", "began"):
        (tmp_path / name).mkdir()
    with Cluster(two.address, tmp_path / "shared") as cluster:
        outcomes = list(execute(partial(square_beside_another, tmp_path / "began"), range(40), cluster))
        assert list(execute(square, [], cluster)) == []
    assert sorted(outcome.value[0] for outcome in outcomes) == [task**2 for task in range(40)]
    pids = {outcome.value[1] for outcome in outcomes}
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert list((tmp_path / "shared").iterdir()) == []


@pytest.mark.parametrize("doomed", [{2: 1}, {2: 99}, {0: 99, 1: 99}])
def test_a_worker_that_dies_costs_its_own_task_and_no_other(two, tmp_path, doomed):
    with Cluster(two.address, tmp_path) as cluster:
        (tries := tmp_path / "tries").mkdir()
        outcomes = list(execute(partial(work, tries, doomed), range(6), cluster))
    lost = {task for task, deaths in doomed.items() if deaths >= DEATHS}
    assert len(outcomes) == 6
    assert {outcome.task: outcome.value for outcome in outcomes if not outcome.died} == {
        task: task**2 for task in range(6) if task not in lost
    }
    assert {outcome.task: outcome.died for outcome in outcomes if outcome.died} == dict.fromkeys(
        lost, f"its worker died {DEATHS} times"
    )
    assert {int(path.name): path.stat().st_size for path in tries.iterdir()} == {
        task: min(doomed.get(task, 0) + 1, DEATHS) for task in range(6)
    }


def test_a_task_that_gets_further_before_each_death_is_carried_on(two, tmp_path):
    def tries_of(task: int) -> int:
        path = tmp_path / "tries" / str(task)
        return path.stat().st_size if path.exists() else 0

    (tmp_path / "tries").mkdir()
    with Cluster(two.address, tmp_path) as cluster:
        doomed = partial(work, tmp_path / "tries", {0: DEATHS + 1})
        outcomes = list(execute(doomed, range(2), cluster, progress_of=tries_of))
    assert sorted((outcome.value, outcome.died) for outcome in outcomes) == [(0, None), (1, None)]
    assert tries_of(0) == DEATHS + 2


def test_a_worker_that_hangs_is_given_up_for_another(tmp_path):
    processes = Processes(tmp_path / "processes", DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL="3s")
    try:
        processes.add("--no-nanny")
        processes.add("--no-nanny")
        with Cluster(processes.address, tmp_path) as cluster:
            outcomes = list(execute(partial(freeze, tmp_path), [0, 1, 2, 3], cluster))
    finally:
        processes.stop()
    assert sorted((outcome.value, outcome.died) for outcome in outcomes) == [(task, None) for task in range(4)]


def test_whoever_stops_listening_stops_the_tasks(two, tmp_path):
    with Cluster(two.address, tmp_path) as cluster:
        outcomes = execute(partial(wait_for_the_end, tmp_path), [0, 1], cluster, lambda: None)
        with pytest.raises(RuntimeError, match="enough"):
            for _ in iter_until(outcomes, tmp_path / "began0", tmp_path / "began1"):
                pass
    assert appears(tmp_path / "stopped0") and appears(tmp_path / "stopped1")


def iter_until(outcomes, *paths):
    """Outcomes until all paths are there; then an error, as from whoever listens."""
    import threading

    def interrupt():
        assert all(appears(path) for path in paths)
        os.kill(os.getpid(), signal.SIGUSR1)

    def enough(*_):
        raise RuntimeError("enough")

    previous = signal.signal(signal.SIGUSR1, enough)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield from outcomes
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, previous)


def test_a_task_given_to_a_worker_that_pauses_goes_to_another(own, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAUSED_SECONDS", 2.0)
    own.add("--no-nanny")
    with Cluster(own.address, tmp_path) as cluster:
        assert next(execute(square, [3], cluster)).value == 9
        outcomes = execute(pause, [0, 1, 2], cluster)
        assert next(outcomes).value == 0
        own.add("--no-nanny")
        assert sorted(outcome.value for outcome in outcomes) == [1, 2]


def test_workers_of_other_sources_are_named_and_not_used(own, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(PACKAGE / "benchmark", other / "benchmark")
    with (other / "benchmark" / "seeds.py").open("a") as file:
        file.write("# edited\n")
    own.add("--no-nanny", package=other)
    with Cluster(own.address, tmp_path) as cluster, pytest.raises(UsageError, match="none of its workers can be used:"):
        list(execute(square, [1], cluster))
    said: list[str] = []
    own.add("--no-nanny", "--nthreads", "2")
    own.wait_for(2)
    with Cluster(own.address, tmp_path, said.append) as cluster:
        assert [outcome.value for outcome in execute(square, [1, 2], cluster)] == [1, 4]
    assert any(line.startswith("not used: tcp://127.0.0.1") and "runs other sources" in line for line in said), said
    assert any("has 2 threads and is given one task; use --nthreads 1" in line for line in said), said


def test_a_worker_that_does_not_see_the_results_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHARE_SECONDS", 0.3)
    assert module._greet(module.SOURCES, str(tmp_path)) is None
    reason = module._greet(module.SOURCES, str(tmp_path / "elsewhere" / "token"))
    assert reason and reason.startswith(f"does not see {tmp_path / 'elsewhere'}: the results folder must be shared")


def test_without_workers_it_gives_up_in_the_end(own, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 2.0)
    with (
        Cluster(own.address, tmp_path) as cluster,
        pytest.raises(BenchmarkError, match="no worker took a task for 2 s; nothing finished is lost: start workers"),
    ):
        list(execute(square, [1], cluster))


def test_no_scheduler_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CONNECT_SECONDS", 1.0)
    with pytest.raises(UsageError, match=r"--scheduler tcp://127.0.0.1:9: no dask scheduler answers there"):
        Cluster("tcp://127.0.0.1:9", tmp_path)
    with pytest.raises(UsageError, match="--scheduler nonsense://x: this is no address of a dask scheduler"):
        Cluster("nonsense://x", tmp_path)


def test_without_dask_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"needs dask: pip install 'disentanglement-benchmark\[dask\]'"):
        Cluster("tcp://127.0.0.1:9", tmp_path)


def table(results: Path) -> list[dict[str, object]]:
    """A suite's scores without what differs from one evaluation to the next."""
    import pandas as pd

    found = pd.read_csv(results / "suites" / "mixed" / "results.csv").drop(columns="seconds")
    records: list[dict[str, object]] = json.loads(found.to_json(orient="records", double_precision=15))
    return records


def test_a_suite_on_a_cluster_gives_the_results_of_a_local_one(two, tmp_path):
    (tmp_path / "mixed.toml").write_text(MIXED)
    (tmp_path / "mine.py").write_text(MINE)
    for results, where in (("here", ("--jobs", "2")), ("there", ("--scheduler", two.address))):
        options = ("mixed.toml", "--results", results, "--plugin", "mine.py", *where)
        assert succeed(tmp_path, "run", *options).stdout.startswith("mixed: 6 runs done, 6 of them now; 0 failed")
        succeed(tmp_path, "evaluate", *options)
    assert len(tensors(tmp_path / "here")) >= 8
    assert tensors(tmp_path / "there") == tensors(tmp_path / "here")
    assert len(table(tmp_path / "here")) > 20
    assert table(tmp_path / "there") == table(tmp_path / "here")

    # A finished run whose codes hold too little is encoded again there.
    record = next((tmp_path / "there").glob("runs/*/beta_vae/*/s0/run.json"))
    content = json.loads(record.read_text())
    content["encoding"]["version"] -= 1
    write_json(record, content)
    err = succeed(tmp_path, "run", "mixed.toml", *options[1:]).stderr
    assert f"encoded {content['run_id']}" in err
    assert tensors(tmp_path / "there") == tensors(tmp_path / "here")


def start(folder: Path, results: str, address: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "benchmark", "run", "suite.toml", "--scheduler", address, "--results", results]
    return subprocess.Popen(
        line, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def holder(results: Path) -> int:
    """The process that trains the only fleet."""
    (claim,) = results.glob("fleets/*/claim.json")
    pid: int = json.loads(claim.read_text())["pid"]
    return pid


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with the suite, and the checksums of a local run of it."""
    folder = tmp_path_factory.mktemp("suite")
    return folder, kill.undisturbed(folder, SUITE)[0]


def test_a_worker_killed_in_the_middle_is_resumed_by_another_bit_for_bit(undisturbed, own):
    folder, wanted = undisturbed
    workers = {worker.pid: worker for worker in (own.add("--no-nanny"), own.add("--no-nanny"))}
    process = start(folder, "killed", own.address)
    assert kill.checkpointed(process, folder / "killed" / "fleets")
    killed = workers[holder(folder / "killed")]
    killed.kill()
    killed.wait()
    err = kill.finish(process)
    assert "resumed 2 runs at step " in err
    assert "resumed 2 runs at step 0" not in err
    assert tensors(folder / "killed") == wanted
    assert not list((folder / "killed" / "failures").glob("*"))
    assert not list((folder / "killed" / "fleets").glob("*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_save_and_stop_when_whoever_asked_is_gone(undisturbed, two, number):
    folder, wanted = undisturbed
    results = folder / f"stopped{number}"
    process = start(folder, results.name, two.address)
    assert kill.checkpointed(process, results / "fleets")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    if number == signal.SIGINT:
        assert process.returncode == 130
        lines = [line for line in err.splitlines() if not line.startswith("done ")]
        assert lines == ["interrupted: nothing finished is lost; the same command carries on"]
    deadline = time.monotonic() + 30
    while list(results.glob("fleets/*/claim.json")):
        assert time.monotonic() < deadline, "the worker goes on"
        time.sleep(0.1)
    assert list(results.glob("fleets/*/checkpoint.safetensors")), "it went on to the end"
    err = kill.finish(start(folder, results.name, two.address))
    assert "resumed 2 runs at step " in err
    assert tensors(results) == wanted


def test_a_scheduler_that_is_gone_ends_the_run_with_a_sentence(undisturbed, own):
    folder, _ = undisturbed
    own.add("--no-nanny")
    process = start(folder, "gone", own.address)
    assert kill.checkpointed(process, folder / "gone" / "fleets")
    own.scheduler.kill()
    _, err = process.communicate(timeout=90)
    assert process.returncode == 1
    said = [line for line in err.splitlines() if not line.startswith("training 2 runs: ")]  # a slow machine says more
    assert len(said) == 1, err
    assert said[0].startswith(f"error: the dask scheduler {own.address} is gone; nothing finished is lost")


def test_a_run_that_always_kills_its_worker_is_recorded_and_the_others_are_done(two, tmp_path):
    (tmp_path / "killer.py").write_text(KILLER.replace('Path("tries")', f"Path({str(tmp_path / 'tries')!r})"))
    (tmp_path / "deadly.toml").write_text(DEADLY.format(deaths=99))
    result = command(tmp_path, "run", "deadly.toml", "--scheduler", two.address, "--plugin", "killer.py")
    assert result.returncode == 1
    assert result.stdout.startswith("deadly: 2 runs done, 2 of them now; 1 failed")
    assert f"its worker died {DEATHS} times" in result.stderr
    assert "Traceback" not in result.stderr
    (failure,) = (tmp_path / "results" / "failures").iterdir()
    assert json.loads(failure.read_text())["reason"] == f"its worker died {DEATHS} times"


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--jobs", "2"], "--jobs counts processes here"), (["--dry-run"], "--dry-run estimates for --jobs N processes")],
)
def test_what_does_not_go_with_a_cluster_is_said(tmp_path, options, said):
    (tmp_path / "suite.toml").write_text(SUITE)
    assert said in sentence(command(tmp_path, "run", "suite.toml", "--scheduler", "tcp://x:1", *options), 2)
