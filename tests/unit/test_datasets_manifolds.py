"""Sampled surfaces, and the manifold with gross outliers: the geometry that their docstrings state."""

import numpy as np
import pytest

from benchmark.datasets._manifold import Manifold
from benchmark.datasets.s_curve import SCurve
from benchmark.datasets.swiss_roll import SwissRoll
from benchmark.datasets.synth_outliers import SynthOutliers
from benchmark.datasets.triangle_disk import CORNERS, TriangleDisk
from benchmark.errors import UsageError

SURFACES = [SwissRoll, SCurve, TriangleDisk]
surfaces = pytest.mark.parametrize("dataset", SURFACES)


def made(dataset: type[Manifold], **values: object) -> Manifold:
    return dataset(dataset.Settings.read(values, "dataset"))


def outliers(**values: object) -> SynthOutliers:
    return SynthOutliers(SynthOutliers.Settings.read(values, "dataset"))


def test_swiss_roll_is_a_function_of_its_factors() -> None:
    data = made(SwissRoll).load()
    t, h = data.factors.T
    expected = np.stack([t * np.cos(t) / 10, h, t * np.sin(t) / 10], axis=1)
    np.testing.assert_allclose(data.images[:], expected, rtol=1e-6, atol=1e-6)
    assert 1.5 * np.pi <= t.min() < 1.51 * np.pi and 4.49 * np.pi < t.max() <= 4.5 * np.pi
    assert 0 <= h.min() < 0.001 and 2.099 < h.max() <= 2.1


def test_s_curve_is_a_function_of_its_factors() -> None:
    data = made(SCurve).load()
    t, h = data.factors.T
    expected = np.stack([np.sin(t), h, np.sign(t) * (np.cos(t) - 1)], axis=1)
    np.testing.assert_allclose(data.images[:], expected, atol=1e-6)
    assert -1.5 * np.pi <= t.min() < -1.49 * np.pi and 1.49 * np.pi < t.max() <= 1.5 * np.pi
    assert 0 <= h.min() < 0.001 and 1.999 < h.max() <= 2
    # Flat: neighbours on the curve are as far apart as their parameters.
    order = np.argsort(t)
    steps = np.linalg.norm(np.diff(expected[order][:, [0, 2]], axis=0), axis=1)
    np.testing.assert_allclose(steps, np.diff(t[order]), atol=1e-6)


def test_triangle_is_filled_evenly() -> None:
    x = made(TriangleDisk, points=60_000).load().factors
    corners = np.array(list(CORNERS.values()))
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, 1)
    np.testing.assert_allclose(corners.mean(axis=0), 0, atol=1e-15)
    # Barycentric coordinates: all positive, and in each third of the area nearest to one corner a third of the points.
    system = np.vstack([corners.T, np.ones(3)])
    weights = np.linalg.solve(system, np.vstack([x.T, np.ones(len(x))]))
    assert weights.min() >= -1e-12
    np.testing.assert_allclose(np.bincount(weights.argmax(axis=0)) / len(x), 1 / 3, atol=0.01)
    # The small triangle at each corner, of half the side, has a quarter of the area.
    np.testing.assert_allclose((weights > 0.5).mean(axis=1), 1 / 4, atol=0.01)
    # Both coordinates have the deviation 1/√24, and they are uncorrelated.
    np.testing.assert_allclose(np.cov(x.T), np.eye(2) / 24, atol=5e-4)


def test_wrong_edges_join_the_chosen_corners_and_leave_the_points_alone() -> None:
    both, none = made(TriangleDisk), made(TriangleDisk, wrong_edges=[])
    left, right, top = [-0.5, -np.sqrt(3) / 6], [0.5, -np.sqrt(3) / 6], [0, np.sqrt(3) / 3]
    np.testing.assert_allclose(both.wrong_edges(), [[left, top], [right, top]])
    np.testing.assert_allclose(made(TriangleDisk, wrong_edges=["AB"]).wrong_edges(), [[left, right]])
    assert none.wrong_edges().shape == (0, 2, 2)
    np.testing.assert_array_equal(both.load().images[:], none.load().images[:])
    # The points that they join are far apart, and would be neighbours of the stated length.
    x = both.load().images[:]
    ends = np.linalg.norm(x[:, None] - both.wrong_edges().reshape(1, 4, 2), axis=2).argmin(axis=0)
    assert len(set(ends)) == 3
    assert both.settings.wrong_length < 0.1 < 0.8 < np.linalg.norm(x[ends[0]] - x[ends[1]])


@pytest.mark.parametrize("edges", [["CA"], ["AB", "AB"], "AB", ["AD"]])
def test_wrong_edges_of_no_such_corners_are_refused(edges: object) -> None:
    with pytest.raises(UsageError, match=r"dataset\.wrong_edges"):
        made(TriangleDisk, wrong_edges=edges)


def test_wrong_edges_in_any_order_are_one_configuration() -> None:
    assert made(TriangleDisk, wrong_edges=["BC", "AC"]).settings == made(TriangleDisk).settings


