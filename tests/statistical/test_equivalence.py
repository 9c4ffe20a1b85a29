"""The test for equivalence of precisions: by hand, against its own level, and with planted shifts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from equivalence import MARGIN, SCORES, compared, power, two_one_sided


def test_by_hand() -> None:
    """Two samples of deviation 1 and a difference of .5: Welch's error is √(2/5), its degrees of freedom 8."""
    sample = np.array([-2.0, -1.0, 0.0, 1.0, 2.0]) / np.sqrt(2.5)
    found = two_one_sided(sample, sample + 0.5, margin=2.0)
    assert found.difference == pytest.approx(0.5)
    half = 1.859548 * np.sqrt(2 / 5)  # t at 95 %, 8 degrees of freedom
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-5)
    assert found.margin == pytest.approx(2.0)
    assert found.smallest == pytest.approx(0.5 + half, abs=1e-5)
    assert found.verdict == "equivalent"
    assert two_one_sided(sample, sample + 0.5, margin=0.5 + half - 0.01).verdict == "open"
    assert two_one_sided(sample, sample + 3, margin=1.0).verdict == "moved"


def test_a_shift_of_the_margin_is_called_equivalent_in_one_of_twenty() -> None:
    rng = np.random.default_rng(1)
    samples = rng.standard_normal((2, 1000, 40))
    called = [two_one_sided(a, b + MARGIN, MARGIN / a.std(ddof=1)).verdict == "equivalent" for a, b in zip(*samples)]  # noqa: B905
    assert 0.03 < np.mean(called) < 0.07


def test_what_power_ten_seeds_have() -> None:
    assert power(10, 1 / 3, draws=300) == 0
    assert 0.8 < power(10, draws=300) < 0.97


def test_a_score_that_moves_is_named() -> None:
    rng, rows = np.random.default_rng(2), []
    for precision in ("float32", "bfloat16"):
        for seed in range(10):
            for score in SCORES:
                shift = 3.0 if (precision, score) == ("bfloat16", "mig") else 0.0
                settings = "{}" if precision == "float32" else '{"training":{"precision":"bfloat16"}}'
                value = rng.standard_normal() * 0.5 + shift
                rows.append(("vae", settings, seed, score, "mean", None, "ok", value))
    names = ["model", "settings", "seed", "score", "representation", "factor", "status", "value"]
    found = compared(pd.DataFrame(rows, columns=names)).set_index("score")["verdict"]
    assert found["mig"] == "moved"
    assert "moved" not in set(found.drop("mig"))


def test_samples_without_spread() -> None:
    same = np.ones(3)
    assert two_one_sided(same, same).verdict == "equivalent"
    assert two_one_sided(same, same + 1).verdict == "moved"
