"""What `verify` says of archives and submissions: tampered ones are refused, each with its sentence."""

import json
import re
import shutil
import socket
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command import command as run_command
from command import sentence, succeed
from small import small_run

from benchmark import load_results, published
from benchmark.archive import weights
from benchmark.archive.checks.content import read_content
from benchmark.archive.failures import failures_file
from benchmark.archive.manifest import File
from benchmark.archive.opening import open_archive
from benchmark.archive.parquet import as_parquet
from benchmark.archive.public import public_command, public_record, without_places
from benchmark.archive.results import foreign_measures
from benchmark.errors import UsageError
from benchmark.integrity.sealed import render, sealed
from benchmark.spec import Run
from benchmark.stages.score_task import declarations
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


Change = Callable[[pd.DataFrame], pd.DataFrame]


def unpacked(submission: Path, to: Path) -> Path:
    with zipfile.ZipFile(submission / "mine.zip") as archive:
        archive.extractall(to)
    return to


def forge(folder: Path, name: str, content: bytes) -> None:
    """Exchange a file of an archive, and make every digest anew."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "archive.json").read_bytes())
    file = File.of(content)
    manifest["files"][name] = {"sha256": file.sha256, "bytes": file.size}
    (folder / "archive.json").write_text(render(sealed(manifest)))


def forge_table(folder: Path, name: str, change: Change) -> None:
    forge(folder, name, as_parquet(change(open_archive(folder).frame(name))))


def is_score(rows: pd.DataFrame, model: str, metric: str, seed: int = 0) -> pd.Series:
    return (rows["model"] == model) & (rows["metric"] == metric) & (rows["seed"] == seed)


def raised(to: float) -> Change:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[is_score(rows, "own", "mig") & (rows["score"] == "mig"), "value"] = to
        return rows

    return change


def raise_without_digest(folder: Path) -> None:
    rows = open_archive(folder).frame("scores.parquet")
    (folder / "scores.parquet").write_bytes(as_parquet(raised(0.99)(rows)))


def forge_summary(folder: Path) -> None:
    """The summary of the scores as they are now."""
    from benchmark.stages.aggregate import aggregate

    content = read_content(open_archive(folder))
    table = pd.concat([content.scores, content.single], ignore_index=True)
    forge(folder, "summaries/summary.parquet", as_parquet(aggregate(table, content.measures).summary))


def raise_beyond(to: float) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        forge_table(folder, "scores.parquet", raised(to))
        forge_summary(folder)

    return tamper


def raise_alone(folder: Path) -> None:
    forge_table(folder, "scores.parquet", raised(0.5))


def under_another_seed(folder: Path) -> None:
    """Seed 0 of a model stands a second time, as seed 5 with all that belongs to it."""

    def other(row: dict[str, object]) -> dict[str, object]:
        run_id = str(row["run_id"]).replace("-s0", "-s5")
        record = json.loads(str(row["record"]))
        record |= {"run_id": run_id, "run": record["run"] | {"seed": 5}}
        return row | {"run_id": run_id, "seed": 5, "record": json.dumps(record), "shown": False}

    def add_run(runs: pd.DataFrame) -> pd.DataFrame:
        own = runs[runs["run_id"].str.endswith("-s0") & (runs["label"].str.startswith("beta_vae"))]
        return pd.concat([runs, pd.DataFrame([other(own.iloc[0].to_dict())]).astype(runs.dtypes)])

    def add_rows(rows: pd.DataFrame) -> pd.DataFrame:
        own = rows[(rows["model"] == "beta_vae") & (rows["seed"] == 0)]
        return pd.concat([rows, own.assign(seed=5, run_id=own["run_id"].str.replace("-s0", "-s5"))])

    forge_table(folder, "runs.parquet", add_run)
    for name in ("scores.parquet", "single_scores.parquet"):
        forge_table(folder, name, add_rows)
    forge_summary(folder)


def exchange_weights(folder: Path) -> None:
    a, b = sorted((folder / "weights").iterdir())[:2]
    first, second = a.read_bytes(), b.read_bytes()
    forge(folder, f"weights/{a.name}", second)
    forge(folder, f"weights/{b.name}", first)


def invent_protocol(folder: Path) -> None:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows["protocol"] = rows["protocol"].str.replace("mig/bins20-", "mig/bins999-")
        return rows

    for name in ("scores.parquet", "single_scores.parquet", "summaries/summary.parquet"):
        forge_table(folder, name, change)
    measures = json.loads((folder / "measures.json").read_bytes())
    protocols = measures["protocols"].items()
    measures["protocols"] = {key.replace("mig/bins20-", "mig/bins999-"): said for key, said in protocols}
    forge(folder, "measures.json", render(sealed(measures)).encode())


def remove_row(folder: Path) -> None:
    forge_table(folder, "scores.parquet", lambda rows: rows[~is_score(rows, "own", "mig")])


def remove_row_and_summary(folder: Path) -> None:
    remove_row(folder)
    forge_table(folder, "single_scores.parquet", lambda rows: rows[~is_score(rows, "own", "mig")])
    forge_summary(folder)


def plant_path(folder: Path) -> None:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows["reason"] = rows["reason"].str.replace("^", "/home/jane/work/x: ", regex=True)
        return rows

    forge_table(folder, "scores.parquet", change)


def hide_plugin(folder: Path) -> None:
    """A model from outside says that it is one of this package."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs["record"] = runs["record"].str.replace('"name":"ae"', '"name":"mine"')
        return runs

    forge_table(folder, "runs.parquet", change)


