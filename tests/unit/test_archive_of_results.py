"""Archives of results: what is published is what was scored, and is refused where it was altered or is too large."""

import json
import shutil
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import command as run_command
from command import sentence, succeed
from forged_archive import forge

from benchmark import export, load_model, load_results
from benchmark.archive.failures import unfinished
from benchmark.archive.manifest import File, read_manifest
from benchmark.archive.opening import open_archive
from benchmark.archive.parquet import as_parquet, from_parquet
from benchmark.archive.results import runs_of
from benchmark.archive.weights import halved
from benchmark.archive.writing import write_folder
from benchmark.codes import Codes
from benchmark.errors import BenchmarkError, UsageError
from benchmark.integrity.sealed import render, sealed
from benchmark.published import of_all
from benchmark.store import Store
from benchmark.table import KEY, read_table
from benchmark.verbs._archived import finished_suite
from benchmark.verbs._beside import of_archive
from benchmark.verbs.publish import publish
from benchmark.verbs.verify import verify
from leaderboard.records import completeness


@pytest.fixture(scope="module")
def archive(scored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the tiny suite. Not to be changed."""
    work = tmp_path_factory.mktemp("archived")
    shutil.copytree(scored, work / "made")
    made = work / "made"
    told = succeed(made, "publish", "tiny.toml", "--as", "archive", "--to", "kept")
    assert told.stdout.strip() == "kept/tiny/1"
    return made / "kept" / "tiny" / "1"


def test_the_published_scores_are_those_of_the_table(archive, scored):
    table = read_table(scored / "results" / "suites" / "tiny" / "results.parquet")
    found = load_results(archive)
    assert found.attrs["archive"] == "tiny/1"
    pd.testing.assert_frame_equal(found[list(table)], of_all(table).reset_index(drop=True))
    assert len(load_results(archive.parent, single=True)) == len(table) > len(found)
    assert set(found["label"]) == {"ae", "beta_vae β=1", "perfect"} or set(found["model"]) == {
        "ae",
        "beta_vae",
        "perfect",
    }


def test_an_archive_is_exported_like_its_suite(archive, scored, tmp_path):
    said = export(archive, "csv", output=tmp_path / "published")
    assert said.runs == export(scored / "tiny.toml", "csv", results=scored / "results", output=tmp_path / "own").runs
    tables = [pd.read_csv(tmp_path / which / "scores.csv").sort_values(KEY) for which in ("published", "own")]
    pd.testing.assert_frame_equal(*(table.reset_index(drop=True) for table in tables))
    # An archive keeps the terms of all models in one table, in another order.
    order = ["run_id", "step", "term"]
    logged = [pd.read_csv(tmp_path / which / "histories.csv").sort_values(order) for which in ("published", "own")]
    pd.testing.assert_frame_equal(*(table.reset_index(drop=True) for table in logged))


def test_a_version_is_fixed(archive, scored, tmp_path):
    make = partial(publish, scored / "tiny.toml", "archive", results=scored / "results", to=tmp_path)
    folder = make()
    assert make() == folder
    manifest = json.loads((folder / "archive.json").read_bytes())
    manifest["files"]["suite.toml"]["sha256"] = "0" * 64
    (folder / "archive.json").write_text(render(sealed(manifest)))
    with pytest.raises(UsageError, match="what a version holds is fixed: give --version 2"):
        make()
    with pytest.raises(UsageError, match="--corrects"):
        make(version=2)
    assert open_archive(make(version=2, corrects="the suite's text")).manifest.title == "tiny/2"
    with pytest.raises(UsageError, match="what a version says of itself is fixed"):
        make(version=2, corrects="something else")


def test_two_that_publish_one_version_at_once_make_one_of_it(archive, tmp_path, monkeypatch):
    """Another process is there first, in the moment before the last step: with the same content, or with another."""
    manifest = open_archive(archive).manifest
    files = {name: (archive / name).read_bytes() for name in manifest.files}
    rename = Path.rename

    def overtaken(scratch: Path, folder: Path) -> Path:
        shutil.copytree(scratch, folder)
        return rename(scratch, folder)

    monkeypatch.setattr(Path, "rename", overtaken)
    assert write_folder(manifest, files, tmp_path) == tmp_path / "tiny" / "1"
    shutil.rmtree(tmp_path / "tiny")

    def overtaken_by_another(scratch: Path, folder: Path) -> Path:
        shutil.copytree(archive, folder)
        return rename(scratch, folder)

    monkeypatch.setattr(Path, "rename", overtaken_by_another)
    other = {**files, "suite.toml": files["suite.toml"] + b"# edited"}
    changed = {**manifest.files, "suite.toml": File.of(other["suite.toml"])}
    with pytest.raises(UsageError, match=r"is published with another suite\.toml"):
        write_folder(replace(manifest, files=changed), other, tmp_path)
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == ["1"]
    assert verify(str(tmp_path / "tiny" / "1")).findings == []


def test_a_run_without_a_score_is_not_packed(scored, monkeypatch):
    """Others of its configuration have scores: whoever gets the archive would refuse it."""
    suite, results = str(scored / "tiny.toml"), scored / "results"
    lost = next(run.run_id for run in Store(results).plan("tiny") if run.seed == 1)
    monkeypatch.setattr("benchmark.table.read_table", lambda path: (table := read_table(path))[table["run_id"] != lost])
    again = f"benchmark evaluate {suite} --results {results}"
    with pytest.raises(UsageError, match=f"{lost} is finished and has no score; next: {again}$"):
        finished_suite(suite, results, None)


def test_a_suite_that_was_edited_since_says_how_its_plan_is_brought_up_to_date(work):
    with (work / "tiny.toml").open("a") as file:
        file.write("# more\n")
    again = f"benchmark run {work / 'tiny.toml'} --results {work / 'results'}"
    with pytest.raises(UsageError, match=f"edited since the suite was run, .*; next: {again}$"):
        finished_suite(str(work / "tiny.toml"), work / "results", None)


def test_a_published_network_gives_the_codes_that_were_scored(archive, scored):
    found = load_model(archive, "beta_vae")
    assert found.archive == "tiny/1" and " of tiny/1, run " in repr(found)
    folder = next(
        (scored / "results").glob(f"runs/*/*/*/s{found.run.seed}/../../{found.run.config_id}/s{found.run.seed}")
    )
    codes = Codes.load(folder / "codes.safetensors")
    from small import load

    data = load(found.run)
    encoded = found.encode(data.images[data.evaluation_rows])
    np.testing.assert_allclose(encoded, codes.means, atol=5e-3)
    assert np.abs(encoded - codes.means).max() > 0  # it is the halved network
    assert found.decode(encoded[:5]).shape == (5, *data.shape)
    moved = open_archive(archive).frame("float16.parquet").set_index("config_id").loc[found.run.config_id]
    assert 0 < moved["codes_difference"] <= np.abs(encoded - codes.means).max() + 1e-6


def test_an_archive_says_what_failed_and_not_where(work):
    store = Store(work / "results")
    lost = next(run for run in store.plan("tiny") if run.model.name == "beta_vae" and run.seed == 1)
    shutil.rmtree(store.run_folder(lost))
    store.record_failure(lost, "train", "the loss of /home/jane/x.npz is no number")
    succeed(work, "evaluate", "tiny.toml", "--jobs", "0")
    folder = publish(work / "tiny.toml", "archive", results=work / "results", to=work / "kept")
    found = unfinished(open_archive(folder))
    [failure] = found.failures
    assert (found.planned, failure["run_id"]) == (6, lost.run_id)
    assert failure["reason"] == "the loss of x.npz is no number"
    assert "host" not in failure
    with of_archive(open_archive(folder)) as shown:
        assert completeness(len(shown.runs), len(shown.failures), shown.planned) == (
            "1 of 6 planned runs is missing: 1 failed."
        )
    assert verify(str(folder)).findings == []
    record = json.loads((folder / "failures.json").read_bytes())
    here = runs_of(open_archive(folder)).iloc[0]
    other = failure | {"run_id": here["run_id"], "run": json.loads(here["record"])["run"]}
    forge(folder, "failures.json", render(sealed(record | {"failures": [other]})).encode())
    assert any("is said to have failed, and is here" in line for line in verify(str(folder)).findings)
    forge(folder, "failures.json", render(sealed(record | {"failures": [failure | {"run_id": "x-s0"}]})).encode())
    assert any("is another run's id" in line for line in verify(str(folder)).findings)


def test_an_unknown_configuration_names_the_near_ones(archive):
    with pytest.raises(UsageError, match=r'holds no weights of "beta_va".*; there: "beta_vae'):
        load_model(archive, "beta_va")
    with pytest.raises(UsageError, match="a reference"):
        load_model(archive, "perfect")
    with pytest.raises(UsageError, match="may be"):
        load_model(archive, "")
    with pytest.raises(UsageError, match="no weights of networks on ''; there: "):
        load_model(archive, "ae", dataset="")


@pytest.mark.parametrize("given", ["nowhere.py", Path("nowhere.py"), ["nowhere.py"]])
def test_one_plugin_is_given_as_it_is_or_in_a_list(archive, given):
    with pytest.raises(UsageError, match=r"nowhere\.py"):
        load_model(archive, "ae", plugins=given)


def test_numbers_that_half_precision_cannot_hold_stay_as_they_are():
    found = halved({"a": np.array([1.0, 2.0], np.float32), "b": np.array([1e6], np.float32), "c": np.array([3])})
    assert [array.dtype for array in found.values()] == [np.float16, np.float32, np.int64]


@pytest.fixture
def address(archive):
    handler = partial(SimpleHTTPRequestHandler, directory=archive.parent.parent)
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/tiny"
        server.shutdown()


def test_an_address_is_read_like_a_folder(archive, address, cache_folder, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    pd.testing.assert_frame_equal(load_results(f"{address}/1"), load_results(archive))
    with pytest.raises(UsageError, match="answers 404"):
        load_results(f"{address}/7")
    with pytest.raises(UsageError, match="by http and https"):
        load_results("file:///etc")
    for wrong in ("http://127.0.0.1:port", "http://127.0.0.1:9/a b", "http://[::1"):
        with pytest.raises(UsageError, match=r"could not be fetched|is no address"):
            load_results(wrong)


@pytest.mark.parametrize("cache", ["file/below", "/proc/nothing", "~nobody_at_all/cache"])
def test_an_address_is_read_without_a_cache_that_can_be_written(archive, address, tmp_path, monkeypatch, cache):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("BENCHMARK_CACHE", cache)
    assert len(load_results(f"{address}/1")) == len(load_results(archive))


def test_what_was_altered_or_is_larger_than_it_says_is_refused(archive, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy)
    content = bytearray((copy / "scores.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "scores.parquet").write_bytes(content)
    with pytest.raises(BenchmarkError, match=r"scores\.parquet is not what it was"):
        load_results(copy)
    (copy / "scores.parquet").write_bytes(bytes(content) + b"more")
    with pytest.raises(UsageError, match="has more than the"):
        load_results(copy)


@pytest.mark.parametrize("name", ["../outside", "/absolute", "a/../../b", "a\\b", "C:file"])
def test_files_outside_are_refused(archive, tmp_path, name):
    record = json.loads((archive / "archive.json").read_bytes())
    record["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    with pytest.raises(UsageError, match="would lie outside"):
        read_manifest(render(sealed(record)).encode(), "archive.json")
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
        packed.writestr(zipfile.ZipInfo(name), b"x")
    with pytest.raises(UsageError, match="would lie outside"):
        load_results(tmp_path / "bad.zip")


def test_a_zip_file_that_unpacks_to_gigabytes_is_refused_and_a_plain_one_is_read(archive, tmp_path):
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as packed:
        for path in archive.rglob("*.*"):
            packed.write(path, path.relative_to(archive).as_posix())
    pd.testing.assert_frame_equal(load_results(tmp_path / "good.zip"), load_results(archive))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("archive.json", bytes(2**29))
    with pytest.raises(UsageError, match="unpacks to"):
        load_results(tmp_path / "bomb.zip")


def test_a_table_that_unpacks_to_gigabytes_is_refused():
    bomb = as_parquet(pd.DataFrame({"text": ["x" * 2_000] * 140_000}))
    assert len(bomb) < 200_000
    with pytest.raises(UsageError, match="unpacks to"):
        from_parquet(bomb, "it")


def test_a_name_that_is_none_says_so_in_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="no archive is published"):
        load_results("nothing_of_it")
    assert "--as archive" in sentence(run_command(tmp_path, "publish", "quickstart", "--version", "2"), 2)
