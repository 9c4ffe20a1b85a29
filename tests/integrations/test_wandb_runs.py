"""Real offline runs of W&B: what their logs hold, that none lies there twice, and that wandb would sync them."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from exported_suite import FAILED, SUITE, compile_anew, exported_suite
from synthetic_suite import write_scores

import benchmark
from benchmark.errors import UsageError
from benchmark.integrations import wandb_runs
from benchmark.spec import Run
from benchmark.store import Store

pytest.importorskip("wandb", reason="wandb is not installed: pip install 'disentanglement-benchmark[integrations]'")
pytestmark = pytest.mark.filterwarnings("default")  # of wandb's own and of what it needs

STEPS = 81
BLOCK = 32_768
"""Of LevelDB's log format, which wandb writes: no record's piece crosses the end of a block."""


def records(folder: Path) -> Iterator[Any]:
    """What an offline run's log holds, as wandb's own messages."""
    from wandb.proto.wandb_internal_pb2 import Record

    (log,) = folder.glob("*.wandb")
    content, place, pieces = log.read_bytes(), 7, b""
    while place + 7 <= len(content):
        if BLOCK - place % BLOCK < 7:
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        pieces += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last piece
            yield Record.FromString(pieces)
            pieces = b""


def arrived(folder: Path) -> dict[str, dict[str, Any]]:
    """Every offline run by its id: config, the history's rows, the summary, and how it ended."""
    found: dict[str, dict[str, Any]] = {}
    for each in sorted((folder / "wandb").glob("offline-run-*")):
        of: dict[str, Any] = {"config": {}, "history": [], "summary": {}, "exit": None, "run": None}
        for record in records(each):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                of["run"] = record.run
                of["config"] |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
            elif kind == "history":
                items = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
                of["history"].append({key: json.loads(value) for key, value in items.items()})
            elif kind == "summary":
                of["summary"] |= {
                    item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.summary.update
                }
            elif kind == "exit":
                of["exit"] = record.exit.exit_code
        assert of["run"].run_id not in found, "a run is there twice"
        found[of["run"].run_id] = of
    return found


def table_of(folder: Path, run: Run) -> tuple[list[str], list[list[Any]]]:
    """The columns and rows of the table of scores that lies with a run."""
    (path,) = (folder / "wandb").glob(f"offline-run-*-{run.run_id}/files/media/table/scores_*.table.json")
    table = json.loads(path.read_text())
    return table["columns"], table["data"]


def test_what_lies_there_is_what_there_is(
    exported_results: Path, exported_runs: dict[str, Run], tmp_path: Path
) -> None:
    said = benchmark.export(SUITE, "wandb", results=exported_results, output=tmp_path, project="mine")
    assert set(said.runs.values()) == {"exported"} and said.where == str(tmp_path / "wandb")
    found = arrived(tmp_path)
    assert (
        found.keys()
        == said.runs.keys()
        == {exported_runs[name].run_id for name in ("ae", "beta_vae", "perfect", "vae")}
    )

    beta = found[exported_runs["beta_vae"].run_id]
    assert (beta["run"].project, beta["run"].run_group) == ("mine", "beta_vae β=4 on shapes")
    assert beta["config"]["model"] == {"name": "beta_vae", "version": 1, "beta": 4, "latents": 6}
    assert beta["config"]["protocol"]["mig/bins10"] == "mig/bins10-mean-n10000/v1"
    assert beta["summary"]["score/mig/bins10"] == 0.5 and beta["summary"]["cost/training_seconds"] == 700.5
    losses = [row["training/loss"] for row in beta["history"] if "training/loss" in row]
    assert len(losses) == STEPS and losses[0] > losses[-1]
    assert [row["_step"] for row in beta["history"]][:2] == [0, 50]
    columns, data = table_of(tmp_path, exported_runs["beta_vae"])
    single = [row for row in data if row[columns.index("factor")] == "scale"]
    assert [row[columns.index("value")] for row in single if "bins20-mean" in row[columns.index("protocol")]] == [0.125]
    columns, data = table_of(tmp_path, exported_runs["perfect"])
    (dto,) = (dict(zip(columns, row, strict=True)) for row in data if row[0] == "dto")
    assert dto["value"] is None and dto["reason"] == "codes alone have no decoder"

    perfect = found[exported_runs["perfect"].run_id]
    assert perfect["summary"]["missing/dto"] == "not_applicable: codes alone have no decoder"
    assert "score/dto" not in perfect["summary"] and perfect["exit"] == 0
    vae = found[exported_runs["vae"].run_id]
    assert vae["exit"] == 1 and vae["run"].notes == FAILED and not vae["history"]


