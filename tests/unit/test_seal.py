"""Every number leads back to bytes: one changed byte anywhere in a results folder is noticed and named."""

import json
import random
import shutil
from pathlib import Path

import pytest
from command import command, sentence, succeed

from benchmark.errors import BenchmarkError
from benchmark.execution.claim import Claim
from benchmark.integrity.digests import file_digest
from benchmark.integrity.run_seal import check_run, damage
from benchmark.integrity.sealed import content_digest, read_json, render, sealed, write_json
from benchmark.integrity.stamp import BLANK, KEY, stamp
from benchmark.integrity.suite_seal import check_table, newer_scores, seal_page
from benchmark.spec import Component, Run
from benchmark.store import Store
from benchmark.training.fleet import Fleet, read_fleet
from benchmark.verbs.verify import verify


@pytest.fixture
def results(work: Path) -> Path:
    """A finished folder of two models, with a page and a failure."""
    folder = work / "results"
    suite = folder / "suites" / "tiny"
    (suite / "index.html").write_text("<p>a page</p>")
    seal_page(suite, [suite / "index.html"], file_digest(suite / "results.parquet"))
    run = read_json(next(folder.glob("runs/*/ae/*/s0/run.json")))["run"]
    run["seed"] = 7
    name = f"{next(folder.glob('runs/*/ae/*')).name}-s7"
    write_json(folder / "failures" / f"{name}.json", {"run_id": name, "run": run, "reason": "it broke"})
    assert verify(results=folder).findings == []
    return folder


def run_folder(results: Path, model: str = "beta_vae") -> Path:
    return next(results.glob(f"runs/*/{model}/*/s0"))


