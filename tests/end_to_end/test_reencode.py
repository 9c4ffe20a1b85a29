"""Finished runs of an older version, or of a suite that now keeps more, are encoded again from their weights."""

import json
from pathlib import Path

import numpy as np
from command import checksums, command, succeed

from benchmark.codes import Codes
from benchmark.integrity.digests import file_digest
from benchmark.integrity.sealed import read_json, write_json
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


def asking(work: Path, points: int, *metrics: str) -> None:
    """Have the suite ask for these measures beside its own, and keep the importance weights of so many points."""
    suite = work / "tiny.toml"
    text = suite.read_text().split("\n[encoding]")[0]
    listed = ", ".join(f'"{metric}"' for metric in ("mig", "kl", "dto", *metrics))
    lines = [f"metrics = [{listed}]" if line.startswith("metrics") else line for line in text.splitlines()]
    suite.write_text("\n".join(lines) + f"\n\n[encoding]\nlikelihood_points = {points}\nlikelihood_samples = 20\n")


LIKELIHOOD = "log_likelihood(samples=20)"


def test_what_no_measure_reads_is_encoded_once_one_does(work):
    """Only what is missing: codes stay, and a suite that asks for less takes nothing away."""
    before = {folder: Codes.load(folder / "codes.safetensors") for folder in folders(work, "beta_vae")}
    assert not {"log_weights", "reconstruction_mean"} & set(next(iter(before.values())).arrays)
    asking(work, 3, LIKELIHOOD)
    assert succeed(work, "run", "tiny.toml", "--jobs", "0").stderr.count("encoded") == 4
    for folder, codes in before.items():
        after = Codes.load(folder / "codes.safetensors")
        assert set(after.arrays) == {*codes.arrays, "log_weights"}
        assert after.arrays["log_weights"].shape == (3, 20)
        np.testing.assert_array_equal(after.means, codes.means)
        np.testing.assert_array_equal(after.samples, codes.samples)
        for name, value in codes.arrays.items():
            np.testing.assert_array_equal(after.arrays[name], value)
        assert not (folder / "scores").exists()

    asking(work, 2, LIKELIHOOD)
    assert "encoded" not in succeed(work, "run", "tiny.toml", "--jobs", "0").stderr
    asking(work, 5, LIKELIHOOD)
    assert succeed(work, "run", "tiny.toml", "--jobs", "0").stderr.count("encoded") == 4
    weights = Codes.load(folders(work, "beta_vae")[0] / "codes.safetensors", {"log_weights"}).arrays["log_weights"]
    assert weights.shape == (5, 20)


def test_evaluate_encodes_what_its_measures_lack(work):
    asking(work, 3)
    metrics = f"{LIKELIHOOD},dto,dto(of=logits)"
    result = succeed(work, "evaluate", "tiny.toml", "--metrics", metrics, "--jobs", "0")
    assert result.stderr.count("encoded") == 4
    scores = [json.loads(path.read_text()) for path in (folders(work, "beta_vae")[0] / "scores").glob("*.json")]
    found = {score["protocol"]: score for score in scores}
    assert found["log_likelihood/samples20-mean-n3/v1"]["status"] == "ok"
    # Under a Gaussian likelihood the mean image is the decoder's output.
    one, other = (found[f"dto/solver=assignment{of}-mean-n1000/v1"]["values"] for of in ("", "-of=logits"))
    assert one == other
    assert "encoded" not in succeed(work, "evaluate", "tiny.toml", "--metrics", metrics, "--jobs", "0").stderr


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
