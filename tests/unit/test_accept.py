"""A submission joins a leaderboard as its next version, and is refused where anything of it does not hold."""

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import command as run_command
from command import sentence, succeed
from forged_archive import forge, forge_summary, forge_table, is_score

from benchmark import load_results
from benchmark.archive.checks.content import read_content
from benchmark.archive.joining import _networks, _notes, _runs
from benchmark.archive.opening import open_archive
from benchmark.codes import Codes
from benchmark.errors import BenchmarkError, UsageError
from benchmark.integrity.sealed import render, sealed
from benchmark.verbs.accept import accept
from benchmark.verbs.publish import publish
from benchmark.verbs.submit import submit
from benchmark.verbs.verify import verify


@pytest.fixture(scope="module")
def made(scored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `boards/tiny/1` and `mine.zip`: two seeds of codes on its data, under the name of another suite.
    Not to be changed."""
    folder = tmp_path_factory.mktemp("accepting")
    shutil.copytree(scored, folder, dirs_exist_ok=True)
    publish(folder / "tiny.toml", "archive", results=folder / "results", to=folder / "boards")
    reference = next((folder / "results" / "runs").glob("*/ae/*/s0/codes.safetensors"))
    factors = Codes.load(reference).factors
    rng = np.random.default_rng(0)
    for seed in range(2):
        np.savez(folder / f"own{seed}.npz", codes=factors + rng.normal(0, 0.5, factors.shape), factors=factors)
    given = [word for seed in range(2) for word in ("--codes", f"own{seed}.npz")]
    beside = ("--beside", "boards/tiny", "--name", "own", "--metrics", "mig", "--jobs", "0", "--results", "theirs")
    succeed(folder, "evaluate", *given, *beside)
    submit("own", folder / "mine.zip", results=folder / "theirs")
    return folder


@pytest.fixture
def boards(made: Path, tmp_path: Path) -> Path:
    """A copy of the leaderboard to publish into."""
    return Path(shutil.copytree(made / "boards" / "tiny", tmp_path / "boards" / "tiny"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_next_version_holds_both_and_the_one_before_stays_as_it_was(made, boards):
    before = contents(boards / "1")
    told = accept(made / "mine.zip", str(boards))
    assert told.sentence() == f"{boards.resolve() / '2'}: tiny/2, 2 runs more"
    assert told.runs == sorted(set(load_results(made / "mine.zip")["run_id"])) and len(told.notes) == 0
    assert contents(boards / "1") == before
    assert verify(str(boards / "2")).findings == []
    first, second = load_results(boards / "1"), load_results(boards)
    assert set(second["suite"]) == {"tiny"}
    assert len(second) == len(first) + len(load_results(made / "mine.zip"))
    assert {"own", "ae"} <= set(second["label"])
    kept = second[second["run_id"].isin(first["run_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        kept[["run_id", "protocol", "score", "value"]].sort_values(["run_id", "protocol", "score"], ignore_index=True),
        first[["run_id", "protocol", "score", "value"]].sort_values(["run_id", "protocol", "score"], ignore_index=True),
    )
    archive = open_archive(boards)
    assert archive.manifest.title == "tiny/2" and archive.manifest.adds == "2 runs of own on synth_linear"
    summary = archive.frame("summaries/summary.parquet")
    assert set(summary.loc[summary["configuration"] == "own", "runs"]) == {2}
    with pytest.raises(BenchmarkError, match=r"is not accepted into tiny/2: no run twice: run \w+-s\d is published"):
        accept(made / "mine.zip", str(boards))
    assert not (boards / "3").exists()
    assert any("is published already" in line for line in verify(str(made / "mine.zip"), into=str(boards)).findings)
    assert verify(str(made / "mine.zip")).findings == []


def unpacked(made: Path, to: Path) -> Path:
    with zipfile.ZipFile(made / "mine.zip") as archive:
        archive.extractall(to)
    return to


def raise_a_score(folder: Path) -> None:
    rows = open_archive(folder).frame("scores.parquet")
    rows.loc[is_score(rows, "own", "mig") & (rows["score"] == "mig"), "value"] = 0.99
    from benchmark.archive.parquet import as_parquet

    (folder / "scores.parquet").write_bytes(as_parquet(rows))


def raise_beyond(folder: Path) -> None:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[is_score(rows, "own", "mig") & (rows["score"] == "mig"), "value"] = 1.5
        return rows

    forge_table(folder, "scores.parquet", change)
    forge_summary(folder)


def other_data(folder: Path) -> None:
    """Codes on other data, in every record and table, with ids that fit."""
    runs = open_archive(folder).frame("runs.parquet")
    from benchmark.spec import Run

    ids: dict[str, Run] = {}
    records = []
    for text in runs["record"]:
        record = json.loads(text)
        old = record["run_id"]
        record["run"]["dataset"]["version"] = 99
        run = Run.from_json(record["run"], "forged")
        ids[old] = run
        records.append(json.dumps(record | {"run_id": run.run_id, "config_id": run.config_id}))

    def of_runs(rows: pd.DataFrame) -> pd.DataFrame:
        return of_rows(rows).assign(record=records)

    def of_rows(rows: pd.DataFrame) -> pd.DataFrame:
        named = rows.assign(config_id=rows["run_id"].map(lambda each: ids[each].config_id))
        named = named.assign(run_id=rows["run_id"].map(lambda each: ids[each].run_id))
        return named.assign(dataset_version=99) if "dataset_version" in rows else named

    forge_table(folder, "runs.parquet", of_runs)
    for name in ("scores.parquet", "single_scores.parquet"):
        forge_table(folder, name, of_rows)
    matrices = json.loads((folder / "matrices.json").read_bytes())
    matrices["runs"] = {ids[run_id].run_id: scores for run_id, scores in matrices["runs"].items()}
    forge(folder, "matrices.json", render(sealed(matrices)).encode())
    forge_summary(folder)


def other_matrix(folder: Path) -> None:
    """A matrix's scores per factor are no longer those of the table."""
    matrices = json.loads((folder / "matrices.json").read_bytes())
    (scores,) = [each for each in matrices["runs"].values() if each]
    scores[0]["values"] = dict.fromkeys(scores[0]["values"], 0.99)
    forge(folder, "matrices.json", render(sealed(matrices)).encode())


def no_matrix(folder: Path) -> None:
    matrices = json.loads((folder / "matrices.json").read_bytes())
    for scores in matrices["runs"].values():
        for score in scores:
            score["matrix"] = {
                "kind": "mutual_information",
                "codes": [10**9],
                "factors": [0],
                "values": [[1]],
                "whole": [1],
            }
    forge(folder, "matrices.json", render(sealed(matrices)).encode())


TAMPERED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a score raised": (raise_a_score, r"files: .*scores\.parquet is not what it was"),
    "a score beyond its bounds": (raise_beyond, r"bounds and ceilings: .* is beyond its bounds"),
    "other data": (other_data, "is of version 99, here is|as no run of tiny/1 is"),
    "a matrix's scores changed": (other_matrix, r"matrices: run .* of factor .*, and its score there is"),
    "a matrix of a billion codes": (no_matrix, "matrices: .* has a matrix of codes and factors that are not there"),
}