def flip(path: Path, place: int, mask: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= mask
    path.write_bytes(data)


def test_any_byte_of_any_file_is_noticed(results):
    rng = random.Random(0)
    files = sorted(path for path in results.rglob("*") if path.is_file())
    assert {path.suffix for path in files} == {".json", ".safetensors", ".csv", ".parquet", ".html"}
    for path in files + rng.choices(files, k=50):
        place, mask = rng.randrange(path.stat().st_size), rng.randrange(1, 256)
        flip(path, place, mask)
        assert any(path.name in finding for finding in verify(results=results).findings), (path, place, mask)
        flip(path, place, mask)
    assert verify(results=results).findings == []


def test_a_file_that_is_cut_gone_or_stray_is_noticed(results):
    folder = run_folder(results)
    (folder / "codes.safetensors").write_bytes((folder / "codes.safetensors").read_bytes()[:-1])
    (folder / "history.csv").unlink()
    (folder / "notes.txt").write_text("mine")
    told = " ".join(verify(results=results).findings)
    for name in ("codes.safetensors is not what it was", "history.csv is missing", "notes.txt is not known"):
        assert name in told


@pytest.mark.parametrize("name", ["weights.safetensors", "codes.safetensors", "history.csv", "run.json"])
def test_nothing_is_made_of_an_altered_run_and_training_again_mends_it(work, name):
    results = work / "results"
    path = run_folder(results) / name
    before = path.read_bytes()
    flip(path, len(before) // 2)
    assert name in sentence(command(work, "evaluate", "tiny.toml", "--jobs", "0"), 1)
    assert name in sentence(command(work, "report", "tiny.toml", "--jobs", "0"), 1)
    told = command(work, "run", "tiny.toml", "--jobs", "0")
    assert told.returncode == 1
    assert "5 runs done, 0 of them now; 1 failed" in told.stdout
    assert "--retry-failed trains it again" in told.stderr
    if name == "history.csv":  # one of them is enough: the rest is the same for each
        succeed(work, "run", "tiny.toml", "--jobs", "0", "--retry-failed")
        # Alone and not in its fleet: the last digits may differ.
        assert len(path.read_text().splitlines()) == len(before.splitlines())
        succeed(work, "evaluate", "tiny.toml", "--jobs", "0")
        assert verify(results=results).findings == []
        assert "1 damaged runs" in succeed(work, "prune").stdout


def test_an_edited_score_is_refused_by_name(results):
    (path,) = run_folder(results).glob("scores/mig-*-mean-*.json")
    record = json.loads(path.read_text())
    record["values"]["mig"] = 0.999
    path.write_text(render(record))
    work = results.parent
    for verb in ("evaluate", "report"):
        assert f"{path.name} was altered" in sentence(command(work, verb, "tiny.toml", "--jobs", "0"), 1)
    path.unlink()
    succeed(work, "evaluate", "tiny.toml", "--jobs", "0")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_edited_table_is_refused_and_made_anew(work, ending):
    path = work / "results" / "suites" / "tiny" / f"results.{ending}"
    flip(path, path.stat().st_size // 2)
    for verb in (("report", "tiny.toml"), ("publish", "tiny.toml", "--to", "kept")):
        assert "benchmark evaluate tiny makes it anew" in sentence(command(work, *verb), 1)
    (finding,) = verify(results=work / "results").findings
    assert f"benchmark evaluate tiny --results {work / 'results'} makes it anew" in finding
    succeed(work, "evaluate", "tiny.toml", "--jobs", "0")
    assert verify(results=work / "results").findings == []


@pytest.mark.parametrize(("field", "value"), [("seed", 5), ("steps", 41), ("run_id", "0" * 12 + "-s0")])
def test_a_record_that_was_sealed_anew_still_belongs_into_its_folder(results, field, value):
    path = run_folder(results) / "run.json"
    record = read_json(path)
    if field == "steps":
        record["run"]["training"]["settings"][field] = value
    else:
        (record if field == "run_id" else record["run"])[field] = value
    write_json(path, record)
    assert "is another run's" in str(damage(path.parent))


def test_a_score_of_other_codes_is_refused(results):
    score = next(run_folder(results).glob("scores/kl-*.json"))
    write_json(score, {**read_json(score), "codes": {"s0": "0" * 64}})
    with pytest.raises(BenchmarkError, match="computed from other codes"):
        newer_scores(results / "suites" / "tiny", [run_folder(results)])


def as_older_version(results: Path) -> None:
    """Take from a folder what version 1 did not write."""
    for path in results.rglob("*.json"):
        record = read_json(path)
        for key in ("digest", "files", "codes", "metric_source"):
            record.pop(key, None)
        path.write_text(json.dumps({**record, "format": 1}, indent=1))
    (results / "suites" / "tiny" / "seal.json").unlink()


def test_a_folder_of_an_older_version_is_sealed_on_first_contact_and_guarded_from_then_on(work):
    results = work / "results"
    as_older_version(results)
    scores = {path: path.read_bytes() for path in results.rglob("scores/*.json")}
    first = verify(results=results)
    assert first.findings == []
    assert sum(line.endswith("run.json") for line in first.sealed) == 6
    assert read_json(run_folder(results) / "run.json")["sealed"]["why"] == "on first contact"
    again = verify(results=results)
    assert (again.findings, again.sealed) == ([], [])
    assert scores == {path: path.read_bytes() for path in scores}, "old scores stay as they are"
    files = sorted(path for path in results.rglob("*") if path.is_file())
    rng = random.Random(1)
    for path in files:
        place = rng.randrange(path.stat().st_size)
        flip(path, place)
        assert verify(results=results).findings, (path, place)
        flip(path, place)
    succeed(work, "evaluate", "tiny.toml", "--jobs", "0")
    assert verify(results=results).findings == []


def test_an_older_folder_is_sealed_by_whoever_meets_it(work):
    as_older_version(work / "results")
    succeed(work, "evaluate", "tiny.toml", "--jobs", "0")
    found = verify(results=work / "results")
    assert found.findings == []
    assert not any("run.json" in line or "results.parquet" in line for line in found.sealed)


def test_the_command_line_says_each_finding_and_fails(work):
    assert succeed(work, "verify").stdout.endswith("all as they were\n")
    path = run_folder(work / "results") / "codes.safetensors"
    flip(path, 5000)
    for target in ((), ("tiny",), ("tiny.toml",), (str(path.parent),), ("results",)):
        result = command(work, "verify", *target, "--json")
        assert result.returncode == 1
        (finding,) = json.loads(result.stdout)["findings"]
        assert "codes.safetensors is not what it was" in finding
    assert succeed(work, "verify", str(run_folder(work / "results", "ae"))).returncode == 0
    assert "no results folder" in sentence(command(work, "verify", "--results", "elsewhere"), 2)


def test_codes_cut_short_while_being_made_again_are_no_damage_and_no_result(results):
    folder = run_folder(results)
    record = read_json(folder / "run.json")
    del record["files"]["codes.safetensors"]
    write_json(folder / "run.json", record | {"encoding": None})
    assert damage(folder) is None
    with pytest.raises(BenchmarkError, match="brings that to its end"):
        check_run(folder)


def test_a_seal_is_of_the_content_and_a_newer_format_is_left_to_its_version(tmp_path):
    record = sealed({"b": 1, "a": [1.5, "é"]})
    assert record["digest"] == content_digest({"a": [1.5, "é"], "b": 1, "format": 2})
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**record, "b": 2}))
    with pytest.raises(BenchmarkError, match="its content is not what its digest says"):
        read_json(path)
    path.write_text(json.dumps({"format": 2, "b": 1}))
    with pytest.raises(BenchmarkError, match="it lacks its digest"):
        read_json(path)
    path.write_text(json.dumps({**record, "format": 99}))
    assert read_json(path)["format"] == 99


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a": ' + "1" * 5_000 + "}", '{"format": "2"}', "null"])
def test_what_is_no_record_is_one_sentence(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(BenchmarkError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


def test_a_seal_names_nothing_outside(results):
    suite = results / "suites" / "tiny"
    seal = read_json(suite / "seal.json")
    seal["files"]["../../../secret"] = "0" * 64
    write_json(suite / "seal.json", seal)
    with pytest.raises(BenchmarkError, match="names files outside"):
        check_table(suite, [])
    shutil.rmtree(results)


def test_what_an_unfinished_fleet_left_is_noticed_too(tmp_path):
    import numpy as np
    from safetensors.numpy import save_file

    store = Store(tmp_path / "results")
    run = Run(Component("synth_linear", 1, {}), Component("perfect", 1, {}), None, None, 0)
    fleet = Fleet("closed_form", (run,))
    folder = store.fleet_folder(fleet.fleet_id)
    write_json(folder / "fleet.json", {"command": "benchmark run", "fleet": fleet.to_json()})
    write_json(folder / "progress.json", {"step": 3, "steps": 9, "resumed": []})
    assert Claim(folder / "claim.json").take()
    save_file({"w": np.arange(9.0)}, folder / "checkpoint.safetensors", metadata={"checkpoint": "{}", KEY: BLANK})
    stamp(folder / "checkpoint.safetensors")
    assert verify(results=store.root).findings == []
    rng = random.Random(2)
    for path in sorted(folder.iterdir()) * 20:
        place, mask = rng.randrange(path.stat().st_size), rng.randrange(1, 256)
        flip(path, place, mask)
        assert any(path.name in finding for finding in verify(results=store.root).findings), (path, place, mask)
        flip(path, place, mask)
    folder.rename(folder.with_name("0" * 12))
    assert any("is another fleet's" in finding for finding in verify(results=store.root).findings)


@pytest.mark.parametrize(
    "record", [{"fleet": {}}, {"fleet": {"engine": "x", "runs": [1]}}, {"fleet": {"engine": "single", "runs": []}}, {}]
)
def test_what_is_no_fleet_is_one_sentence(tmp_path, record):
    write_json(tmp_path / "fleet.json", record)
    with pytest.raises(BenchmarkError, match=r"fleet\.json: fleet is no fleet"):
        read_fleet(tmp_path / "fleet.json")
