"""Classical embeddings: what each must find in data whose answer is known, and how those without a way out are kept."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command import succeed
from numpy import ndarray
from scipy.spatial.distance import pdist, squareform
from small import small_run, table

from benchmark import registry
from benchmark.codes import Codes
from benchmark.datasets._dataset import Data, blank_grid
from benchmark.errors import ModelError
from benchmark.models._model import Embedding, Transductive
from benchmark.models._neighbours import classical_scaling, joined, neighbour_graph
from benchmark.models.factor_analysis import FactorAnalysis
from benchmark.models.ica import ICA
from benchmark.models.isomap import Isomap
from benchmark.models.kernel_pca import KernelPCA
from benchmark.models.lle import LLE
from benchmark.models.mds import MDS
from benchmark.models.nmf import NMF
from benchmark.models.pca import PCA
from benchmark.models.t_sne import TSNE, affinities, gradient
from benchmark.stages.encode import encode_embedding
from benchmark.stages.points import flattened


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def digits() -> Data:
    return registry.load("dataset", "digits")().load()


def roll(n: int = 400) -> tuple[ndarray, ndarray]:
    """Points of a strip of length 10 and width 2, and the same strip rolled up: of the spiral r = φ, by arc length."""
    flat = rng().random((n, 2)) * [10, 2]
    angles = np.linspace(2, 8, 10_000)
    arc = np.concatenate([[0], np.cumsum(np.hypot(np.diff(angles * np.cos(angles)), np.diff(angles * np.sin(angles))))])
    angle = np.interp(flat[:, 0] * arc[-1] / 10, arc, angles)
    scale = 10 / arc[-1]
    return flat, np.stack([scale * angle * np.cos(angle), scale * angle * np.sin(angle), flat[:, 1]], axis=1)


def ring(n: int) -> ndarray:
    angles = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_isomap_unrolls_a_roll_which_scaling_cannot() -> None:
    flat, x = roll()
    model = Isomap(Isomap.Settings(latents=2, neighbours=8)).fit(x, rng())
    assert np.corrcoef(pdist(flat), pdist(model.transform(x)))[0, 1] > 0.995
    assert np.corrcoef(pdist(flat), pdist(classical_scaling(squareform(pdist(x)), 2)))[0, 1] < 0.9


def test_isomap_of_a_line_is_the_line_in_its_own_units_and_places_what_is_between() -> None:
    places = np.array([0.0, 1, 2, 4, 5, 7])[:, None]
    line = places * [3 / 5, 4 / 5]
    model = Isomap(Isomap.Settings(latents=1, neighbours=2)).fit(line, rng())
    z = model.transform(line)
    np.testing.assert_allclose(np.abs(z - z.T), np.abs(places - places.T), atol=1e-5)
    np.testing.assert_allclose(np.abs(model.transform(np.array([[1.8, 2.4]])) - z)[:, 0], np.abs(places - 3)[:, 0], 0.2)


def test_isomap_agrees_with_scikit_learns() -> None:
    from sklearn.manifold import Isomap as Estimator

    _, x = roll()
    new = x[::7] + 0.01
    model = Isomap(Isomap.Settings(latents=3, neighbours=8)).fit(x, rng())
    other = Estimator(n_neighbors=8, n_components=3, eigen_solver="dense").fit(x)
    np.testing.assert_allclose(np.abs(model.embedding), np.abs(other.embedding_), atol=1e-5)
    np.testing.assert_allclose(np.abs(model.transform(new)), np.abs(other.transform(new)), atol=1e-4)


def test_pieces_are_joined_by_the_shortest_edges_between_them() -> None:
    x = np.array([[0.0], [1], [10], [11], [30], [31]])
    graph = joined(neighbour_graph(x, "symmetric", 1, 0), x)
    edges = {(int(u), int(v)): float(w) for u, v, w in zip(*graph.tocoo().coords, graph.tocoo().data, strict=True)}
    assert {edge: length for edge, length in edges.items() if edge[0] < edge[1]} == {
        (0, 1): 1, (2, 3): 1, (4, 5): 1, (1, 2): 9, (3, 4): 19,
    }  # fmt: skip
    assert all(edges[v, u] == length for (u, v), length in edges.items())
    z = Isomap(Isomap.Settings(latents=1, neighbours=1)).fit(x, rng()).embedding
    np.testing.assert_allclose(np.abs(z - z.T), np.abs(x - x.T), atol=1e-9)


@pytest.mark.parametrize("kind", ["metric", "classical"])
def test_mds_of_euclidean_distances_is_exact_up_to_rotation(kind: str) -> None:
    x = rng().standard_normal((80, 3)) @ rng(1).standard_normal((3, 7)) + 5
    codes = MDS(MDS.Settings(latents=3, kind=kind)).fit(x, rng()).codes
    np.testing.assert_allclose(pdist(codes), pdist(x), rtol=1e-3)
    np.testing.assert_allclose(codes.mean(0), 0, atol=1e-3)


def test_metric_mds_has_less_stress_than_classical_in_too_few_dimensions() -> None:
    x = rng().standard_normal((80, 5))
    stress = {
        kind: np.square(pdist(MDS(MDS.Settings(latents=2, kind=kind)).fit(x, rng()).codes) - pdist(x)).sum()
        for kind in ("metric", "classical")
    }
    assert stress["metric"] < 0.7 * stress["classical"]


def test_distances_of_no_euclidean_space_lose_their_negative_eigenvalues() -> None:
    # A star: three leaves at 1 from the centre and 2 from each other do not fit into any space.
    star = np.array([[0.0, 1, 1, 1], [1, 0, 2, 2], [1, 2, 0, 2], [1, 2, 2, 0]])
    z = classical_scaling(star, 4)
    np.testing.assert_allclose(pdist(z[1:]), 2, atol=1e-9)
    assert np.linalg.norm(z[0] - z[1]) > 1.1


def test_lle_of_a_ring_is_a_ring() -> None:
    # By symmetry the two smoothest coordinates are a cosine and a sine of the ring's angle, of unit variance.
    x = ring(60)
    z = LLE(LLE.Settings(latents=2, neighbours=4)).fit(x, rng()).transform(x)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), math.sqrt(2), atol=1e-2)
    steps = np.diff(np.unwrap(np.arctan2(z[:, 1], z[:, 0])))
    np.testing.assert_allclose(np.abs(steps), 2 * np.pi / 60, rtol=0.05)


def test_lle_keeps_the_order_along_a_roll() -> None:
    flat, x = roll()
    z = LLE(LLE.Settings(latents=2, neighbours=12)).fit(x, rng()).transform(x)
    assert max(abs(np.corrcoef(flat[:, 0], column)[0, 1]) for column in z.T) > 0.95


def test_lle_of_a_graph_in_pieces_is_refused() -> None:
    with pytest.raises(ModelError, match=r"2 pieces; raise model\.neighbours"):
        LLE(LLE.Settings(latents=2, neighbours=4)).fit(np.concatenate([ring(30), ring(30) + 9]), rng())


def test_linear_kernel_pca_is_pca() -> None:
    x = flattened(digits(), np.arange(200)).astype(np.float64)
    one = KernelPCA(KernelPCA.Settings(latents=3, kernel="linear")).fit(x[:150], rng()).transform(x)
    other = PCA(PCA.Settings(latents=3)).fit(x[:150], rng()).transform(x) * math.sqrt(150 / 149)
    np.testing.assert_allclose(np.abs(one), np.abs(other), atol=1e-3)


def test_kernel_pca_parts_rings_that_no_line_parts() -> None:
    x = np.concatenate([ring(60), 0.3 * ring(60)])
    z = KernelPCA(KernelPCA.Settings(latents=3, gamma=3.0)).fit(x, rng()).transform(x)
    assert any(min(c[:60]) > max(c[60:]) or max(c[:60]) < min(c[60:]) for c in z.T)
    flat = KernelPCA(KernelPCA.Settings(latents=2, kernel="linear")).fit(x, rng()).transform(x)
    assert not any(min(c[:60]) > max(c[60:]) or max(c[:60]) < min(c[60:]) for c in flat.T)


def noisy_factors(n: int = 4000) -> tuple[ndarray, ndarray, ndarray, ndarray]:
    """Two factors in six dimensions, one of them drowned in noise of its own."""
    loadings = np.array([[2.0, 0], [1.5, 0.5], [0, 1], [0.5, 1], [1, -1], [0, 0]])
    noise = np.array([0.1, 0.2, 0.1, 0.3, 0.2, 50.0])
    z = rng().standard_normal((n, 2))
    return z, z @ loadings.T + 3 + np.sqrt(noise) * rng(1).standard_normal((n, 6)), loadings, noise


def test_factor_analysis_finds_factors_and_the_noise_of_every_dimension() -> None:
    z, x, loadings, noise = noisy_factors()
    model = FactorAnalysis(FactorAnalysis.Settings(latents=2)).fit(x, rng())
    np.testing.assert_allclose(model.noise, noise, rtol=0.3)
    np.testing.assert_allclose(model.loadings @ model.loadings.T, loadings @ loadings.T, atol=0.3)
    inner = model.loadings.T @ (model.loadings / model.noise[:, None])
    np.testing.assert_allclose(inner / np.trace(inner), np.diag(np.diag(inner)) / np.trace(inner), atol=1e-3)

    def explained(codes: ndarray) -> float:
        fit = codes @ np.linalg.lstsq(codes, z, rcond=None)[0]
        return 1 - np.square(z - fit).sum() / np.square(z).sum()

    assert explained(model.transform(x)) > 0.9
    assert explained(PCA(PCA.Settings(latents=2)).fit(x, rng()).transform(x)) < 0.8  # the loud noise comes first


def test_factor_analysis_codes_are_posterior_means() -> None:
    from sklearn.decomposition import FactorAnalysis as Estimator

    _, x, _, _ = noisy_factors(500)
    model = FactorAnalysis(FactorAnalysis.Settings(latents=2)).fit(x, rng(5))
    # By joint Gaussians: E[z|x] = Wᵀ (W Wᵀ + Ψ)⁻¹ (x − m).
    joint = model.loadings.T @ np.linalg.inv(model.loadings @ model.loadings.T + np.diag(model.noise))
    np.testing.assert_allclose(model.transform(x), (x - x.mean(0)) @ joint.T, atol=1e-4)
    other = Estimator(2, max_iter=5000).fit_transform(x / x.std(0))
    np.testing.assert_allclose(np.abs(model.transform(x)), np.abs(other), atol=1e-2)


def test_nmf_finds_parts_that_were_added() -> None:
    parts = np.kron(np.eye(3), [1.0, 2.0, 1.0])
    weights = rng().random((300, 3)) * (rng(1).random((300, 3)) < 0.6)
    model = NMF(NMF.Settings(latents=3, tolerance=1e-7)).fit(weights @ parts, rng())
    unit = model.components / np.linalg.norm(model.components, axis=1, keepdims=True)
    found = unit @ (parts / np.linalg.norm(parts, axis=1, keepdims=True)).T
    np.testing.assert_allclose(np.sort(found.max(0)), 1, atol=1e-2)
    np.testing.assert_allclose(model.decode(model.transform(weights @ parts)), weights @ parts, atol=0.05)


def test_nmf_is_nowhere_negative_and_more_parts_lower_the_error() -> None:
    x = flattened(digits(), np.arange(300))
    errors = []
    for latents in (2, 8, 25):
        model = NMF(NMF.Settings(latents=latents)).fit(x, rng())
        z = model.transform(x)
        assert model.components.shape == (latents, 64)
        assert model.components.min() >= 0 and z.min() >= 0
        np.testing.assert_allclose(np.square(z).mean(0), 1, rtol=0.2)
        errors.append(np.square(x - model.decode(z)).mean())
    assert errors[0] > 1.3 * errors[1] > 1.3**2 * errors[2]


def test_nmf_codes_are_the_best_that_are_not_negative() -> None:
    x = flattened(digits(), np.arange(200)).astype(np.float64)
    model = NMF(NMF.Settings(latents=5)).fit(x[:150], rng())
    z = model.transform(x).astype(np.float64)
    slope = (model.decode(z) - x) @ model.components.T  # no way down from an optimum: 0 inside, upwards at the border
    assert slope.min() > -1e-4
    assert np.abs(slope[z > 0]).max() < 1e-4
    assert (z == 0).mean() > 0.05


def test_what_does_not_converge_says_which_setting_to_raise() -> None:
    x = flattened(digits(), np.arange(200))
    for cls in (NMF, FactorAnalysis, MDS):
        options = cls.Settings(latents=3, iterations=2, tolerance=1e-9)
        with pytest.raises(ModelError, match=r"did not converge in 2 (iterations|steps); raise model\.iterations"):
            cls(options).fit(x, rng())


def test_negative_data_have_no_nmf() -> None:
    with pytest.raises(ModelError, match="negative"):
        NMF(NMF.Settings(latents=2)).fit(rng().standard_normal((20, 4)), rng())


def test_affinities_have_the_perplexity_asked_for() -> None:
    x = rng().standard_normal((40, 3)) * rng(1).uniform(0.1, 3, (40, 1))
    squared = squareform(pdist(x, "sqeuclidean"))
    p = affinities(squared, 7.0)
    np.testing.assert_allclose(p, p.T)
    assert p.sum() == pytest.approx(1)
    assert (np.diag(p) == 0).all()
    # Four points at equal distances know three neighbours alike, whatever the width: the perplexity is 3.
    equal = affinities(np.ones((4, 4)) - np.eye(4), 2.0)
    np.testing.assert_allclose(equal[~np.eye(4, dtype=bool)], 1 / 12)
    # On a ring all widths are one, so each row of n·p is the Gaussian itself, with entropy log 7.
    rows = 40 * affinities(squareform(pdist(ring(40), "sqeuclidean")), 7.0)
    entropy = -(rows * np.log(np.where(rows > 0, rows, 1))).sum(1)
    np.testing.assert_allclose(np.exp(entropy), 7, rtol=1e-6)


@pytest.mark.parametrize("degrees", [0.5, 1.0, 4.0, math.inf])
def test_the_gradient_of_t_sne_is_that_of_its_divergence(degrees: float) -> None:
    p = affinities(squareform(pdist(rng().standard_normal((12, 4)), "sqeuclidean")), 4.0)
    z = rng(1).standard_normal((12, 2))

    def divergence(z: ndarray) -> float:
        u = pdist(z, "sqeuclidean")
        q = np.exp(-u / 2) if math.isinf(degrees) else (1 + u / degrees) ** (-(degrees + 1) / 2)
        upper = p[np.triu_indices(12, 1)]
        return float(2 * (upper * np.log(upper / (q / (2 * q.sum())))).sum())

    step, numeric = 1e-6, np.zeros_like(z)
    for place in np.ndindex(*z.shape):
        shift = np.zeros_like(z)
        shift[place] = step
        numeric[place] = (divergence(z + shift) - divergence(z - shift)) / (2 * step)
    np.testing.assert_allclose(gradient(p, z, degrees), numeric, atol=1e-7)


@pytest.mark.parametrize("degrees", [1.0, math.inf])
def test_t_sne_keeps_clusters_apart(degrees: float) -> None:
    labels = np.repeat(np.arange(4), 25)
    x = rng().standard_normal((100, 8)) + 12 * rng(1).standard_normal((4, 8))[labels]
    options = TSNE.Settings(perplexity=10.0, degrees=degrees, iterations=400)
    distances = squareform(pdist(TSNE(options).fit(x, rng()).codes))
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(1)] == labels).all()
    np.fill_diagonal(distances, 0)
    same = labels[:, None] == labels
    assert distances[~same].mean() > 2 * distances[same].mean()


def test_heavier_tails_spread_an_embedding_wider() -> None:
    x = flattened(digits(), np.arange(150))
    spread = [TSNE(TSNE.Settings(degrees=n, iterations=300)).fit(x, rng()).codes.std() for n in (1.0, 3.0, math.inf)]
    assert spread[0] > 1.5 * spread[1] > 1.5 * spread[2]


def test_a_perplexity_beyond_the_points_is_refused() -> None:
    with pytest.raises(ModelError, match=r"lower model\.perplexity"):
        TSNE(TSNE.Settings()).fit(rng().random((20, 3)), rng())


EMBEDDINGS = [name for name in registry.names("model") if issubclass(registry.load("model", name), Embedding)]


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_what_is_uncorrelated_whatever_it_is_fitted_to_says_so(name: str) -> None:
    """On the points fitted, where blends of neighbours are nearly the points themselves (LLE)."""
    cls = registry.load("model", name)
    x = rng().gamma(0.5, size=(80, 6))
    quick = {"iterations": 20} if name == "t_sne" else {"tolerance": 0.01} if name == "ica" else {}
    more = {"neighbours": 20} if "neighbours" in cls.Settings.model_fields else {}
    model = cls(cls.Settings(latents=3, **quick, **more)).fit(x, rng())
    z = model.codes if isinstance(model, Transductive) else model.transform(x)
    apart = np.abs(np.corrcoef(z.T) - np.eye(3)).max()
    linear = {"gaussian_total_correlation", "wasserstein_correlation"}
    assert (apart < 0.01) == (linear <= set(cls.by_construction)), apart


@pytest.mark.parametrize("latents", [2, 10])
def test_ica_finds_as_many_components_of_images_with_a_constant_corner(latents: int) -> None:
    """scikit-learn's own sign of a component is that of the first dimension's weight, which is 0 there."""
    x = flattened(data := digits(), np.arange(len(data.factors)))
    assert np.ptp(x[:, 0]) == 0
    model = ICA(ICA.Settings(latents=latents)).fit(x, rng())
    z = model.transform(x)
    np.testing.assert_allclose(np.cov(z.T, bias=True), np.eye(latents), atol=1e-3)
    np.testing.assert_allclose(model.transform(model.decode(z)), z, atol=1e-3)
    assert np.ptp(model.decode(z)[:, 0]) == 0


@pytest.mark.parametrize("dependent", [False, True])
def test_ica_of_too_few_dimensions_that_vary_says_so(dependent: bool) -> None:
    """The others are constant, or sums of these but for rounding."""
    x = rng().random((50, 2)) @ (rng(1).standard_normal((2, 5)) if dependent else np.eye(2, 5)) + 1
    with pytest.raises(ModelError, match=r"2 of 5 dimensions vary over the points fitted, .* too few for 3 components"):
        ICA(ICA.Settings(latents=3)).fit(x.astype(np.float32), rng())
    assert ICA(ICA.Settings(latents=2)).fit(x.astype(np.float32), rng()).transform(x).std() == pytest.approx(1, abs=0.1)


class Halves(Transductive):
    """Codes that tell each point."""

    def embed(self, x: ndarray, rng: np.random.Generator) -> ndarray:
        return x[:, :2] / 2


def test_a_transductive_embedding_is_kept_with_the_rows_that_it_embedded() -> None:
    images = rng().random((30, 1, 2, 2)).astype(np.float32)
    data = table(images, rng().random((30, 2)))
    rows = np.array([3, 4, 17])
    model = Halves(Halves.Settings()).fit(flattened(data, rows), rng())
    codes = encode_embedding(model, data, small_run(), rows)
    np.testing.assert_allclose(codes.means, images.reshape(30, 4)[rows, :2] / 2)
    np.testing.assert_array_equal(codes.factors, data.factors[rows])
    assert codes.means.dtype == np.float32
    assert not codes.grid
    assert list(codes.arrays) == ["embedded_rows"]
    np.testing.assert_array_equal(codes.arrays["embedded_rows"], rows)
    assert model.state() == {}
    with pytest.raises(ModelError, match="for the points alone that it was fitted to"):
        model.transform(images.reshape(30, 4))


class Pixels(Transductive):
    """Codes that are the images, and a way back."""

    def embed(self, x: ndarray, rng: np.random.Generator) -> ndarray:
        return x

    def decode(self, z: ndarray) -> ndarray:
        return z


def test_pictures_of_a_transductive_embedding_are_of_the_points_that_it_embedded() -> None:
    data = digits()
    rows = data.evaluation_rows[200:230]
    model = Pixels(Pixels.Settings()).fit(flattened(data, rows), rng())
    codes = encode_embedding(model, data, small_run(), rows)
    arrays = codes.arrays
    np.testing.assert_array_equal(arrays["picture_images"], arrays["picture_reconstructions"])
    assert {row.tobytes() for row in arrays["explorer_codes"]} <= {row.tobytes() for row in codes.means}


def test_nothing_is_unseen_to_what_was_fitted_to_the_points_that_it_is_scored_on() -> None:
    """A mask over all of the grid, beside codes of some of its points, would be of other points."""
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    whole = blank_grid((3,), (2, 2))
    data = replace(whole, images=rng().random((4, 3)).astype(np.float32), training_rows=np.array([0, 1, 2]))
    np.testing.assert_array_equal(data.factors, factors)
    model = Halves(Halves.Settings()).fit(flattened(data, np.array([1, 3])), rng())
    assert list(encode_embedding(model, data, small_run(), np.array([1, 3])).arrays) == ["embedded_rows"]
    pca = PCA(PCA.Settings(latents=2)).fit(flattened(data, data.training_rows), rng())
    np.testing.assert_array_equal(encode_embedding(pca, data, small_run()).arrays["trained_on"], [True] * 3 + [False])


def test_a_subset_of_a_grid_is_no_grid() -> None:
    data = table(rng().random((4, 3)).astype(np.float32), np.array([[0, 0], [0, 1], [1, 0], [1, 1]]))
    whole = Data(data.images, data.factors, data.factor_names, (2, 2), data.training_rows, data.evaluation_rows, True)
    model = Halves(Halves.Settings()).fit(flattened(whole, np.arange(4)), rng())
    assert not encode_embedding(model, whole, small_run(), np.arange(4)).grid


def test_what_has_no_way_back_has_neither_jacobians_nor_pictures() -> None:
    data = digits()
    x = flattened(data, data.training_rows[:200])
    codes = encode_embedding(KernelPCA(KernelPCA.Settings(latents=2)).fit(x, rng()), data, small_run())
    assert not [name for name in codes.arrays if not name.startswith("corruption_")]
    assert len(codes.means) == len(data.evaluation_rows)


def test_codes_that_are_no_numbers_are_refused() -> None:
    model = Halves(Halves.Settings())
    model.codes = np.full((3, 2), np.nan, np.float32)
    with pytest.raises(ModelError, match="not finite"):
        encode_embedding(model, digits(), small_run(), np.arange(3))


def test_traversals_of_parts_span_their_own_spread_and_nothing_is_sampled() -> None:
    data = digits()
    model = NMF(NMF.Settings(latents=3)).fit(flattened(data, data.training_rows), rng())
    codes = encode_embedding(model, data, small_run())
    assert "picture_reconstructions" in codes.arrays and "v" in codes.arrays
    assert "picture_samples" not in codes.arrays


SUITE = """\
description = "embeddings"
seeds = 2

[[block]]
dataset = "digits"
model = [
  { name = "mds", latents = 2, subset = 100 },
  { name = "isomap", latents = 2, subset = 300 },
]
"""


def test_runs_of_the_command_line_mark_what_is_transductive(tmp_path: Path) -> None:
    (tmp_path / "embed.toml").write_text(SUITE)
    succeed(tmp_path, "run", "embed.toml", "--jobs", "0")
    data, drawn = digits(), []
    for path in sorted((tmp_path / "results" / "runs").glob("*/*/*/*/run.json")):
        record = json.loads(path.read_text())
        codes = Codes.load(path.parent / "codes.safetensors")
        if record["run"]["model"]["name"] == "isomap":
            assert record["marks"] == []
            assert len(codes.means) == len(data.evaluation_rows)
            continue
        assert record["marks"] == ["scored on the points that it was fitted to"]
        assert codes.means.shape == (100, 2)
        rows = codes.arrays["embedded_rows"]
        drawn.append(rows)
        assert np.isin(rows, data.evaluation_rows).all()
        np.testing.assert_array_equal(codes.factors, data.factors[rows])
    assert len(drawn) == 2
    assert not np.array_equal(*drawn)
