"""An archive's runs as folders that pages are drawn from: what is public of each, its history, and the arrays kept."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.archive.matrices import scores_by_run, write_scores
from benchmark.archive.opening import Archive
from benchmark.archive.results import histories_of, read_run, runs_of
from benchmark.archive.weights import arrays_of
from benchmark.integrity.run_seal import RECORD
from benchmark.integrity.sealed import write_json
from benchmark.spec import Run

ARRAYS = "arrays.safetensors"
"""The explorer's and the traversals' arrays of the run that stands for a configuration."""


@contextmanager
def laid_out(
    archive: Archive, run_ids: Collection[str] | None = None, mark: str = ""
) -> Iterator[list[tuple[Run, Path]]]:
    """An archive's runs, or those of some ids, each with a folder that is there until the block ends.

    mark: what a page says beside each. Raises as reading an archive does.
    """
    runs = runs_of(archive)
    wanted = runs if run_ids is None else runs[runs["run_id"].isin(run_ids)]
    from safetensors.numpy import save_file

    scores = scores_by_run(archive)
    read = histories_of(archive)
    histories = {} if read is None else dict(iter(read.groupby("run_id")))
    with TemporaryDirectory(prefix="benchmark-") as scratch:
        found = []
        for row in wanted.to_dict("records"):
            run = read_run(row["record"], f"{archive.place.where}: {row['run_id']}")
            folder = Path(scratch, run.dataset.name, run.model.name, run.config_id, f"s{run.seed}")
            folder.mkdir(parents=True, exist_ok=True)
            record = json.loads(row["record"])
            marks = [*record.get("marks", ()), *([mark] if mark else [])]
            write_json(folder / RECORD, record | ({"marks": marks} if marks else {}))
            if run.run_id in histories:
                own = histories[run.run_id].drop(columns="run_id").dropna(axis="columns", how="all")
                own.to_csv(folder / "history.csv", index=False)
            if isinstance(row["chosen_by"], str):
                # Of a run without a decoder there are no arrays, and maybe matrices.
                arrays = arrays_of(archive, run.config_id)
                save_file({f"arrays.{name}": array for name, array in arrays.items()}, folder / ARRAYS)
                write_scores(scores.get(run.run_id, ()), folder)
            found.append((run, folder))
        yield found
