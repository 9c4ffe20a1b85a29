"""What `verify` says of archives and submissions: tampered ones are refused, each with its sentence."""

import json
import re
import shutil
import socket
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from command import command as run_command
from command import sentence, succeed
from forged_archive import (
    TAMPERED,
    describe_mig_anew,
    forge,
    forge_table,
    raise_alone,
    raise_beyond,
    remove_row,
    summary_by_another_program,
    unpacked,
)
from small import small_run

from benchmark import load_results, published
from benchmark.archive import weights
from benchmark.archive.checks.content import read_content
from benchmark.archive.failures import failures_file
from benchmark.archive.opening import open_archive
from benchmark.archive.public import public_command, public_record, without_places
from benchmark.archive.results import foreign_measures
from benchmark.errors import UsageError
from benchmark.integrity.sealed import render, sealed
from benchmark.spec import Run
from benchmark.training.loop import build
from benchmark.verbs.export import export
from benchmark.verbs.submit import submit
from benchmark.verbs.verify import verify

METRIC = '''"""How far the first code scatters."""

from benchmark import metric


@metric(bounds=(0.0, float("inf")))
def first_spread(codes, *, seed: int = 0) -> dict[str, float]:
    """The standard deviation of the first code."""
    return {"first_spread": float(codes[:, 0].std())}
'''


