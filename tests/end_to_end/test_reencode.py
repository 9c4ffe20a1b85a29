"""Finished runs of an older version, or of a suite that now keeps more, are encoded again from their weights."""

from pathlib import Path

import numpy as np
from command import checksums, command, succeed

from benchmark.codes import Codes
from benchmark.digests import file_digest
from benchmark.sealed import read_json, write_json
from benchmark.verbs.verify import verify


def folders(work: Path, model: str) -> list[Path]:
    return sorted(path.parent for path in (work / "results" / "runs").glob(f"*/{model}/*/*/run.json"))


def test_codes_of_an_older_version_are_made_again(work):
    folder = folders(work, "beta_vae")[0]
    others = {path: checksums(path) for model in ("ae", "beta_vae", "perfect") for path in folders(work, model)}
    del others[folder]
    before = Codes.load(folder / "codes.safetensors")
    older = Codes(
        before.means + 1, before.factors, before.factor_names, before.factor_sizes, before.variances, before.samples
    )
    older.save(folder / "codes.safetensors")
    record = read_json(folder / "run.json")
    del record["encoding"]
    record["files"]["codes.safetensors"] = file_digest(folder / "codes.safetensors")
    write_json(folder / "run.json", record)
    weights = (folder / "weights.safetensors").read_bytes()

    result = succeed(work, "run", "tiny.toml", "--jobs", "0")
    assert f"encoded {record['run_id']}" in result.stderr
    after = Codes.load(folder / "codes.safetensors")
    np.testing.assert_array_equal(after.means, before.means)
    assert after.arrays.keys() == before.arrays.keys()
    for name, value in before.arrays.items():
        np.testing.assert_array_equal(after.arrays[name], value)
    assert verify(results=work / "results").findings == []
    assert not (folder / "scores").exists(), "no score outlives the codes that it was computed from"
    assert (folder / "weights.safetensors").read_bytes() == weights
    assert {path: checksums(path) for path in others} == others
    assert "encoded" not in succeed(work, "run", "tiny.toml", "--jobs", "0").stderr


def test_a_suite_that_keeps_more_encodes_again_and_one_that_keeps_less_does_not(work):
    suite = work / "tiny.toml"
    text = suite.read_text()
    suite.write_text(text + "\n[encoding]\nlikelihood_points = 3\n")
    assert "encoded" not in succeed(work, "run", "tiny.toml", "--jobs", "0").stderr
    suite.write_text(text + "\n[encoding]\nlikelihood_points = 300\n")
    assert succeed(work, "run", "tiny.toml", "--jobs", "0").stderr.count("encoded") == 4
    weights = Codes.load(folders(work, "beta_vae")[0] / "codes.safetensors", {"log_weights"}).arrays["log_weights"]
    assert weights.shape == (300, 2_000)


def test_damaged_weights_are_said(work):
    folder = folders(work, "ae")[0]
    (folder / "weights.safetensors").write_bytes(b"no weights")
    record = read_json(folder / "run.json")
    record["encoding"]["version"] = 0
    record["files"]["weights.safetensors"] = file_digest(folder / "weights.safetensors")
    write_json(folder / "run.json", record)
    codes = (folder / "codes.safetensors").read_bytes()
    result = command(work, "run", "tiny.toml", "--jobs", "0")
    assert result.returncode == 1
    assert "1 run could not be encoded again" in result.stderr
    assert "Traceback" not in result.stderr
    assert (folder / "codes.safetensors").read_bytes() == codes
