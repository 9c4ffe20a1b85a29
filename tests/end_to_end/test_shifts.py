"""A suite with a split and correlated factors, from its file to the page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmark import evaluate, report, run
from benchmark.codes import TRAINED_ON, Codes
from benchmark.verbs._request import Request
from benchmark.verbs._workplace import Workplace
from benchmark.verbs.estimate import estimate
from benchmark.words.estimates import as_text
from leaderboard import charts, pictures

SUITE = """
description = "Shapes 3, scales 6, positions 4 and 4, one orientation: 288 images"
seeds = 1
training = { steps = 20, batch = 16 }
encoding = { likelihood_points = 0 }

[evaluation]
budget = "quick"
metrics = ["linear_readout(train=60, test=30)", "sap(kind=continuous)", "reconstruction"]

[[block]]
dataset = [
    { name = "dsprites", COARSE, split = "recombination", split_factors = ["posX", "posY"] },
    { name = "dsprites", COARSE, split = "extrapolation", split_factors = ["scale"] },
    { name = "dsprites", COARSE, correlated = [["posX", "posY"]] },
]
network = { name = "mlp_tiny", hidden = 16, latents = 4 }
model = ["ae", "perfect", { name = "pca", latents = 4 }]
""".replace("COARSE", "resolution = 32, stride = [1, 1, 40, 8, 8]")


@pytest.mark.usefixtures("cache_folder")
def test_a_suite_is_trained_on_one_part_and_scored_on_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, results = tmp_path / "shifts.toml", tmp_path / "results"
    suite.write_text(SUITE)
    told = as_text(estimate(Request(suite=str(suite)), Workplace(results=results, jobs=1)))
    # Two of four positions on each axis: 12 of 16 pairs. Three of six scales.
    assert "dsprites, recombination of posX, posY, 50%: 216 of 288 combinations trained on, 75.0%" in told
    assert "dsprites, extrapolation of scale, 50%: 144 of 288 combinations trained on, 50.0%" in told
    assert "dsprites, posX with posY at σ = 0.2: 288 of 288 combinations trained on, 100.0%, drawn as unevenly" in told

    assert run(str(suite), results=results, jobs=0).failed == {}
    held = [Codes.load(path).arrays.get(TRAINED_ON) for path in sorted(results.rglob("codes.safetensors"))]
    assert sorted(0 if one is None else int(one.sum()) for one in held) == [0] * 3 + [144] * 3 + [216] * 3

    evaluate(str(suite), results=results, jobs=0)
    folder = results / "suites" / "shifts"
    table = pd.read_parquet(folder / "results.parquet")
    assert set(table["status"]) == {"ok", "not_applicable"}
    assert set(table.loc[table["status"] != "ok", "metric"]) == {"reconstruction"}  # of anchors and PCA
    slices = table[table["representation"].isin(["seen", "unseen"])]
    assert set(slices["metric"]) == {"linear_readout", "sap"}
    assert slices["protocol"].str.contains("-seen-|-unseen-").all()
    perfect = slices[(slices["model"] == "perfect") & (slices["metric"] == "linear_readout")]
    assert len(perfect) and (perfect["value"] > 0.999).all()
    frame = pd.read_csv(folder / "seen_unseen.csv")
    assert len(frame) == 2 * 3 * 2  # splits, models, measures
    assert (frame["difference"] - (frame["unseen"] - frame["seen"])).abs().max() < 1e-9

    monkeypatch.setattr(charts, "ORDER", ("seen_unseen",))
    monkeypatch.setattr(pictures, "ORDER", ())
    page = report(str(suite), results=results, jobs=0).read_text()
    assert page.count("<caption>Seen and unseen in training</caption>") == 2
    assert page.count('class="chart seen-unseen plot"') == 2
    assert page.count('class="chart seen-unseen-by-split plot"') == 1
    assert "The same for mean codes of combinations unseen in training" in page
