"""Make an archive of a suite's results: tables, what they are of, and the networks that stand for configurations."""

from __future__ import annotations

import json
import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark import registry
from benchmark.archive import manifest as names
from benchmark.archive.failures import failures_file, public_failure
from benchmark.archive.manifest import File, Kind, Manifest, read_manifest
from benchmark.archive.matrices import kept_scores
from benchmark.archive.opening import newest_version
from benchmark.archive.parquet import as_parquet
from benchmark.archive.public import public_record, without_places
from benchmark.archive.room import Room
from benchmark.archive.rounding import COLUMNS, moved
from benchmark.archive.weights import compressed, explorer_file, packed, weights_file
from benchmark.atomic import disk_full_explained, sync, write_atomically
from benchmark.codes import read_arrays
from benchmark.errors import BenchmarkError, UsageError
from benchmark.integrity.run_seal import CODES, WEIGHTS, check_run, scores_digest
from benchmark.integrity.sealed import compact, read_json, render, sealed
from benchmark.metrics._declare import Metric
from benchmark.published import of_all
from benchmark.spec import Run
from benchmark.stages.aggregate import Summaries
from benchmark.stages.configurations import configurations
from benchmark.stages.data_cache import load_data

if TYPE_CHECKING:
    from numpy import ndarray

HISTORY_ROWS = 100
"""Rows that are kept of a run's history at most, evenly, its last among them."""


@dataclass
class Suite:
    """A finished suite to publish, each of its runs with scores. `text`: the suite's file. `shown`: by configuration's
    id, best first, the run that stands for it, with why it was chosen."""

    name: str
    description: str
    text: str
    table: pd.DataFrame
    runs: Sequence[tuple[Run, Path]]
    measures: Mapping[str, Metric]
    summaries: Summaries
    shown: Mapping[str, tuple[str, str]]
    explored: frozenset[str]
    """The arrays of a codes file that a page's explorer is drawn from."""
    program: str = ""
    data_dir: Path | None = None
    say: Callable[[str], None] = lambda _: None
    left_out: dict[str, str] = field(default_factory=dict)
    planned: int = 0
    failures: Sequence[Mapping[str, Any]] = ()
    """Records of those runs of its plan that failed."""


def files_of(suite: Suite) -> dict[str, bytes]:
    """The files of a suite's archive, archive.json aside. What is left out is said in `suite.left_out`.

    Raises `BenchmarkError` on a run or score that was altered.
    """
    records = {run.run_id: check_run(folder) for run, folder in suite.runs}
    of_one = suite.table.index.difference(of_all(suite.table).index)
    found = {
        names.SUITE: without_places(suite.text).encode(),
        names.SCORES: as_parquet(_public(of_all(suite.table))),
        names.SINGLE: as_parquet(_public(suite.table.loc[of_one])),
        names.HISTORIES: as_parquet(_histories(suite.runs)),
        names.MEASURES: render(sealed(_measures(suite))).encode(),
    }
    found |= summary_files(suite.summaries)
    folders = {run.run_id: folder for run, folder in suite.runs}
    of_shown = {run_id: kept_scores(folders[run_id]) for run_id, _ in suite.shown.values()}
    found[names.MATRICES] = compact(sealed({"runs": of_shown})).encode()
    found[names.FAILURES] = failures_file(suite.planned, [public_failure(record) for record in suite.failures])
    networks, rounding = _networks(suite)
    found |= networks
    found[names.FLOAT16] = as_parquet(pd.DataFrame(rounding, columns=COLUMNS))
    found[names.RUNS] = as_parquet(_runs(suite, records, set(networks)))
    return found


def summary_files(summaries: Summaries) -> dict[str, bytes]:
    """The files of what a suite's scores say together."""
    found = {}
    for each in fields(summaries):
        frame = getattr(summaries, each.name)
        if each.name == "ranking":
            frame = frame.assign(indistinguishable_from=frame["indistinguishable_from"].map(" | ".join))
        found[f"summaries/{each.name}.parquet"] = as_parquet(frame)
    return found


