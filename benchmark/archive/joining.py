"""A submission joined to a leaderboard: what the next version holds, made of both and of nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from benchmark.archive import manifest as names
from benchmark.archive.checks.content import Content
from benchmark.archive.failures import failures_file, unfinished
from benchmark.archive.manifest import File, Manifest
from benchmark.archive.matrices import scores_by_run
from benchmark.archive.opening import Archive
from benchmark.archive.parquet import as_parquet
from benchmark.archive.results import histories_of, moved_of
from benchmark.archive.room import Room
from benchmark.archive.seeds_apart import scored_apart
from benchmark.archive.weights import EXPLORERS, FOLDER, explorer_file, weights_file
from benchmark.archive.writing import summary_files
from benchmark.errors import BenchmarkError
from benchmark.integrity.sealed import compact, render, sealed
from benchmark.spec import canonical_json
from benchmark.stages.aggregate import aggregate
from benchmark.stages.comparisons import counted
from benchmark.stages.configurations import configurations
from benchmark.stages.measures import measures_of
from benchmark.table import merge_tables

LABELLED = 5
"""Configurations that a version names of those that it adds."""


@dataclass(frozen=True)
class Joined:
    """A version to be published: its manifest and files; `notes` are what is to be known of it, a sentence each."""

    manifest: Manifest
    files: dict[str, bytes]
    notes: list[str] = field(default_factory=list)


def against_joining(board: Content, submission: Content) -> Iterator[str]:
    """Why a submission cannot join a leaderboard, a sentence each: other data, other protocols, or two things under
    one name."""
    title = board.archive.manifest.title
    data = {canonical_json(run.dataset.identity()) for run in board.described.values()}
    for run_id, run in submission.described.items():
        if canonical_json(run.dataset.identity()) not in data:
            yield f"run {run_id} is on {run.dataset.name} as no run of {title} is: another version, setting or file"
    of_board, own = (set(each.scores.loc[each.scores["status"] == "ok", "protocol"]) for each in (board, submission))
    if not of_board & own:
        yield f"no score is under a protocol of {title}: benchmark evaluate has its settings in the suite's file"
    for kind, there, here in (
        ("plug-in", board.archive.manifest.plugins or {}, submission.archive.manifest.plugins or {}),
        ("protocol", _protocols(board), _protocols(submission)),
        ("measure", _described(board), _described(submission)),
    ):
        for name in sorted(there.keys() & here.keys()):
            if there[name] != here[name]:
                yield f"{kind} {name} is another one in {title}: give it another name"


def _protocols(content: Content) -> dict[str, Any]:
    """The protocols with all settings that their measures have here: one that was added since stands at its default."""
    found: dict[str, Any] = {}
    for name, said in content.protocols.items():
        found[name] = said
        known = content.known.get(str(said.get("metric"))) if isinstance(said, Mapping) else None
        if known is not None and isinstance(own := said.get("settings"), Mapping):
            with suppress(BenchmarkError):  # an earlier version could be told what this one does not know
                found[name] = {**said, "settings": known.settings.read(own, name).plain()}
    return found


def _described(content: Content) -> dict[str, Any]:
    return {name: metric.described() for name, metric in content.foreign.items()}


def joined(board: Content, submission: Content, program: str) -> Joined:
    """The version after the board's. What is there stays: the shown run of a configuration, its weights, its texts."""
    name = board.archive.manifest.name
    scores, single = (
        merge_tables([there, here.assign(suite=name)])
        for there, here in ((board.scores, submission.scores), (board.single, submission.single))
    )
    table = pd.concat([scores, single], ignore_index=True)
    foreign = {**submission.foreign, **board.foreign}
    measures = {**measures_of(table[~table["metric"].isin(foreign)], ()), **foreign}
    found = {
        names.SUITE: board.archive.read(names.SUITE),
        names.SCORES: as_parquet(scores),
        names.SINGLE: as_parquet(single),
        names.MEASURES: render(sealed(_measures(board, submission))).encode(),
        **summary_files(aggregate(table, measures)),
    }
    networks, left_out = _networks(board, submission)
    runs = _runs(board, submission, table, set(networks))
    found |= networks
    found[names.RUNS] = as_parquet(runs)
    kept = set(runs.loc[runs["chosen_by"].notna(), "run_id"])
    matrices = scores_by_run(submission.archive) | scores_by_run(board.archive)
    found[names.MATRICES] = compact(sealed({"runs": {run: of for run, of in matrices.items() if run in kept}})).encode()
    said = [unfinished(each.archive) for each in (board, submission)]
    planned = sum(each.planned or len(of.described) for each, of in zip(said, (board, submission), strict=True))
    finished = {*board.described, *submission.described}
    failed = {str(failure["run_id"]): failure for each in said for failure in each.failures}
    found[names.FAILURES] = failures_file(planned, [of for run, of in failed.items() if run not in finished])
    if (histories := _together(board, submission, histories_of)) is not None:
        found[names.HISTORIES] = as_parquet(histories)
    if (moved := _together(board, submission, moved_of)) is not None:
        found[names.FLOAT16] = as_parquet(moved[moved["run_id"].isin(kept)].reset_index(drop=True))
    return Joined(_manifest(board, submission, found, runs, left_out, program), found, list(_notes(board, submission)))


