"""Scores over groups of columns: groups of one are the ordinary scores, and a rotation inside a group is nothing."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._groups import columns_of, summed
from benchmark.metrics._trees import Fit
from benchmark.metrics.dci import dci
from benchmark.metrics.group_dci import PIECES, GroupFit, group_dci
from benchmark.metrics.group_mig import group_mig, vector_information
from benchmark.metrics.group_readout import group_readout
from benchmark.metrics.linear_readout import linear_readout
from benchmark.metrics.mig import mig
from benchmark.metrics.mlp_readout import mlp_readout
from benchmark.metrics.sap import sap

N = 1_500
SPLIT = (np.arange(1_000), np.arange(1_000, N))
RNG = np.random.default_rng(0)
FACTORS = RNG.integers(0, 4, size=(N, 2))
NOISY = np.hstack([FACTORS + 0.3 * RNG.standard_normal((N, 2)), RNG.standard_normal((N, 1))])
GROUPS = np.array([0, 0, 1, 1, 2])
"""Of codes (v_0, v_0², v_1, v_1², noise) with a little noise: a vector for each factor."""


def vectors() -> np.ndarray:
    squares = np.stack([FACTORS[:, 0], FACTORS[:, 0] ** 2, FACTORS[:, 1], FACTORS[:, 1] ** 2, np.zeros(N)], axis=1)
    return squares + np.array([0.2, 0.2, 0.2, 0.2, 1.0]) * np.random.default_rng(1).standard_normal((N, 5))


def turned_inside(codes: np.ndarray) -> np.ndarray:
    """Each of the two pairs of columns turned by an angle of its own."""
    codes = codes.copy()
    for columns, angle in (([0, 1], 0.7), ([2, 3], -1.1)):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        codes[:, columns] = codes[:, columns] @ turn
    return codes


def mixed_across(codes: np.ndarray) -> np.ndarray:
    """Columns of the two groups turned into one another by an eighth of a circle."""
    codes = codes.copy()
    for one, other in ((0, 2), (1, 3)):
        codes[:, [one, other]] = codes[:, [one, other]] @ np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    return codes


def test_columns_and_sums_on_paper():
    groups = columns_of(np.array([7, 2, 7]), 3)
    assert [columns.tolist() for columns in groups] == [[1], [0, 2]]
    assert summed(np.array([[1.0, 0], [0, 5], [2, 3]]), groups).tolist() == [[0, 5], [3, 3]]
    assert [columns.tolist() for columns in columns_of(None, 2)] == [[0], [1]]


@pytest.mark.parametrize(
    ("groups", "words"), [([0, 0], "do not fit 3 codes"), ([0.0, 1.0, 1.5], "must be whole numbers")]
)
def test_groups_that_are_none(groups, words):
    for measure in (group_dci, group_mig, group_readout):
        with pytest.raises(UsageError, match=words):
            measure(NOISY, FACTORS, groups)


def test_groups_of_one_column_are_the_ordinary_dci():
    ours = group_dci(NOISY, FACTORS, [5, 3, 4], model="lasso", split=SPLIT)
    theirs = dci(NOISY, FACTORS, model="lasso", split=SPLIT)
    for name in ("disentanglement", "completeness", "informativeness"):
        assert ours[f"group_{name}"] == pytest.approx(theirs[name], abs=1e-12)
    assert ours == group_dci(NOISY, FACTORS, model="lasso", split=SPLIT)


def test_dci_of_groups_on_paper():
    """Columns 0 and 1 hold factor 0, column 2 both factors alike, column 3 is dead and its group not counted.

    Of groups {0, 1}, {2}, {3}: R = (4, 0), (1, 1). D = 1 and 0, weights 4/6 and 2/6: 2/3. C of factor 0 is
    1 − H(4/5), of factor 1 it is 1.
    """
    value = {"accuracy": 0.5, "columns": [0, 1, 2]}
    fit = Fit(0, *SPLIT, 0, "lasso", 1)
    parts = [GroupFit(**(vars(fit) | {"factor": k}), groups=((0, 1), (2,), (3,))) for k in (0, 1)]
    found = PIECES.combine(parts, [value | {"importances": [3.0, 1, 1, 0]}, value | {"importances": [0.0, 0, 1, 0]}])
    assert found["group_disentanglement"] == pytest.approx(2 / 3)
    assert found["group_completeness_factor_0"] == pytest.approx(1 + (0.8 * np.log2(0.8) + 0.2 * np.log2(0.2)))
    assert found["group_completeness_factor_1"] == 1
    assert parts[0].name == fit.name, "dci and group_dci share their fits"


def test_vectors_are_disentangled_as_groups_and_not_as_columns():
    codes = vectors()
    assert dci(codes, FACTORS, model="lasso", split=SPLIT)["completeness"] < 0.9
    found = group_dci(codes, FACTORS, GROUPS, model="lasso", split=SPLIT)
    assert found["group_disentanglement"] > 0.95
    assert found["group_completeness"] > 0.95
    assert mig(codes, FACTORS)["mig"] < 0.3 < 0.9 < group_mig(codes, FACTORS, GROUPS)["group_mig"]


def test_each_entry_of_the_readout_is_the_readout_of_these_columns():
    codes, whole = vectors(), np.zeros(5, dtype=int)
    for by, measure in (("linear", linear_readout), ("mlp", mlp_readout)):
        key = measure.__name__
        few = {"epochs": 5} if by == "mlp" else {}
        one = group_readout(codes, FACTORS, whole, by=by, split=SPLIT, **few)
        alone = measure(codes, FACTORS, split=SPLIT, **few)[key]
        assert one["group_readout"] == one["group_readout_best"] == pytest.approx(alone, abs=1e-12)
    three = group_readout(codes, FACTORS, GROUPS, split=SPLIT)
    own = [linear_readout(codes[:, columns], FACTORS, split=SPLIT) for columns in ([0, 1], [2, 3], [4])]
    for k in (0, 1):
        best, second, _ = sorted((found[f"linear_readout_factor_{k}"] for found in own), reverse=True)
        assert three[f"group_readout_factor_{k}"] == pytest.approx(best - second, abs=1e-12)


def test_groups_of_one_column_read_by_a_line_are_sap():
    """Up to the rows: squared correlation over all of them, or R² on those that were not learnt from."""
    ours, theirs = group_readout(NOISY, FACTORS, split=SPLIT), sap(NOISY, FACTORS, kind="continuous")
    assert ours["group_readout"] == pytest.approx(theirs["sap"], abs=0.02)


def test_the_match_takes_each_group_once():
    """One group tells all of both factors, the other nothing: the gap is 1 and the best match ½."""
    codes = np.hstack([FACTORS, np.random.default_rng(2).standard_normal((N, 1))])
    found = group_readout(codes, FACTORS, [0, 0, 1], split=SPLIT)
    assert found["group_readout_best"] == pytest.approx(1)
    assert found["group_readout_matched"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("measure", [group_readout, group_mig])
def test_a_rotation_inside_a_group_changes_nothing_and_one_across_groups_does(measure):
    options = {"split": SPLIT} if measure is group_readout else {}
    codes = vectors()
    plain, inside, across = (
        measure(z, FACTORS, GROUPS, **options) for z in (codes, turned_inside(codes), mixed_across(codes))
    )
    assert inside == pytest.approx(plain, abs=1e-6)
    assert plain[measure.__name__] > 0.9
    assert across[measure.__name__] < 0.3


def test_information_of_few_values_is_that_of_counts():
    """A code of its factor's own values is one place a value: I = H(v), as in a histogram; I of the other is from
    their joint counts. Rotated with a constant column the same points are elsewhere, and still tied."""
    codes = FACTORS.astype(float)
    assert group_mig(codes, FACTORS)["group_mig"] == pytest.approx(mig(codes, FACTORS)["mig"], abs=1e-12)
    places = np.stack([codes[:, 0], codes[:, 1]], axis=1) @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    found = vector_information(places, [FACTORS[:, 0], FACTORS[:, 1]], 3)
    shares = [np.bincount(column) / N for column in FACTORS.T]
    np.testing.assert_allclose(found, [-(p * np.log(p)).sum() for p in shares], atol=1e-9)


def test_information_of_a_vector_where_no_column_tells_anything():
    """v = [x y > 0]: each column alone is independent of v, both together are all of it, log 2 nats."""
    codes = np.random.default_rng(3).standard_normal((3_000, 2))
    label = (codes[:, 0] * codes[:, 1] > 0).astype(int)
    assert vector_information(codes, [label], 3)[0] == pytest.approx(np.log(2), abs=0.06)
    for column in codes.T:
        assert vector_information(column[:, None], [label], 3)[0] == pytest.approx(0, abs=0.03)


def test_gaussian_information():
    """Two values of equal share, means ±1, deviation 1: I = 0.3373 nats of (h(z) − h(z | v)), by quadrature."""
    label = np.arange(4_000) % 2
    z = np.random.default_rng(4).standard_normal((4_000, 1)) + 2 * label[:, None] - 1
    x = np.linspace(-9, 9, 20_001)
    density = (np.exp(-((x - 1) ** 2) / 2) + np.exp(-((x + 1) ** 2) / 2)) / np.sqrt(8 * np.pi)
    entropy = -(density * np.log(density)).sum() * (x[1] - x[0])
    wanted = entropy - 0.5 * np.log(2 * np.pi * np.e)
    assert vector_information(z, [label], 3)[0] == pytest.approx(wanted, abs=0.04)


def test_wide_groups_are_refused_by_neighbours_alone():
    codes = np.random.default_rng(5).standard_normal((N, 17))
    with pytest.raises(NotApplicable, match=r"17 columns.*group_readout"):
        group_mig(codes, FACTORS, np.zeros(17, dtype=int))
    assert group_readout(codes, FACTORS, np.zeros(17, dtype=int), split=SPLIT)["group_readout"] < 0.05


@pytest.mark.parametrize("single", [0, 50, 100])
def test_values_that_one_point_has_are_left_out_of_information_and_entropy(single):
    """Version 1 left them in H: perfect codes had ln 5 / H, .90 with fifty such values and .82 with a hundred."""
    label = np.concatenate([np.arange(2_000 - single) % 5, 5 + np.arange(single)]).astype(float)
    codes = np.stack([label, np.random.default_rng(0).standard_normal(2_000)], axis=1)
    assert group_mig(codes, label[:, None])["group_mig"] == pytest.approx(1, abs=0.02)


def test_a_factor_of_single_values_tells_neighbours_nothing():
    label = np.array([0] * 1_000 + list(range(1, 41)))
    with pytest.raises(NotApplicable, match="two values that several points share"):
        group_mig(np.random.default_rng(0).standard_normal((1_040, 2)), label[:, None])
