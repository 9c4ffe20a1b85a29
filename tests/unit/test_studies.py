"""Studies of finished models: what they show the model, and what they keep of its answers."""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy import ndarray
from small import small_run, table

from benchmark import registry
from benchmark.datasets import _sprites
from benchmark.datasets._dataset import Data
from benchmark.models.laplacian_eigenmaps import LaplacianEigenmaps
from benchmark.models.nmf import NMF
from benchmark.models.pca import PCA
from benchmark.networks.linear import Linear
from benchmark.spec import Component, Run
from benchmark.stages import studies
from benchmark.stages.encode import encode_embedding, encode_neural
from benchmark.stages.studies import Trained, corrupted_inputs, densities, dictionary, geodesics, manifold
from benchmark.suite import EncodingSettings
from benchmark.training.engine import seeded

RUN = small_run()
SHAPE = (1, 8, 8)


def images(n: int = 60) -> Data:
    rng = np.random.default_rng(0)
    points = table(rng.integers(0, 256, (n, *SHAPE)).astype(np.uint8), rng.integers(0, 3, (n, 1)), maximum=255)
    return replace(points, factor_names=("label",), factor_sizes=(3,))


def network(name: str = "vae", shape: tuple[int, ...] = SHAPE, latents: int = 2, **settings: Any) -> Any:
    model_class = registry.load("model", name)
    chosen = model_class.Settings(**({"likelihood": "gaussian", "sigma": 0.5} | settings))
    with seeded("studies"):
        return model_class(chosen, Linear(Linear.Settings(latents=latents), shape), 100).eval()


def trained(model: Any, data: Data, run: Run = RUN) -> Trained:
    codes = encode_neural(model, data, run, EncodingSettings(likelihood_points=0))
    return Trained(model, data, codes, run)


def test_every_study_is_listed() -> None:
    files = {each.name for each in pkgutil.iter_modules(studies.__path__) if not each.name.startswith("_")}
    assert files == set(studies.ORDER)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("vae", SHAPE, {"corruption_codes", "picture_interpolations", "picture_manifold", "picture_model_density"}),
        ("vae", (4,), {"geodesic_means", "gradient_variance_score"}),
        ("ae", SHAPE, {"corruption_codes", "picture_corrupted", "picture_manifold"}),
        ("ae", (4,), set()),
        ("student_vae", SHAPE, {"corruption_codes", "picture_model_density"}),
    ],
)
def test_each_model_is_asked_what_it_can_answer(name: str, shape: tuple[int, ...], expected: set[str]) -> None:
    points = images() if shape == SHAPE else table(np.random.default_rng(0).standard_normal((60, 4), np.float32))
    found = studies.study(trained(network(name, shape), points))
    assert found.keys() >= expected
    if not expected:
        assert found == {}
    assert all(np.isfinite(value).all() for value in found.values())
    assert ("geodesic_means" in found) == ("gradient_variance_score" in found) == (name == "vae")
    assert ("picture_model_density" in found) == (shape == SHAPE and name != "ae")


def test_what_has_no_way_to_new_points_is_not_shown_any() -> None:
    points = images()
    x = points.images.reshape(60, -1) / np.float32(255)
    model = LaplacianEigenmaps(LaplacianEigenmaps.Settings(latents=2)).fit(x, np.random.default_rng(0))
    codes = encode_embedding(model, points, RUN, np.arange(60))
    assert codes.arrays.keys() == {"embedded_rows"}


def test_a_pixel_is_flipped_with_its_probability_and_stays_flipped() -> None:
    x = np.random.default_rng(0).random((100, 2, 32, 32)).astype(np.float32)
    kinds = corrupted_inputs.corrupted(x, "any")
    flipped = [each != x for each in kinds[:3]]
    assert [each.mean() for each in flipped] == pytest.approx(corrupted_inputs.FLIPS, rel=0.15)
    for each, image in zip(flipped, kinds, strict=False):
        np.testing.assert_array_equal(image[each], 1 - x[each])
        np.testing.assert_array_equal(each[:, 0], each[:, 1])  # all channels of a pixel
    assert (flipped[1] >= flipped[0]).all() and (flipped[2] >= flipped[1]).all()
    np.testing.assert_array_equal(kinds[3], 1 - x)
    np.testing.assert_array_equal(corrupted_inputs.corrupted(x, "any")[2], kinds[2])


