"""Compare every file of a results folder with the digest that something else there has of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import PROGRAM
from benchmark.archive.manifest import MANIFEST
from benchmark.commands import RESULTS
from benchmark.errors import BenchmarkError, UsageError
from benchmark.integrity import digests
from benchmark.integrity.run_seal import (
    CODES,
    MEND,
    MEND_SCORE,
    RECORD,
    SCORES,
    being_encoded,
    damages,
    first_contact,
    listed,
    read_record,
    read_score,
    scores_digest,
    seal_run,
    wants_seal,
)
from benchmark.integrity.sealed import check_format, is_sealed, read_json, render, write_json
from benchmark.integrity.stamp import check_stamp
from benchmark.integrity.suite_seal import PAGE, SEAL, TABLE, check_table, is_table, read_seal, remade
from benchmark.naming import printable
from benchmark.spec import Run
from benchmark.store import Store, runs_of
from benchmark.verbs._given import add_plugins, archive_meant, takes_paths
from benchmark.words.notebook import Shown
from benchmark.words.phrases import count

if TYPE_CHECKING:
    import pandas as pd


APART = {"published", "scratch", "damaged", "README.md", ".gitignore"}
"""Not looked at: tables that are kept elsewhere, and what no result rests on."""


@dataclass
class Verification(Shown):
    """`findings`: what is wrong, a sentence each. `notes`: what is sound and still to be known. `sealed`: what of an
    older version was met for the first time, and sealed as it is. `files`: how many were compared. `held`: of an
    archive or a submission, what each of its checks holds. `unseen`: what none of them can tell."""

    files: int = 0
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    unseen: str = ""

    def sentence(self) -> str:
        return f"{count(self.files, 'file')} compared, {count(len(self.findings), 'finding')}"

    def frame(self) -> pd.DataFrame:
        """A row a sentence: finding, note, sealed or held, and the text."""
        import pandas as pd

        kinds = (("finding", self.findings), ("note", self.notes), ("sealed", self.sealed), ("held", self.held))
        return pd.DataFrame([(kind, text) for kind, texts in kinds for text in texts], columns=["kind", "text"])

    def attempt(self, check: Callable[[], Any]) -> Any:
        """What a check returns; what it says where it raises is a finding."""
        try:
            return check()
        except BenchmarkError as error:
            self.findings.append(printable(str(error)))
        except OSError as error:
            self.findings.append(printable(f"{error.filename} cannot be read ({error.strerror})"))
        return None


@takes_paths
def verify(
    target: str | None = None,
    *,
    results: Path = RESULTS,
    plugins: Sequence[Path] = (),
    into: str | None = None,
) -> Verification:
    """Check every file of a results folder, of one suite in it, or of one folder: of results, of a suite or of a run;
    or an archive or a submission, by its name, folder, zip file or address, as `benchmark.archive.checks` says. into:
    the leaderboard that a submission is to; without it, the published one of its name.

    A file is sound where its bytes are those that its own digest, its run's record or its suite's seal names. What
    nobody vouches for is a finding as well. Files of an older version are sealed as they are and said in `sealed`.
    """
    digests.forget()
    add_plugins(plugins)
    found = Verification()
    folder = Path(target) if target else results
    archives = [] if target is None else _archives(target, results)
    if archives:
        for archive in archives:
            _archive(archive, into, found)
        return found
    if into is not None:
        raise UsageError(f"--into {into}: {target or results} is no submission; it is compared with itself alone")
    if (folder / "format.json").is_file():
        store = found.attempt(lambda: Store(folder, make=False))
        if store is not None:
            _everything(store, found)
    elif target is None:
        raise UsageError(f"--results {results}: no results folder (it has no format.json); next: benchmark demo")
    elif (folder / RECORD).is_file():
        _run(folder.resolve(), found)
    elif (folder / "plan.json").is_file():
        _suite(Store(folder.resolve().parents[1], make=False), folder.name, found)
    else:
        if Path(target).is_dir() and not (results / "suites" / target).is_dir():
            raise UsageError(
                f"{target}: a folder that is neither of results, a suite or a run, nor an archive: it has no"
                f" format.json, plan.json, {RECORD} or {MANIFEST}"
            )
        here = Store(results, make=False)
        suite = target.removesuffix(".toml").rpartition("/")[2]
        here.plan(suite)  # says which there are
        _suite(here, suite, found)
    return found


def _archives(target: str, results: Path) -> list[str]:
    """The archives that a word means: one, or all of a folder of published ones."""
    one = archive_meant(target, results)
    several = sorted(Path(target).glob(f"*/*/{MANIFEST}"))
    return [one] if one else [str(path.parent) for path in several]


def _archive(where: str, into: str | None, found: Verification) -> None:
    """An archive or a submission, check by check, beside a leaderboard where one is named."""
    from benchmark.archive.checks import UNSEEN, checks
    from benchmark.archive.opening import open_archive

    archive = found.attempt(lambda: open_archive(where))
    if archive is None:
        return
    found.files, found.unseen = found.files + len(archive.manifest.files) + 1, UNSEEN
    for check in checks(archive, PROGRAM, open_archive(into) if into else None):
        where = f"{archive.manifest.title}, {check.title}"
        found.findings += [f"{where}: {line}" for line in check.wrong]
        found.notes += [f"{where}: {line}" for line in check.notes]
        found.held += [] if check.wrong else [f"{where}: {check.holds}"]


def _everything(store: Store, found: Verification) -> None:
    root = store.root
    for path in sorted(root.iterdir()):
        if path.name in ("format.json", "index.json"):
            _record(path, found, "delete it: it is made anew")
        elif path.name in ("suites", "runs", "failures", "fleets") or path.name in APART:
            continue
        else:
            found.findings.append(f"{printable(str(path))} is not known here: no digest names it")
    for path in sorted((root / "suites").glob("*")):
        _suite_folder(store, path, found)
    for folder in _run_folders(root / "runs", found):
        _run(folder, found)
    for path in sorted((root / "failures").glob("*")):
        _failure(path, found)
    for folder in sorted((root / "fleets").glob("*")):
        _fleet(folder, found)


def _suite(store: Store, suite: str, found: Verification) -> None:
    """A suite's folder, its runs and its failures."""
    _suite_folder(store, store.suite_folder(suite), found)
    for run in found.attempt(lambda: store.plan(suite)) or []:
        if store.is_done(run):
            _run(store.run_folder(run), found)
        elif store.failure_path(run).exists():
            _failure(store.failure_path(run), found)


