"""The index never lies: whoever added, merged or deleted what, `status` says what is there."""

import json
import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmark import index as module
from benchmark.errors import UsageError
from benchmark.index import Count, counts
from benchmark.spec import Component, Run
from benchmark.store import FORMAT, Store, read_json, write_json
from benchmark.verbs.merge import merge
from benchmark.verbs.status import status


def run(seed: int, model: str = "perfect") -> Run:
    return Run(Component("synth_linear", 1, {}), Component(model, 1, {}), None, None, seed)


def publish(store: Store, *runs: Run) -> None:
    for each in runs:
        record = {"run_id": each.run_id, "config_id": each.config_id, "run": each.to_json()}
        store.publish(each, partial(fill, record))


def fill(record: dict[str, Any], folder: Path) -> None:
    (folder / "codes.safetensors").write_bytes(b"codes")
    write_json(folder / "run.json", record)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Four runs of two models: two done, one failed, one missing; and what the index says of them written."""
    store = Store(tmp_path / "results")
    store.write_plan("suite", "text", [run(0), run(1), run(0, "noise"), run(1, "noise")])
    publish(store, run(0), run(1, "noise"))
    store.record_failure(run(1), "train", "it broke")
    assert counts(store) == {"suite": Count(4, 2, 1)}
    return store


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The plans that were read run by run."""
    paths: list[Path] = []
    places = module._places

    def noted(content, path, store):
        paths.append(path)
        return places(content, path, store)

    monkeypatch.setattr(module, "_places", noted)
    return paths


def test_a_plan_is_read_once(store, parsed):
    assert counts(store) == counts(store) == {"suite": Count(4, 2, 1)}
    assert parsed == []
    before = (store.root / "index.json").stat().st_mtime_ns
    counts(store)
    assert (store.root / "index.json").stat().st_mtime_ns == before, "written again though nothing changed"


def test_the_places_are_those_of_the_runs(store):
    places = module.planned(store)["suite"]
    folders = {store.root / folder / f"s{seed}" for folder, seeds in places.items() for seed in seeds}
    assert folders == {store.run_folder(each) for each in store.plan("suite")}


def test_what_is_published_counts_at_once(store, parsed):
    publish(store, run(0, "noise"))
    assert counts(store) == {"suite": Count(4, 3, 1)}
    publish(store, run(1))  # a failure before it no longer counts
    assert counts(store) == {"suite": Count(4, 4, 0)}
    assert parsed == []


@pytest.mark.parametrize("what", ["run.json", "s0", "config", "model", "runs"])
def test_what_is_deleted_counts_no_longer(store, what):
    place = store.run_folder(run(0))
    doomed = {"run.json": place / "run.json", "s0": place, "config": place.parent, "model": place.parents[1]}
    path = doomed.get(what, store.root / "runs")
    times = [folder.stat() for folder in path.parents[:3]]
    path.unlink() if path.is_file() else shutil.rmtree(path)
    for folder, stat in zip(path.parents[:3], times, strict=True):
        os.utime(folder, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # a clock too coarse to tell
    assert counts(store) == {"suite": Count(4, 0 if what == "runs" else 1, 1)}


def test_a_cleared_failure_is_missing_again(store):
    store.clear_failure(run(1))
    assert counts(store) == {"suite": Count(4, 2, 0)}
    shutil.rmtree(store.root / "failures")
    assert counts(store) == {"suite": Count(4, 2, 0)}


def test_a_plan_that_changed_is_read_again_even_under_an_old_time(store, parsed):
    path = store.suite_folder("suite") / "plan.json"
    stat = path.stat()
    record = read_json(path)
    record["runs"][3]["seed"] = 2  # a change that keeps the size
    size = path.stat().st_size
    write_json(path, record)
    assert path.stat().st_size == size
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert counts(store) == {"suite": Count(4, 1, 1)}
    assert parsed == [path]


def test_suites_that_come_and_go(store, tmp_path):
    other = Store(tmp_path / "other")
    other.write_plan("another", "text", [run(0), run(7)])
    publish(other, run(7))
    merge(other.root, results=store.root)
    assert counts(store) == {"another": Count(2, 2, 0), "suite": Count(4, 2, 1)}
    shutil.rmtree(store.suite_folder("suite"))
    assert counts(store) == {"another": Count(2, 2, 0)}
    assert set(read_json(store.root / "index.json")["suites"]) == {"another"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 99, "suites": {"suite": 1}}', '{"format": 0}'])
def test_an_index_that_is_damaged_or_of_another_version_is_made_anew(store, content):
    path = store.root / "index.json"
    path.write_text(content)
    assert counts(store) == {"suite": Count(4, 2, 1)}
    assert json.loads(path.read_text())["format"] == FORMAT


def test_a_plan_of_a_newer_format_is_refused_beside_an_index(store):
    path = store.suite_folder("suite") / "plan.json"
    write_json(path, read_json(path) | {"format": 99})
    with pytest.raises(UsageError, match="has format 99"):
        counts(store)


def test_a_folder_that_cannot_be_written_is_told_of_without_an_index(store, monkeypatch):
    (store.root / "index.json").unlink()
    monkeypatch.setattr(module.os, "access", lambda path, mode: mode != os.W_OK)
    assert counts(store) == {"suite": Count(4, 2, 1)}
    assert not (store.root / "index.json").exists()


def test_status_is_what_the_index_and_the_folders_say(store):
    (row,) = status(results=store.root)
    assert row == {
        "suite": "suite", "runs": 4, "done": 2, "failed": 1, "missing": 1, "scored": False, "report": False
    }  # fmt: skip
