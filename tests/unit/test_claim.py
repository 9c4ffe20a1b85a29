"""Claims: who works on something, whether it still lives, and who takes over."""

import errno
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.execution.claim import CLAIM_SECONDS, Claim, born, space
from benchmark.integrity.sealed import read_json, render, sealed


def test_a_claim_is_held_by_the_living_and_free_when_released(tmp_path):
    path = tmp_path / "claim.json"
    mine, yours = Claim(path), Claim(path)
    assert not yours.is_held()
    assert mine.take()
    assert yours.is_held()
    assert not yours.take()
    mine.release()
    assert yours.take()


def claimed(
    path: Path,
    pid: int,
    *,
    host: str | None = None,
    birth: str | None = None,
    where: str | None = None,
    age: float = 0.0,
) -> Claim:
    said = {"host": host or socket.gethostname(), "pid": pid, "born": birth}
    path.write_text(render(sealed(said if where is None else {**said, "space": where})))
    os.utime(path, (time.time() - age,) * 2)
    return Claim(path)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc tells whether a process has ended")
def test_a_process_that_has_ended_holds_nothing_though_nobody_asked_for_its_exit_code(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it stays there, as a zombie
    try:
        claim = claimed(tmp_path / "claim.json", process.pid, birth=born(process.pid))
        assert not claim.is_held()
    finally:
        process.wait()


def test_a_claim_of_a_dead_process_is_taken_over_at_once(tmp_path, dead):
    claim = claimed(tmp_path / "claim.json", dead)
    assert not claim.is_held()
    assert claim.take()
    assert json.loads(claim.path.read_text())["pid"] == os.getpid()


@pytest.mark.skipif(born(os.getpid()) is None, reason="this system does not tell when a process started")
def test_a_later_process_with_the_same_number_holds_nothing(tmp_path):
    claim = claimed(tmp_path / "claim.json", os.getpid(), birth="another time")
    assert not claim.is_held()


def test_another_host_is_believed_while_its_heart_beats(tmp_path, dead):
    claim = claimed(tmp_path / "claim.json", dead, host="elsewhere", age=60)
    assert claim.is_held()
    claim = claimed(tmp_path / "claim.json", dead, host="elsewhere", age=CLAIM_SECONDS + 1)
    assert not claim.is_held()


@pytest.mark.skipif(space() is None, reason="this system knows no namespaces")
def test_a_number_counts_in_its_own_namespace_alone(tmp_path, dead):
    """Containers may share the host's name: a process of one is not seen from another, however alive it is."""
    path = tmp_path / "claim.json"
    assert claimed(path, dead, where="1", age=60).is_held()
    assert not claimed(path, dead, where="1", age=CLAIM_SECONDS + 1).is_held()
    assert not claimed(path, dead, where=space()).is_held()
    path.unlink()
    assert Claim(path).take()
    assert read_json(path)["space"] == space()


def test_whoever_lost_a_claim_leaves_it_to_who_took_over(tmp_path, dead):
    path = tmp_path / "claim.json"
    mine = Claim(path)
    assert mine.take() and mine.is_mine()
    os.utime(path, (time.time() - CLAIM_SECONDS - 1,) * 2)
    mine.beat()
    assert path.stat().st_mtime > time.time() - CLAIM_SECONDS
    claimed(path, dead, host="elsewhere", age=60)
    before = path.stat().st_mtime
    mine.beat()
    mine.release()
    assert not mine.is_mine()
    assert path.stat().st_mtime == before
    path.unlink()
    mine.beat()
    assert not path.exists()


def test_a_claim_that_cannot_be_read_at_the_moment_is_judged_by_its_heart_and_left_alone(tmp_path, monkeypatch):
    def unreachable(path: Path) -> bytes:
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    claim = Claim(tmp_path / "claim.json")
    assert claim.take()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", unreachable)
        assert claim.is_held() and not claim.is_mine()
        claim.release()
    assert claim.is_mine()


def test_a_heart_that_beats_in_the_future_is_stale_and_its_holder_has_a_name(tmp_path, dead):
    claim = claimed(tmp_path / "claim.json", dead, host="else\x1bwhere", age=-CLAIM_SECONDS / 2)
    assert claim.is_held()
    assert claim.holder() == f"process {dead} on else\\x1bwhere"
    claim = claimed(tmp_path / "claim.json", dead, host="elsewhere", age=-CLAIM_SECONDS - 60)
    assert not claim.is_held()
    assert claim.take()


@pytest.mark.parametrize("content", ["[1]", '{"pid": 1}', '{"host": 3, "pid": "x"}', '{"host": "h", "pid": -1}', "\0"])
def test_a_damaged_claim_holds_until_it_is_old(tmp_path, content):
    path = tmp_path / "claim.json"
    path.write_text(content)
    assert Claim(path).is_held()
    assert Claim(path).holder() == "another process"
    os.utime(path, (time.time() - CLAIM_SECONDS - 1,) * 2)
    assert Claim(path).take()


def test_a_half_written_claim_holds_until_it_is_old(tmp_path):
    path = tmp_path / "claim.json"
    path.write_text("")
    assert Claim(path).is_held()
    os.utime(path, (time.time() - CLAIM_SECONDS - 1,) * 2)
    assert Claim(path).take()


def test_a_full_disk_leaves_no_empty_claim(tmp_path, monkeypatch):
    """It would be believed for two minutes by whoever comes next."""

    def full(_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("benchmark.execution.claim.render", full)
    with pytest.raises(OSError, match="No space"):
        Claim(tmp_path / "claim.json").take()
    assert not list(tmp_path.iterdir())


def test_a_stale_claim_that_was_replaced_by_one_of_the_same_file_number_is_left_alone(tmp_path, monkeypatch):
    """Between the look and the move another process takes over; its file may have the old one's number."""
    path = tmp_path / "claim.json"
    assert Claim(path).take()
    old = time.time() - 10 * CLAIM_SECONDS
    os.utime(path, (old, old))
    mine = Claim(path)

    def replaced() -> bool:
        os.utime(path)  # the same number, and younger
        return False

    monkeypatch.setattr(mine, "is_held", replaced)
    assert not mine.take() and path.exists()