def _measures(board: Content, submission: Content) -> dict[str, Any]:
    protocols = {**submission.protocols, **board.protocols}
    measures = {**_described(submission), **_described(board)}
    return {"protocols": dict(sorted(protocols.items())), "measures": dict(sorted(measures.items()))}


def _networks(board: Content, submission: Content) -> tuple[dict[str, bytes], dict[str, str]]:
    """Weights and explorers of both, the board's first; and what does not fit, with the reason."""
    folders = (f"{FOLDER}/", f"{EXPLORERS}/")
    found = {each: board.archive.read(each) for each in board.archive.manifest.files if each.startswith(folders)}
    room = Room()
    room.left -= sum(map(len, found.values()))
    known = set(board.runs["config_id"])
    standing = submission.runs[submission.runs["chosen_by"].notna() & ~submission.runs["config_id"].isin(known)]
    configs = list(standing[["config_id", "label"]].itertuples(index=False, name=None))
    for name_of, what, whose in ((weights_file, "weights", ""), (explorer_file, "pictures", "the explorer of ")):
        for config_id, label in configs:
            if not submission.archive.holds(name := name_of(config_id)):
                continue
            content = submission.archive.read(name)
            if room.takes(content, f"{whose}{label} ({config_id})", what):
                found[name] = content
    return found, dict(room.left_out)


def _runs(board: Content, submission: Content, table: pd.DataFrame, networks: set[str]) -> pd.DataFrame:
    """All runs, named as the table of both names them; a configuration's shown run is the one that it had."""
    theirs = submission.runs.copy()
    known = theirs["config_id"].isin(set(board.runs["config_id"]))
    theirs.loc[known, "chosen_by"] = None
    has_weights = theirs["config_id"].map(weights_file).isin(networks)
    theirs["shown"] = theirs["shown"].astype(bool) & ~known & has_weights
    together = pd.concat([board.runs, theirs.reindex(columns=list(board.runs))], ignore_index=True)
    of_config = configurations(table).set_index("config_id")
    named = {name: together["config_id"].map(of_config[name]) for name in ("dataset_label", "label", "reference")}
    return together.assign(**named).astype(board.runs.dtypes.to_dict())


def _together(
    board: Content, submission: Content, read: Callable[[Archive], pd.DataFrame | None]
) -> pd.DataFrame | None:
    """A table that both have, or one of them; None where neither has it."""
    frames = [frame for each in (board, submission) if (frame := read(each.archive)) is not None]
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True) if frames else None


def _manifest(
    board: Content,
    submission: Content,
    found: dict[str, bytes],
    runs: pd.DataFrame,
    left_out: dict[str, str],
    program: str,
) -> Manifest:
    there, here = board.archive.manifest, submission.archive.manifest
    return replace(
        there,
        version=there.version + 1,
        files={name: File.of(content) for name, content in found.items()},
        corrects="",
        adds=_added(runs[runs["run_id"].isin(submission.described)]),
        left_out={**(here.left_out or {}), **(there.left_out or {}), **left_out},
        plugins={**(here.plugins or {}), **(there.plugins or {})},
        program=program,
    )


def _added(runs: pd.DataFrame) -> str:
    """Such as: 5 runs of my_vae on dsprites."""
    groups = runs.groupby(["label", "dataset_label"], sort=False)
    said = [f"{counted(len(own), 'run')} of {label} on {dataset}" for (label, dataset), own in groups]
    more = len(said) - LABELLED
    return ", ".join(said[:LABELLED]) + (f" and {counted(more, 'further configuration')}" if more > 0 else "")


def _notes(board: Content, submission: Content) -> Iterator[str]:
    known = submission.runs["config_id"].isin(set(board.runs["config_id"]))
    both = sorted(set(submission.runs.loc[known, "label"]))
    if both:
        yield f"{', '.join(both)}: more runs of what was there; its shown run and weights stay"
    table = pd.concat([board.scores, submission.scores], ignore_index=True)
    yield from scored_apart(table, {**submission.measures, **board.measures})
    of_board = set(board.scores["protocol"])
    own = submission.scores[submission.scores["status"] == "ok"]
    alone = sorted(set(own["protocol"]) - of_board)
    if alone:
        yield f"no run of {board.archive.manifest.title} has a score under {', '.join(alone)}"
