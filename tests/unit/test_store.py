"""The results folder: nothing half-written, nothing lost, nobody's work taken for one's own."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from test_claim import claimed

from benchmark import store as module
from benchmark.errors import BenchmarkError, UsageError
from benchmark.spec import Component, Run
from benchmark.store import Store, read_json, write_json


def run(seed: int = 0) -> Run:
    return Run(Component("synth_linear", 1, {}), Component("perfect", 1, {}), None, None, seed)


def fill(folder: Path) -> None:
    write_json(folder / "run.json", {"format": 1, "by": "me"})
    (folder / "codes.safetensors").write_bytes(b"codes")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def test_a_published_run_is_whole_and_done(store):
    assert not store.is_done(run())
    assert store.publish(run(), fill)
    assert store.is_done(run())
    assert sorted(path.name for path in store.run_folder(run()).iterdir()) == ["codes.safetensors", "run.json"]
    assert list((store.root / "scratch").iterdir()) == []


def test_a_fill_that_raises_leaves_nothing(store):
    def half(folder: Path) -> None:
        fill(folder)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        store.publish(run(), half)
    assert not store.run_folder(run()).exists()
    assert list((store.root / "scratch").iterdir()) == []


def test_the_second_to_publish_steps_back_and_changes_nothing(store):
    store.publish(run(), fill)

    def other(folder: Path) -> None:
        write_json(folder / "run.json", {"format": 1, "by": "another"})

    assert store.publish(run(), other) is False
    assert read_json(store.run_folder(run()) / "run.json")["by"] == "me"
    assert list((store.root / "scratch").iterdir()) == []


def test_a_folder_in_the_way_that_is_no_run_is_said_and_kept(store):
    stray = store.run_folder(run()) / "notes.txt"
    stray.parent.mkdir(parents=True)
    stray.write_text("mine")
    with pytest.raises(BenchmarkError, match="is in the way"):
        store.publish(run(), fill)
    assert stray.read_text() == "mine"
    assert not store.is_done(run())


def test_failures_are_kept_apart_shown_and_cleared(store):
    store.record_failure(run(), "train", "it broke", step=7)
    failure = store.failure(run())
    assert failure is not None
    assert (failure["reason"], failure["step"], failure["stage"]) == ("it broke", 7, "train")
    assert Run.from_json(failure["run"]) == run()
    assert not store.is_done(run())
    store.clear_failure(run())
    store.clear_failure(run())
    assert store.failure(run()) is None


def test_a_plan_grows_while_the_text_is_the_same_and_is_replaced_with_it(store):
    store.write_plan("suite", "text", [run(0)])
    store.write_plan("suite", "text", [run(1)])
    assert store.plan("suite") == [run(0), run(1)]
    store.write_plan("suite", "another text", [run(2)])
    assert store.plan("suite") == [run(2)]
    store.write_plan("suite", "a third text, merged", [run(3)], replace=False)
    assert store.plan("suite") == [run(2), run(3)]


TOGETHER = """
import sys, time
from pathlib import Path
from benchmark.store import Store
sys.path.insert(0, sys.argv[2])
from test_store import run

store, first = Store(Path(sys.argv[1])), int(sys.argv[3])
(store.root / f"ready{first}").touch()
while not (store.root / "go").exists():
    time.sleep(0.001)
for seed in range(first, first + 10):
    store.write_plan("suite", "text", [run(seed)])
"""


def test_processes_that_start_together_lose_none_of_each_others_runs(store):
    firsts = (0, 10, 20)
    line = [sys.executable, "-c", TOGETHER, str(store.root), str(Path(__file__).parent)]
    processes = [subprocess.Popen([*line, str(first)]) for first in firsts]
    while not all((store.root / f"ready{first}").exists() for first in firsts):
        if any(process.poll() is not None for process in processes):
            break  # the others are told to go, too, and end
        time.sleep(0.01)
    (store.root / "go").touch()
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert sorted(each.seed for each in store.plan("suite")) == list(range(30))
    assert list((store.root / "scratch").iterdir()) == []


def test_a_plan_that_another_process_rewrites_is_waited_for(store):
    """Whoever holds it adds a run and takes one out before it lets go: both are kept to."""
    store.write_plan("suite", "text", [run(0), run(1)])

    def hold() -> None:
        with store._claimed_plan("suite") as path:
            held.set()
            record = read_json(path)
            time.sleep(0.3)
            write_json(path, {**record, "runs": [run(1).to_json(), run(2).to_json()]})

    held, holder = threading.Event(), threading.Thread(target=hold)
    holder.start()
    assert held.wait(60)
    left = store.shorten_plan("suite", {run(1).run_id})
    holder.join()
    assert left == store.plan("suite") == [run(2)]


def test_a_plan_that_a_killed_process_was_rewriting_is_free(store, dead):
    store.publish(run(), fill)
    claimed(store.root / "scratch" / "plan-suite.json", dead)
    start = time.monotonic()
    assert store.write_plan("suite", "text", [run(0)]) == store.plan("suite") == [run(0)]
    assert time.monotonic() - start < 5
    assert store.shorten_plan("suite", {run(0).run_id}) == []
    assert not store.suite_folder("suite").exists()


def test_a_suite_never_started_names_those_that_were(store):
    store.write_plan("first", "text", [run()])
    with pytest.raises(
        UsageError, match=r"nothing of a suite \"second\" \(there: first\); next: benchmark run second --results"
    ):
        store.plan("second")


def test_a_folder_of_a_newer_format_is_refused_and_untouched(tmp_path):
    marker = tmp_path / "format.json"
    marker.write_text('{"format": 99}')
    with pytest.raises(UsageError, match=r"has format 99, this version reads up to 2; update"):
        Store(tmp_path)
    assert marker.read_text() == '{"format": 99}'


def test_a_plan_of_a_newer_format_is_refused(store):
    store.write_plan("suite", "text", [run()])
    path = store.suite_folder("suite") / "plan.json"
    path.write_text(json.dumps(read_json(path) | {"format": 99}))
    with pytest.raises(UsageError, match="has format 99"):
        store.plan("suite")
    with pytest.raises(UsageError, match="has format 99"):
        store.write_plan("suite", "text", [run(1)])


def test_a_file_is_no_results_folder(tmp_path):
    path = tmp_path / "results"
    path.write_text("a file")
    with pytest.raises(UsageError, match="is not a folder"):
        Store(path)


def test_looking_makes_nothing(tmp_path):
    Store(tmp_path / "results", make=False)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("content", [b"{", b"", b"[1, 2]", b"\xff\xfe{}"])
def test_damaged_json_is_one_sentence_with_its_path(tmp_path, content):
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=r"plan\.json is damaged .*; delete it and rerun") as caught:
        read_json(path)
    assert "\n" not in str(caught.value)


def test_a_write_that_fails_keeps_the_old_content(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="Out of range"):
        write_json(path, {"a": float("nan")})
    assert read_json(path)["a"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from benchmark.errors import BenchmarkError
from benchmark.store import Store, write_json
sys.path.insert(0, sys.argv[2])
from test_store import run

store = Store(Path(sys.argv[1]))
sys.dont_write_bytecode = True  # modules imported here for the first time would be kept in part
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

def write(folder):
    write_json(folder / "run.json", {"format": 1})
    if sys.argv[3] == "python":
        (folder / "codes.safetensors").write_bytes(bytes(4000))
    else:
        import numpy
        from safetensors.numpy import save_file
        save_file({"means": numpy.zeros(1000)}, folder / "codes.safetensors")

try:
    store.publish(run(1), write)
except BenchmarkError as error:
    print(error)
"""


