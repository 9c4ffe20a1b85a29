"""Join a submission to a published leaderboard, as its next version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmark import PROGRAM
from benchmark.commands import command_line
from benchmark.errors import BenchmarkError, UsageError
from benchmark.spec import suggest
from benchmark.verbs._given import add_plugins, takes_paths
from benchmark.words.notebook import Shown
from benchmark.words.phrases import count

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.archive.opening import Archive


@dataclass
class Accepted(Shown):
    """What was published: the folder of the new version, its title, the ids of the runs that it adds, and what is to be
    known of it."""

    folder: Path
    title: str
    runs: list[str]
    notes: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        return f"{self.folder}: {self.title}, {count(len(self.runs), 'run')} more"

    def frame(self) -> pd.DataFrame:
        """A row a run: run_id."""
        import pandas as pd

        return pd.DataFrame({"run_id": self.runs})


@takes_paths
def accept(file: Path, into: str, *, plugins: Sequence[Path] = ()) -> Accepted:
    """Publish the version after the newest of a leaderboard: its runs and those of a submission.

    file: the submission's zip file. into: the leaderboard's name, or the folder that holds its versions. What `verify`
    checks must hold of the submission beside this leaderboard, of the leaderboard, and of both together; versions that
    are there stay as they are. Nothing is trained or scored anew: summaries are computed from the scores of both.
    Raises `BenchmarkError` naming what does not hold, `UsageError` on another kind of file, or on no leaderboard.
    """
    from benchmark.archive.checks.content import read_content
    from benchmark.archive.joining import against_joining, joined
    from benchmark.archive.opening import open_archive
    from benchmark.archive.writing import write_folder

    add_plugins(plugins)
    submission, board = open_archive(file), _newest(into)
    title = submission.manifest.title
    if submission.manifest.kind != "submission":
        raise UsageError(f"{file} is {title}, which is published: a submission is what benchmark submit packs")
    _check(board, None, f"{board.manifest.title} does not hold itself")
    _check(submission, board, f"{file} is not accepted into {board.manifest.title}")
    there, here = read_content(board), read_content(submission, board)
    if reasons := list(against_joining(there, here)):
        raise BenchmarkError(f"{file} is not accepted into {board.manifest.title}: {_listed(reasons)}")
    made = joined(there, here, PROGRAM)
    with TemporaryDirectory(prefix="benchmark-") as scratch:
        trial = open_archive(write_folder(made.manifest, made.files, Path(scratch)))
        _check(trial, None, f"{made.manifest.title} would not hold")
    try:
        folder = write_folder(made.manifest, made.files, Path(board.place.where).parents[1])
    except UsageError:
        if _newest(into).manifest.version == board.manifest.version:
            raise
        raise UsageError(
            f"{made.manifest.title} was published while {file} was looked at: accept it again, as the version after"
        ) from None
    return Accepted(folder, made.manifest.title, sorted(here.described), made.notes)


def _newest(into: str) -> Archive:
    """The newest version of a leaderboard, in a folder that the next one can be written into."""
    from benchmark import published
    from benchmark.archive.opening import names, open_archive

    known = published.folder() / into
    folder = known if any(name.startswith(f"{into}/") for name in names()) else Path(into)
    versions = [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]
    if not versions:
        everywhere = sorted({name.partition("/")[0] for name in names()})
        raise UsageError(
            f"--into {into}: no leaderboard is published under this name, and no such folder of versions, such as"
            f" results/published/dsprites-core{suggest(into, everywhere)}"
        )
    archive = open_archive(folder.resolve() / str(max(versions)))
    if archive.manifest.kind != "leaderboard" or folder.resolve().name != archive.manifest.name:
        raise UsageError(
            f"--into {into}: its folder holds {archive.manifest.title}: a leaderboard lies under NAME/VERSION"
        )
    return archive


def _check(archive: Archive, board: Archive | None, otherwise: str) -> None:
    """Raise `BenchmarkError` with what does not hold of an archive, beside a board where one is given."""
    from benchmark.archive.checks import checks

    wrong = [f"{check.title}: {line}" for check in checks(archive, PROGRAM, board) for line in check.wrong]
    if wrong:
        into = ["--into", board.place.where] if board else []
        told = command_line("verify", archive.place.where, *into)
        raise BenchmarkError(f"{otherwise}: {_listed(wrong)}; {told} says all")


def _listed(reasons: Sequence[str]) -> str:
    more = f" (and {len(reasons) - 1:,} more)" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}"
