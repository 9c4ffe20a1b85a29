"""Interrupted or killed, a run carries on where it was and ends with the same bits."""

import json
import os
import signal
import time
from pathlib import Path

import kill
import pytest
from command import command, tensors

from benchmark.execution.tasks import DEATHS

SUITE = """
description = "a few seconds of training"
seeds = 2

[execution]
checkpoint_seconds = 0.2

[[block]]
dataset = { name = "synth_linear", points = 1000 }
network = { name = "mlp_tiny", hidden = 16 }
model = "beta_vae"
training = { steps = 2000, batch = 32, learning_rate = 1e-3 }
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A folder with the suite, and the checksums of a run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("interrupt")
    return folder, kill.undisturbed(folder, SUITE)[0]


@pytest.mark.parametrize(
    ("whom", "how"), [("group", signal.SIGINT), ("process", signal.SIGINT), ("process", signal.SIGTERM)]
)
def test_an_interrupted_run_says_so_keeps_its_checkpoint_and_resumes_bit_for_bit(undisturbed, whom, how):
    folder, wanted = undisturbed
    name = f"{whom}-{how.name}"
    results = folder / name
    process = kill.start(folder, name)
    assert kill.checkpointed(process, results / "fleets")
    # Ctrl-C in a terminal reaches the group; `kill -INT`, and a batch system's time limit, reach the one process.
    (os.killpg if whom == "group" else os.kill)(process.pid, how)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    lines = [line for line in err.splitlines() if not line.startswith(("done ", "training "))]  # on a slow machine
    assert lines == ["interrupted: nothing finished is lost; the same command carries on"]
    assert list((results / "fleets").glob("*/checkpoint.safetensors"))
    assert not list((results / "failures").glob("*"))

    err = kill.finish(kill.start(folder, name))
    assert " at step " in err
    assert "resumed 2 runs at step 0" not in err
    assert tensors(results) == wanted
    assert not list((results / "fleets").glob("*"))


@pytest.mark.parametrize("moment", ["checkpoint", "publish"])
def test_a_killed_run_resumes_bit_for_bit(undisturbed, moment):
    folder, wanted = undisturbed
    found = kill.trial(folder, moment, moment, wanted)
    assert found.resumed, "it began again from step 0"
    assert all(0 < step <= 2000 for step in found.resumed)


def test_a_worker_killed_again_and_again_is_carried_on_while_its_checkpoint_advances(undisturbed):
    from benchmark.training.checkpoint import kept_step

    folder, wanted = undisturbed
    results = folder / "again"
    process = kill.start(folder, results.name)
    step = 0
    for _ in range(DEATHS + 1):
        assert kill.checkpointed(process, results / "fleets")
        (checkpoint,) = results.glob("fleets/*/checkpoint.safetensors")
        while kept_step(checkpoint) <= step:
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.005)
        step = kept_step(checkpoint)
        os.kill(json.loads(checkpoint.with_name("claim.json").read_text())["pid"], signal.SIGKILL)
    err = kill.finish(process)
    assert "resumed 2 runs at step " in err
    assert tensors(results) == wanted
    assert not list((results / "failures").glob("*"))


KILLER = '''
"""Codes that are the factors, from a process that does not always survive it."""
import os, signal
from pathlib import Path

from benchmark import Anchor, Settings, static


class Killer(Anchor):
    class Settings(Anchor.Settings):
        deaths: int = static(0, "how often its process is killed")

    def codes(self, factors, rng):
        tries = Path("tries")
        tries.write_text((tries.read_text() if tries.exists() else "") + "x")
        if len(tries.read_text()) <= self.settings.deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        return factors.astype("float32")
'''
DEADLY = """
description = "one model that kills its process"
[[block]]
dataset = {{ name = "synth_linear", points = 200 }}
model = [{{ name = "killer", deaths = {deaths} }}, "perfect", "perfect_dead"]
"""


@pytest.mark.parametrize("deaths", [1, 99])
def test_a_worker_that_is_killed_costs_its_own_run_at_most(tmp_path, deaths):
    (tmp_path / "killer.py").write_text(KILLER)
    (tmp_path / "deadly.toml").write_text(DEADLY.format(deaths=deaths))
    result = command(tmp_path, "run", "deadly.toml", "--jobs", "2", "--plugin", "killer.py")
    assert "Traceback" not in result.stderr
    if deaths == 1:
        assert result.returncode == 0
        assert result.stdout.startswith("deadly: 3 runs done")
        return
    assert result.returncode == 1
    assert result.stdout.startswith("deadly: 2 runs done")
    (record,) = (tmp_path / "results" / "failures").glob("*.json")
    failure = json.loads(record.read_text())
    assert failure["run"]["model"]["name"] == "killer"
    assert failure["reason"] == "its process was killed 2 times"
