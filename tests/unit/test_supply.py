"""What measures are given of the arrays that stand beside codes."""

from pathlib import Path

import numpy as np
import pytest

from benchmark.reading.factor_kinds import Wishes
from benchmark.reading.read_codes import read_codes
from benchmark.stages.score_arrays import ArrayScore, score_arrays
from benchmark.stages.score_task import Protocol, arrays_read

RNG = np.random.default_rng(0)
N = 1_500
FACTORS = np.stack([RNG.integers(0, 256, N), RNG.integers(0, 3, N)], axis=1).astype(float)
CODES = FACTORS / [255, 1]
ARRAYS = arrays_read(["robustness"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Codes that are two factors, a measurement in whole numbers and a class, and what is kept of corrupted points."""
    np.savez(
        tmp_path / "codes.npz",
        codes=CODES,
        factors=FACTORS,
        factor_names=["brightness", "kind"],
        continuous_factors=["brightness"],
        corruption_clean=CODES[:400],
        corruption_codes=np.repeat(CODES[:400, None], 4, axis=1),
        corruption_factors=FACTORS[:400],
        corruption_training=CODES[400:],
        corruption_training_factors=FACTORS[400:],
    )
    return tmp_path / "codes.npz"


def robustness(file: Path, **wishes: list[str]) -> ArrayScore:
    found: list[ArrayScore] = []
    codes = read_codes(file, arrays=ARRAYS, wishes=Wishes(**wishes)).codes
    score_arrays(codes, Protocol(("robustness",)), None, lambda *_: None, found.append)
    return found[0]


def test_a_measurement_in_whole_numbers_is_no_class_of_corrupted_points_either(file: Path) -> None:
    assert robustness(file).values["robustness"] == 1.0
    assert robustness(file, drop=["kind"]).scored.reason.startswith("every factor that varies is continuous")


def test_a_factor_that_is_left_out_is_left_out_there_too(file: Path) -> None:
    found = robustness(file, drop=["brightness"])
    assert (found.values["robustness"], "robustness_factor_1" in found.values) == (1.0, False)


def test_factors_beside_codes_that_are_not_the_codes_own_are_said(file: Path) -> None:
    found = robustness(file, classes=["kind"])
    assert found.scored.reason == "corruption_factors hold 2 factors, and the codes come with 4"
