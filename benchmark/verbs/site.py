"""Make a static site of published leaderboards: an index, their pages, and their archives with tables as CSV beside."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark import PROGRAM
from benchmark.errors import UsageError
from benchmark.integrity.suite_seal import PAPERS
from benchmark.verbs._beside import of_archive
from benchmark.verbs._given import add_plugins, takes_paths
from benchmark.verbs._workplace import default_jobs
from benchmark.words.notebook import Shown
from benchmark.words.phrases import count
from benchmark.words.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.archive.manifest import Manifest
    from benchmark.archive.opening import Archive
    from leaderboard.report import Version
    from leaderboard.site import Listed

INDEX, CONTENT = "index.html", "site.json"


@dataclass
class Site(Shown):
    """What was made: the folder, its index, and the leaderboards in it, as NAME/VERSION."""

    folder: Path
    index: Path
    leaderboards: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        return f"{self.index}: {count(len(self.leaderboards), 'leaderboard')}"

    def frame(self) -> pd.DataFrame:
        """A row a leaderboard."""
        import pandas as pd

        return pd.DataFrame({"leaderboard": self.leaderboards})


@takes_paths
def site(
    to: Path,
    *,
    source: Path | None = None,
    plugins: Sequence[Path] = (),
    jobs: int | None = None,
    quiet: bool = True,
) -> Site:
    """Write a static site of all archives in the folder `source`, NAME/VERSION each, by default the published ones.

    `to` then holds index.html, which says of every dataset what the newest version found, and NAME/VERSION/ with the
    page, the archive as it is, so that `load_results` reads it there, and its scores and summaries as CSV. A site that
    is there is replaced whole; `jobs`: as `report` says.
    Raises `UsageError` where there is no archive, or `to` holds something else, `BenchmarkError` on an altered one.
    """
    from benchmark import published
    from benchmark.archive.manifest import MANIFEST, is_known
    from benchmark.archive.opening import open_archive
    from benchmark.integrity.sealed import write_json
    from leaderboard.site import write_index

    add_plugins(plugins)
    folder = source or published.folder()
    places = sorted(folder.glob(f"*/*/{MANIFEST}"))
    if not places:
        raise UsageError(f"{folder} holds no archive; benchmark publish SUITE --as archive --to {folder} makes one")
    if to.exists() and not (to.is_dir() and ((to / CONTENT).is_file() or not any(to.iterdir()))):
        raise UsageError(f"--to {to}: it is there and no site of this program; name another folder, or delete it")
    archives = [open_archive(place.parent) for place in places]
    if wrong := next((each for each in archives if each.manifest.kind != "leaderboard"), None):
        raise UsageError(f"{wrong.place.where} is {wrong.manifest.title}; a site is of leaderboards with a version")
    for archive in archives:
        if odd := next((name for name in archive.manifest.files if not is_known(name)), None):
            raise UsageError(
                f"{archive.place.where} lists {odd}, which is no file that an archive has, and a site would show it:"
                " publish it without"
            )
    scratch = to.absolute().with_name(f".{to.name}-{uuid.uuid4().hex[:8]}.part")
    try:
        with Progress("drawing the pages", len(archives), quiet=quiet) as progress:
            boards = []
            for number, archive in enumerate(archives):
                boards.append(
                    _board(archive, scratch, default_jobs() if jobs is None else jobs, _versions(archive, archives))
                )
                progress.at(number + 1)
        write_index(_newest(boards), PROGRAM, scratch / INDEX)
        titles = [archive.manifest.title for archive in archives]
        write_json(scratch / CONTENT, {"program": PROGRAM, "leaderboards": titles})
        if to.exists():
            shutil.rmtree(to)
        scratch.rename(to)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Site(to, to / INDEX, titles)


def _versions(archive: Archive, archives: Sequence[Archive]) -> list[Version]:
    """All versions of a leaderboard as its page links to them, the newest last."""
    from leaderboard.report import Version

    manifests = sorted((each.manifest for each in archives), key=lambda manifest: manifest.version)
    return [
        Version(each.title, f"../{each.version}/{INDEX}", each.version == archive.manifest.version)
        for each in manifests
        if each.name == archive.manifest.name
    ]


def _board(archive: Archive, to: Path, jobs: int, versions: Sequence[Version]) -> Listed:
    """Write a leaderboard's folder, and say what the index lists of it."""
    from benchmark.archive.manifest import MANIFEST, SCORES
    from benchmark.archive.opening import LARGEST_MANIFEST
    from benchmark.archive.results import scores_of
    from benchmark.table import write_csv
    from leaderboard.papers import comparisons, write_numbers
    from leaderboard.report import write_report
    from leaderboard.site import Listed, Table, headlines

    manifest = archive.manifest
    folder = to / manifest.name / str(manifest.version)
    for name in manifest.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive.read(name))
    (folder / MANIFEST).write_bytes(archive.place.read(MANIFEST, LARGEST_MANIFEST))
    summary = "summaries/summary.parquet"
    write_csv(scores_of(archive), folder / "scores.csv")
    for name in manifest.files:
        if name.startswith("summaries/"):
            write_csv(archive.frame(name), folder / f"{Path(name).stem}.csv")
    with of_archive(archive) as of:
        papers = comparisons(manifest.name, of.table)
        numbers = write_numbers(papers, folder / PAPERS)
        write_report(
            manifest.title, manifest.description, of.table, of.runs, of.measures, folder, of.failures, papers,
            jobs, table_digest=manifest.files[SCORES].sha256, planned=of.planned, origin=of.origin, tables=of.tables,
            versions=versions, headline=of.headline,
        )  # fmt: skip
        found = headlines(of.table, of.records(), of.measures, of.headline)
        configurations = of.table["config_id"].nunique()
    counts = f"{count(len(of.runs), 'run')} of {count(configurations, 'configuration')}, {manifest.program}."
    files = [SCORES, "scores.csv", summary, "summary.csv", *(path.name for path in numbers)]
    tables = [Table(name, _size(folder / name)) for name in files]
    place = f"{manifest.name}/{manifest.version}/"
    return Listed(
        manifest.name, manifest.title, place, manifest.description, counts, _changes(manifest), found, tables
    )  # fmt: skip


def _changes(manifest: Manifest) -> str:
    """What a version from 2 on is there for, in a sentence."""
    said = [("Corrects", manifest.corrects), ("Adds to", manifest.adds)]
    return " ".join(f"{what} the version before: {text}." for what, text in said if text)


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


def _newest(boards: Sequence[Listed]) -> list[Listed]:
    """The highest version of each name, with those before it."""
    from dataclasses import replace

    by_name: dict[str, list[Listed]] = {}
    for board in sorted(boards, key=lambda board: (board.name, int(board.title.rpartition("/")[2]))):
        by_name.setdefault(board.name, []).append(board)
    return [
        replace(own[-1], earlier={each.place: each.title for each in reversed(own[:-1])}) for own in by_name.values()
    ]
