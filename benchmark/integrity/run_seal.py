"""The seal of a run: its run.json holds the sha256 of its files, its scores hold that of the codes they came from.

Runs of older versions have none. They are sealed as they are when they are first met, and their record says so.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError
from benchmark.integrity.digests import Digests, differing, digests_of, file_digest, is_inside
from benchmark.integrity.sealed import check_format, is_sealed, parse_json, read_json, write_json
from benchmark.spec import Run

RECORD, CODES, WEIGHTS, SCORES = "run.json", "codes.safetensors", "weights.safetensors", "scores"
MEND = "benchmark run SUITE --retry-failed trains it again (codes from elsewhere: delete its folder, add them again)"
MEND_SCORE = "delete it and evaluate again"


def seal_run(folder: Path) -> None:
    """Write the digests of a run's files into its run.json, where it does not have them.

    Scores come later and have digests of their own, but for those of an older version, which are met with their run.
    """
    path = folder / RECORD
    record = read_json(path, MEND)
    if "files" in record:
        return
    old = not is_sealed(record)
    paths = [each for each in _files(folder) if each != path and (old or not _is_score(folder, each))]
    write_json(path, {**record, "files": digests_of(folder, paths)} | ({"sealed": first_contact()} if old else {}))


def first_contact() -> dict[str, str]:
    """The mark of what is older than its seal."""
    return {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "why": "on first contact"}


def read_record(folder: Path) -> dict[str, Any]:
    """A run's run.json. Raises `BenchmarkError` on a damaged one or one that does not belong into this folder."""
    path = folder / RECORD
    record = read_json(path, MEND)
    check_format(record, path)
    run = Run.from_json(record.get("run"), f"{path}: run")
    place = (run.dataset.name, run.model.name, run.config_id, f"s{run.seed}")
    said = (run.config_id, run.run_id)
    if folder.parts[-4:] != place or said != (record.get("config_id"), record.get("run_id")):
        raise BenchmarkError(f"{path} is another run's: it describes {run.run_id} of {'/'.join(place)}; {MEND}")
    return record


def wants_seal(record: Mapping[str, Any]) -> bool:
    """Whether a record is of a version that knew no digests."""
    return not is_sealed(record)


def check_run(folder: Path) -> dict[str, Any]:
    """A finished run's record, after all files that it lists were compared with their digests.

    A run of an older version is sealed first, where it may be written to. Raises `BenchmarkError` naming what is not
    as it was.
    """
    record = read_record(folder)
    if wants_seal(record):
        seal_run(folder)
        record = read_record(folder)
    wrong = next(damages(folder, record), None)
    if wrong:
        raise BenchmarkError(f"{wrong}; {MEND}")
    if being_encoded(record):
        raise BenchmarkError(f"{folder / CODES} was being encoded again; benchmark run SUITE brings that to its end")
    return record


def damage(folder: Path) -> str | None:
    """Why a finished run is not what it was, and what mends it; None where it is, or where only its codes are to be
    made anew."""
    try:
        record = read_record(folder)
        if wants_seal(record):
            seal_run(folder)
            record = read_record(folder)
    except BenchmarkError as error:
        return str(error)
    wrong = next(damages(folder, record), None)
    return f"{wrong}; {MEND}" if wrong else None


def being_encoded(record: Mapping[str, Any]) -> bool:
    """Whether a run's codes were being made anew when that was cut short."""
    return "encoding" in record and record["encoding"] is None


def damages(folder: Path, record: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the files that a run's record lists, a sentence a file. Scores are looked at on their own."""
    files = listed(record)
    if files is None:
        yield f"{folder / RECORD} does not say which files belong to the run"
        return
    if CODES not in files and not being_encoded(record):
        yield f"{folder / RECORD} does not list the run's codes"
    kept = {name: digest for name, digest in files.items() if not name.startswith(f"{SCORES}/")}
    for name, how in differing(folder, kept):
        yield f"{folder / name} {how}"


def listed(record: Mapping[str, Any]) -> Digests | None:
    """The digests of the files that a record lists; None where it lists none or names what lies elsewhere."""
    files = record.get("files")
    if not isinstance(files, dict) or not all(map(is_inside, files)):
        return None
    return files


def read_score(path: Path, record: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """A score beside the run whose record and seed are given.

    Raises `BenchmarkError` where it was altered, or computed from other codes than lie there now.

    A score of an older version has no digest of its own; the record has it, from when it was first met.
    """
    content = path.read_bytes()
    score = parse_json(content, path, MEND_SCORE)
    check_format(score, path)
    files = listed(record) or {}
    if not is_sealed(score):
        if is_sealed(record) and files.get(f"{SCORES}/{path.name}") != hashlib.sha256(content).hexdigest():
            raise BenchmarkError(f"{path} was altered: its sha256 is not what {RECORD} says; {MEND_SCORE}")
        return score
    codes, own = score.get("codes"), f"s{seed}"
    if isinstance(codes, dict) and CODES in files and codes.get(own) != files[CODES]:
        raise BenchmarkError(f"{path} was computed from other codes than {path.parent.parent / CODES}; {MEND_SCORE}")
    return score


def scores_digest(folder: Path) -> str:
    """One digest of all scores of a run, by their names and contents."""
    found = hashlib.sha256()
    for path in sorted((folder / SCORES).glob("*.json")):
        found.update(f"{path.name} {file_digest(path)}\n".encode())
    return found.hexdigest()


def codes_digest(folder: Path) -> str | None:
    """The sha256 of a folder's codes: what its record says of them, or what they are; None where there are none."""
    record = read_json(folder / RECORD, MEND) if (folder / RECORD).exists() else {}
    said = (listed(record) or {}).get(CODES)
    return said or (file_digest(folder / CODES) if (folder / CODES).exists() else None)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _is_score(folder: Path, path: Path) -> bool:
    return path.relative_to(folder).parts[0] == SCORES