def lay_beside(folder: Path) -> None:
    (folder / "more.parquet").write_bytes(b"what no digest names")


def no_run_id(folder: Path) -> None:
    forge_table(folder, "runs.parquet", lambda runs: runs.assign(run_id=runs["run_id"].where(runs.index > 0)))


def no_seconds(folder: Path) -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        records = [json.loads(text) | {"seconds": {}} for text in runs["record"]]
        return runs.assign(record=list(map(json.dumps, records)))

    forge_table(folder, "runs.parquet", change)


def summary_of_words(folder: Path) -> None:
    forge_table(folder, "summaries/summary.parquet", lambda rows: rows.assign(mean="high"))


def history_of_words(folder: Path) -> None:
    forge_table(folder, "histories.parquet", lambda rows: rows.assign(loss="low"))


def no_text(folder: Path) -> None:
    forge(folder, "suite.toml", b"\xff")


def weights_of_nothing(folder: Path) -> None:
    """A network for points of a negative size, trained on more of them than any memory holds."""
    from safetensors.numpy import load, save

    name = next(name for name in open_archive(folder).manifest.files if name.startswith("weights/"))
    run_id = open_archive(folder).frame("runs.parquet").query("shown and config_id == @name[8:20]")["run_id"].iloc[0]
    about = {"run": run_id, "shape": [-3], "training_points": 10**15}
    forge(folder, name, save(load((folder / name).read_bytes()), metadata={"archive": json.dumps(about)}))


def forge_measures(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    measures = json.loads((folder / "measures.json").read_bytes())
    change(measures)
    forge(folder, "measures.json", render(sealed(measures)).encode())


def settings_of_another_kind(folder: Path) -> None:
    def change(measures: dict[str, Any]) -> None:
        next(said for said in measures["protocols"].values() if said["metric"] == "mig")["settings"] = [1]

    forge_measures(folder, change)


def describe_mig_anew(folder: Path) -> None:
    """A measure of this package, said to be one of somebody else's: lower is better."""

    def change(measures: dict[str, Any]) -> None:
        described = declarations()["mig"].described()
        measures["measures"]["mig"] = described | {"higher_is_better": False, "bounds": [-9, 9]}

    forge_measures(folder, change)


def newer_format(folder: Path) -> None:
    manifest = json.loads((folder / "archive.json").read_bytes())
    (folder / "archive.json").write_text(render(sealed(manifest | {"archive": 3})))


def older_format(folder: Path) -> None:
    manifest = json.loads((folder / "archive.json").read_bytes())
    (folder / "archive.json").write_text(render(sealed(manifest | {"archive": 1})))


TAMPERED = {
    "a score raised": (raise_without_digest, r"files: .*scores\.parquet is not what it was"),
    "a score raised beyond its bounds, all digests anew": (
        raise_beyond(1.7),
        r"bounds and ceilings: mig of run \w+-s0 .* 1\.7 is beyond its bounds, 0 to 1",
    ),
    "a score raised within its bounds, the summary as it was": (raise_alone, "summaries: mig of .* by the summary"),
    "a run under another seed": (under_another_seed, r"no run twice: run \w+-s5 has the same codes as \w+-s0"),
    "weights exchanged": (exchange_weights, "weights: .* is of '.*', not of"),
    "a protocol invented": (invent_protocol, "protocols: protocol mig/bins999-.* is none that this version computes"),
    "a row removed": (remove_row, "summaries: mig of .* is of 2 runs by the summary, and there are scores of 1"),
    "a row removed, the summary anew": (remove_row_and_summary, r"runs: run \w+-s0 has no mig of its mean codes"),
    "somebody's folder": (plant_path, "nobody's folders: a score's reason names the folder '/home/jane/work/'"),
    "a model under a name that is none here": (hide_plugin, "plug-ins: model mine of run .* is no part"),
    "a file besides": (lay_beside, r"files: .*more\.parquet is not in archive\.json"),
    "a newer format": (newer_format, "has the archive format 3, this version reads 2; update"),
    "an older format": (older_format, "this version reads 2; it is older: publish it anew"),
    "a run without an id": (no_run_id, r"schema: .*runs\.parquet: the column run_id is of text, and holds something"),
    "a run without its cost": (no_seconds, r"schema: .*: its seconds of training are None, and no number"),
    "a summary of words": (summary_of_words, "summaries: .*the column mean is of numbers, and holds something else"),
    "a history of words": (history_of_words, "schema: .*the column loss is of numbers, and holds something else"),
    "a suite's text that is none": (no_text, r"schema: .*suite\.toml is no text in UTF-8"),
    "weights of no shape": (weights_of_nothing, r"weights: .*: no \w+ can be built for points of shape \(-3,\)"),
    "settings that are none": (settings_of_another_kind, "protocols: protocol mig.* has settings that are no names"),
    "a measure of this package described anew": (
        describe_mig_anew,
        r"protocols: metric mig is part of this package, and measures\.json describes another one",
    ),
}


@pytest.mark.parametrize("form", TAMPERED)
def test_a_tampered_submission_is_refused_with_its_sentence(submission, tmp_path, form):
    tamper, expected = TAMPERED[form]
    folder = unpacked(submission, tmp_path / "tampered")
    tamper(folder)
    findings = verify(str(folder)).findings
    assert [line for line in findings if re.search(expected, line)], findings


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
