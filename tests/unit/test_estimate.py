"""What a dry run says: times as people write them, and what they rest on."""

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small import small_run

from benchmark import run as run_suite
from benchmark.integrity.sealed import write_json
from benchmark.provenance import provenance
from benchmark.registry import load
from benchmark.spec import Component, Run
from benchmark.stages import estimate as stage
from benchmark.stages.data_cache import outlined_data
from benchmark.stages.estimate import estimate, kept_bytes
from benchmark.stages.kept import ASKED, kept
from benchmark.store import Store
from benchmark.suite import EncodingSettings
from benchmark.training.fleet import plan_fleets
from benchmark.verbs._request import Request
from benchmark.verbs._workplace import Workplace
from benchmark.verbs.estimate import estimate as would_cost
from benchmark.words.estimates import as_text, duration


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0, "0 s"),
        (0.0001, "1 s"),
        (20 / 3600, "20 s"),
        (0.05, "3 min"),
        (1.0, "60 min"),
        (4.5, "4.5 h"),
        (30, "30 h"),
        (442, "442 h, 18 days"),
        (12_000, "12,000 h, 500 days"),
    ],
)
def test_times_are_written_as_people_do(hours: float, text: str) -> None:
    assert duration(hours) == text


@pytest.mark.parametrize("name", ["mnist", "cars3d", "dsprites_real", "shapes3d", "smallnorb", "mpi3d"])
def test_absent_files_are_outlined(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHMARK_CACHE", str(tmp_path))
    monkeypatch.delenv("BENCHMARK_DATA", raising=False)
    dataset = load("dataset", name)
    data = outlined_data(Component(name, 1, dataset.Settings().plain()), None)
    assert len(data.images) == len(data.factors) > len(data.factor_sizes)
    assert len(data.images[data.evaluation_rows[:3]]) == 3
    assert not list(tmp_path.iterdir())


def test_a_run_keeps_weights_jacobians_and_pictures() -> None:
    """dSprites in 32 × 32 pixels, ten latents, half a million weights: a run measured 5.3 MB beside its codes."""
    data = outlined_data(Component("dsprites", 1, {"resolution": 32, "stride": [1, 1, 4, 4, 4]}), None)
    found = kept_bytes(data, 10, 497_000)
    assert found == 5 * 497_000 + 2 * 8 * 1_000 * 110 + 600 * 1_024
    assert found == pytest.approx(5.3e6, rel=0.2)


def finished(store: Store, run: Run, training: float, members: int, **about: Any) -> None:
    """A record that says how long a run took."""
    record = {
        "run": run.to_json(),
        "seconds": {"training": training, "encoding": 7.2},
        "parameters": 1_000,
        "encoding": kept(EncodingSettings(), tuple(ASKED)),
        "provenance": {**provenance(), "fleet": {"members": members}, **about},
    }
    store.run_folder(run).mkdir(parents=True)
    write_json(store.run_folder(run) / "run.json", record)


@pytest.fixture
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is timed here takes no time, so that hours are those that records say."""
    monkeypatch.setattr(stage, "_time", lambda *_: stage._Costs(0.0, 0.0, 1_000))


@pytest.mark.usefixtures("untimed")
def test_hours_follow_from_finished_runs_of_the_same_kind(tmp_path: Path) -> None:
    """Two runs of a fleet whose members took 100 s each, median of 90 and 110, and 7.2 s to encode; in two processes of
    which there is one fleet."""
    store = Store(tmp_path)
    runs = [small_run("beta_vae", seed=seed) for seed in range(4)]
    for run, seconds in zip(runs[:2], (90.0, 110.0), strict=True):
        finished(store, run, seconds, members=2)
    told = estimate(plan_fleets(runs[2:]), 2, 2, None, store=store, cores=2)
    assert told.hours * 3600 == pytest.approx(2 * (100 + 7.2)) and told.encoding_hours * 3600 == pytest.approx(14.4)
    assert (told.by_records, told.by_timing) == (2, 0)
    assert "\nthat rests on the recorded speed of finished runs of the same kind\n" in as_text(told)


@pytest.mark.usefixtures("untimed")
def test_runs_of_another_kind_say_nothing(tmp_path: Path) -> None:
    """Another network, another number of members, another processor, other arrays: each is timed here."""
    store = Store(tmp_path)
    run = small_run("beta_vae", seed=9)
    other = small_run("beta_vae", seed=0)
    assert other.network is not None
    wider = replace(other, network=replace(other.network, settings={**other.network.settings, "latents": 9}))
    finished(store, wider, 100.0, members=1)
    finished(store, small_run("beta_vae", seed=1), 100.0, members=2)
    finished(store, small_run("beta_vae", seed=2), 100.0, members=1, cpu="abacus")
    finished(store, small_run("beta_vae", seed=3), 100.0, members=1, device="cuda, of another day")
    told = estimate(plan_fleets([run]), 0, 1, None, store=store, parts=tuple(ASKED))
    assert (told.hours, told.by_records, told.by_timing) == (0, 0, 1)
    finished(store, small_run("beta_vae", seed=4), 100.0, members=1)
    assert estimate(plan_fleets([run]), 0, 1, None, store=store).by_records == 1
    assert estimate(plan_fleets([run]), 0, 1, None, store=store, parts=()).by_records == 0


@pytest.mark.usefixtures("untimed")
def test_what_is_tried_again_is_counted_where_that_is_asked_for(tmp_path: Path) -> None:
    """Of three runs one is finished, one was altered since and one failed."""
    suite = tmp_path / "three.toml"
    suite.write_text(
        'description = "x"\nseeds = 3\n[[block]]\ndataset = { name = "synth_linear", points = 60 }\nmodel = "perfect"\n'
    )
    results = tmp_path / "results"
    run_suite(str(suite), results=results, jobs=0)
    store = Store(results)
    _, altered, failed = store.plan("three")
    (store.run_folder(altered) / "codes.safetensors").write_bytes(b"altered")
    shutil.rmtree(store.run_folder(failed))
    store.record_failure(failed, "train", "it broke")
    at = Workplace(results=results, jobs=0, device="cpu")
    asked, retried = (would_cost(Request(suite=str(suite), retry_failed=retry), at) for retry in (False, True))
    assert (asked.runs, asked.done) == (0, 2)
    assert (retried.runs, retried.done) == (2, 1)
    heard = run_suite(str(suite), results=results, jobs=0, retry_failed=True)
    assert (heard.trained, len(heard.done)) == (2, 3)


def test_waiting_for_a_busy_core_is_no_work() -> None:
    assert stage._seconds(time.sleep, 0.2) < 0.1
    told = estimate(plan_fleets([small_run("beta_vae")]), 0, 8, None, cores=2)
    assert told.cores == 2 and told.hours > 0
    assert "that rests on steps timed just now, in seconds of a core's work; a process has one of 2 cores" in as_text(
        told
    )
