"""The explorer and the traversals of a decoder that is none of ours: run in the page, or drawn in advance."""

from __future__ import annotations

import base64
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chromium import Browser
from numpy import ndarray
from torch import Tensor, nn

import benchmark
from benchmark.errors import UsageError
from benchmark.models.beta_vae import BetaVAE
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.reading.encoded import Encoded
from benchmark.stages.foreign_decoder import STEPS, Subject, decoder_of, explorer_arrays, traversal_arrays

RNG = np.random.default_rng(0)
CODES = RNG.standard_normal((50, 3)).astype(np.float32) * np.float32([1, 2, 0.5]) + np.float32([0, 5, 0])
VARIANCES = np.full_like(CODES, 0.5)


def bars(z: ndarray) -> ndarray:
    """Three columns, each as bright as its coordinate by a logistic curve."""
    light = 1 / (1 + np.exp(-np.asarray(z)))
    return np.repeat(light[:, None, None, :], 4, axis=2)


class Layers(nn.Sequential):
    def __init__(self, *last: nn.Module) -> None:
        torch.manual_seed(0)
        super().__init__(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 12), nn.Unflatten(1, (1, 3, 4)), *last)


def subject(decoder: Any, variances: ndarray | None = None, **options: Any) -> Subject:
    given = {"shape": None, "logits": False, "tensors": None} | options
    return Subject(decoder_of(decoder, **given), CODES, variances, variances is not None)


def payload(html: str) -> Any:
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_traversals_show_what_the_decoder_draws_there() -> None:
    moved = traversal_arrays(subject(bars))["picture_traversals"]
    assert moved.shape == (1, 3, 10, 1, 4, 3)
    start = subject(bars).starts[0]
    centre, spread = CODES.mean(0), CODES.std(0)
    for j in range(3):
        z = start.copy()
        z[j] = centre[j] + 3 * spread[j]
        np.testing.assert_allclose(moved[0, j, -1], np.round(255 * bars(z[None])[0]), atol=1)
    at_prior = traversal_arrays(subject(bars, VARIANCES))
    z = start.copy()
    z[1] = -3
    np.testing.assert_allclose(at_prior["picture_traversals"][0, 1, 0], np.round(255 * bars(z[None])[0]), atol=1)
    kl = 0.5 * (CODES**2 + VARIANCES - np.log(VARIANCES) - 1).mean(0)
    np.testing.assert_allclose(at_prior["picture_coordinate_kl"], kl, rtol=1e-5)


def test_a_picture_shows_itself_and_says_what_it_is(tmp_path: Path) -> None:
    from PIL import Image

    found = benchmark.traversals(bars, CODES, label="a <b> model")
    assert "three standard deviations" in found.caption and "no variances" in found.caption
    assert "from −3 to 3, sorted by mean KL" in benchmark.traversals(bars, CODES, variances=VARIANCES).caption
    html = found._repr_html_()
    assert "a &lt;b&gt; model" in html and "<b>" not in html
    (data,) = re.findall(r"base64,([^\"]+)", html)
    with Image.open(BytesIO(base64.b64decode(data))) as image:
        assert image.width > image.height > 20
    assert found.save(tmp_path / "own.png").read_bytes() == base64.b64decode(data)


def test_layers_that_a_page_can_run_run_there() -> None:
    found = benchmark.explore(Layers(nn.Sigmoid()), CODES)
    assert found.reason is None and "latentExplorer" in found.html
    program = payload(found.html)["program"]
    assert [step["kind"] for step in program["operations"]] == ["linear", "relu", "linear", "reshape", "sigmoid"]
    logits = benchmark.explore(Layers(), CODES, logits=True)
    assert payload(logits.html)["program"] == program
    rows = benchmark.explore(Layers(nn.Flatten(), nn.Sigmoid()), CODES, shape=(1, 3, 4))
    assert rows.reason is not None and "Flatten" in rows.reason


def test_one_of_our_models_runs_in_the_page() -> None:
    torch.manual_seed(0)
    network = MlpTiny(MlpTiny.Settings(latents=3), (1, 4, 5))
    model = BetaVAE(BetaVAE.Settings(likelihood="bernoulli"), network, points=60)
    codes = Encoded(CODES, np.zeros((50, 0), np.int64), (), (), VARIANCES)
    assert benchmark.explore(model, codes).reason is None
    assert "sorted by mean KL" in benchmark.traversals(model, codes).caption


@pytest.mark.parametrize(
    ("decoder", "words"),
    [
        (bars, "a function"),
        (Layers(nn.GELU(), nn.Sigmoid()), "a layer GELU"),
        (nn.Sequential(Layers(nn.Hardsigmoid())), "a layer Hardsigmoid"),
    ],
)
def test_other_decoders_are_drawn_in_advance_and_that_is_said(decoder: Any, words: str) -> None:
    found = benchmark.explore(decoder, CODES, label="a <b> model")
    assert found.reason is not None and words in found.reason
    assert "Drawn in advance" in found.html and words in found.html and "latentExplorer" not in found.html
    assert "a &lt;b&gt; model" in found.html and "<b>" not in found.html
    assert "drawn in advance" in repr(found)
    frame = found._repr_html_()
    assert frame.count("<") == 2 and 'sandbox="allow-scripts"' in frame


def test_what_is_drawn_in_advance_is_what_the_decoder_says() -> None:
    one = subject(bars)
    arrays = explorer_arrays(one)
    assert arrays["walked"].shape == (4, 3, 13, 1, 4, 3)
    for k, j in enumerate(arrays["walked_coordinates"]):
        z = one.starts[2].copy()
        z[j] = CODES[:, j].mean() + STEPS[4] * CODES[:, j].std()
        np.testing.assert_allclose(arrays["walked"][2, k, 4], np.round(255 * bars(z[None])[0]), atol=1)


