"""Progress on stderr: bars on a terminal, lines elsewhere, nothing when quiet."""

import io
import sys
import time

import pytest
from small import small_run

from benchmark.spec import Component, Run
from benchmark.stages.train import FleetProgress
from benchmark.store import Store
from benchmark.training.fleet import plan_fleets
from benchmark.words import progress as module
from benchmark.words import training
from benchmark.words.encoding import Encoding
from benchmark.words.progress import Progress
from benchmark.words.training import Following


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets; returns the list whose last entry is the time."""
    times = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: times[-1])
    return times


def test_without_a_terminal_a_line_comes_only_now_and_then(clock, capsys):
    with Progress("training", 100) as progress:
        for second in range(100):
            clock.append(float(second))
            progress.at(second)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "training: 31%, about 69 s left",
        "training: 62%, about 38 s left",
        "training: 93%, about 7 s left",
    ]


def test_what_a_killed_run_left_took_no_time_of_its_successor(clock, capsys, monkeypatch, tmp_path):
    """900 of 1,000 steps are kept: 50 more in 40 s leave 40 s, not 2."""
    steps = [900]
    monkeypatch.setattr(training, "fleet_progress", lambda store, fleet: FleetProgress(steps[-1], []))
    fleets = plan_fleets([small_run("vae", training={"steps": 1_000})])
    following = Following(Store(tmp_path), fleets, Progress("training", sum(map(training.size, fleets))))
    clock.append(40.0)
    steps.append(950)
    following.watch()
    assert capsys.readouterr().err == "training: 95%, about 40 s left\n"


def test_what_is_said_stays_and_goes_to_stderr(capsys):
    with Progress("training", 1) as progress:
        progress.say("done    abc-s0 [not markup]")
    captured = capsys.readouterr()
    assert captured.err == "done    abc-s0 [not markup]\n"
    assert captured.out == ""


def test_quiet_is_silent(clock, capsys):
    with Progress("training", 10, quiet=True) as progress:
        clock.append(1000.0)
        progress.at(5)
        progress.say("done")
    assert capsys.readouterr() == ("", "")
    assert progress.done == 5


def test_nothing_to_do_divides_by_nothing(clock, capsys):
    with Progress("training", 0) as progress:
        clock.append(1000.0)
        progress.at(0)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Progress("training 3 runs", 10) as progress:
        progress.at(5)
        progress.say("done    abc-s0 [not markup]")
        progress.at(10)
    assert "training 3 runs" in terminal.getvalue()
    assert "100%" in terminal.getvalue()
    assert "done    abc-s0 [not markup]" in terminal.getvalue()


def test_a_passing_bar_moves_before_anything_is_counted_and_leaves_nothing(monkeypatch):
    """While a verb imports and reads: a frame a tenth of a second, and an erased line at the end."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Progress("reading the suite", 0, passing=True):
        time.sleep(0.5)
    frames = terminal.getvalue().split("reading the suite")
    assert len(frames) > 3 and len(set(frames)) > 2
    assert "\x1b[2K" in frames[-1], "the line is erased"


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "5 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (9000, "2.5 h")]
)
def test_durations_read_at_a_glance(seconds, words):
    assert module._duration(seconds) == words


def test_what_fleets_wait_for_is_said(capsys, tmp_path):
    following = Following(Store(tmp_path), [], Progress("training", 0))
    following.on_waiting("f1", "host:7")
    following.on_alone(2)
    following.on_note("a checkpoint was altered; training begins again at step 0")
    assert capsys.readouterr().err.splitlines() == [
        "waiting for fleet f1, which host:7 trains",
        "no memory for 2 of the fleets beside the others: each is tried again alone",
        "a checkpoint was altered; training begins again at step 0",
    ]


def test_what_is_encoded_again_is_said_and_what_failed_is_kept(capsys):
    said, run = (
        Encoding(Progress("encoding", 2)),
        Run(Component("d", 1, {}), Component("m", 1, {"beta": 4}), None, None, 3),
    )
    said.on_encoded(run, None)
    said.on_encoded(run, "no weights")
    one, other = capsys.readouterr().err.splitlines()
    assert one == f"encoded {run.run_id}  d m beta=4 seed 3"
    assert other == f"failed  {run.run_id}  d m beta=4 seed 3: no weights"
    assert said.failed == [(run, "no weights")]
