"""What may befall a fleet at work: no memory, others at it, deaths, lost claims, interrupts, one bad member."""

from __future__ import annotations

import errno
import shlex
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from command import succeed
from small import after, fleet_of, load, small_run

from benchmark.errors import BenchmarkError
from benchmark.execution.claim import Claim
from benchmark.execution.tasks import Outcome
from benchmark.integrity.sealed import read_json, render, sealed
from benchmark.spec import Run
from benchmark.stages import worker
from benchmark.stages.order import Order
from benchmark.stages.train import kept_progress, plan, save_fleets, train_fleets, turn, unfinished_fleets
from benchmark.stages.worker import FleetOutcome, FleetTask, claim_of, lacks_memory
from benchmark.store import Store, write_json
from benchmark.suite import EncodingSettings
from benchmark.training.checkpoint import kept_step
from benchmark.training.fleet import Fleet, read_fleet
from benchmark.training.loop import Interrupted, train
from benchmark.verbs.prune import prune


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_lack_of_memory_is_told_from_a_failure_of_the_model(error: Exception, lacks: bool) -> None:
    assert lacks_memory(error) is lacks


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.alone: list[int] = []
        self.waiting: list[tuple[str, str]] = []
        self.notes: list[str] = []

    def watch(self) -> None:
        pass

    def on_outcome(self, fleet: Fleet, outcome: FleetOutcome) -> None:
        self.done.append(fleet.fleet_id)

    def on_waiting(self, fleet_id: str, holder: str) -> None:
        self.waiting.append((fleet_id, holder))

    def on_alone(self, fleets: int) -> None:
        self.alone.append(fleets)

    def on_note(self, note: str) -> None:
        self.notes.append(note)


