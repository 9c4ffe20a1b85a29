"""DtO: closed forms, Haar-random means, and the two solvers against each other."""

import numpy as np
import pytest

from benchmark.errors import ScoreWarning, UsageError
from benchmark.metrics.dto import dto, signed_permutation

# PuLP 4 will drop the solver that it bundles; until then it says so on every use.
pytestmark = pytest.mark.filterwarnings("ignore:PULP_CBC_CMD:DeprecationWarning")


def haar(count, d, seed=0):
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((count, d, d)))
    return q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]


def cost(v, p):
    return np.abs(v - p).sum(axis=(1, 2))


@pytest.mark.parametrize(
    ("d", "mean"), [(2, 16 * np.sqrt(2) / np.pi * (1 - np.cos(np.pi / 8))), (5, 1.634), (6, 1.911), (10, 2.849)]
)
def test_haar_random_matrices(d, mean):
    assert dto(haar(20_000 if d == 2 else 10_000, d))["dto"] == pytest.approx(mean, abs=0.01)


@pytest.mark.parametrize("solver", ["assignment", "milp"])
def test_signed_permutations_are_at_distance_zero(solver):
    rng = np.random.default_rng(0)
    p = np.stack([np.eye(6)[rng.permutation(6)] * rng.choice([-1.0, 1.0], size=6) for _ in range(10)])
    assert dto(p, solver=solver)["dto"] == 0.0
    np.testing.assert_array_equal(signed_permutation(p, solver), p)


@pytest.mark.parametrize("angle", [0.0, 0.1, 0.5, np.pi / 4, 1.0, np.pi / 2, 2.5, -0.3])
def test_plane_rotations(angle):
    """The nearest signed permutation is a rotation by a multiple of 90°, θ away: √(4 − 4 cos θ) = 2√2 sin(θ/2)."""
    away = abs((angle + np.pi / 4) % (np.pi / 2) - np.pi / 4)
    v = np.array([[[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]])
    assert dto(v)["dto"] == pytest.approx(2 * np.sqrt(2) * np.sin(away / 2), abs=1e-12)


def test_solvers_agree_on_random_matrices():
    v = haar(200, 10, seed=1)
    p, q = signed_permutation(v, "assignment"), signed_permutation(v, "milp")
    np.testing.assert_allclose(cost(v, p), cost(v, q), atol=1e-9)
    for found in (p, q):
        np.testing.assert_array_equal(np.abs(found).sum(axis=1), 1)
        np.testing.assert_array_equal(np.abs(found).sum(axis=2), 1)


def test_ties_have_one_distance():
    """Every signed permutation that follows a Hadamard matrix's signs is nearest; all lie at √(2d − 2√d)."""
    two = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    four = np.kron(two, two)
    tied = np.stack([four, four[[2, 0, 3, 1]], np.kron(np.eye(2), two), np.kron(two, np.eye(2))])
    p, q = signed_permutation(tied, "assignment"), signed_permutation(tied, "milp")
    np.testing.assert_allclose(cost(tied, p), cost(tied, q), atol=1e-9)
    np.testing.assert_allclose(((tied - p) ** 2).sum(axis=(1, 2)), ((tied - q) ** 2).sum(axis=(1, 2)), atol=1e-9)
    assert dto(tied[:1])["dto"] == pytest.approx(2.0)
    assert dto(tied, solver="milp")["dto"] == pytest.approx(dto(tied)["dto"], abs=1e-12)


def test_rows_or_columns_order_and_signs_do_not_matter():
    v = haar(50, 5)
    shuffled = (v * [1, -1, 1, -1, -1])[:, :, [3, 1, 4, 0, 2]]
    for same in (v.transpose(0, 2, 1), shuffled, v.astype(np.float32)):
        assert dto(same)["dto"] == pytest.approx(dto(v)["dto"], abs=1e-6)


def test_what_it_is_of_has_an_id_of_its_own_and_the_default_keeps_the_old_one():
    metric = dto.declaration
    usual, logits = metric.settings.read({}, "dto"), metric.settings.read({"of": "logits"}, "dto")
    assert metric.protocol(usual, "mean", 1000) == "dto/solver=assignment-mean-n1000/v1"
    assert metric.protocol(logits, "mean", 1000) == "dto/solver=assignment-of=logits-mean-n1000/v1"
    assert (metric.arrays(usual)[0], metric.arrays(logits)[0]) == ("v", "v_logits")
    with pytest.raises((UsageError, TypeError), match="mean_image"):
        dto(haar(2, 3), of="pixels")


@pytest.mark.parametrize("v", [np.eye(3), np.ones((2, 3, 2)), 2 * np.eye(3)[None], np.full((1, 2, 2), np.nan)])
def test_what_is_no_stack_of_orthogonal_matrices_is_refused(v):
    with pytest.raises((UsageError, TypeError)):
        dto(v)


def test_dead_directions_are_said_and_change_nothing():
    """Two of ten are alive: V of the others is what rounding makes of it."""
    v = haar(50, 10)
    values = np.tile([2.0, 1.0, *[1e-6] * 8], (50, 1))
    with pytest.warns(ScoreWarning, match=r"^8\.0 of 10 directions are dead"):
        found = dto(v, values)
    assert found == dto(v) == dto(v, np.ones((50, 10)))
    assert found == dto(v, values, of="logits"), "the values are the mean image's: nothing is said of the logits"
    with pytest.warns(ScoreWarning, match=r"^7\.0 of 10"):  # images of three pixels: the rest is the null space
        dto(v, np.ones((50, 3)))
    with pytest.raises((UsageError, TypeError), match="singular_values"):
        dto(v, np.ones((49, 10)))
