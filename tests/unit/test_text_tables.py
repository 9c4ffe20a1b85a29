"""Tables of words over a leaderboard, from frames that are written down by hand."""

import numpy as np
import pandas as pd

from leaderboard.agreement import agreement
from leaderboard.half_precision import half_precision
from leaderboard.reconstructions import reconstructions

TITLES = {"mig": "MIG", "dci": "DCI", "sap": "SAP", "elbo": "ELBO"}


def pair(a: str, b: str, rho: float, kind: str = "supervised×supervised", **more: float) -> dict[str, object]:
    common = {"a": a, "b": b, "rho": rho, "kind": kind, "low": np.nan, "high": np.nan, "p_holm": np.nan}
    protocols = {f"{side}_protocol": f"{name.partition(' ')[0]}/n10/v1" for side, name in (("a", a), ("b", b))}
    return common | protocols | {"n": 20, "configurations": 5} | more


def test_each_score_names_what_it_goes_most_and_least_with():
    frame = pd.DataFrame(
        [
            pair("mig", "dci", 0.9, p_holm=0.01, low=0.5, high=0.95),
            pair("mig", "sap", -0.2),
            pair("dci", "sap", 0.1, n=10),
            pair("elbo", "mig", -0.4, kind="unsupervised×supervised"),
        ]
    )
    table = agreement({"correlations": frame}, TITLES)
    assert table is not None
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["MIG"][:3] == ["DCI 0.90 (0.50 to 0.95, p = 0.01)", "SAP −0.20", "ELBO −0.40"]
    assert rows["SAP"] == ["DCI 0.10", "MIG −0.20", "–", "10 to 20 runs of 5 configurations"]
    assert "ELBO" not in rows, "it has no labels: it is a partner, and no row"
    again = pd.DataFrame([pair("mig", "mig (bins 10)", 0.99)])
    wider = pd.DataFrame([pair("elbo", "sap", 0.9, "unsupervised×supervised", configurations=4)])
    lower = pd.DataFrame([pair("udr", "sap", 0.3, "unsupervised×supervised")])
    table = agreement({"correlations": pd.concat([frame, again, wider, lower])}, TITLES | {"udr": "UDR"})
    assert table is not None
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["MIG"][0].startswith("DCI"), "not itself under another protocol"
    assert rows["SAP"][2] == "UDR 0.30", "of the pairs over most configurations"
    assert agreement({"correlations": frame.assign(rho=np.nan)}, TITLES) is None
    assert agreement({}, TITLES) is None


def test_reconstruction_of_each_configuration_the_best_first():
    row = {"score": "reconstruction", "configuration": "vae", "mean": 16.7, "std": 1.25, "median": 16.0}
    row |= {"low": np.nan, "high": np.nan, "runs": 5, "protocol": "reconstruction/mean-n10/v1"}
    best = row | {"configuration": "ae", "mean": 9.0, "std": np.nan, "low": 8.0, "high": 10.0, "runs": 1}
    other = row | {"score": "reconstruction_sampled", "configuration": "no"}
    table = reconstructions({"summary": pd.DataFrame([row, best, other])})
    assert table is not None
    assert [each[:5] for each in table.rows] == [
        ["ae", "9.000", "16.00", "8.000 to 10.00", "1 run"],
        ["vae", "16.70 ± 1.250", "16.00", "", "5 runs"],
    ]
    assert reconstructions({"summary": pd.DataFrame([other])}) is None


def test_what_half_precision_moves():
    moved = {"config_id": "a", "run_id": "a-s0", "points": 1000, "codes_difference": 0.002, "codes_deviation": 2.0}
    moved |= {"reconstruction": 20.0, "reconstruction_float16": 20.01, "mig": None, "mig_float16": None}
    runs = pd.DataFrame([{"config_id": "a", "dataset_label": "shapes", "label": "vae"}])
    table = half_precision(pd.DataFrame([moved]), runs)["shapes"]
    assert table.columns == ["configuration", "largest change of a code", "reconstruction"]
    assert table.rows == [["vae", "0.002 (0.1% of the scatter)", "20.00 (+0.01)"]]
    assert "1,000 points" in table.caption