def _suite_folder(store: Store, folder: Path, found: Verification) -> None:
    """A suite's plan, its own file where it has one, and what its seal names."""
    plan = _record(folder / "plan.json", found, "delete it and run the suite again")
    runs = found.attempt(lambda: runs_of(plan, folder / "plan.json")) if plan else None
    known = {"plan.json", SEAL}
    own = folder / f"{folder.name}.toml"
    if own.exists():
        known.add(own.name)
        found.files += 1
        if plan and hashlib.sha256(own.read_bytes()).hexdigest() != plan.get("source"):
            found.findings.append(f"{own} was altered: it is not the text that plan.json was made of")
    if (folder / TABLE).exists() and not (folder / SEAL).exists():
        done = [store.run_folder(run) for run in runs or [] if store.is_done(run)]
        found.attempt(lambda: check_table(folder, done))
        found.sealed.append(str(folder / TABLE))
    if (folder / SEAL).exists():
        known |= _sealed_files(folder, found)
    _unknown(folder, known, found)


def _sealed_files(folder: Path, found: Verification) -> set[str]:
    """The names of a seal's files, which are compared with it."""
    if _record(folder / SEAL, found, remade("evaluate", folder)) is None:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}  # said once
    seal = found.attempt(lambda: read_seal(folder))
    if seal is None:
        return set()
    files = seal["files"]
    found.files += len(files)
    for name, how in digests.differing(folder, files):
        again = "evaluate" if is_table(name) else "report"
        found.findings.append(printable(f"{folder / name} {how}; {remade(again, folder)}"))
    if PAGE in files and seal.get("page_of") != files.get(TABLE):
        found.notes.append(f"{folder / PAGE} is of an older table; {remade('report', folder)}")
    members = {f"{path.parent.name}-{path.name}": path for path in folder.parents[1].glob("runs/*/*/*/s*")}
    older = [key for key, digest in seal["scores"].items() if key in members and scores_digest(members[key]) != digest]
    if older:
        found.notes.append(f"{folder / TABLE} is older than scores of {older[0]}; {remade('evaluate', folder)}")
    return set(files)


