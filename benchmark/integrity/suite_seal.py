"""The seal of a suite's results: seal.json beside its table, with the sha256 of table and page and what they are of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmark.commands import command_line
from benchmark.errors import BenchmarkError
from benchmark.integrity.digests import Digests, differing, digests_of, file_digest, is_inside
from benchmark.integrity.run_seal import RECORD, check_run, first_contact, read_score, scores_digest
from benchmark.integrity.sealed import read_json, write_json

SEAL, TABLE, PAGE, PAPERS = "seal.json", "results.parquet", "index.html", "papers.csv"


def remade(verb: str, folder: Path) -> str:
    """What mends a file of a suite's folder, which lies in its results folder's `suites`."""
    return f"{command_line(verb, folder.name, results=folder.parents[1])} makes it anew"


def seal_table(folder: Path, names: Iterable[str], runs: Iterable[Path], *, old: bool = False) -> None:
    """Write the digests of a table's files, and of the runs and scores that it holds; those of a page stay.

    runs: their folders. old: whether the table is older than its seal.
    """
    page = _page(folder)
    members = {f"{path.parent.name}-{path.name}": path for path in runs}
    record: dict[str, Any] = {
        "suite": folder.name,
        "files": _sorted(page.pop("files") | digests_of(folder, [folder / name for name in names])),
        "runs": {run_id: file_digest(path / RECORD) for run_id, path in members.items()},
        "scores": {run_id: scores_digest(path) for run_id, path in members.items()},
        **page,
    }
    if old:
        record["sealed"] = first_contact()
    write_json(folder / SEAL, record)


def _sorted(digests: Digests) -> Digests:
    """By name: the same results have a seal of the same bytes, whatever was made first."""
    return dict(sorted(digests.items()))


def _page(folder: Path) -> dict[str, Any]:
    """What a suite's seal says of its page, as far as it is there and the seal is sound."""
    try:
        known = read_seal(folder)
    except (FileNotFoundError, BenchmarkError):
        return {"files": {}}
    files = {name: digest for name, digest in known["files"].items() if not is_table(name) and (folder / name).exists()}
    return {"files": files} | ({"page_of": known["page_of"]} if "page_of" in known else {})


def seal_page(folder: Path, paths: Iterable[Path], table: str) -> None:
    """Add the digests of a page and its figures, and the digest of the `table` that they show."""
    record = read_seal(folder)
    record["files"] = _sorted(record["files"] | digests_of(folder, paths))
    write_json(folder / SEAL, record | {"page_of": table})


def read_seal(folder: Path) -> dict[str, Any]:
    """A suite's seal. Raises `BenchmarkError` on a damaged one."""
    path = folder / SEAL
    mend = remade("evaluate", folder)
    record = read_json(path, mend)
    if not all(isinstance(record.get(key), dict) for key in ("files", "runs", "scores")):
        raise BenchmarkError(f"{path} is damaged (it lists no files, runs or scores); {mend}")
    if not all(map(is_inside, record["files"])):
        raise BenchmarkError(f"{path} names files outside its folder; {mend}")
    return record


def check_table(folder: Path, runs: Iterable[Path]) -> None:
    """Compare a suite's tables with their seal.

    A table of an older version is sealed as it is. Raises `BenchmarkError` naming the file that was altered.
    """
    if not (folder / SEAL).exists():
        names = [path.name for path in folder.glob("*.csv")] + [TABLE]
        seal_table(folder, names, runs, old=True)
    record = read_seal(folder)
    wrong = differing(folder, {name: digest for name, digest in record["files"].items() if is_table(name)})
    if TABLE not in record["files"]:
        wrong.append((TABLE, "is not in its seal"))
    if wrong:
        name, how = wrong[0]
        raise BenchmarkError(f"{folder / name} {how}; {remade('evaluate', folder)}")


def is_table(name: str) -> bool:
    """Whether a file is made by `evaluate` rather than by `report`."""
    return "/" not in name and name not in (PAGE, PAPERS)


def newer_scores(folder: Path, runs: Iterable[Path]) -> list[Path]:
    """The runs whose scores are others than those of the table, each of them sound: the table is older.

    Raises `BenchmarkError` where a run or one of its scores was altered.
    """
    known, found = read_seal(folder)["scores"], []
    for path in runs:
        record = check_run(path)
        if known.get(f"{path.parent.name}-{path.name}") == scores_digest(path):
            continue
        for score in sorted((path / "scores").glob("*.json")):
            read_score(score, record, record["run"]["seed"])
        found.append(path)
    return found
