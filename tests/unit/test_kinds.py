"""What a factor is, by its values, and the table that says so to measures."""

import numpy as np
import pytest

from benchmark.kinds import decided, encoded, kinds, seems_discrete
from benchmark.metrics._check import is_discrete
from benchmark.metrics.factor_vae_score import factor_vae_score
from benchmark.metrics.linear_separability import linear_separability
from benchmark.metrics.mcc import mcc
from benchmark.metrics.mig import mig
from benchmark.metrics.sap import sap

RNG = np.random.default_rng(0)
N = 3_000
LEVELS = np.stack([RNG.integers(size, size=N) for size in (3, 6, 40)], axis=1)
VALUES = np.stack([LEVELS[:, 0] + 1.0, 0.5 + LEVELS[:, 1] / 10, LEVELS[:, 2] * 2 * np.pi / 39], axis=1)
"""The same factors as dSprites' `latents_values` write them: levels that are no whole numbers."""
CODES = (LEVELS - LEVELS.mean(axis=0)) / LEVELS.std(axis=0)


@pytest.mark.parametrize(
    ("column", "discrete"),
    [
        (np.arange(N), False),  # a row's number
        (RNG.permutation(N), False),  # an id
        (RNG.integers(5_000, size=N), False),  # milliseconds
        (RNG.integers(300, size=N), True),  # ten rows a value
        (RNG.integers(400, size=N), False),
        (VALUES[:, 2], True),
        (VALUES[:, 2].astype(np.float32), True),
        (RNG.random(N), False),
        (np.where(RNG.random(N) < 0.5, 0.0, RNG.random(N)), False),  # half of the rows are 0
        (np.arange(20), True),  # whole numbers up to twenty are labels, however few rows there are
        (np.arange(20) / 7, False),
        (np.arange(10).repeat(2) / 7, True),
        (RNG.integers(2_000, size=40_000), False),  # over 1,000 values are too many for a class each
    ],
)
def test_a_factor_is_discrete_where_its_values_come_back(column, discrete):
    assert seems_discrete(column) is discrete


def test_a_full_grid_is_of_levels_however_many():
    grid = np.stack(np.unravel_index(np.arange(1_000), (2, 500)), axis=1) / 7
    assert kinds(grid) == [True, True]
    assert kinds(np.delete(grid, 7, axis=0)) == [True, False]


def test_a_table_that_says_what_it_is_stays_as_it_is():
    for table, discrete in [
        (LEVELS, [True] * 3),
        (LEVELS.astype(float), [True] * 3),
        (RNG.random((9, 2)), [False] * 2),
        (np.column_stack([LEVELS[:, 0], RNG.random(N)]), [True, False]),
        (np.zeros((N, 0)), []),
    ]:
        assert encoded(table, discrete) is table


def test_a_table_says_in_its_numbers_what_was_declared():
    whole = RNG.integers(5_000, size=(N, 1))
    measured = encoded(whole, [False])
    assert not is_discrete(measured[:, 0])
    np.testing.assert_allclose(np.corrcoef(measured[:, 0], whole[:, 0])[0, 1], 1)
    levels = encoded(VALUES, [True] * 3)
    assert all(is_discrete(column) for column in levels.T)
    np.testing.assert_array_equal(np.argsort(levels, axis=0, kind="stable"), np.argsort(VALUES, axis=0, kind="stable"))
    uneven = np.array([[0.1], [0.2], [0.4], [0.8]])
    found = encoded(uneven, [True])[:, 0]
    np.testing.assert_allclose((found - found[0]) / (found[-1] - found[0]), [0, 1 / 7, 3 / 7, 1], atol=1e-11)
    # A constant factor stays constant, of whatever kind it is.
    for kind in (True, False):
        assert np.ptp(encoded(np.full((5, 1), 0.3), [kind])) == 0


@pytest.mark.parametrize(
    "far",
    [
        lambda v: v + 1_700_000_000_000_000_000,
        lambda v: v.astype(np.uint64) + np.uint64(2**63 + 5),
        lambda v: v * 1e20,
        lambda v: v * 4e306,
        lambda v: v * 1e-300,
        lambda v: v / 39 + 1e9,
    ],
)
def test_offset_and_scale_do_not_matter(far):
    """Nanoseconds since 1970: in double precision they are all equal, or have a mean that is none."""
    for score in (mcc, lambda z, v: sap(z, v, kind="continuous"), mig, factor_vae_score):
        ours, theirs = score(CODES, LEVELS), score(CODES, far(LEVELS))
        assert next(iter(theirs.values())) == pytest.approx(next(iter(ours.values())), abs=1e-9)


def test_hashed_ids_are_told_apart():
    ids = np.array([2**62, -(2**62), 2**62 + 1, 5])[LEVELS[:, 1] % 4][:, None]
    found = decided(ids)
    assert len(np.unique(found)) == 4 and np.abs(found).max() < 2**53


def test_levels_written_as_floats_are_the_same_factors():
    assert mig(CODES, VALUES) == pytest.approx(mig(CODES, LEVELS))
    settings = {"train": 1_000, "test": 1_000}
    assert linear_separability(CODES, VALUES, **settings) == linear_separability(CODES, LEVELS, **settings)
    assert mig(CODES, VALUES)["mig"] < 0.96, "in 20 bins 40 levels would lose less"