@pytest.mark.parametrize("form", TAMPERED)
def test_a_tampered_submission_joins_nothing(made, boards, tmp_path, form):
    tamper, expected = TAMPERED[form]
    folder = unpacked(made, tmp_path / "tampered")
    tamper(folder)
    with pytest.raises(BenchmarkError, match=expected):
        accept(folder, str(boards))
    assert sorted(path.name for path in boards.iterdir()) == ["1"]


def test_a_leaderboard_that_does_not_hold_takes_nothing(made, boards):
    (boards / "1" / "more.txt").write_text("what no digest names")
    with pytest.raises(BenchmarkError, match=r"tiny/1 does not hold itself: files: .*more\.txt"):
        accept(made / "mine.zip", str(boards))


def test_runs_that_the_leaderboard_has_are_not_submitted_to_it(made, boards, tmp_path):
    with pytest.raises(UsageError, match=r"no finished and scored run .* that is not published already"):
        submit(str(made / "tiny.toml"), tmp_path / "x.zip", results=made / "results", into=str(boards))


def test_only_submissions_join_and_only_leaderboards_take_them(made, boards, tmp_path):
    with pytest.raises(UsageError, match="is tiny/1, which is published"):
        accept(boards / "1", str(boards))
    told = sentence(run_command(made, "accept", "mine.zip", "--into", "nothing"), 2)
    assert "--into nothing: no leaderboard is published under this name" in told
    other = Path(shutil.copytree(boards, tmp_path / "renamed"))
    with pytest.raises(UsageError, match="its folder holds tiny/1"):
        accept(made / "mine.zip", str(other))


