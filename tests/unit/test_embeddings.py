"""Closed-form models: PCA and ICA against what they should find."""

import numpy as np
import pytest
from numpy import ndarray
from scipy.optimize import linear_sum_assignment

from benchmark.errors import ModelError
from benchmark.models.ica import ICA
from benchmark.models.pca import PCA


def correlated(n: int = 500) -> ndarray:
    """Points (n 6) with distinct variances along a random frame."""
    rng = np.random.default_rng(0)
    frame = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    return (rng.standard_normal((n, 6)) * [5, 3, 2, 1, 0.5, 0.1]) @ frame + 7


def fitted(x: ndarray, latents: int) -> PCA:
    return PCA(PCA.Settings(latents=latents)).fit(x, np.random.default_rng(0))


def test_pca_finds_the_leading_singular_vectors() -> None:
    x = correlated()
    model = fitted(x, 3)
    _, values, vt = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(model.components @ vt[:3].T), np.eye(3), atol=1e-6)
    np.testing.assert_allclose(model.deviation, values[:3] / np.sqrt(len(x) - 1))


def test_pca_codes_are_white_and_sorted_by_variance() -> None:
    x = correlated()
    model = fitted(x, 4)
    z = model.transform(x)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.cov(z.T), np.eye(4), atol=1e-4)
    assert (np.diff(model.deviation) < 0).all()


def test_pca_decodes_to_the_projection_onto_its_subspace() -> None:
    x = correlated()
    model = fitted(x, 3)
    _, _, vt = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    projected = x.mean(axis=0) + (x - x.mean(axis=0)) @ vt[:3].T @ vt[:3]
    np.testing.assert_allclose(model.decode(model.transform(x)), projected, atol=1e-4)
    np.testing.assert_allclose(fitted(x, 6).decode(fitted(x, 6).transform(x)), x, atol=1e-4)


def mixed(n: int = 3000) -> tuple[ndarray, ndarray]:
    """Three independent sources that are not Gaussian, and five mixtures of them."""
    rng = np.random.default_rng(0)
    sources = np.stack([rng.uniform(-1, 1, n), rng.laplace(size=n), rng.integers(0, 2, n) - 0.5], axis=1)
    return sources, sources @ rng.standard_normal((3, 5)) + 2


def mean_correlation(sources: ndarray, codes: ndarray) -> float:
    """Mean absolute correlation of the best one-to-one pairing."""
    k = sources.shape[1]
    table = np.abs(np.corrcoef(sources.T, codes.T)[:k, k:])
    return float(table[linear_sum_assignment(-table)].mean())


def test_ica_recovers_mixed_sources_which_pca_does_not() -> None:
    sources, x = mixed()
    model = ICA(ICA.Settings(latents=3)).fit(x, np.random.default_rng(0))
    z = model.transform(x)
    assert mean_correlation(sources, z) > 0.98
    assert mean_correlation(sources, fitted(x, 3).transform(x)) < 0.95
    np.testing.assert_allclose(np.cov(z.T), np.eye(3), atol=1e-2)
    np.testing.assert_allclose(model.decode(z), x, atol=1e-4)


def test_ica_that_does_not_converge_says_which_setting_to_raise() -> None:
    x = np.random.default_rng(0).standard_normal((200, 5))
    with pytest.raises(ModelError, match=r"did not converge in 1 iterations \(starts: 5\); raise model\.iterations"):
        ICA(ICA.Settings(latents=4, iterations=1)).fit(x, np.random.default_rng(0))


def test_ica_starts_again_where_it_did_not_converge_and_only_there() -> None:
    x = np.random.default_rng(0).standard_normal((200, 5))

    def unmixing(starts: int, seed: int) -> np.ndarray | None:
        try:
            options = ICA.Settings(latents=4, iterations=20, starts=starts)
            return ICA(options).fit(x, np.random.default_rng(seed)).unmixing
        except ModelError:
            return None

    once, often = ([unmixing(starts, seed) for seed in range(12)] for starts in (1, 5))
    assert sum(found is None for found in often) < sum(found is None for found in once)
    for first, again in zip(once, often, strict=True):
        if first is not None:
            np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("cls", [PCA, ICA])
def test_jacobians_are_the_derivatives_of_decoding(cls: type[PCA | ICA]) -> None:
    _, x = mixed()
    model = cls(cls.Settings(latents=3)).fit(x, np.random.default_rng(0))
    z = np.random.default_rng(1).standard_normal((4, 3))
    columns = [model.decode(z + e) - model.decode(z) for e in np.eye(3)]
    np.testing.assert_allclose(model.jacobian(z), np.stack(columns, axis=2), atol=1e-10)


@pytest.mark.parametrize("cls", [PCA, ICA])
def test_fits_depend_on_data_and_generator_alone(cls: type[PCA | ICA]) -> None:
    _, x = mixed()
    states = [cls(cls.Settings(latents=3)).fit(x, np.random.default_rng(5)).state() for _ in range(2)]
    assert states[0].keys() == states[1].keys()
    assert all(np.array_equal(value, states[1][name]) for name, value in states[0].items())