@pytest.mark.parametrize("alone_suffices", [True, False])
def test_what_lacks_memory_is_tried_again_alone_and_is_no_failure(
    alone_suffices: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def starving(task: FleetTask) -> FleetOutcome:
        tries.append(task.fleet_id)
        enough = alone_suffices and len(tries) > 2
        return FleetOutcome(task.fleet_id, starved=None if enough else "can't allocate memory")

    monkeypatch.setattr("benchmark.stages.train.train_fleet", starving)
    heard = Heard()
    fleets = [fleet_of("stacked", "vae"), fleet_of("stacked", "beta_vae")]

    def all_of_them() -> None:
        train_fleets(Order(tmp_path), fleets, heard, jobs=0)

    if alone_suffices:
        all_of_them()
        assert sorted(heard.done) == sorted(fleet.fleet_id for fleet in fleets)
    else:
        with pytest.raises(BenchmarkError, match="not enough memory to train fleet"):
            all_of_them()
    assert heard.alone == [2]
    assert not (tmp_path / "failures").exists()


def test_what_others_train_is_waited_for_without_starting_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two fleets are held by another process, which lets one go at the third look and the other one at the sixth."""
    fleets = [fleet_of("stacked", "vae"), fleet_of("stacked", "beta_vae")]
    store = Store(tmp_path)
    claims = [claim_of(store, fleet.fleet_id) for fleet in fleets]
    tries: list[str] = []

    def asking(task: FleetTask) -> FleetOutcome:
        tries.append(task.fleet_id)
        claim = claim_of(store, task.fleet_id)
        return FleetOutcome(task.fleet_id, busy=claim.holder() if claim.is_held() else None)

    class Looking(Heard):
        looks = 0

        def watch(self) -> None:
            self.looks += 1
            if self.looks in (3, 6):
                claims.pop(0).release()

    monkeypatch.setattr("benchmark.stages.train.train_fleet", asking)
    monkeypatch.setattr("benchmark.stages.train.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("benchmark.stages.train.execute", lambda work, tasks, *_: (Outcome(t, work(t)) for t in tasks))
    assert all(claim.take() for claim in claims)
    heard = Looking()
    train_fleets(Order(tmp_path), fleets, heard, jobs=0)
    first, second = (fleet.fleet_id for fleet in sorted(fleets, key=turn))
    assert sorted(heard.done) == sorted((first, second)) and len(heard.waiting) == 2
    assert sorted(tries[:2]) == sorted(tries[2:4]) and len(tries) == 5


def test_a_fleet_whose_workers_died_fails_and_a_retry_goes_on_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, store = fleet_of("stacked", "vae"), Store(tmp_path)
    path = store.fleet_folder(fleet.fleet_id)
    write_json(path / "fleet.json", {"fleet": fleet.to_json()})
    assert (kept_step(path / "checkpoint.safetensors"), kept_progress(store, fleet)) == (0, 0)
    with pytest.raises(Interrupted):
        train(fleet, load(fleet.runs[0]), path, 1e9, after(3))
    assert (kept_step(path / "checkpoint.safetensors"), kept_progress(store, fleet)) == (6, 6)
    asked: list[int] = []

    def dying(_: Any, tasks: list[FleetTask], *others: Any) -> list[Outcome[FleetTask]]:
        asked.append(others[-1](tasks[0]))
        return [Outcome(tasks[0], died="its process was killed 2 times")]

    with monkeypatch.context() as patched:
        patched.setattr("benchmark.stages.train.execute", dying)
        train_fleets(Order(tmp_path), [fleet], Heard(), jobs=1)
    assert asked == [6]
    for run in fleet.runs:
        failure = store.failure(run)
        assert failure is not None and failure["reason"] == "its process was killed 2 times"
    runs = list(fleet.runs)
    assert (plan(store, runs), plan(store, runs, retry_failed=True)) == ([], [fleet])
    outcome = worker.train_fleet(FleetTask(Order(tmp_path), fleet.fleet_id))
    assert outcome.resumed_at == 6
    assert len(outcome.published) == kept_progress(store, fleet) == len(runs)


def test_a_fleet_that_failed_is_pruned(tmp_path: Path) -> None:
    fleet, store = fleet_of("stacked", "vae"), Store(tmp_path)
    write_json(store.fleet_folder(fleet.fleet_id) / "fleet.json", {"fleet": fleet.to_json()})
    for run in fleet.runs:
        store.record_failure(run, "train", "its process was killed 2 times")
    assert prune(results=tmp_path)["fleets"] == 1
    assert not store.fleet_folder(fleet.fleet_id).exists()


def test_who_lost_a_fleet_leaves_the_folder_to_who_took_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run("pca", {"latents": 2})
    store, fleet = Store(tmp_path), Fleet("closed_form", (run,))
    write_json(store.fleet_folder(fleet.fleet_id) / "fleet.json", {"fleet": fleet.to_json()})
    claim = claim_of(store, fleet.fleet_id)
    encode = worker.encode_embedding

    def taken_over(*arguments: Any) -> Any:
        claim.path.write_text(render(sealed({"host": "elsewhere", "pid": 1, "born": None, "space": None})))
        return encode(*arguments)

    monkeypatch.setattr(worker, "encode_embedding", taken_over)
    outcome = worker.train_fleet(FleetTask(Order(tmp_path), fleet.fleet_id))
    assert (outcome.published, outcome.fatal) == ([run.run_id], None)
    assert (claim.path.with_name("fleet.json").exists(), claim.holder()) == (True, "process 1 on elsewhere")


def test_a_beat_that_the_folder_refuses_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = Claim(tmp_path / "claim.json")
    beats: list[float] = []

    def beat() -> None:
        beats.append(time.monotonic())
        if len(beats) == 1:
            raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(claim, "beat", beat)
    monkeypatch.setattr(worker, "HEARTBEAT", 0.01)
    with worker.beating(claim):
        deadline = time.monotonic() + 10
        while len(beats) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert len(beats) >= 3


def test_fleets_that_another_process_finishes_at_that_moment_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleets = sorted((fleet_of("stacked", "vae"), fleet_of("stacked", "beta_vae")), key=lambda fleet: fleet.fleet_id)
    store = Store(tmp_path)
    gone, stays = fleets

    def late(path: Path) -> tuple[Fleet, str]:
        shutil.rmtree(store.fleet_folder(gone.fleet_id), ignore_errors=True)
        return read_fleet(path)

    monkeypatch.setattr("benchmark.stages.train.read_fleet", late)
    monkeypatch.setattr("benchmark.training.fleet.read_fleet", late)
    save_fleets(store, fleets, "benchmark run")
    assert unfinished_fleets(store, [*gone.runs, *stays.runs]) == [stays]
    save_fleets(store, fleets, "benchmark run")
    for run in stays.runs:
        store.record_failure(run, "train", "it broke")
    assert prune(results=tmp_path)["fleets"] == 1
    assert not list((tmp_path / "fleets").iterdir())


def test_what_two_prune_at_once_is_counted_by_one_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aside = Store(tmp_path).root / "damaged" / "abc-s0-1a2b3c4d"
    aside.mkdir(parents=True)
    monkeypatch.setattr("benchmark.verbs.prune.shutil.rmtree", lambda folder: [folder.rmdir(), folder.rmdir()])
    assert prune(results=tmp_path)["damaged runs"] == 0


def test_a_member_that_cannot_be_encoded_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is raised: before, a member's singular values took those after it along."""
    from numpy.linalg import LinAlgError

    runs = tuple(small_run("vae", seed=seed, training={"steps": 20}) for seed in range(3))
    store, fleet = Store(tmp_path), Fleet("stacked", runs)
    write_json(store.fleet_folder(fleet.fleet_id) / "fleet.json", {"fleet": fleet.to_json()})
    encode = worker.encode_neural

    def encoded(model: Any, data: Any, run: Run, *others: Any) -> Any:
        if run.seed == 1:
            raise LinAlgError("SVD did not converge")
        return encode(model, data, run, *others)

    monkeypatch.setattr(worker, "encode_neural", encoded)
    kept = EncodingSettings(likelihood_points=0)
    outcome = worker.train_fleet(FleetTask(Order(tmp_path, encoding=kept, arrays=frozenset()), fleet.fleet_id))
    assert outcome.published == [runs[0].run_id, runs[2].run_id]
    assert outcome.failed == [(runs[1].run_id, "LinAlgError: SVD did not converge")]
    failure = store.failure(runs[1])
    assert failure is not None and "in encoded" in failure["traceback"]


def interrupting(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with an interrupt on its way."""

    def interrupted(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return function(*arguments)

    return interrupted


def test_an_interrupt_among_codes_leaves_the_other_members_to_a_rerun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tuple(small_run("vae", seed=seed, training={"steps": 20}) for seed in range(2))
    store, fleet = Store(tmp_path), Fleet("stacked", runs)
    folder = store.fleet_folder(fleet.fleet_id)
    write_json(folder / "fleet.json", {"fleet": fleet.to_json()})
    task = FleetTask(Order(tmp_path, encoding=EncodingSettings(likelihood_points=0)), fleet.fleet_id)
    with monkeypatch.context() as patched:
        patched.setattr(worker, "encode_neural", interrupting(worker.encode_neural))
        outcome = worker.train_fleet(task)
    assert (outcome.published, outcome.interrupted) == ([runs[0].run_id], True)
    assert (folder / "checkpoint.safetensors").exists()
    again = worker.train_fleet(task)
    assert (again.published, again.resumed_at, again.interrupted) == ([runs[1].run_id], 20, False)
    assert not folder.exists()


def test_an_interrupt_while_the_last_run_is_fitted_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run("pca", {"latents": 2})
    store, fleet = Store(tmp_path), Fleet("closed_form", (run,))
    write_json(store.fleet_folder(fleet.fleet_id) / "fleet.json", {"fleet": fleet.to_json()})
    monkeypatch.setattr(worker, "encode_embedding", interrupting(worker.encode_embedding))
    outcome = worker.train_fleet(FleetTask(Order(tmp_path), fleet.fleet_id))
    assert (outcome.published, outcome.interrupted) == ([run.run_id], True)
    assert not store.fleet_folder(fleet.fleet_id).exists()


def test_what_another_file_defines_here_is_not_trained_and_keeps_its_checkpoint(tmp_path: Path) -> None:
    """A worker, or a fleet, from elsewhere: the id names one file, and here is another."""
    plain, store = fleet_of("stacked", "vae"), Store(tmp_path)
    runs = tuple(replace(run, model=replace(run.model, source="ab" * 32)) for run in plain.runs)
    fleet = Fleet("stacked", runs)
    folder = store.fleet_folder(fleet.fleet_id)
    write_json(folder / "fleet.json", {"fleet": fleet.to_json()})
    with pytest.raises(Interrupted):
        train(fleet, load(runs[0]), folder, 1e9, after(3))
    outcome = worker.train_fleet(FleetTask(Order(tmp_path), fleet.fleet_id))
    assert outcome.fatal == (
        "model vae: this run is of a vae.py of sha256 abababababab…, and here is an installed package; put the former"
        " back, or train anew with the latter by `benchmark run`: its runs have ids of their own"
    )
    assert (outcome.published, outcome.failed, kept_progress(store, fleet)) == ([], [], 6)


ONE = """
description = "one model"
[[block]]
dataset = { name = "synth_linear", points = 60 }
model = "perfect"
"""


def test_the_recorded_command_makes_a_run_again_that_has_no_seed_of_the_suites(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(ONE)
    succeed(tmp_path, "run", "one.toml", "--seeds", "5-6")
    (path,) = tmp_path.glob("results/runs/*/perfect/*/s5/run.json")
    words = shlex.split(read_json(path)["command"])
    shutil.rmtree(tmp_path / "results")
    assert succeed(tmp_path, *words[1:]).stdout.startswith("one: 1 runs done, 1 of them now; 0 failed")
    assert path.exists()
