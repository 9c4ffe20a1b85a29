"""Runs of a suite as offline runs of W&B: folders that `wandb sync` sends, and nothing else does.

A folder is written as a scratch neighbour and renamed, so that one that is there is whole. Its benchmark.json says of
which run and project it is and the digest of all that was exported. The run's id at W&B is its id here: whatever is
synced from wherever is one run there.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmark.atomic import PART
from benchmark.errors import UsageError
from benchmark.execution.claim import alive
from benchmark.integrations.exported import Exported
from benchmark.integrations.outcome import Outcome, Outcomes
from benchmark.integrations.package import needed, silent
from benchmark.integrity.sealed import read_json, write_json
from benchmark.spec import PARTS

MARK = "benchmark.json"
STAMP = "%Y%m%d_%H%M%S"
LONGEST, LONGEST_TAG = 128, 64
"""Characters of a name or group, and of a tag, at most."""
ORIGIN = ("commit", "device", "cpu", "cores", "started", "finished", "trained", "versions")
COLUMNS = ["metric", "score", "factor", "budget", "representation", "value", "status", "reason", "protocol", "n"]


def place(output: str | None) -> str:
    """The folder of offline runs, which is called wandb: in the folder asked for, in $WANDB_DIR, or here."""
    return str(Path(output or os.environ.get("WANDB_DIR") or ".") / "wandb")


def export_runs(runs: Iterable[Exported], folder: str, project: str) -> Outcomes:
    """Write each run that does not lie in the folder as it is.

    Raises `UsageError` where wandb is absent or the folder cannot be written to.
    """
    into = Path(folder)
    with silent():
        needed("wandb", "--to wandb")
        try:
            into.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{into} cannot be made ({error.strerror}); --output names another folder") from None
        _clean(into)
        for run in runs:
            with refused(project):
                outcome = _put(into, project, run)
            yield run, outcome


@contextmanager
def refused(project: str) -> Iterator[None]:
    """What W&B says is wrong, as a sentence."""
    import wandb

    try:
        yield
    except wandb.Error as error:
        raise UsageError(f'W&B cannot export to the project "{project}": {" ".join(str(error).split())}') from None


def _put(into: Path, project: str, run: Exported) -> Outcome:
    there = {folder: digest for folder in into.glob("offline-run-*") if (digest := _mark(folder, project, run))}
    same = [folder for folder, digest in there.items() if digest == run.digest][:1]
    if not same:
        _write(into, project, run)
    for folder in there:
        if folder not in same:
            shutil.rmtree(folder)
    return "unchanged" if same else "renewed" if there else "exported"


def _mark(folder: Path, project: str, run: Exported) -> str | None:
    """The digest under which a folder holds this run of this project; None of any other."""
    if not re.fullmatch(rf"offline-run-\w+-{re.escape(run.run_id)}", folder.name) or not (folder / MARK).is_file():
        return None
    mark = read_json(folder / MARK, "delete its folder and export again")
    return str(mark["exported"]) if (mark["run_id"], mark["project"]) == (run.run_id, project) else None


def _write(into: Path, project: str, run: Exported) -> None:
    scratch = into / f".{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex[:8]}.part"
    scratch.mkdir()
    try:
        _log(scratch, project, run)
        (made,) = (scratch / "wandb").glob("offline-run-*")
        write_json(made / MARK, {"run_id": run.run_id, "project": project, "exported": run.digest})
        made.rename(into / _free(into, made.name))
    finally:
        shutil.rmtree(scratch)


def _free(into: Path, name: str) -> str:
    """The name itself, or that of the next second that no folder here has: wandb's names tell the time in seconds."""
    start, when, run_id = re.fullmatch(r"(offline-run-)(\d{8}_\d{6})(-.*)", name).groups()  # type: ignore[union-attr]
    while (into / f"{start}{when}{run_id}").exists():
        when = (datetime.strptime(when, STAMP) + timedelta(seconds=1)).strftime(STAMP)
    return f"{start}{when}{run_id}"


def _log(scratch: Path, project: str, run: Exported) -> None:
    """Let wandb write its folder: histories under training/, scores under score/, costs under cost/."""
    import wandb

    settings = wandb.Settings(
        mode="offline", root_dir=str(scratch), reinit="create_new", console="off", silent=True,
        disable_git=True, disable_code=True, x_disable_stats=True, x_disable_meta=True, x_save_requirements=False,
    )  # fmt: skip
    tags = [text[:LONGEST_TAG] for text in (run.suite, run.run.dataset.name, run.run.model.name)]
    names = {"id": run.run_id, "name": run.title[:LONGEST], "group": f"{run.label} on {run.dataset_label}"[:LONGEST]}
    made = wandb.init(
        project=project, **names, tags=list(dict.fromkeys(tags)), notes=run.reason, config=_config(run),
        settings=settings,
    )  # fmt: skip
    for row in [] if run.history is None else run.history.to_dict("records"):
        step = int(row.pop("step"))
        made.log({f"training/{term}": value for term, value in row.items() if math.isfinite(value)}, step=step)
    if len(run.scores):
        rows = run.scores[COLUMNS].astype(object)
        made.log({"scores": wandb.Table(columns=COLUMNS, data=rows.where(rows.notna(), None).to_numpy().tolist())})
    for prefix, values in (("score", run.numbers), ("missing", run.missing), ("cost", run.costs)):
        for name, value in values.items():
            made.summary[f"{prefix}/{name}"] = value
    made.finish(exit_code=0 if run.status == "finished" else 1)


def _config(run: Exported) -> dict[str, Any]:
    """Settings by component, as W&B nests them, with the protocol of every score and where the run was made."""
    parts = {key: part for key in PARTS if (part := getattr(run.run, key)) is not None}
    return {
        "suite": run.suite,
        "run_id": run.run_id,
        "config_id": run.run.config_id,
        "seed": run.run.seed,
        **{key: {"name": part.name, "version": part.version, **part.settings} for key, part in parts.items()},
        "protocol": run.protocols,
        "provenance": {key: run.origin[key] for key in ORIGIN if key in run.origin},
    }


def _clean(into: Path) -> None:
    """Delete what killed exports of this machine left half-written."""
    for path in into.glob(".*.part"):
        writer = PART.fullmatch(path.name)
        if writer and writer["host"] == socket.gethostname()[:60] and not alive(int(writer["pid"])):
            shutil.rmtree(path)