def test_again_changes_nothing_and_a_new_score_replaces_its_run_alone(tmp_path: Path) -> None:
    results = tmp_path / "results"
    runs = exported_suite(results)
    only = {"model": ["ae", "perfect"]}
    benchmark.export(SUITE, "wandb", results=results, output=tmp_path, only=only)
    before = sorted((tmp_path / "wandb").iterdir())
    said = benchmark.export(SUITE, "wandb", results=results, output=tmp_path, only=only)
    assert set(said.runs.values()) == {"unchanged"} and sorted((tmp_path / "wandb").iterdir()) == before
    write_scores(Store(results).run_folder(runs["ae"]), "dto", {"dto": 0.75})
    compile_anew(results, runs)
    said = benchmark.export(SUITE, "wandb", results=results, output=tmp_path, only=only)
    assert said.runs == {runs["ae"].run_id: "renewed", runs["perfect"].run_id: "unchanged"}
    assert arrived(tmp_path)[runs["ae"].run_id]["summary"]["score/dto"] == 0.75
    # Under another project it is another run, and leaves the first alone.
    other = benchmark.export(SUITE, "wandb", results=results, output=tmp_path, only={"model": ["ae"]}, project="other")
    assert set(other.runs.values()) == {"exported"}
    assert len(list((tmp_path / "wandb").glob(f"offline-run-*-{runs['ae'].run_id}"))) == 2


def test_what_a_killed_export_left_is_deleted_and_done_anew(
    exported_results: Path, exported_runs: dict[str, Run], tmp_path: Path
) -> None:
    """The process ends in the midst of a run, without a chance to tidy up."""
    code = (
        "import os, benchmark, wandb\n"
        "log = wandb.Run.log\n"
        "wandb.Run.log = lambda self, row, step=None: os._exit(9) if step == 2000 else log(self, row, step=step)\n"
        f"benchmark.export({SUITE!r}, 'wandb', results={str(exported_results)!r}, output={str(tmp_path)!r})"
    )
    own = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}  # of this process's wandb
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], env=own, check=False).returncode == 9
    (left,) = (tmp_path / "wandb").iterdir()
    assert wandb_runs.PART.fullmatch(left.name) and list(left.glob("wandb/offline-run-*"))
    said = benchmark.export(SUITE, "wandb", results=exported_results, output=tmp_path)
    assert set(said.runs.values()) == {"exported"} and arrived(tmp_path).keys() == said.runs.keys()
    assert not list((tmp_path / "wandb").glob(".*"))


def test_wandb_would_sync_them_and_nothing_was_sent(
    exported_results: Path, exported_runs: dict[str, Run], tmp_path: Path
) -> None:
    benchmark.export(SUITE, "wandb", results=exported_results, output=tmp_path, only={"model": ["perfect"]})
    command = [sys.executable, "-m", "wandb", "sync", "--dry-run"]
    offline = os.environ | {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"}
    told = subprocess.run(command, cwd=tmp_path, env=offline, capture_output=True, text=True, check=True)
    assert (
        "Would sync 1 run" in told.stdout + told.stderr and exported_runs["perfect"].run_id in told.stdout + told.stderr
    )
    assert "WANDB_MODE" not in os.environ, "what keeps wandb silent is taken back"


def test_what_wandb_refuses_is_one_sentence(
    exported_results: Path, exported_runs: dict[str, Run], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r'W&B cannot export to the project "a/b": .*[Ii]nvalid project name'):
        benchmark.export(SUITE, "wandb", results=exported_results, output=tmp_path, project="a/b")
    assert not list((tmp_path / "wandb").iterdir())