def _run_folders(top: Path, found: Verification) -> Iterator[Path]:
    """The folders of finished runs; files that lie in none are findings."""
    for folder in sorted(path for path in top.rglob("*") if path.is_dir() and len(path.relative_to(top).parts) == 4):
        if (folder / RECORD).is_file():
            yield folder
        elif any(folder.iterdir()):
            found.findings.append(f"{folder} holds no finished run: it has no {RECORD}; delete it and run again")
    for path in sorted(top.rglob("*")):
        if not path.is_dir() and len(path.relative_to(top).parts) < 5:
            found.findings.append(f"{printable(str(path))} is not known here: no digest names it")


def _run(folder: Path, found: Verification) -> None:
    """A run's record, the files that it lists and the scores beside them."""
    path = folder / RECORD
    found.files += 1
    record = found.attempt(lambda: read_record(folder))
    if record is None:
        return
    if wants_seal(record):
        found.attempt(lambda: seal_run(folder))
        found.sealed.append(str(path))
        record = found.attempt(lambda: read_record(folder))
        if record is None:
            return
    _check_text(path, record, found, MEND)
    files = listed(record) or {}
    found.files += len(files)
    for wrong in found.attempt(lambda: list(damages(folder, record))) or []:
        found.findings.append(printable(f"{wrong}; {MEND}"))
    if being_encoded(record):
        found.notes.append(f"{folder / CODES} was being encoded again; benchmark run SUITE brings that to its end")
    known = {RECORD, *files} | ({CODES} if being_encoded(record) else set())
    for score in sorted((folder / SCORES).rglob("*.json")):
        name = score.relative_to(folder).as_posix()
        known.add(name)
        found.files += name not in files
        if score.parent.name == SCORES:
            read = found.attempt(partial(read_score, score, record, record["run"]["seed"]))
        else:
            read = found.attempt(partial(read_json, score, MEND_SCORE))
        if read is not None and is_sealed(read):
            _check_text(score, read, found, MEND_SCORE)
        elif read is not None and files.get(name) != digests.file_digest(score):
            found.findings.append(printable(f"{score} was altered: its sha256 is another; {MEND_SCORE}"))
    _unknown(folder, known, found)


def _record(path: Path, found: Verification, mend: str) -> dict[str, Any] | None:
    """A JSON record that holds its own digest; one of an older version gets one."""
    found.files += 1

    def read() -> dict[str, Any]:
        record = read_json(path, mend)
        check_format(record, path)
        if not is_sealed(record):
            write_json(path, {**record, "sealed": first_contact()})
            found.sealed.append(str(path))
            record = read_json(path, mend)
        return record

    record: dict[str, Any] | None = found.attempt(read)
    if record is not None:
        _check_text(path, record, found, mend)
    return record


def _check_text(path: Path, record: dict[str, Any], found: Verification, mend: str) -> None:
    """A record's digest is of its content; spaces and spelling between are compared here."""
    if path.read_bytes() != render(record).encode():
        found.findings.append(printable(f"{path} was altered: its text is not as it was written; {mend}"))


def _failure(path: Path, found: Verification) -> None:
    mend = "delete it: the run is tried again"
    record = _record(path, found, mend)
    run = found.attempt(lambda: Run.from_json(record.get("run"), f"{path}: run")) if record else None
    if run is not None and path.name != f"{run.run_id}.json":
        found.findings.append(printable(f"{path} is another run's: it describes {run.run_id}; {mend}"))


def _fleet(folder: Path, found: Verification) -> None:
    """What an unfinished fleet left: its members, its claim and how far it is, and its checkpoint."""
    from benchmark.training.fleet import read_fleet

    mend = f"delete {folder}: its runs are trained from the start"
    for path in sorted(folder.glob("*")):
        if path.name == "checkpoint.safetensors":
            found.files += 1
            found.attempt(partial(check_stamp, path))
        elif path.suffix == ".json" and not path.name.startswith("."):
            _record(path, found, mend)
    if (folder / "fleet.json").exists():
        found.attempt(lambda: read_fleet(folder / "fleet.json"))


def _unknown(folder: Path, known: set[str], found: Verification) -> None:
    """Files that no digest names. What a process writes at the moment begins with a dot, and is passed over."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and name not in known and not path.name.startswith("."):
            found.findings.append(printable(f"{path} is not known here: no digest names it"))