def test_corrupted_codes_are_the_encoders_and_its_teachers_are_other_points() -> None:
    model, points = network(), images()
    subject = trained(model, points)
    found = corrupted_inputs.arrays(subject)
    assert found["corruption_clean"].shape == (30, 2) and found["corruption_training"].shape == (30, 2)
    together = np.concatenate([found["corruption_clean"], found["corruption_training"]])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(subject.codes.means, axis=0))
    x = subject.images(subject.points("corrupted", 60)[:30])
    with torch.no_grad():
        inverted = model.posterior(torch.from_numpy(1 - x)).mu.numpy()
    np.testing.assert_allclose(found["corruption_codes"][:, 3], inverted, atol=1e-5)
    assert found["corruption_codes"].shape == (30, 4, 2)
    assert "corruption_triangle" not in found
    assert found["picture_corrupted"].shape == (5, 8, *SHAPE)
    assert found["picture_corrupted_traversals"].shape == (5, 2, 7, *SHAPE)


def sprites(name: str, **settings: Any) -> tuple[Data, Run]:
    dataset_class = registry.load("dataset", name)
    chosen = dataset_class.Settings(resolution=32, stride=(1, 5, 8, 8, 8), **settings)
    component = Component(name, 1, chosen.identity())
    return dataset_class(chosen).load(), replace(RUN, dataset=component)


def test_a_triangle_stands_where_the_sprite_stood(cache_folder: Path) -> None:
    data, run = sprites("dsprites")
    assert len(data.images) == 3 * 2 * 5 * 4 * 4
    shown = Trained(None, data, None, run)  # type: ignore[arg-type]
    shown.__dict__["rows"] = np.arange(len(data.images))
    rows = np.arange(0, len(data.images), 3)
    found = corrupted_inputs.with_triangles(shown, rows)
    assert found is not None and set(np.unique(found)) == {0, 1}
    triangle, sprite = found[:, 0], data.images[rows][:, 0].astype(np.float32)
    places = np.mgrid[:32, :32]

    def centre(each: ndarray) -> ndarray:
        return (each * places[:, None]).sum((2, 3)) / each.sum((1, 2))

    np.testing.assert_allclose(centre(triangle), centre(sprite), atol=1.2)
    large = data.factors[rows, 1] == 1
    assert triangle[large].sum() / triangle[~large].sum() == pytest.approx(4, rel=0.1)
    assert triangle.sum() / sprite.sum() == pytest.approx(1, abs=0.3)
    assert not (triangle == sprite).all((1, 2)).any()


def test_a_triangle_has_three_corners_and_keeps_within_the_frame() -> None:
    factors = np.array([[0, 5, 0, 0, 0], [1, 5, 13, 31, 31], [2, 5, 20, 16, 16]])
    drawn = _sprites.triangles(factors)
    assert drawn[:, 0].sum() == drawn[:, -1].sum() == drawn[:, :, 0].sum() == drawn[:, :, -1].sum() == 0
    # An equilateral triangle of circumradius 1.6 · 9.6 pixels.
    assert drawn.sum((1, 2)) == pytest.approx(3 * np.sqrt(3) / 4 * (1.6 * 9.6) ** 2, rel=0.04)
    assert factors[:, 0].tolist() == [0, 1, 2]
    # 13 of 39 orientations are a third of a turn, which brings it back upon itself.
    turned = _sprites.triangles(np.array([[0, 5, k, 16, 16] for k in (0, 13, 26, 6)]))
    assert np.count_nonzero(turned[0] != turned[1]) < 8 and np.count_nonzero(turned[0] != turned[2]) < 8
    assert np.count_nonzero(turned[0] != turned[3]) > 50


@pytest.mark.parametrize("name", ["noisy_dsprites", "color_dsprites"])
def test_a_triangle_is_painted_as_its_image_is(name: str, cache_folder: Path) -> None:
    data, run = sprites(name)
    shown = Trained(None, data, None, run)  # type: ignore[arg-type]
    shown.__dict__["rows"] = np.arange(len(data.images))
    rows = np.array([3, 200])
    found = corrupted_inputs.with_triangles(shown, rows)
    assert found is not None and found.shape == (2, 3, 32, 32)
    image = data.images[rows].astype(np.float32) / 255
    same = (found == image).all(1)
    assert same.mean() > 0.7 and not same.all((1, 2)).any()
    # Where the sprite and the triangle overlap, both are of the image's own colour.
    np.testing.assert_array_equal(found.max((2, 3)), image.max((2, 3)))


