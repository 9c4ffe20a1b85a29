"""Format, name, version and tables have the form of an archive."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark import published
from benchmark.archive.checks.content import Check, Content
from benchmark.archive.manifest import FORMAT, is_known
from benchmark.archive.places import Folder
from benchmark.archive.results import evaluation_said, histories_of, moved_of
from benchmark.errors import BenchmarkError


def check_schema(content: Content) -> Check:
    rows = len(content.scores) + len(content.single)
    holds = f"format {FORMAT}; {rows:,} scores of {len(content.runs):,} runs in the columns of a results table"
    return Check("schema", holds, tuple(_wrong(content)))


def _wrong(content: Content) -> Iterator[str]:
    manifest, place = content.archive.manifest, content.archive.place
    if (manifest.kind == "submission") != (manifest.version == 0):
        yield f"it is a {manifest.kind} of version {manifest.version}: a leaderboard counts from 1, a submission has 0"
    if manifest.version > 1 and not (manifest.corrects + manifest.adds).strip():
        yield f"version {manifest.version} says neither what it corrects of the one before, nor what it adds"
    if isinstance(place, Folder) and published.folder().resolve() in place.path.resolve().parents:
        own = place.path.resolve().relative_to(published.folder().resolve()).as_posix()
        if own != manifest.title:
            yield f"{place.where} holds {manifest.title}: what is published lies under NAME/VERSION"
    for name in (name for name in manifest.files if not is_known(name)):
        yield f"{place.where}: {name} is no file that an archive has: publish it without"
    for frame in (content.scores, content.single):
        for suite in sorted(set(frame["suite"]) - {manifest.name}):
            yield f"scores say that they are of {suite!r}, the archive is of {manifest.name!r}"
    if not len(content.scores):
        yield "it holds no score"
    for read in (evaluation_said, histories_of, moved_of):
        try:
            read(content.archive)
        except BenchmarkError as error:
            yield str(error)