def test_data_that_no_run_of_the_leaderboard_has_are_refused_by_the_data_alone(made):
    from benchmark.archive.joining import against_joining

    there, here = read_content(open_archive(made / "boards" / "tiny")), read_content(open_archive(made / "mine.zip"))
    assert list(against_joining(there, here)) == []
    run = next(iter(here.described.values()))
    run.dataset.settings["points"] = 7
    assert any("on synth_linear as no run of tiny/1 is" in line for line in against_joining(there, here))
    here.scores["protocol"] = "mig/other-n10/v1"
    assert any("no score is under a protocol of tiny/1" in line for line in against_joining(there, here))


def test_a_setting_that_a_measure_got_since_makes_no_other_protocol(made):
    """`definition` of MIG: protocols leave it out at its default, as do archives of before it."""
    from benchmark.archive.joining import against_joining

    there, here = read_content(open_archive(made / "boards" / "tiny")), read_content(open_archive(made / "mine.zip"))
    name, said = next((name, said) for name, said in there.protocols.items() if said["metric"] == "mig")
    before = {key: value for key, value in said["settings"].items() if key != "definition"}
    assert before != said["settings"] and name in here.protocols
    older = replace(there, protocols={**there.protocols, name: {**said, "settings": before}})
    assert list(against_joining(older, here)) == []
    other = replace(there, protocols={**there.protocols, name: {**said, "settings": before | {"bins": 7}}})
    assert any(f"protocol {name} is another one in tiny/1" in line for line in against_joining(other, here))


def test_the_next_version_that_is_published_keeps_accepted_runs_unless_told(made, boards):
    accept(made / "mine.zip", str(boards))
    own = {"results": made / "results", "to": boards.parent, "corrects": "a seed"}
    said = r"tiny/2 holds 2 runs that this version would lack \(\w+-s\d, \w+-s\d\): benchmark submit .* --into .*tiny"
    with pytest.raises(UsageError, match=rf"{said} .*--results .* and benchmark accept add .*; --drop-runs leaves"):
        publish(made / "tiny.toml", "archive", version=3, **own)
    with pytest.raises(UsageError, match=r"--version 7: .*tiny has 2, and the next is 3"):
        publish(made / "tiny.toml", "archive", version=7, drop_runs=True, **own)
    assert sorted(path.name for path in boards.iterdir()) == ["1", "2"]
    folder = publish(made / "tiny.toml", "archive", version=3, drop_runs=True, **own)
    assert publish(made / "tiny.toml", "archive", version=3, **own) == folder  # it is there
    assert set(load_results(boards)["run_id"]) == set(load_results(boards / "1")["run_id"])
    with pytest.raises(UsageError, match="are of an archive: give --as archive"):
        publish(made / "tiny.toml", "table", results=made / "results", to=boards.parent, drop_runs=True)


def test_what_is_submitted_into_a_leaderboard_is_verified_beside_it(made, boards, tmp_path):
    words = ("submit", "own", "--results", "theirs", "--into", str(boards), "--to", str(tmp_path / "x.zip"))
    assert f"next: benchmark verify {tmp_path / 'x.zip'} --into {boards}\n" in succeed(made, *words).stderr


def test_more_seeds_of_a_configuration_leave_its_shown_run(made):
    there, here = read_content(open_archive(made / "boards" / "tiny")), read_content(open_archive(made / "mine.zip"))
    before = there.runs[there.runs["chosen_by"].notna()]
    more = replace(here, runs=here.runs.assign(config_id=before["config_id"].iloc[0]))
    networks, _ = _networks(there, more)
    runs = _runs(there, more, there.scores, set(networks))
    pd.testing.assert_frame_equal(runs[runs["chosen_by"].notna()], before)
    assert len(runs) == len(there.runs) + 2
    assert any("its shown run and weights stay" in note for note in _notes(there, more))


def test_networks_that_do_not_fit_are_left_out_with_the_reason(made, monkeypatch):
    """A submission of the very networks of the leaderboard under other configurations."""
    there = read_content(open_archive(made / "boards" / "tiny"))
    other = replace(there, runs=there.runs.assign(config_id="other"))
    listed = {name for name in there.archive.manifest.files if name.startswith(("weights/", "explorers/"))}
    monkeypatch.setattr("benchmark.archive.room.ROOM", sum(there.archive.manifest.files[name].size for name in listed))
    kept, left_out = _networks(other, there)
    assert set(kept) == listed
    assert len(left_out) == len(listed) and all("do not fit into" in reason for reason in left_out.values())