@surfaces
def test_surface_data(dataset: type[Manifold]) -> None:
    data, again, other = (made(dataset, points=300, seed=seed).load() for seed in (0, 0, 1))
    assert data.images.shape == (300, {SwissRoll: 3, SCurve: 3, TriangleDisk: 2}[dataset])
    assert (data.images[:].dtype, data.factors.dtype) == (np.float32, np.float64)
    assert (data.factors.shape, data.factor_sizes, data.grid) == ((300, 2), (0, 0), False)
    np.testing.assert_array_equal(data.images[:], again.images[:])
    assert not np.isclose(data.factors, other.factors).all(axis=1).any()
    np.testing.assert_array_equal(data.training_rows, data.evaluation_rows)
    assert made(dataset).likelihood == "gaussian"
    with pytest.raises(UsageError, match=r"dataset\.points"):
        made(dataset, points=1)


@surfaces
def test_sigma_is_to_the_data_as_in_synth_linear(dataset: type[Manifold]) -> None:
    # There 0.1 to 2/√12, the deviation along the larger direction: a σ_x that leaves coordinates alive.
    ratio = made(dataset).sigma / made(dataset, points=5_000).load().images[:].std(axis=0).min()
    assert ratio == pytest.approx(0.1 * np.sqrt(12) / 2, rel=0.1)


@surfaces
def test_noise_moves_the_points_and_not_the_factors(dataset: type[Manifold]) -> None:
    clean, noisy = made(dataset, points=5_000).load(), made(dataset, points=5_000, noise=0.3).load()
    np.testing.assert_array_equal(noisy.factors, clean.factors)
    moved = noisy.images[:] - clean.images[:]
    np.testing.assert_allclose(np.cov(moved.T), 0.09 * np.eye(moved.shape[1]), atol=0.01)
    assert abs(np.corrcoef(moved[:, 0], clean.factors[:, 0])[0, 1]) < 0.05


@pytest.mark.parametrize("k", [1, 2, 5])
def test_clean_points_lie_on_a_manifold_of_k_dimensions(k: int) -> None:
    dataset = outliers(factors=k)
    v = np.random.default_rng(0).standard_normal((20, k))
    step = 1e-5
    columns = [(dataset.embed(v + step * e) - dataset.embed(v - step * e)) / (2 * step) for e in np.eye(k)]
    values = np.linalg.svd(np.stack(columns, axis=-1), compute_uv=False)
    assert values.shape == (20, k)
    assert values.min() > 0.01
    # It is curved: the points span more than k dimensions.
    spread = np.linalg.svd(dataset.load().images[10_000:], compute_uv=False)
    assert (spread > 0.02 * spread[0]).sum() > k


def test_corrupted_points_are_trained_on_and_the_same_clean_ones_scored() -> None:
    dataset = outliers(points=2_000, factors=3, size=20)
    data = dataset.load()
    assert data.images.shape == (4_000, 20) and data.images[:].dtype == np.float32
    assert (data.factor_names, data.factor_sizes) == (("v0", "v1", "v2"), (0, 0, 0))
    np.testing.assert_array_equal(data.training_rows, np.arange(2_000))
    np.testing.assert_array_equal(data.evaluation_rows, np.arange(2_000, 4_000))
    corrupted, clean = data.images[:2_000], data.images[2_000:]
    np.testing.assert_array_equal(data.factors[:2_000], data.factors[2_000:])
    np.testing.assert_array_equal(clean, dataset.embed(data.factors[2_000:]).astype(np.float32))
    np.testing.assert_allclose(clean.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(clean.std(axis=0), 1, atol=0.1)
    changed = corrupted != clean
    assert changed.mean() == pytest.approx(0.1, abs=0.005)
    assert changed.any(axis=1).mean() == pytest.approx(1 - 0.9**20, abs=0.03)
    # Uniform in ± 10: deviation 10/√3, and no relation to what stood there.
    assert abs(corrupted[changed]).max() < 10 and corrupted[changed].std() == pytest.approx(10 / np.sqrt(3), rel=0.03)
    assert abs(np.corrcoef(corrupted[changed], clean[changed])[0, 1]) < 0.06


def test_ratios_are_nested_and_reach_none_and_all() -> None:
    none, some, more, every = (outliers(points=500, ratio=ratio).load().images[:] for ratio in (0, 0.1, 0.3, 1))
    clean = none[500:]
    for images in (some, more, every):
        np.testing.assert_array_equal(images[500:], clean)
    np.testing.assert_array_equal(none[:500], clean)
    few, many = some[:500] != clean, more[:500] != clean
    assert (few <= many).all() and 0 < few.sum() < many.sum()
    np.testing.assert_array_equal(some[:500][few], more[:500][few])
    assert (every[:500] != clean).all()


def test_points_and_seed_are_settings() -> None:
    few, all_, other = (outliers(**values).load() for values in ({"points": 10}, {}, {"points": 10, "seed": 1}))
    np.testing.assert_allclose(few.images[:10], all_.images[:10], rtol=1e-6)
    np.testing.assert_array_equal(few.factors[:10], all_.factors[:10])
    assert not np.isclose(few.images[10:], other.images[10:]).all(axis=1).any()
    with pytest.raises(UsageError, match="factors = 60 is more than size = 50"):
        outliers(factors=60)
    with pytest.raises(UsageError, match=r"dataset\.ratio"):
        outliers(ratio=1.5)
