"""The latent explorer: what is exported decodes as the model does, in numpy and in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chromium import Browser
from numpy import ndarray
from small import small_run, table
from torch import nn

from benchmark import registry
from benchmark.codes import Codes
from benchmark.models._model import Embedding
from benchmark.models.kernel_pca import KernelPCA
from benchmark.models.pca import PCA
from benchmark.networks._network import Network, kaiming
from benchmark.networks.conv32 import Conv32
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.stages.studies import Trained
from benchmark.stages.studies.decoder import (
    MEAN_ERROR,
    Operation,
    arrays,
    decoded_by,
    evaluate,
    exact_decoder,
    rounded,
    transposed_convolution,
)
from benchmark.training.engine import seeded
from leaderboard.explorer import fragment

ASSETS = Path(__file__).parents[2] / "leaderboard" / "assets"
CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


class Odd(Network):
    """Every kind of layer: strides, kernels and paddings that differ between the two sides of the image."""

    def encoder(self, outputs: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 13 * 11, outputs))

    def decoder(self) -> nn.Module:
        start = nn.Sequential(nn.Linear(self.latents, 40, bias=False), nn.Tanh(), nn.Unflatten(1, (4, 5, 2)))
        middle = nn.ConvTranspose2d(4, 5, (3, 5), stride=(1, 2), padding=(1, 1))
        last = nn.ConvTranspose2d(5, 3, (3, 3), stride=(3, 2), padding=(1, 0))
        nn.init.constant_(last.bias, 0.5)
        return nn.Sequential(kaiming(nn.Sequential(start, middle)), nn.LeakyReLU(0.2), nn.Identity(), last)


def trained(model: Any, shape: tuple[int, ...], d: int) -> Trained:
    """A model as it is, with codes that a prior might have drawn."""
    rng = np.random.default_rng(0)
    data = table(rng.integers(0, 256, (30, *shape)).astype(np.uint8), maximum=255)
    z = rng.standard_normal((30, d)).astype(np.float32)
    sampled = not isinstance(model, Embedding) and model.noise_size > 0 and type(model).__name__ not in ("AE", "QLAE")
    codes = Codes(z, data.factors, (), (), samples=z if sampled else None)
    return Trained(model, data, codes, small_run())


def neural(name: str, network: Any, shape: tuple[int, ...], likelihood: str = "bernoulli", d: int = 4) -> Trained:
    model_class = registry.load("model", name)
    settings = model_class.Settings(likelihood=likelihood, sigma=0.1 if likelihood == "gaussian" else 0.0)
    with seeded("explorer"):
        model = model_class(settings, network(network.Settings(latents=d), shape), 100).eval()
    if name == "vae_ica":
        rng = np.random.default_rng(1)
        model.mixing.copy_(torch.from_numpy(rng.standard_normal((d, d))))
        model.centre.copy_(torch.from_numpy(rng.standard_normal(d)))
    return trained(model, shape, d)


def linear_one() -> Trained:
    x = np.random.default_rng(2).random((50, 64)).astype(np.float32)
    return trained(PCA(PCA.Settings(latents=3)).fit(x, np.random.default_rng(0)), (1, 8, 8), 3)


CASES = {
    "vae": lambda: neural("vae", Conv32, (1, 32, 32)),
    "colours": lambda: neural("student_vae", Odd, (3, 13, 11), "gaussian"),
    "ica of codes": lambda: neural("vae_ica", MlpTiny, (1, 6, 7)),
    "deterministic": lambda: neural("ae", MlpTiny, (2, 5, 5), "gaussian"),
    "linear": linear_one,
}


@pytest.fixture(scope="module")
def exported() -> dict[str, tuple[Trained, dict[str, ndarray]]]:
    found = {name: make() for name, make in CASES.items()}
    return {name: (one, arrays(one)) for name, one in found.items()}


def read(stored: dict[str, ndarray]) -> list[Operation]:
    """The program as the page reads it."""
    data, program = stored["explorer_weights"].tobytes(), []
    for listed in json.loads(stored["explorer_program"].tobytes())["operations"]:
        step = Operation(listed["kind"], options=listed)
        if "size" in listed:
            size, outputs = listed["size"], listed["size"][0]
            whole = np.frombuffer(data, "<i2" if listed["bits"] > 8 else "<i1", int(np.prod(size)), listed["weights"])
            scales = np.frombuffer(data, "<f4", outputs, listed["scales"])
            weight = (whole.reshape(outputs, -1) * scales[:, None]).reshape(size)
            step = replace(step, weight=weight, bias=np.frombuffer(data, "<f4", outputs, listed["biases"]))
        program.append(step)
    return program


def exact(one: Trained, z: ndarray) -> ndarray:
    found = exact_decoder(one)
    assert found is not None
    return found[0](z)


@pytest.mark.parametrize("name", CASES)
def test_what_is_stored_decodes_as_the_model_does(exported: Any, name: str) -> None:
    one, stored = exported[name]
    assert "explorer_reason" not in stored
    z = np.concatenate([stored["explorer_draws"], stored["explorer_codes"]])
    difference = np.abs(np.clip(evaluate(read(stored), z), 0, 1) - np.clip(exact(one, z), 0, 1))
    largest, mean = stored["explorer_error"]
    assert 0 < difference.max() <= largest + 1e-6
    assert mean <= MEAN_ERROR
    assert difference.mean() < 2 * mean
    if name != "linear":  # that the exact images differ is what makes this a test
        assert np.ptp(exact(one, z), axis=0).max() > 0.1


def test_draws_are_the_priors_or_codes_of_the_data(exported: Any) -> None:
    one, stored = exported["deterministic"]
    assert stored["explorer_prior"] == 0
    assert {row.tobytes() for row in stored["explorer_draws"]} <= {row.tobytes() for row in one.codes.means}
    np.testing.assert_allclose(stored["explorer_range"], [one.codes.means.mean(0), one.codes.means.std(0)])
    one, stored = exported["vae"]
    assert stored["explorer_prior"] == 1
    assert not {row.tobytes() for row in stored["explorer_draws"]} & {row.tobytes() for row in one.codes.means}
    np.testing.assert_array_equal(stored["explorer_range"], [[0] * 4, [1] * 4])


def test_a_transposed_convolution_spreads_its_kernel() -> None:
    kernel = np.arange(1, 5, dtype=np.float32).reshape(1, 1, 2, 2)
    options: dict[str, Any] = {"stride": [2, 2], "padding": [0, 0]}
    step = Operation("transposed", kernel, np.array([0.5], np.float32), options)
    found = transposed_convolution(step, np.array([[[[1, 10]]]], np.float32))
    np.testing.assert_array_equal(found[0, 0], np.array([[1, 2, 10, 20], [3, 4, 30, 40]]) + 0.5)


def test_layers_get_more_bits_where_six_are_too_few() -> None:
    # In 8 bits, 0.3 beside 100 is no more than 0. The second layer does well with 8.
    first = Operation("linear", np.array([[100, 0.3], [0, 1]], np.float32), np.zeros(2, np.float32))
    second = Operation("linear", np.array([[1, 0], [0, 1]], np.float32), np.zeros(2, np.float32))
    shape = Operation("reshape", options={"shape": [1, 1, 2]})
    z = np.stack([np.zeros(20), np.linspace(0, 1, 20)], axis=1).astype(np.float32)
    program = [first, second, shape]
    found, (largest, mean) = rounded(program, z, evaluate(program, z))
    assert [step.bits for step in found[:2]] == [16, 8]
    assert mean <= largest < MEAN_ERROR


def test_a_decoder_that_cannot_run_in_the_page_says_why() -> None:
    one = neural("vae", MlpTiny, (1, 6, 7))
    assert not isinstance(one.model, Embedding)
    one.model.decoder = nn.Sequential(nn.Linear(4, 42), nn.GELU(), nn.Unflatten(1, (1, 6, 7)))
    (only,) = arrays(one).items()
    assert only[0] == "explorer_reason"
    assert "GELU" in only[1].tobytes().decode()
    said = fragment(dict([only]), "VAE", "a")
    assert said is not None and "No latent explorer of VAE" in said and "GELU" in said and "<canvas" not in said


def test_more_than_the_layers_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = neural("vae", MlpTiny, (1, 6, 7))
    monkeypatch.setattr(type(one.model), "decode", lambda self, z: self.decoder(z) ** 2)
    assert arrays(one).keys() == {"explorer_reason"}
    linear = linear_one()
    monkeypatch.setattr(PCA, "decode", lambda self, z: ((z**2 * self.deviation) @ self.components) + self.mean)
    assert arrays(linear).keys() == {"explorer_reason"}


def test_a_quantised_model_is_explored_by_its_decoder_between_values_too() -> None:
    one = neural("qlae", MlpTiny, (1, 6, 7))
    stored = arrays(one)
    assert len(stored["explorer_draws"]) == 30
    test_what_is_stored_decodes_as_the_model_does({"qlae": (one, stored)}, "qlae")


def test_nothing_without_images_or_a_way_back() -> None:
    assert arrays(neural("vae", MlpTiny, (7,), "gaussian")) == {}
    rng = np.random.default_rng(0)
    model = KernelPCA(KernelPCA.Settings(latents=3)).fit(rng.random((20, 64)), rng)
    assert arrays(trained(model, (1, 8, 8), 3)) == {}
    assert fragment({}, "Kernel PCA", "a") is None


def with_pictures(one: Trained, stored: dict[str, ndarray], kl: list[float] | None = None) -> dict[str, ndarray]:
    found = stored | {"picture_images": one.data.images[:10]}
    return found if kl is None else found | {"picture_coordinate_kl": np.array(kl)}


def test_sliders_are_sorted_by_kl_and_passive_ones_marked(exported: Any) -> None:
    one, stored = exported["vae"]
    found = fragment(with_pictures(one, stored, [0.5, 0.001, 3.0, 0.0]), "A <b> & c", "k")
    assert found is not None
    assert re.findall(r'id="explorer-k-(\d)"', found) == ["2", "0", "1", "3"]
    rows = re.findall(r'class="explorer-row( passive)?"', found)
    assert rows == ["", "", " passive", " passive"]
    assert "3.00 nats" in found and "A &lt;b&gt; &amp; c" in found and "<b>" not in found
    assert found.count("data:image/png;base64,") == 8


def standalone(path: Path, explorers: list[Any]) -> Path:
    """A page with nothing but explorers, under the report's content security policy."""
    css, page, code = ((ASSETS / name).read_text() for name in ("explorer.css", "page.css", "explorer.js"))
    articles = "".join(f"<article><h4>Configuration {i}</h4>{one}</article>" for i, one in enumerate(explorers))
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>explorers</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<meta http-equiv="Content-Security-Policy" content="{CSP}"><style>{css}{page}</style></head>'
        f"<body><main>{articles}</main><script>{code}</script></body></html>"
    )
    return path


