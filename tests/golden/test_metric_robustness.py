"""Code shift and robustness, on codes whose scores are known."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.code_shift import CORRUPTIONS, code_shift
from benchmark.metrics.robustness import robustness

RNG = np.random.default_rng(0)
N = 2_000
FACTORS = RNG.integers(0, 3, (N, 2))
CODES = 10.0 * FACTORS + 0.1 * RNG.standard_normal((N, 2))


def corrupted(*kinds: np.ndarray) -> np.ndarray:
    return np.stack(kinds, axis=1)


def test_shift_is_in_units_of_the_codes_spread() -> None:
    """Codes (±3, ±4) have the pooled deviation 5; moved by (3, 4) they have moved by one of them."""
    clean = np.array([[3, 4], [-3, 4], [3, -4], [-3, -4]], float)
    found = code_shift(clean, corrupted(clean, clean + np.array([3, 4]), -clean, 0 * clean), clean + np.array([0, 0.5]))
    assert found["code_shift"] == found["code_shift_flips_0.01"] == pytest.approx(1)
    assert found["code_shift_flips_0.001"] == 0
    assert found["code_shift_flips_0.05"] == pytest.approx(2)
    assert found["code_shift_inverted"] == pytest.approx(1)
    assert found["code_shift_triangle"] == pytest.approx(0.1)
    assert (found["code_shift_coordinate_0"], found["code_shift_coordinate_1"]) == pytest.approx((1, 1))


def test_the_code_of_another_image_is_root_two_away_and_passive_coordinates_do_not_matter() -> None:
    clean = np.hstack([RNG.standard_normal((20_000, 3)), 1e-6 * RNG.standard_normal((20_000, 5))])
    other = clean[RNG.permutation(len(clean))]
    other[:, 3:] += 1e-3 * RNG.standard_normal((20_000, 5))
    found = code_shift(clean, corrupted(*[other] * 4))
    assert found["code_shift"] == pytest.approx(np.sqrt(2), abs=0.02)
    assert found["code_shift_coordinate_4"] > 100
    assert "code_shift_triangle" not in found


def test_a_constant_code_has_no_unit_and_alone_no_shift() -> None:
    dead = np.full((50, 1), 1 / 3)
    with pytest.raises(NotApplicable, match="constant"):
        code_shift(dead, corrupted(*[dead + 1] * 4))
    clean = np.hstack([RNG.standard_normal((50, 1)), dead])
    assert "code_shift_coordinate_1" not in code_shift(clean, corrupted(*[clean] * 4))


def test_a_drop_is_accuracy_before_less_after() -> None:
    clean, known = CODES[:500], CODES[500:]
    nowhere = np.full_like(clean, 10.0)
    half = np.where(np.arange(500)[:, None] % 2, nowhere, clean)
    found = robustness(clean, corrupted(clean, half, nowhere, -clean + 20), FACTORS[:500], known, FACTORS[500:])
    share = (FACTORS[:500] == 1).mean()
    middle = ((half == clean) | (FACTORS[:500] == 1)).mean()
    assert found["robustness_clean"] == 1
    assert found["robustness_drop_flips_0.001"] == 0
    assert found["robustness"] == pytest.approx(middle)
    assert found["robustness_drop_flips_0.01"] == pytest.approx(1 - middle)
    assert found["robustness_drop_flips_0.05"] == pytest.approx(1 - share)
    # Mirrored about the middle class, which alone is still read right.
    assert found["robustness_drop_inverted"] == pytest.approx(1 - share)
    assert found["robustness_factor_0"] + found["robustness_factor_1"] == pytest.approx(2 * middle)


def test_the_triangle_is_not_asked_for_its_shape() -> None:
    clean, known = CODES[:500], CODES[500:]
    triangle, factors = clean.copy(), FACTORS[:500].copy()
    triangle[:, 0], factors[:, 0] = 0, -1
    arrays = (clean, corrupted(*[clean] * 4), FACTORS[:500], known, FACTORS[500:], triangle)
    assert robustness(*arrays, factors)["robustness_drop_triangle"] == 0
    wrong = (1 - (FACTORS[:500, 0] == 0).mean()) / 2
    assert robustness(*arrays)["robustness_drop_triangle"] == pytest.approx(wrong)


def test_arrays_that_do_not_fit_are_refused() -> None:
    clean, known = CODES[:500], CODES[500:]
    four = corrupted(*[clean] * len(CORRUPTIONS))
    with pytest.raises(UsageError, match="expected"):
        code_shift(clean, four[:, :3])
    with pytest.raises(NotApplicable, match="continuous"):
        robustness(clean, four, FACTORS[:500] + 0.5, known, FACTORS[500:] + 0.5)
