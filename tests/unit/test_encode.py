"""Encoding: what codes hold is what the model says of its data."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy import ndarray
from small import small_run, table
from torch import nn

from benchmark import registry
from benchmark.codes import Codes
from benchmark.datasets._dataset import Data
from benchmark.errors import ModelError
from benchmark.metrics.dto import dto
from benchmark.models._neural import NeuralModel
from benchmark.models.pca import PCA
from benchmark.models.rotated import Rotated
from benchmark.networks.conv32 import Conv32
from benchmark.networks.linear import Linear
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.seeds import stream
from benchmark.stages.encode import (
    TRAVERSAL,
    TRAVERSED,
    encode_anchor,
    encode_embedding,
    encode_neural,
    jacobians,
    posterior_tables,
    reconstructions,
    singular_vectors,
)
from benchmark.stages.kept import ASKED
from benchmark.stages.points import PICTURES, SAMPLES, as_bytes, images
from benchmark.suite import EncodingSettings
from benchmark.training.engine import seeded

RUN = small_run()


def make(name: str, network: Any = Linear, shape: tuple[int, ...] = (4,), latents: int = 2, **settings: Any) -> Any:
    """A model as it was drawn."""
    model_class = registry.load("model", name)
    chosen = model_class.Settings(**({"likelihood": "gaussian", "sigma": 0.5} | settings))
    with seeded("encode"):
        return model_class(chosen, network(network.Settings(latents=latents), shape), 100)


def data(n: int = 60, shape: tuple[int, ...] = (4,)) -> Data:
    rng = np.random.default_rng(0)
    return table(rng.standard_normal((n, *shape), np.float32), rng.random((n, 2)))


def pictures_data(n: int = 60) -> Data:
    rng = np.random.default_rng(0)
    return table(rng.integers(0, 256, (n, 1, 8, 8)).astype(np.uint8), rng.random((n, 2)), maximum=255)


def decoder_matrix(model: NeuralModel) -> ndarray:
    (layer,) = [layer for layer in model.modules() if isinstance(layer, nn.Linear) and layer.in_features == 2]
    return layer.weight.detach().numpy()


def equal_codes(one: Codes, other: Codes) -> bool:
    same = [np.array_equal(one.means, other.means), one.arrays.keys() == other.arrays.keys()]
    same += [np.array_equal(value, other.arrays[name]) for name, value in one.arrays.items()]
    for mine, yours in ((one.variances, other.variances), (one.samples, other.samples)):
        same.append((mine is None) == (yours is None) and (mine is None or np.array_equal(mine, yours)))
    return all(same)


def test_v_of_a_linear_decoder_is_its_matrixs() -> None:
    model = make("ae")
    codes = encode_neural(model, data(), RUN)
    _, values, vt = np.linalg.svd(decoder_matrix(model), full_matrices=False)
    v = codes.arrays["v"]
    assert v.shape == (60, 2, 2)
    signs = np.sign(v[:, :1, :] / vt.T[:1])
    np.testing.assert_allclose(v, signs * vt.T, atol=1e-5)
    np.testing.assert_allclose(codes.arrays["singular_values"], np.broadcast_to(values, (60, 2)), rtol=1e-5)


def test_columns_of_v_are_sorted_by_what_they_do() -> None:
    # x = (0, 3 z₀, z₁ + z₂, 0): directions (1, 0, 0), (0, 1, 1)/√2 and, without effect, (0, 1, −1)/√2.
    jacobian = np.array([[[0, 0, 0], [3, 0, 0], [0, 1, 1], [0, 0, 0]]], np.float32)
    found = singular_vectors(jacobian)
    half = math.sqrt(0.5)
    np.testing.assert_allclose(found["singular_values"][0], [3, math.sqrt(2), 0], atol=1e-12)
    np.testing.assert_allclose(np.abs(found["v"][0]), [[1, 0, 0], [0, half, half], [0, half, half]], atol=1e-12)


def test_v_is_square_with_more_coordinates_than_data_dimensions() -> None:
    jacobian = np.random.default_rng(0).standard_normal((5, 2, 4))
    v = singular_vectors(jacobian)["v"]
    np.testing.assert_allclose(v.transpose(0, 2, 1) @ v, np.broadcast_to(np.eye(4), (5, 4, 4)), atol=1e-12)
    np.testing.assert_allclose(jacobian @ v[:, :, 2:], 0, atol=1e-12)


def test_orthogonal_logits_are_on_the_axes_and_their_sigmoids_are_not() -> None:
    """Logits W z + b with orthogonal columns have singular vectors along the axes: DtO 0. The sigmoid scales each row
    by a slope of its own, after which the columns are orthogonal no more."""
    model = make("ae", likelihood="bernoulli", sigma=0.0)
    (layer,) = [layer for layer in model.decoder.modules() if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, 1.0], [2.0, -1.0], [0.0, 0.0], [0.0, 0.0]]))
        layer.bias.copy_(torch.tensor([0.0, 3.0, 0.0, 0.0]))
    arrays = encode_neural(model, data(), RUN).arrays
    assert dto(arrays["v_logits"], of="logits")["dto"] == pytest.approx(0, abs=1e-6)
    assert dto(arrays["v"])["dto"] > 0.1


def test_a_gaussian_decoders_output_is_its_mean_image() -> None:
    arrays = encode_neural(make("ae", MlpTiny), data(), RUN).arrays
    np.testing.assert_array_equal(arrays["v_logits"], arrays["v"])


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_jacobians_are_the_derivatives_of_the_mean_image(likelihood: str) -> None:
    model = make("vae", MlpTiny, (1, 2, 3), likelihood=likelihood, sigma=0.5 if likelihood == "gaussian" else 0.0)
    z = np.random.default_rng(0).standard_normal((120, 2)).astype(np.float32)
    found = jacobians(model, z).mean_image
    assert found.shape == (120, 6, 2)
    exact = copy.deepcopy(model).double()
    step = 1e-5

    def image(z: ndarray) -> ndarray:
        with torch.no_grad():
            return exact.mean_image(exact.decode(torch.from_numpy(z))).flatten(1).numpy()

    wide = z.astype(np.float64)
    differences = [(image(wide + step * e) - image(wide - step * e)) / (2 * step) for e in np.eye(2)]
    np.testing.assert_allclose(found, np.stack(differences, axis=2), atol=2e-5)
    by_torch = torch.autograd.functional.jacobian(
        lambda z: exact.mean_image(exact.decode(z[None])).flatten(), torch.from_numpy(wide[7])
    )
    np.testing.assert_allclose(found[7], by_torch.numpy(), atol=2e-5)


def test_reconstructions_are_nats_at_the_mean_and_at_the_sample() -> None:
    model = make("vae")
    points = data()
    codes = encode_neural(model, points, RUN)
    assert codes.samples is not None
    matrix = decoder_matrix(model)
    chosen = np.array([3, 17, 59])
    found = reconstructions(model, codes, points, chosen)
    for name, z in (("reconstruction_mean", codes.means), ("reconstruction_sample", codes.samples)):
        error = points.images[chosen] - z[chosen] @ matrix.T
        nats = (error**2).sum(axis=1) / (2 * 0.25) + 4 * (math.log(0.5) + 0.5 * math.log(2 * math.pi))
        np.testing.assert_allclose(found[name], nats, rtol=1e-5)
    assert not np.allclose(found["reconstruction_mean"], found["reconstruction_sample"])
    # All 60 points are within the sample that is kept, so the rows are all of them in order.
    # A product of 60 rows may round otherwise than one of three.
    np.testing.assert_allclose(codes.arrays["reconstruction_mean"][chosen], found["reconstruction_mean"], rtol=1e-6)


def test_codes_are_posteriors_of_the_evaluation_rows() -> None:
    model = make("vae", MlpTiny)
    points = data(2500)
    rows = np.arange(0, 2500, 2)
    points = Data(points.images, points.factors, ("a", "b"), (0, 0), np.arange(5), rows)
    codes = encode_neural(model, points, RUN)
    with torch.no_grad():
        mu, logvar, _ = model.posterior(torch.from_numpy(points.images[rows]))
    assert codes.variances is not None
    assert codes.samples is not None
    np.testing.assert_allclose(codes.means, mu.numpy(), atol=1e-5)
    np.testing.assert_allclose(codes.variances, logvar.exp().numpy(), rtol=1e-4)
    np.testing.assert_array_equal(codes.factors, points.factors[rows])
    eps = (codes.samples - codes.means) / np.sqrt(codes.variances)
    assert eps.mean() == pytest.approx(0, abs=5 / math.sqrt(eps.size))
    assert eps.std() == pytest.approx(1, abs=5 / math.sqrt(2 * eps.size))


def test_samples_of_a_full_posterior_have_its_covariance_and_no_variances() -> None:
    model = make("beta_vae_full")
    (layer,) = [layer for layer in model.encoder if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([1.0, -2.0, math.log(4), math.log(0.25), -1.5]))
    scale = np.array([[2, 0], [-1.5, 0.5]])
    n = 20_000
    codes = encode_neural(model, data(n), RUN)
    assert codes.variances is None
    assert codes.samples is not None
    np.testing.assert_allclose(codes.samples.mean(axis=0), [1, -2], atol=5 * 2 / math.sqrt(n))
    np.testing.assert_allclose(np.cov(codes.samples.T), scale @ scale.T, atol=5 * math.sqrt(2) * 4 / math.sqrt(n))


def test_a_deterministic_encoder_has_means_alone() -> None:
    codes = encode_neural(make("ae"), data(), RUN)
    assert (codes.variances, codes.samples) == (None, None)
    assert "reconstruction_sample" not in codes.arrays


@pytest.mark.parametrize("name", ["iaf_vae", "avb", "sparse_vae", "student_vae", "mixture_vae", "isa_vae"])
def test_what_is_no_gaussian_under_a_normal_prior_has_samples_and_no_variances(name: str) -> None:
    """The measures would read variances as the KL to N(0, I)."""
    model, points = make(name), data()
    codes = encode_neural(model, points, RUN)
    assert codes.variances is None
    assert codes.samples is not None
    assert not np.allclose(codes.samples, codes.means, atol=0.1)
    assert "reconstruction_sample" in codes.arrays
    with torch.no_grad():
        np.testing.assert_allclose(codes.means, model.posterior(torch.from_numpy(points.images)).mu, atol=1e-5)


def test_pictures_of_samples_show_the_models_own_prior() -> None:
    model = make("student_vae", MlpTiny, (1, 8, 8))
    own = encode_neural(model, pictures_data(), RUN).arrays["picture_samples"]
    assert own.shape == (SAMPLES, 1, 8, 8)
    here = torch.ones(SAMPLES, 2)
    model.sample_prior = lambda noise: here[:1].expand(len(noise["radius"]), 2)
    with torch.no_grad():
        expected = as_bytes(model.mean_image(model.decode(here)).numpy())
    np.testing.assert_array_equal(encode_neural(model, pictures_data(), RUN).arrays["picture_samples"], expected)
    assert not np.array_equal(own, expected)


@pytest.mark.parametrize("name", ["ae", "vae", "beta_vae_full", "iaf_vae", "avb", "isa_vae"])
def test_encoding_twice_gives_the_same_bits(name: str) -> None:
    first, again = (encode_neural(make(name, MlpTiny, (1, 8, 8)), pictures_data(), RUN) for _ in range(2))
    assert equal_codes(first, again)


@pytest.mark.parametrize("part", ASKED)
def test_what_is_encoded_does_not_depend_on_what_else_is(part: str) -> None:
    points, few = pictures_data(), EncodingSettings(likelihood_points=3, likelihood_samples=50)
    whole, own = (
        encode_neural(make("vae", MlpTiny, (1, 8, 8)), points, RUN, few, parts) for parts in (tuple(ASKED), (part,))
    )
    left = {name for other in ASKED if other != part for name in ASKED[other]}
    assert whole.arrays.keys() - own.arrays.keys() == left
    for name, value in own.arrays.items():
        np.testing.assert_array_equal(value, whole.arrays[name])
    assert own.samples is not None
    np.testing.assert_array_equal(own.samples, whole.samples)


def test_what_is_drawn_depends_on_the_run() -> None:
    model, other = make("vae"), small_run(seed=1)
    first, second = encode_neural(model, data(), RUN), encode_neural(model, data(), other)
    assert first.samples is not None
    assert second.samples is not None
    assert np.array_equal(first.means, second.means)
    assert not np.isclose(first.samples, second.samples).any()


@pytest.mark.parametrize("broken", [math.nan, 500.0])
def test_codes_that_are_no_numbers_are_the_models_failure(broken: float) -> None:
    """A log-variance of 500 overflows."""
    model = make("vae")
    with torch.no_grad():
        model.encoder[1].bias[3] = broken
    with pytest.raises(ModelError, match="not finite"):
        encode_neural(model, data(), RUN)


def test_points_have_no_pictures() -> None:
    assert not [name for name in encode_neural(make("vae"), data(), RUN).arrays if name.startswith("picture_")]


def picture_shapes(codes: Codes) -> dict[str, tuple[int, ...]]:
    return {name: value.shape for name, value in codes.arrays.items() if name.startswith("picture_")}


def test_pictures_are_bytes_of_known_shapes() -> None:
    model = make("vae", MlpTiny, (1, 8, 8), latents=3, likelihood="bernoulli", sigma=0.0)
    codes = encode_neural(model, pictures_data(), RUN)
    shape = (1, 8, 8)
    expected = {
        "picture_images": (PICTURES, *shape),
        "picture_reconstructions": (PICTURES, *shape),
        "picture_traversals": (TRAVERSED, 3, len(TRAVERSAL), *shape),
        "picture_traversal_images": (TRAVERSED, *shape),
        "picture_samples": (SAMPLES, *shape),
    }
    assert picture_shapes(codes).items() >= {**expected, "picture_coordinate_kl": (3,)}.items()
    assert all(codes.arrays[name].dtype == np.uint8 for name in expected)
    originals = {image.tobytes() for image in pictures_data().images}
    assert all(image.tobytes() in originals for image in codes.arrays["picture_images"])
    assert codes.variances is not None
    kl = 0.5 * (codes.means**2 + codes.variances - np.log(codes.variances) - 1).mean(axis=0)
    np.testing.assert_allclose(codes.arrays["picture_coordinate_kl"], kl, rtol=1e-5)


def test_a_traversal_moves_one_coordinate_from_minus_to_plus_three() -> None:
    model = make("vae", MlpTiny, (1, 8, 8), likelihood="bernoulli", sigma=0.0)
    images = pictures_data()
    codes = encode_neural(model, images, RUN)
    image = codes.arrays["picture_traversal_images"][1]
    (row,) = [i for i, candidate in enumerate(images.images) if np.array_equal(candidate, image)]
    z = np.repeat(codes.means[row][None], len(TRAVERSAL), axis=0)
    z[:, 1] = np.linspace(-3, 3, len(TRAVERSAL))
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(z)).sigmoid().numpy() * 255
    np.testing.assert_allclose(codes.arrays["picture_traversals"][1, 1], expected, atol=0.51)


def test_traversals_of_unstandardised_codes_span_their_own_spread() -> None:
    model = make("ae", shape=(1, 8, 8))
    images = pictures_data()
    codes = encode_neural(model, images, RUN)
    assert "picture_samples" not in codes.arrays
    (row,) = [
        i
        for i, candidate in enumerate(images.images)
        if np.array_equal(candidate, codes.arrays["picture_traversal_images"][0])
    ]
    z = np.repeat(codes.means[row][None], len(TRAVERSAL), axis=0)
    z[:, 0] = codes.means[:, 0].mean() + codes.means[:, 0].std() * TRAVERSAL
    expected = np.clip(z @ decoder_matrix(model).T, 0, 1).reshape(-1, 1, 8, 8) * 255
    np.testing.assert_allclose(codes.arrays["picture_traversals"][0, 0], expected, atol=0.51)


def test_bytes_are_rounded_and_clipped() -> None:
    assert as_bytes(np.array([-1, 0, 0.5, 0.502, 1, 9])).tolist() == [0, 0, 128, 128, 255, 255]


def test_an_embedding_is_encoded_with_its_own_jacobian() -> None:
    images = pictures_data()
    x = images.images.reshape(60, -1) / np.float32(255)
    model = PCA(PCA.Settings(latents=3)).fit(x, np.random.default_rng(0))
    codes = encode_embedding(model, images, RUN)
    np.testing.assert_allclose(codes.means, model.transform(x), atol=1e-6)
    assert codes.variances is None
    assert codes.samples is None
    # Whitened principal components point along the axes, the largest first.
    np.testing.assert_allclose(np.abs(codes.arrays["v"]), np.broadcast_to(np.eye(3), (60, 3, 3)), atol=1e-5)
    assert set(picture_shapes(codes)) >= {"picture_images", "picture_reconstructions", "picture_traversals"}


def test_an_anchor_is_codes_alone() -> None:
    points = data()
    codes = encode_anchor(Rotated(Rotated.Settings()), points, RUN)
    assert codes.means.shape == (60, 2)
    assert (codes.variances, codes.samples, codes.arrays) == (None, None, {})
    np.testing.assert_array_equal(codes.factors, points.factors)


def test_importance_weights_are_those_of_a_linear_gaussian_model() -> None:
    """p(x) of x = W z + b + σ ε is N(b, W Wᵀ + σ² I): its log density is what the weights average to."""
    model = make("vae")
    with torch.no_grad():
        for parameter in model.encoder.parameters():
            parameter.zero_()  # q(z|x) = N(0, I): the prior itself, so that a weight is p(x|z)
    points = data(40)
    kept = encode_neural(model, points, RUN, EncodingSettings(likelihood_points=5, likelihood_samples=20_000))
    weights = kept.arrays["log_weights"].astype(np.float64)
    assert weights.shape == (5, 20_000)
    layer = next(layer for layer in model.decoder.modules() if isinstance(layer, nn.Linear))
    matrix, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
    covariance = matrix @ matrix.T + 0.25 * np.eye(4)
    rows = np.sort(stream(RUN.dataset.name, "encode.likelihood").permutation(40)[:5])
    away = images(points, rows).astype(np.float64) - bias
    exact = -0.5 * (
        np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away) + np.linalg.slogdet(2 * np.pi * covariance)[1]
    )
    found = np.log(np.exp(weights - weights.max(1, keepdims=True)).mean(1)) + weights.max(1)
    np.testing.assert_allclose(found, exact, atol=0.15)


@pytest.mark.parametrize("name", ["vae", "beta_vae_full", "iaf_vae", "sparse_vae"])
def test_importance_weights_take_the_posterior_back(name: str) -> None:
    """With x independent of z the weights are p(x) p(z) / q(z|x), whose mean over q is p(x)."""
    model = make(name)
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
        for parameter in model.encoder.parameters():
            parameter.mul_(0.1)
    points = data(40)
    kept = encode_neural(model, points, RUN, EncodingSettings(likelihood_points=4, likelihood_samples=50_000))
    rows = np.sort(stream(RUN.dataset.name, "encode.likelihood").permutation(40)[:4])
    x = images(points, rows).astype(np.float64)
    exact = -0.5 * (x**2).sum(1) / 0.25 - 2 * np.log(2 * np.pi * 0.25)
    np.testing.assert_allclose(np.log(np.exp(kept.arrays["log_weights"].astype(np.float64)).mean(1)), exact, atol=0.05)


def test_what_has_no_posterior_density_has_no_importance_weights() -> None:
    for name in ("ae", "avb"):
        assert "log_weights" not in encode_neural(make(name), data(), RUN).arrays
    none = EncodingSettings(likelihood_points=0)
    assert "log_weights" not in encode_neural(make("vae"), data(), RUN, none).arrays


def test_the_decoders_first_layer_is_kept() -> None:
    model = make("vae")
    kept = encode_neural(model, data(), RUN).arrays["decoder_weights"]
    np.testing.assert_array_equal(kept, decoder_matrix(model))


def test_the_first_layer_of_codes_that_are_unmixed_has_their_columns() -> None:
    """Moving a code by one moves what its units see by its column, whatever the decoder makes of codes before."""
    model = make("ae_ica")
    rng = np.random.default_rng(2)
    model.finish(rng.laplace(size=(500, 2)) @ np.array([[2.0, 1.0], [1.0, 3.0]]), rng)
    kept = encode_neural(model, data(), RUN).arrays["decoder_weights"]
    mixing = model.mixing.numpy()
    assert np.abs(mixing - np.eye(2)).max() > 0.5
    np.testing.assert_allclose(kept, decoder_matrix(model) @ mixing, rtol=1e-5, atol=1e-6)


def test_convolutions_give_equal_codes_in_whatever_layout_their_weights_came() -> None:
    """As trained, or read from a file."""
    trained = make("vae", Conv32, (1, 32, 32), likelihood="bernoulli").to(memory_format=torch.channels_last)
    read = make("vae", Conv32, (1, 32, 32), likelihood="bernoulli")
    read.load_state_dict({name: value.contiguous() for name, value in trained.state_dict().items()})
    points = table(np.random.default_rng(0).random((70, 1, 32, 32), np.float32), np.zeros((70, 1)))
    one, other = (posterior_tables(model, points, np.random.default_rng(1)) for model in (trained, read))
    assert set(one) == {"means", "variances", "samples"}
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert len(np.unique(one["means"])) == one["means"].size
    assert all(a.weight.stride() == b.weight.stride() for a, b in zip(layers(trained), layers(read), strict=True))


def layers(model: NeuralModel) -> list[Any]:
    return [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