def _public(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a results table whose reasons name no folders."""
    return rows.assign(reason=rows["reason"].map(without_places, na_action="ignore")).reset_index(drop=True)


def _runs(suite: Suite, records: Mapping[str, Mapping[str, Any]], networks: set[str]) -> pd.DataFrame:
    """A row a run: what tells it, what it cost, and what is public of its run.json."""
    described = configurations(suite.table).set_index("config_id")
    standing = dict(suite.shown.values())
    rows = []
    for run, folder in suite.runs:
        record = records[run.run_id]
        of_config = described.loc[run.config_id]
        rows.append(
            {
                "run_id": run.run_id,
                "config_id": run.config_id,
                "dataset_label": of_config["dataset_label"],
                "label": of_config["label"],
                "reference": bool(of_config["reference"]),
                "seed": run.seed,
                **said_by(record),
                "shown": run.run_id in standing and weights_file(run.config_id) in networks,
                "chosen_by": standing.get(run.run_id),
                "scores_sha256": scores_digest(folder),
                "record": json.dumps(public_record(record), sort_keys=True, separators=(",", ":")),
            }
        )
    kinds = {"parameters": "Int64", "training_seconds": "float64", "encoding_seconds": "float64", "seed": "Int64"}
    texts = dict.fromkeys(("dataset_label", "label", "commit", "device", "chosen_by"), "str")
    return pd.DataFrame(rows).astype(kinds | texts)


def said_by(record: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a run that its record says: what it cost and where it was made."""
    seconds, origin = record["seconds"], record["provenance"]
    elsewhere = "trained" in origin
    return {
        "parameters": record.get("parameters"),
        "training_seconds": None if elsewhere else seconds.get("training"),
        "encoding_seconds": None if elsewhere else seconds.get("encoding"),
        "commit": origin.get("commit"),
        "device": origin.get("device"),
    }


def _histories(runs: Iterable[tuple[Run, Path]]) -> pd.DataFrame:
    """The training histories of all runs that have one, thinned to HISTORY_ROWS rows."""
    found = []
    for run, folder in runs:
        path = folder / "history.csv"
        if path.exists():
            history = pd.read_csv(path)
            step = -(-len(history) // HISTORY_ROWS)
            found.append(history.iloc[::-1].iloc[::step].iloc[::-1].assign(run_id=run.run_id) if step else history)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame({"run_id": pd.Series(dtype="str")})


def _measures(suite: Suite) -> dict[str, Any]:
    """The settings of every protocol, and a description of measures that are not part of this package."""
    protocols: dict[str, Any] = {}
    for _, folder in suite.runs:
        for path in sorted((folder / "scores").glob("*.json")):
            score = read_json(path)
            known = {"metric": score["metric"], "version": score["metric_version"], "settings": score["settings"]}
            protocols.setdefault(score["protocol"], known)
    used = sorted(set(suite.table["metric"]))
    foreign = [name for name in used if name in suite.measures and not registry.is_builtin("metric", name)]
    return {
        "protocols": dict(sorted(protocols.items())),
        "measures": {name: suite.measures[name].described() for name in foreign},
    }


def _networks(suite: Suite) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """The weights and the explorer of each configuration's run, and what half precision moves in each of them."""
    from safetensors.numpy import load_file

    runs = {run.run_id: (run, folder) for run, folder in suite.runs}
    for run, _ in suite.runs:
        if run.config_id not in suite.shown:
            suite.left_out[run.model.name] = "a reference: its codes or weights are drawn anew from its seed"
    found: dict[str, bytes] = {}
    rounding: list[dict[str, Any]] = []
    room = Room(left_out=suite.left_out)
    for config_id, (run_id, _) in suite.shown.items():
        run, folder = runs[run_id]
        reason = _without_weights(run, folder)
        if reason:
            suite.left_out[run.model.name] = reason
            continue
        suite.say(f"{run.dataset.name} {run.model.name} {config_id}")
        weights, data = load_file(folder / WEIGHTS), load_data(run.dataset, suite.data_dir)
        content = packed(run, weights, data, tuple(registry.load("model", run.model.name).critics))
        if room.takes(content, f"{run.model.name} ({config_id})", "weights"):
            found[weights_file(config_id)] = content
            rounding.append({"config_id": config_id, "run_id": run_id} | moved(run, weights, data))
    for config_id, (run_id, _) in suite.shown.items():
        run, folder = runs[run_id]
        arrays = _explorer(folder, suite.explored)
        content = compressed(arrays)
        if arrays and room.takes(content, f"the explorer of {run.model.name} ({config_id})", "pictures"):
            found[explorer_file(config_id)] = content
    return found, rounding


def _without_weights(run: Run, folder: Path) -> str | None:
    """Why a run's weights cannot be published; None where they can."""
    if run.network is None:
        return "its codes come from no network"
    if not (folder / WEIGHTS).exists():
        return "its weights are not kept"
    if run.model.name not in registry.names("model") or run.network.name not in registry.names("network"):
        return "the code of its model or network is not here: name its file by --plugin"
    return None


def _explorer(folder: Path, names_of: frozenset[str]) -> dict[str, ndarray]:
    """What the explorer is drawn from: the images that it starts from alone, and only where there is a decoder."""
    arrays = read_arrays(folder / CODES, names_of)
    if "explorer_program" not in arrays:
        return {}
    images = arrays.get("picture_images")
    return arrays | ({} if images is None else {"picture_images": images[: len(arrays["explorer_codes"][:STARTS])]})


STARTS = 8
"""Images that an explorer starts from."""


def manifest_of(suite: Suite, files: Mapping[str, bytes], version: int, kind: Kind, corrects: str = "") -> Manifest:
    listed = {name: File.of(content) for name, content in files.items()}
    texts = (without_places(suite.description), listed, corrects, without_places(suite.left_out))
    return Manifest(suite.name, version, kind, *texts, suite.program, _plugins(suite))


def _plugins(suite: Suite) -> dict[str, str]:
    """The sha256 of the loose files that runs and measures come from, by kind and name; those that are not here are
    told by the eight digits in their protocols."""
    found = {}
    for run, _ in suite.runs:
        for kind, part in (("dataset", run.dataset), ("model", run.model), ("network", run.network)):
            if part is not None and part.source is not None:
                found[f"{kind} {part.name}"] = part.source
    for name in sorted(set(suite.table["metric"])):
        if (source := suite.measures[name].source) is not None:
            found[f"metric {name}"] = source
    return dict(sorted(found.items()))


def write_folder(manifest: Manifest, files: Mapping[str, bytes], to: Path) -> Path:
    """Write an archive as the folder to/NAME/VERSION, whole or not at all, and return it.

    What is there already stays where it is the same. Raises `UsageError` where it is another: a version is fixed.
    """
    folder = to / manifest.name / str(manifest.version)
    if (folder / names.MANIFEST).exists():
        return _same_version(manifest, folder)
    scratch = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}.part")
    with disk_full_explained(folder):
        try:
            for name, content in {**files, names.MANIFEST: manifest.render()}.items():
                path = scratch / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                sync(path)
            try:
                scratch.rename(folder)
            except OSError as error:
                if (folder / names.MANIFEST).exists():  # another process was faster
                    return _same_version(manifest, folder)
                if folder.exists():
                    raise BenchmarkError(f"{folder} is in the way: it holds no archive; move it away") from None
                raise error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _same_version(manifest: Manifest, folder: Path) -> Path:
    """The folder of a version that is published. Raises `UsageError` where that is another one."""
    there = folder / names.MANIFEST
    known = read_manifest(there.read_bytes(), str(there))
    if known.files != manifest.files:
        changed = sorted(
            name for name in {**known.files, **manifest.files} if known.files.get(name) != manifest.files.get(name)
        )
        raise UsageError(
            f"{folder} is published with another {changed[0]}, and what a version holds is fixed: give --version"
            f" {newest_version(folder.parent) + 1} and say by --corrects what it mends"
        )
    if known.corrects != manifest.corrects:
        raise UsageError(
            f"{folder} is published, and corrects {known.corrects!r}: what a version says of itself is fixed, too"
        )
    return folder


def write_zip(manifest: Manifest, files: Mapping[str, bytes], to: Path) -> Path:
    """Write an archive as one zip file, the same bytes for the same content. Raises `UsageError` on another file there.

    Tables and weights are packed already; only text is deflated.
    """
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in sorted({**files, names.MANIFEST: manifest.render()}.items()):
            info = zipfile.ZipInfo(name)  # of 1980, whenever it is written
            info.compress_type = zipfile.ZIP_DEFLATED if name.endswith((".json", ".toml")) else zipfile.ZIP_STORED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    if to.exists() and to.read_bytes() != written.getvalue():
        raise UsageError(f"{to} is there already with another content: name another file, or delete it")
    with disk_full_explained(to):
        write_atomically(to, lambda scratch: scratch.write_bytes(written.getvalue()))
    return to