@pytest.mark.parametrize("writer", ["python", "safetensors"])
def test_a_full_disk_is_one_sentence_and_what_was_there_is_still_there(store, writer):
    store.publish(run(0), fill)
    line = [sys.executable, "-c", FULL_DISK, str(store.root), str(Path(__file__).parent), writer]
    result = subprocess.run(line, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("no space left for ")
    assert len(result.stdout.splitlines()) == 1
    assert store.is_done(run(0))
    assert (store.run_folder(run(0)) / "codes.safetensors").read_bytes() == b"codes"
    assert not store.run_folder(run(1)).exists()
    assert list((store.root / "scratch").iterdir()) == []


@pytest.mark.parametrize("host", ["here", "a-host-with-dashes"])
def test_scratch_of_the_dead_is_cleaned_and_of_the_living_kept(store, dead, monkeypatch, host):
    monkeypatch.setattr(module.socket, "gethostname", lambda: host)
    scratch = store.root / "scratch"
    kept = [f"abc-s0-{host}-{os.getpid()}-1a2b3c4d", f"abc-s0-elsewhere-{dead}-1a2b3c4d"]
    for name in [f"abc-s0-{host}-{dead}-1a2b3c4d", *kept]:
        (scratch / name).mkdir(parents=True)
    store.clean_scratch()
    assert {path.name for path in scratch.iterdir()} == set(kept)


def test_scratch_of_anywhere_goes_after_a_day_and_what_is_no_scratch_does_no_harm(store, dead):
    scratch = store.root / "scratch"
    old = scratch / f"abc-s0-elsewhere-{dead}-1a2b3c4d"
    old.mkdir(parents=True)
    os.utime(old, (time.time() - 90_000,) * 2)
    (scratch / ".DS_Store").write_text("")
    store.clean_scratch()
    assert [path.name for path in scratch.iterdir()] == [".DS_Store"]


def test_scratch_that_is_published_at_that_moment_is_passed_over(store, monkeypatch):
    scratch = store.root / "scratch" / f"abc-s0-{socket.gethostname()}-{os.getpid()}-1a2b3c4d"
    scratch.mkdir(parents=True)
    monkeypatch.setattr(module, "alive", lambda _: scratch.rmdir() or True)
    assert store.clean_scratch() == 0
    assert not scratch.exists()


def test_what_a_killed_process_was_writing_is_cleared_and_what_others_write_is_kept(store, dead):
    here, elsewhere = socket.gethostname(), "elsewhere"
    names = {f".{host}-{pid}-1a2b3c4d.part" for host, pid in ((here, os.getpid()), (elsewhere, dead))}
    for name in {f".{here}-{dead}-1a2b3c4d.part", f".{here}-{dead}.part", *names}:
        (store.root / name).write_text("half")
    assert store.clean_parts() == 1
    assert {path.name for path in store.root.glob(".*")} == {f".{here}-{dead}.part", *names}


def test_what_is_published_is_as_readable_as_any_new_file(store, tmp_path):
    def fill(folder):
        (folder / "run.json").write_text("{}")
        (folder / "codes").write_text("")
        (folder / "codes").chmod(0o600)

    assert store.publish(run(0), fill)
    (tmp_path / "new").write_text("")
    assert (store.run_folder(run(0)) / "codes").stat().st_mode == (tmp_path / "new").stat().st_mode


def test_what_cannot_be_written_is_told_for_any_folder(tmp_path):
    """Archives, tables and submissions are written so, too: they lie in no results folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"file is no folder; choose another one$"):
        write_json(tmp_path / "file" / "x.json", {})