PROBE = """
const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
const pixels = (root) => {
  const canvas = root.querySelector("canvas");
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
};
async function probe(root) {
  const data = JSON.parse(root.querySelector("script").textContent);
  const layers = await latentExplorer.unpack(data.program, data.weights);
  const decoded = data.draws.slice(0, 5).map((z) => [...latentExplorer.decode(layers, Float32Array.from(z))]);
  const closed = pixels(root);
  root.querySelector("summary").click();
  while (!root.querySelector("canvas").getAttribute("aria-label").includes("differs")) await frames();
  const opened = pixels(root);
  const slider = root.querySelector("input");
  slider.value = 3;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await frames();
  const moved = pixels(root);
  const output = root.querySelector("output").value;
  root.querySelector('[data-start="reset"]').click();
  await frames();
  return { decoded, closed, opened, moved, output, reset: pixels(root) };
}
async function sweep(root, seconds) {
  const before = pixels(root);
  const button = root.querySelector("[data-sweep]");
  button.click();
  const seen = new Set();
  const until = performance.now() + 1000 * seconds;
  while (button.getAttribute("aria-pressed") === "true" && performance.now() < until) {
    await frames();
    seen.add(root.querySelector("output").value);
  }
  await frames();
  return { before, after: pixels(root), places: [...seen].map((text) => Number(text.replace("−", "-"))) };
}
"""


