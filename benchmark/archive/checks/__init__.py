"""What can be checked of an archive or a submission by itself, check by check; and what cannot.

Each file is one check: `check(content)` gives a `Check`, which says what holds, or what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmark.archive.checks.content import Check, Content, read_content
from benchmark.archive.checks.files import check_files
from benchmark.archive.checks.matrices import check_matrices
from benchmark.archive.checks.names import check_names
from benchmark.archive.checks.plugins import check_plugins
from benchmark.archive.checks.protocols import check_protocols
from benchmark.archive.checks.runs import check_runs
from benchmark.archive.checks.schema import check_schema
from benchmark.archive.checks.summaries import check_summaries
from benchmark.archive.checks.twice import check_twice
from benchmark.archive.checks.values import check_values
from benchmark.archive.checks.weights import check_weights
from benchmark.archive.opening import Archive
from benchmark.errors import BenchmarkError
from benchmark.naming import printable

OF_CONTENT = (
    check_schema, check_runs, check_twice, check_protocols, check_values, check_summaries, check_plugins, check_weights,
    check_matrices, check_names,
)  # fmt: skip
"""In their order. `check_files` comes before them: they look at what its digests vouch for."""
UNSEEN = (
    "not seen: whether these numbers were ever measured. A score that is forged within its bounds, with every digest"
    " and summary made anew, passes, as does a run or a measure that was never handed in; the command in a run's record"
    " makes it again"
)
"""What no check can tell."""
LISTED = 5
"""Sentences of one check that are listed at most."""


def checks(archive: Archive, program: str, beside: Archive | None = None) -> list[Check]:
    """All checks of an archive, in their order; of a submission beside a leaderboard, or the published one of its name.
    `program`: this one's name and version.

    Where its files or tables cannot be read, the others are not made.
    """
    files = check_files(archive)
    if files.wrong:
        others = "the other checks look at what the digests vouch for, and were not made"
        return [_shortened(Check(files.title, "", files.wrong, (others,)))]
    try:
        content = read_content(archive, beside, program)
    except BenchmarkError as error:
        return [files, Check("schema", "", (printable(str(error)),))]
    return [files, *(_shortened(_made(check, content)) for check in OF_CONTENT)]


def _made(check: Callable[[Content], Check], content: Content) -> Check:
    """A check; where a table that it looks at cannot be read, that is what is wrong."""
    try:
        return check(content)
    except BenchmarkError as error:
        return Check(check.__name__.removeprefix("check_").replace("_", " "), "", (str(error),))


def _shortened(check: Check) -> Check:
    return Check(check.title, check.holds, _first(check.wrong), _first(check.notes))


def _first(sentences: tuple[str, ...]) -> tuple[str, ...]:
    more = len(sentences) - LISTED
    shown = tuple(printable(each) for each in sentences[:LISTED])
    return shown if more <= 0 else (*shown, f"and {more:,} more of this kind")