@pytest.fixture(scope="module")
def submission(scored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `mine.zip`: the tiny suite, with two seeds of codes from elsewhere and a measure in a loose file,
    made in a folder whose name is nobody's business. Not to be changed."""
    folder = tmp_path_factory.mktemp("jane_doe")
    shutil.copytree(scored, folder, dirs_exist_ok=True)
    (folder / "first_spread.py").write_text(METRIC)
    rng = np.random.default_rng(0)
    reference = next((folder / "results" / "runs").glob("*/ae/*/s0/codes.safetensors"))
    from benchmark.codes import Codes

    factors = Codes.load(reference).factors
    for seed in range(2):
        np.savez(folder / f"own{seed}.npz", codes=factors + rng.normal(0, 0.5, factors.shape), factors=factors)
    given = [word for seed in range(2) for word in ("--codes", str(folder / f"own{seed}.npz"))]
    plugin = ("--plugin", str(folder / "first_spread.py"))
    chosen = ("--metrics", "mig,kl,dto,first_spread", "--jobs", "0", *plugin)
    succeed(folder, "evaluate", "tiny.toml", *given, "--name", "own", "--dataset", "synth_linear", *chosen)
    told = succeed(folder, "submit", "tiny.toml", "--to", "mine.zip", *plugin)
    assert "plug-in   metric first_spread, sha256 " in told.stdout
    return folder


def test_a_submission_holds_own_models_and_codes_and_verifies(submission):
    found = load_results(submission / "mine.zip")
    assert {"own", "ae"} <= set(found["model"])
    assert "first_spread" in set(found["metric"])
    told = succeed(submission, "verify", "mine.zip", "--plugin", "first_spread.py")
    assert told.stdout.count("holds   a submission to tiny, ") == 11
    assert "WRONG" not in told.stdout
    assert "a score that is forged within its bounds" in told.stdout.lower()
    assert "first_spread, a measure from outside" in succeed(submission, "verify", "mine.zip").stdout


def test_a_submission_is_the_same_bytes_again_and_covers_no_other_file(submission, tmp_path):
    plugin = ("--plugin", str(submission / "first_spread.py"))
    before = (submission / "mine.zip").read_bytes()
    succeed(submission, "submit", "tiny.toml", "--to", "mine.zip", *plugin)
    assert (submission / "mine.zip").read_bytes() == before
    (tmp_path / "other.zip").write_bytes(b"precious")
    told = sentence(
        run_command(submission, "submit", "tiny.toml", "--to", str(tmp_path / "other.zip"), "--json", *plugin), 2
    )
    assert "there already with another content" in told
    assert "one zip file" in sentence(run_command(submission, "submit", "tiny.toml", "--to", "mine"), 2)


def test_nothing_of_whose_machine_it_was_goes_into_an_archive(submission):
    """The codes and the measure were given by absolute paths: they are in run.json, and not in the archive."""
    records = list((submission / "results" / "runs").glob("*/own/*/s0/run.json"))
    assert str(submission) in records[0].read_text()
    archive = open_archive(submission / "mine.zip")
    kept = archive.frame("runs.parquet")["record"]
    assert kept.str.contains("own0.npz").any()
    for name in archive.manifest.files:
        content = archive.read(name)
        assert b"jane_doe" not in content, name
    assert not kept.str.contains(f'"host":|{socket.gethostname()}-', regex=True).any()


PLANTED = [
    ("FileNotFoundError: '/home/jane/x/data.npz'", "FileNotFoundError: 'data.npz'"),
    ("see /Users/Jane Doe/data.npz", "see data.npz"),
    (r"C:\Users\jane\a.npz is missing", "a.npz is missing"),
    ("~/data/x.npz, file:///root/y/z.npz", "x.npz, z.npz"),
    (r"\\server\share\x.npz", "x.npz"),
    ("error:/scratch/jane/x", "error:x"),
    ("https://example.org/a/b.csv", "https://example.org/a/b.csv"),
    ("mig/bins20-mean-n10000/v1, 1/2 and a / b", "mig/bins20-mean-n10000/v1, 1/2 and a / b"),
]


@pytest.mark.parametrize(("text", "public"), PLANTED)
def test_files_go_by_their_last_name(text, public):
    assert without_places(text) == public


def test_a_command_keeps_what_decides_a_result():
    whole = "benchmark run /home/j/my.toml --set dataset.path=/home/j/d.npz --plugin ../j/p.py --results /x/y --seeds 3"
    assert public_command(whole) == "benchmark run my.toml --set dataset.path=d.npz --plugin p.py --seeds 3"
    assert public_command("benchmark run a.toml --data-dir=/q --only seed=1") == "benchmark run a.toml --only seed=1"


def test_a_record_loses_its_host_and_where_its_files_lay():
    part = {"name": "npz", "version": 1, "settings": {}, "locations": {"path": "/home/j/d.npz"}, "source": None}
    whole = {
        "run_id": "a-s0",
        "run": {"dataset": part, "network": None, "seed": 0},
        "command": "benchmark run quickstart",
        "provenance": {"host": "janes-laptop", "cpu": "AMD EPYC", "user": "jane", "notes": ["read /home/j/d.npz"]},
        "folder": "/home/j",
    }
    public = public_record(whole)
    assert "jane" not in json.dumps(public)
    assert "/home" not in json.dumps(public)
    assert public["provenance"] == {"cpu": "AMD EPYC", "notes": ["read d.npz"]}
    assert public["run"]["dataset"]["locations"] == {"path": "d.npz"}


@pytest.mark.parametrize("form", TAMPERED)
def test_a_tampered_submission_is_refused_with_its_sentence(submission, tmp_path, form):
    tamper, expected = TAMPERED[form]
    folder = unpacked(submission, tmp_path / "tampered")
    tamper(folder)
    findings = verify(str(folder)).findings
    assert [line for line in findings if re.search(expected, line)], findings


def test_intervals_that_another_program_computed_are_said_not_to_be_computed_again(submission, tmp_path):
    folder = unpacked(submission, tmp_path / "older")
    summary_by_another_program(folder)
    told = succeed(submission, "verify", str(folder), "--plugin", "first_spread.py").stdout
    assert "intervals and ranks were computed by benchmark 0.1.0, and not again by this one" in " ".join(told.split())


@pytest.mark.parametrize(
    ("images", "codes"),
    [
        (np.zeros((2, 3), np.uint8), np.zeros((2, 5), np.float32)),
        (np.zeros((2, 3), np.uint8), np.zeros(2, np.float32)),
        (np.zeros((0, 3), np.uint8), np.zeros((0, 2), np.float32)),
        (np.full((2, 3), "x"), np.zeros((2, 2), np.float32)),
    ],
)
def test_arrays_that_are_of_another_network_are_no_traceback(submission, monkeypatch, images, codes):
    from benchmark.archive.checks import weights

    content = read_content(open_archive(submission / "mine.zip"))
    run = next(iter(content.described.values()))
    monkeypatch.setattr(weights, "network_of", lambda *_: (SimpleNamespace(latents=2), (3,)))
    monkeypatch.setattr(weights, "arrays_of", lambda *_: {"picture_images": images, "explorer_codes": codes})
    with pytest.raises(UsageError, match="holds no images and codes of the network of"):
        weights._distance(content, run)


def test_another_network_is_told_by_what_the_kept_codes_scatter(submission, tmp_path, monkeypatch):
    """Its codes are 1 beside those that were kept, which scatter by 1/2; rulers of 10⁹ elsewhere are not believed."""
    import torch

    from benchmark.archive.checks import weights

    folder = unpacked(submission, tmp_path / "forged")
    forge_table(folder, "float16.parquet", lambda moved: moved.assign(codes_deviation=1e9))
    content = read_content(open_archive(folder))
    codes = np.array([[0.0, 0.0], [1.0, 1.0], [1e9, 1e9]], np.float32)  # the last of no image
    network = SimpleNamespace(latents=2, posterior=lambda x: SimpleNamespace(mu=torch.from_numpy(codes[:2] + 1)))
    monkeypatch.setattr(weights, "network_of", lambda *_: (network, (3,)))
    arrays = {"picture_images": np.zeros((2, 3), np.uint8), "explorer_codes": codes}
    monkeypatch.setattr(weights, "arrays_of", lambda *_: arrays)
    for run_id in content.archive.frame("float16.parquet")["run_id"]:
        assert weights._distance(content, content.described[run_id]) == pytest.approx(2)


def test_what_an_archive_says_of_measures_of_this_package_is_not_heard(submission, tmp_path):
    folder = unpacked(submission, tmp_path / "tampered")
    describe_mig_anew(folder)
    assert set(foreign_measures(open_archive(folder))) == {"first_spread"}


def test_an_archive_is_exported_with_the_runs_that_failed(submission, tmp_path):
    folder = unpacked(submission, tmp_path / "failed")
    record = json.loads(open_archive(folder).frame("runs.parquet")["record"].iloc[0])
    failed = Run.from_json(record["run"] | {"seed": 9})
    failure = {"run_id": failed.run_id, "run": failed.to_json(), "stage": "train", "reason": "it diverged"}
    forge(folder, "failures.json", failures_file(99, [failure]))
    runs = len(open_archive(folder).frame("runs.parquet"))
    told = export(str(folder), "csv", output=tmp_path / "out")
    assert (told.failed, len(told.runs), told.waiting) == ([failed.run_id], runs + 1, 99 - runs - 1)
    written = pd.read_csv(tmp_path / "out" / "runs.csv").set_index("run_id")
    assert written.loc[failed.run_id, "reason"] == "train: it diverged"


def test_a_forgery_within_bounds_with_everything_made_anew_is_not_seen_and_the_text_says_so(submission, tmp_path):
    folder = unpacked(submission, tmp_path / "forged")
    raise_beyond(0.9)(folder)
    found = verify(str(folder))
    assert found.findings == []
    assert "A score that is forged within its bounds, with every digest and summary made anew, passes" in found.unseen


def test_scores_better_than_perfect_codes_are_refused(submission, tmp_path):
    """Rotated ones tell that perfect codes are the ceiling: MIG 0.8 of perfect ones, 0.1 of rotated ones, 0.95 here."""
    from benchmark.archive.checks.values import _better, _ceilings

    same = {"dataset_label": "d", "representation": "mean", "protocol": "mig/v1", "score": "mig", "budget": pd.NA}
    told = {"supervised": True, "direction": "higher", "column": "mig", "run_id": "x-s0", "mine": True}
    values = {"perfect": 0.8, "rotated": 0.1, "low": 0.79, "near": 0.805, "high": 0.95}
    rows = pd.DataFrame(
        [
            same | told | {"model": name, "label": name, "value": value, "reference": name in ("perfect", "rotated")}
            for name, value in values.items()
        ]
    ).astype({"budget": "Int64"})
    found = list(_better(rows, _ceilings(rows)))
    assert len(found) == 1
    assert "(high, mig/v1): 0.95 is better than perfect codes, which score 0.8 there" in found[0]
    readout = rows.assign(value=rows["value"].where(rows["model"] != "rotated", 0.79))
    assert list(_better(readout, _ceilings(readout))) == []


def test_a_network_without_end_is_measured_before_it_is_built(submission, monkeypatch):
    honest = small_run("vae")
    assert honest.network is not None
    endless = replace(honest, network=replace(honest.network, settings={**honest.network.settings, "latents": 10**12}))
    data = weights._outline((4,), 100)
    assert weights._size_of(honest, data) == sum(each.numel() for each in build(honest, data).state_dict().values())
    assert weights._size_of(endless, data) > weights.MOST_WEIGHTS
    monkeypatch.setattr(weights, "MOST_WEIGHTS", 10)
    findings = verify(str(submission / "mine.zip")).findings
    assert any(re.search(r"weights: .*it would have [\d,]+ weights, and 10 are the most", each) for each in findings)


def test_a_submission_brings_no_ceiling_of_its_own_to_a_leaderboard():
    """Perfect codes of the leaderboard score 0.8; those that came with the submission 0.99, and so does its model."""
    from benchmark.archive.checks.values import _better, _ceilings

    same = {"dataset_label": "d", "representation": "mean", "protocol": "mig/v1", "score": "mig", "budget": pd.NA}
    told = {"supervised": True, "direction": "higher", "column": "mig", "run_id": "x-s0"}
    values = [("perfect", 0.8, False), ("rotated", 0.1, False), ("perfect", 0.99, True), ("own", 0.99, True)]
    rows = pd.DataFrame(
        [
            same | told | {"model": name, "label": name, "value": value, "mine": mine, "reference": name != "own"}
            for name, value, mine in values
        ]
    ).astype({"budget": "Int64"})
    (found,) = _better(rows[rows["mine"]], _ceilings(rows))
    assert "0.99 is better than perfect codes, which score 0.8 there" in found


def test_verify_ends_with_exit_code_1_on_a_finding(submission, tmp_path):
    folder = unpacked(submission, tmp_path / "tampered")
    remove_row(folder)
    told = run_command(submission, "verify", str(folder))
    assert told.returncode == 1
    assert "WRONG   a submission to tiny, summaries: " in told.stdout
    assert "holds   a submission to tiny, files: " in told.stdout


def broken(folder: Path) -> list[str]:
    """What is wrong with all that lies under a folder of published archives, NAME/VERSION each."""
    places = sorted(path for path in folder.glob("*/*") if path.is_dir())
    return [line for path in places for line in verify(str(path)).findings] + [
        f"{path} holds no archive" for path in places if not (path / "archive.json").is_file()
    ]


def test_all_that_is_published_holds():
    assert broken(published.folder()) == []


def test_a_broken_one_among_the_published_is_found(submission, tmp_path, monkeypatch):
    monkeypatch.setattr(published, "folder", lambda: tmp_path)
    folder = unpacked(submission, tmp_path / "tiny" / "1")
    assert any("what is published lies under NAME/VERSION" in line for line in broken(tmp_path))
    manifest = json.loads((folder / "archive.json").read_bytes()) | {"kind": "leaderboard", "version": 1}
    (folder / "archive.json").write_text(render(sealed(manifest)))
    assert verify(str(tmp_path)).findings == []  # all of a folder at once
    assert any("is published already" in line for line in verify(str(submission / "mine.zip")).findings)
    with pytest.raises(UsageError, match="that is not published already"):
        submit(str(submission / "tiny.toml"), tmp_path / "again.zip", results=submission / "results")
    raise_alone(folder)
    assert any("by the summary" in line for line in broken(tmp_path))
    assert verify("tiny", results=tmp_path / "none").findings  # by its name