def test_the_module_is_in_eval_mode_and_then_as_it_was() -> None:
    model = Layers(nn.Dropout(0.9), nn.Sigmoid()).train()
    first, second = (traversal_arrays(subject(model))["picture_traversals"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert model.training


class Output(dict):  # type: ignore[type-arg]
    """pythae's ModelOutput."""


class PythaeVAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model_config = {"latent_dim": 3}
        self.decoder = PythaeDecoder()

    def embed(self, x: Tensor) -> Tensor:
        raise AssertionError

    def reconstruct(self, x: Tensor) -> Tensor:
        raise AssertionError


class PythaeDecoder(nn.Module):
    def forward(self, z: Tensor) -> Output:
        return Output(reconstruction=torch.from_numpy(bars(z.numpy())))


def test_forms_of_images_are_read() -> None:
    usual = traversal_arrays(subject(bars))["picture_traversals"]
    for decoder, options in (
        (lambda z: bars(z)[:, 0], {}),
        (lambda z: np.moveaxis(bars(z), 1, 3), {}),
        (lambda z: bars(z).reshape(len(z), -1), {"shape": (1, 4, 3)}),
        (lambda z: np.asarray(z)[:, None, None, :].repeat(4, 2), {"logits": True}),
        (PythaeVAE(), {}),
        (lambda z: torch.from_numpy(bars(z.numpy())), {"tensors": True}),
    ):
        found = traversal_arrays(subject(decoder, **options))["picture_traversals"]
        np.testing.assert_allclose(found.astype(int), usual.astype(int), atol=1)


@pytest.mark.parametrize(
    ("decoder", "options", "words"),
    [
        (lambda z: bars(z).reshape(len(z), -1), {}, "rows of pixels need shape"),
        (lambda z: bars(z), {"shape": (1, 5, 5)}, "does not fit"),
        (lambda z: bars(z), {"shape": (5, 5)}, "must be the"),
        (lambda z: 255 * bars(z), {}, "from 0 .black. to 1 .white."),
        (lambda z: 20 * bars(z) - 10, {}, "logits=True"),
        (lambda z: np.nan * bars(z), {}, "NaN"),
        (lambda z: z[:, 7], {}, "IndexError"),
        (lambda z: {"image": bars(z)}, {}, "a dictionary of image"),
        (nn.Linear(4, 2), {}, r"fails on codes of shape \(30, 3\)"),
        (3, {}, "int is no torch module"),
    ],
)
def test_what_is_no_decoder_is_one_sentence(decoder: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        benchmark.traversals(decoder, CODES, **options)
    assert "\n" not in str(raised.value)


def test_codes_that_are_none_are_one_sentence() -> None:
    with pytest.raises(UsageError, match="explore: `codes` hold NaN"):
        benchmark.explore(bars, CODES * np.nan)
    with pytest.raises(UsageError, match="one code has no spread"):
        benchmark.explore(bars, CODES[:1])


PROBE = """
const frames = () => new Promise((done) => setTimeout(done, 100));
const pixels = () => {
  const canvas = document.querySelector("canvas");
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
};
async function walked() {
  while (!document.querySelector("canvas").getAttribute("aria-label").includes("starts")) await frames();
  const start = pixels();
  const [slider, second] = document.querySelectorAll("input");
  const before = slider.value;
  const move = (each, step) => {
    each.value = step;
    each.dispatchEvent(new Event("input", { bubbles: true }));
  };
  move(slider, 12);
  const end = pixels();
  const output = document.querySelector("output").value;
  move(second, 0);
  const alone = slider.value === before;
  document.querySelector('[data-start="2"]').click();
  return { start, end, output, alone, other: pixels() };
}
"""


def test_sliders_in_a_browser_show_the_pictures_drawn_in_advance(tmp_path: Path, chromium: Browser) -> None:
    chromium.open(benchmark.explore(bars, CODES).save(tmp_path / "own.html").as_uri())
    chromium.run(PROBE)
    found = chromium.run("walked()")
    assert chromium.errors == []
    arrays = explorer_arrays(subject(bars))

    def shown(image: ndarray) -> ndarray:
        return image[0][:, :, None].repeat(3, 2)

    def seen(name: str) -> ndarray:
        return np.array(found[name]).reshape(4, 3, 4)[:, :, :3]

    np.testing.assert_allclose(seen("start"), shown(arrays["picture_images"][0]), atol=1)
    np.testing.assert_allclose(seen("end"), shown(arrays["walked"][0, 0, 12]), atol=1)
    np.testing.assert_allclose(seen("other"), shown(arrays["picture_images"][2]), atol=1)
    assert found["alone"], "one coordinate moves at a time"
    j = arrays["walked_coordinates"][0]
    assert float(found["output"].replace("−", "-")) == pytest.approx(
        CODES[:, j].mean() + 3 * CODES[:, j].std(), rel=1e-2
    )


def test_an_explorer_is_saved_as_a_page_alone(tmp_path: Path) -> None:
    found = benchmark.explore(bars, CODES)
    with pytest.raises(UsageError, match=r"saved as \.html"):
        found.save(tmp_path / "own.png")
    assert found.save(str(tmp_path / "own.html")).read_text() == found.html
    assert "http" not in re.sub(r"http-equiv|http://www.w3.org", "", found.html)