def test_the_manifold_is_the_priors_quantiles_decoded() -> None:
    subject = trained(network(), images())
    found = manifold.arrays(subject)["picture_manifold"]
    assert found.shape == (20, 20, *SHAPE)
    ends = 1.6448536  # Φ⁻¹(0.95)
    corners = subject.decode(np.array([[-ends, ends], [ends, ends], [ends, -ends]]))
    for image, corner in zip((found[0, 0], found[0, -1], found[-1, -1]), corners, strict=True):
        np.testing.assert_allclose(image, np.clip(corner, 0, 1) * 255, atol=0.51)
    assert manifold.arrays(trained(network(latents=3), images())) == {}


def test_a_manifold_without_a_prior_lies_where_the_codes_are() -> None:
    subject = trained(network("ae"), images())
    means = subject.codes.means
    corner = subject.decode((means.mean(0) + 1.6448536 * means.std(0))[None])[0]
    found = manifold.arrays(subject)["picture_manifold"][0, -1]
    np.testing.assert_allclose(found, np.clip(corner, 0, 1) * 255, atol=0.51)


def test_interpolations_begin_and_end_at_the_two_images() -> None:
    subject = trained(network(), images())
    found = geodesics.arrays(subject)
    ends = geodesics.pairs(subject)
    assert ends.shape == (2, 2) and len(np.unique(ends)) == 4
    labels = subject.codes.factors[ends, 0]
    assert (labels[:, 0] != labels[:, 1]).all()
    rows, pictures = found["picture_interpolations"], found["picture_interpolation_ends"]
    assert rows.shape == (2, 5, 9, *SHAPE)
    np.testing.assert_array_equal(rows[:, 0, [0, -1]], pictures)
    means, samples = subject.codes.means, subject.codes.samples
    assert samples is not None and subject.codes.variances is not None
    for way, table_ in ((1, means), (2, samples), (4, means)):
        for end, step in ((0, 0), (1, -1)):
            expected = np.clip(subject.decode(table_[ends[:, end]]), 0, 1) * 255
            np.testing.assert_allclose(rows[:, way, step], expected, atol=0.51)
    middle = subject.decode(means[ends].mean(1))
    np.testing.assert_allclose(rows[:, 1, 4], np.clip(middle, 0, 1) * 255, atol=0.51)
    np.testing.assert_allclose(found["geodesic_means"][:, 0], means[ends[:, 0]], rtol=1e-5)
    spread = np.sqrt(subject.codes.variances)
    np.testing.assert_allclose(found["geodesic_deviations"][:, -1], spread[ends[:, 1]], rtol=1e-5)


def test_densities_are_mean_images() -> None:
    points = images()
    model = network()
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
    found = densities.arrays(trained(model, points))
    np.testing.assert_allclose(found["picture_data_density"], points.images.mean(0), atol=0.51)
    assert (found["picture_model_density"] == 0).all()


def test_a_dictionary_is_what_one_unit_of_a_coordinate_adds() -> None:
    points = images()
    x = points.images.reshape(60, -1) / np.float32(255)
    for cls in (PCA, NMF):
        model = cls(cls.Settings(latents=4)).fit(x, np.random.default_rng(0))
        subject = Trained(model, points, encode_embedding(model, points, RUN), RUN)
        found = dictionary.arrays(subject)["picture_dictionary"]
        steps = subject.decode(np.eye(4)) - subject.decode(np.zeros((1, 4)))
        np.testing.assert_allclose(found, steps, atol=1e-5)
        assert (found.min() >= 0) == (cls is NMF)
    assert dictionary.arrays(trained(network(), points)) == {}


def test_gradients_of_a_model_that_ignores_its_codes() -> None:
    """Then f is log p(z) − log q(z) and a constant: ∂f/∂μ is −z, of variance σ², and ∂f/∂log σ is 1 − z σ ε."""
    model, points = network(latents=1), images(200)
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
        for layer in model.encoder.modules():
            if isinstance(layer, torch.nn.Linear):
                layer.weight.zero_()
                layer.bias.copy_(torch.tensor([2.0, np.log(0.25)]))
    found = studies.study(trained(model, points))
    in_mu, in_log_sigma = found["gradient_variance_pathwise"].mean(0)[:, 0]
    assert in_mu == pytest.approx(0.25, rel=0.25)
    # z σ ε = 2 · ½ ε + ¼ ε²: variance 1 + 2/16.
    assert in_log_sigma == pytest.approx(1 + 2 / 16, rel=0.3)
    assert found["gradient_variance_score"].mean() > 10 * found["gradient_variance_baseline"].mean()