@pytest.fixture(scope="module")
def browsed(exported: Any, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the explorers of all cases did in a browser, by name; a `sweep` of the first, and a `still` one."""
    folder = tmp_path_factory.mktemp("browser")
    pages = [fragment(with_pictures(*exported[name]), name, f"c{i}") for i, name in enumerate(CASES)]
    page = standalone(folder / "page.html", pages).as_uri()
    chromium.open(page)
    chromium.run(PROBE)
    found = {name: chromium.run(f"probe(document.querySelectorAll('details')[{i}])") for i, name in enumerate(CASES)}
    found["sweep"] = chromium.run("sweep(document.querySelector('details'), 60)")
    assert chromium.errors == []
    chromium.open(page, motion="reduce")
    chromium.run(PROBE)
    chromium.run("probe(document.querySelector('details'))")
    found["still"] = chromium.run("sweep(document.querySelector('details'), 1.5)")
    assert chromium.errors == []
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_browser_decodes_as_numpy_does(exported: Any, browsed: Any, name: str) -> None:
    stored = exported[name][1]
    expected = evaluate(read(stored), stored["explorer_draws"][:5].round(4))
    found = np.array(browsed[name]["decoded"]).reshape(5, *np.roll(expected.shape[1:], -1)).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_a_slider_moves_the_picture(exported: Any, browsed: Any, name: str) -> None:
    found, (one, stored) = browsed[name], exported[name]
    assert not any(found["closed"])  # nothing is decoded before an explorer is opened
    image = evaluate(read(stored), stored["explorer_codes"][:1].round(4))[0]
    shown = np.round(255 * np.clip(image if len(image) == 3 else image[:1].repeat(3, 0), 0, 1)).transpose(1, 2, 0)
    height, width = one.data.shape[1:]
    drawn = np.array(found["opened"]).reshape(height, width, 4)
    np.testing.assert_allclose(drawn[:, :, :3], shown, atol=1)
    assert (drawn[:, :, 3] == 255).all()
    assert found["moved"] != found["opened"]
    assert found["reset"] == found["opened"]


def test_a_sweep_goes_through_the_range_and_back(browsed: Any) -> None:
    found = browsed["sweep"]
    assert found["after"] == found["before"]
    assert max(found["places"]) > 2
    assert min(found["places"]) < -2
    assert len(found["places"]) > 3
    assert browsed["vae"]["output"] == "3.00"


def test_who_wants_less_motion_sees_still_pictures(browsed: Any) -> None:
    places = sorted(browsed["still"]["places"])
    assert len(places) >= 2
    np.testing.assert_allclose(np.diff(places), 1, atol=0.011)


def test_the_exact_decoder_is_the_mean_image(exported: Any) -> None:
    one, stored = exported["vae"]
    z = torch.from_numpy(stored["explorer_draws"])
    with torch.no_grad():
        np.testing.assert_array_equal(decoded_by(one.model, z.numpy()), one.model.decode(z).sigmoid().numpy())
