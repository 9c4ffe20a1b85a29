"""The unit square through fixed maps: their geometry is what the paper's argument needs."""

import numpy as np
import pytest

from benchmark.datasets._square import UnitSquare
from benchmark.datasets.synth_linear import SynthLinear
from benchmark.datasets.synth_nonlinear import SynthNonlinear
from benchmark.errors import UsageError


def jacobian(dataset: type[UnitSquare], points: np.ndarray) -> np.ndarray:
    """∂x/∂v (n D 2) by central differences."""
    step = 1e-5
    columns = [(dataset.embed(points + step * e) - dataset.embed(points - step * e)) / (2 * step) for e in np.eye(2)]
    return np.stack(columns, axis=-1)


def test_linear_map_at_known_points() -> None:
    corners = np.array([[0.5, 0.5], [1.0, 0.5], [0.5, 1.0], [0.0, 0.0]])
    expected = np.array([[0, 0, 0], [4, 2, 4], [1, 2, -2], [-5, -4, -2]]) / 6
    np.testing.assert_allclose(SynthLinear.embed(corners), expected, atol=1e-15)


def test_linear_map_has_singular_values_2_and_1_along_the_axes() -> None:
    _, values, directions = np.linalg.svd(SynthLinear.MAP)
    np.testing.assert_allclose(values, [2, 1])
    np.testing.assert_allclose(np.abs(directions), np.eye(2), atol=1e-15)


def test_nonlinear_map_at_known_points() -> None:
    # Centre: h = (0, ⅔(c − 1), 0, ⅓(c − 1), 0, 0), of which every coordinate loses a third of the sum, c − 1.
    c = np.sin(1.5) / 1.5
    expected = (c - 1) * np.array([-1, 1, -1, 0, -1, -1]) / 3
    np.testing.assert_allclose(SynthNonlinear.embed(np.array([[0.5, 0.5]]))[0], expected, atol=1e-15)


def test_nonlinear_map_keeps_the_axes_as_principal_directions_everywhere() -> None:
    points = np.random.default_rng(0).random((500, 2))
    jacobians = jacobian(SynthNonlinear, points)
    gram = jacobians.transpose(0, 2, 1) @ jacobians
    square = ((points - 0.5) ** 2).sum(axis=1)
    np.testing.assert_allclose(gram[:, 0, 1], 0, atol=1e-8)
    np.testing.assert_allclose(gram[:, 0, 0], 4 + square, atol=1e-8)
    np.testing.assert_allclose(gram[:, 1, 1], 1 + square, atol=1e-8)
    # Truly nonlinear: the six coordinates of the points span more than two dimensions.
    values = np.linalg.svd(SynthNonlinear.embed(points), compute_uv=False)
    assert (values > 0.001 * values[0]).sum() == 6


@pytest.mark.parametrize("dataset", [SynthLinear, SynthNonlinear])
def test_maps_are_centred_over_the_square(dataset: type[UnitSquare]) -> None:
    side = (np.arange(400) + 0.5) / 400
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(dataset.embed(grid).mean(axis=0), 0, atol=1e-5)


@pytest.mark.parametrize(("dataset", "size"), [(SynthLinear, 3), (SynthNonlinear, 6)])
def test_data(dataset: type[UnitSquare], size: int) -> None:
    data, again = dataset().load(), dataset().load()
    assert data.images.shape == (10_000, size)
    assert data.images[:].dtype == np.float32
    assert data.factors.dtype == np.float64
    assert (data.factor_sizes, data.grid, data.shape) == ((0, 0), False, (size,))
    assert 0 <= data.factors.min() < 0.001 < 0.999 < data.factors.max() < 1
    np.testing.assert_array_equal(data.images[:], dataset.embed(data.factors).astype(np.float32))
    np.testing.assert_array_equal(data.images[:], again.images[:])
    np.testing.assert_array_equal(data.training_rows, data.evaluation_rows)
    assert (dataset().likelihood, dataset().sigma) == ("gaussian", 0.1)


def test_seed_and_points_are_settings() -> None:
    read = SynthLinear.Settings.read
    few, all_, other = (
        SynthLinear(read(values, "dataset")).load().factors
        for values in ({"points": 10}, {}, {"points": 10, "seed": 1})
    )
    np.testing.assert_array_equal(few, all_[:10])
    assert not np.isclose(few, other).any()
    with pytest.raises(UsageError, match=r"dataset\.points"):
        read({"points": 1}, "dataset")
