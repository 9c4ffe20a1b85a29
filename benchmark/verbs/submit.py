"""Pack a suite's finished runs into one file for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.verbs._given import add_plugins, takes_paths
from benchmark.words.notebook import Shown
from benchmark.words.phrases import count

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.archive.writing import Suite


@dataclass
class Submission(Shown):
    """What was packed: the file, its runs, the plug-ins by their content's sha256, what is left out with the reason,
    and which runs are published already and therefore stay here."""

    file: Path
    runs: list[str]
    plugins: dict[str, str]
    left_out: dict[str, str]
    published: list[str]

    def sentence(self) -> str:
        known = f"; {count(len(self.published), 'run')} published already" if self.published else ""
        return f"{self.file}: {count(len(self.runs), 'run')}, {self.file.stat().st_size / 1e6:.2f} MB{known}"

    def frame(self) -> pd.DataFrame:
        """A row a run: run_id."""
        import pandas as pd

        return pd.DataFrame({"run_id": self.runs})


@takes_paths
def submit(
    suite: str,
    to: Path,
    *,
    results: Path = RESULTS,
    plugins: Sequence[Path] = (),
    data_dir: Path | None = None,
    into: str | None = None,
    quiet: bool = True,
) -> Submission:
    """Pack a suite's finished and evaluated runs, models of your own and codes from elsewhere too, into the zip file
    `to`: an archive without a version, which `verify`, `report` and `load_results` read.

    Runs that the leaderboard `into` has already, or the published one of the suite's name, are left out. Plug-ins are
    recorded by their content's sha256; their files go into the pull request beside it.
    Raises `UsageError` where nothing is there to submit, or `to` is there with another content.
    """
    from benchmark.archive.writing import files_of, manifest_of, write_zip
    from benchmark.verbs._archived import finished_suite

    if to.suffix != ".zip":
        raise UsageError(f"--to {to}: a submission is one zip file; name it so, such as {to.stem or 'mine'}.zip")
    if not to.parent.is_dir():
        raise UsageError(f"--to {to}: {to.parent} is no folder; make it first, or choose another place")
    add_plugins(plugins)
    known = _published(suite, into)
    packed: Suite = finished_suite(suite, results, data_dir, without=frozenset(known), quiet=quiet)
    files = files_of(packed)
    manifest = manifest_of(packed, files, 0, "submission")
    write_zip(manifest, files, to)
    runs = [run.run_id for run, _ in packed.runs]
    there = sorted(known & _planned(suite, results))
    return Submission(to, runs, dict(manifest.plugins or {}), dict(packed.left_out), there)


def _published(suite: str, into: str | None) -> set[str]:
    """The ids of a leaderboard's runs: of the one that is named, else of that which is published under a suite's name;
    none where none is."""
    from benchmark.archive.opening import open_archive, published_name
    from benchmark.archive.results import runs_of

    if into is not None:
        return set(runs_of(open_archive(into))["run_id"])
    name = Path(suite).stem if suite.endswith(".toml") else suite
    return set(runs_of(open_archive(name))["run_id"]) if published_name(name) else set()


def _planned(suite: str, results: Path) -> set[str]:
    from benchmark.store import Store
    from benchmark.verbs._given import located, suite_name

    return {run.run_id for run in Store(results, make=False).plan(suite_name(located(suite, results)))}
