"""Models that are none of ours; tiny classes of their interfaces stand in for pythae's and lightning's."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy import ndarray
from torch import Tensor, nn

import benchmark
from benchmark.datasets._dataset import Data
from benchmark.datasets.dsprites import Dsprites
from benchmark.datasets.synth_linear import SynthLinear
from benchmark.errors import UsageError
from benchmark.models.beta_vae import BetaVAE
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.reading.encoded import Encoded
from benchmark.reading.factor_kinds import Wishes
from benchmark.reading.read_codes import read_codes
from benchmark.stages.encode import posterior_tables

SIZE = 60
RNG = np.random.default_rng(0)


def data(shape: tuple[int, ...] = (1, 4, 5), maximum: int = 255) -> Data:
    rows = np.arange(0, SIZE, 2)[::-1].copy()  # every other point, from the last on
    factors = np.stack([np.arange(SIZE) % 3, np.arange(SIZE) // 3], axis=1)
    images = RNG.integers(0, maximum + 1, (SIZE, *shape), dtype=np.uint8)
    return Data(images, factors, ("shape", "place"), (3, 20), np.arange(SIZE), rows, maximum=maximum)


GREY = data()
PIXELS = (GREY.images[GREY.evaluation_rows] / np.float32(255)).astype(np.float32)


class Flat(nn.Module):
    """Takes rows of 20 pixels."""

    def __init__(self, outputs: int = 3) -> None:
        super().__init__()
        self.linear = nn.Linear(20, outputs)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Any:
        assert not torch.is_grad_enabled()
        return self.dropout(self.linear(x))


class Images(Flat):
    def forward(self, x: Tensor) -> Any:
        return super().forward(x.flatten(1))


class Pair(Images):
    def forward(self, x: Tensor) -> Any:
        mu = super().forward(x)
        return mu, mu - 5


class ModelOutput(OrderedDict):  # type: ignore[type-arg]
    """pythae.models.base.base_utils.ModelOutput: a dictionary whose entries are attributes."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class PythaeEncoder(Images):
    def forward(self, x: Tensor) -> Any:
        mu = super().forward(x)
        return ModelOutput(embedding=mu, log_covariance=mu - 5)


class PythaeVAE(nn.Module):
    """pythae's models: `forward` takes a dictionary and gives a loss; the encoder is a part."""

    def __init__(self) -> None:
        super().__init__()
        self.model_config = {"latent_dim": 3}
        self.encoder, self.decoder = PythaeEncoder(), nn.Identity()

    def forward(self, inputs: dict[str, Tensor]) -> Any:
        return ModelOutput(loss=inputs["data"].sum())

    def embed(self, inputs: Tensor) -> Tensor:
        raise AssertionError("these are draws")

    def reconstruct(self, inputs: Tensor) -> Tensor:
        raise AssertionError("no codes")


class LightningVAE(nn.Module):
    """A LightningModule is a torch module with steps; this one has an `encode` of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Images()

    def encode(self, x: Tensor) -> Any:
        return self.net(x)

    def forward(self, x: Tensor) -> Any:
        raise AssertionError("reconstructs")

    def training_step(self, batch: Any, index: int) -> Any:
        raise AssertionError("trains")


def encode(model: Any, dataset: Any = GREY, **options: Any) -> Encoded:
    return benchmark.encode(model, dataset, quiet=True, **options)


def expected(linear: nn.Linear) -> ndarray:
    with torch.no_grad():
        return linear(torch.from_numpy(PIXELS.reshape(len(PIXELS), -1))).numpy()


def test_codes_are_those_of_the_evaluation_points_in_their_order_whatever_the_batch() -> None:
    model = Images()
    found = encode(model)
    np.testing.assert_allclose(found.codes, expected(model.linear), atol=1e-6)
    np.testing.assert_array_equal(found.factors, GREY.factors[GREY.evaluation_rows])
    assert found.factor_names == found.discrete == ("shape", "place") and found.variances is None
    np.testing.assert_allclose(encode(model, batch=7).codes, found.codes, atol=1e-6)


def test_the_model_is_evaluated_and_then_as_it_was() -> None:
    model = Images().train()
    model.linear.eval()  # frozen on its own
    first, second = encode(model), encode(model)
    np.testing.assert_array_equal(first.codes, second.codes)  # no dropout
    assert model.training and model.dropout.training and not model.linear.training
    with pytest.raises(UsageError):
        encode(model, data((1, 3, 3)))
    assert model.training and model.dropout.training and not model.linear.training


@pytest.mark.parametrize("model", [Pair(), PythaeVAE()])
def test_log_variances_become_variances(model: Any) -> None:
    found = encode(model)
    linear = model.linear if isinstance(model, Pair) else model.encoder.linear
    np.testing.assert_allclose(found.codes, expected(linear), atol=1e-6)
    np.testing.assert_allclose(found.variances, np.exp(expected(linear) - 5), rtol=1e-4)
    assert "log variance" in found.notes[0]


@pytest.mark.parametrize(
    "output",
    [
        lambda mu: {"mu": mu, "logvar": mu - 5},
        lambda mu: {"mean": mu, "log_var": mu - 5, "z": mu + 1},
        lambda mu: torch.distributions.Normal(mu, (mu / 2 - 2.5).exp()),
        lambda mu: torch.distributions.Independent(torch.distributions.Normal(mu, (mu / 2 - 2.5).exp()), 1),
    ],
)
def test_other_forms_are_read(output: Any) -> None:
    net = Images().eval()
    found = encode(lambda x: output(net(x)), tensors=True)
    np.testing.assert_allclose(found.codes, expected(net.linear), atol=1e-6)
    assert found.variances is not None
    np.testing.assert_allclose(found.variances, np.exp(expected(net.linear) - 5), rtol=1e-4)


def test_a_model_with_an_encode_of_its_own_is_asked_that() -> None:
    model = LightningVAE()
    np.testing.assert_allclose(encode(model).codes, expected(model.net.linear), atol=1e-6)
    np.testing.assert_array_equal(encode(model.encode).codes, encode(model).codes)


def test_one_of_our_models_is_asked_for_its_posterior() -> None:
    torch.manual_seed(0)
    network = MlpTiny(MlpTiny.Settings(latents=4), (1, 4, 5))
    model = BetaVAE(BetaVAE.Settings(likelihood="bernoulli"), network, points=60)
    found = encode(model)
    tables = posterior_tables(model, GREY, np.random.default_rng(0))
    np.testing.assert_allclose(found.codes, tables["means"], atol=1e-6)
    assert found.variances is not None
    np.testing.assert_allclose(found.variances, tables["variances"], atol=1e-6)


def test_a_function_gets_arrays_from_black_0_to_white_1() -> None:
    seen: list[ndarray] = []

    def mean_and_most(x: ndarray) -> ndarray:
        seen.append(x)
        return np.stack([x.mean((1, 2, 3)), x.max((1, 2, 3))], axis=1)

    found = encode(mean_and_most)
    assert all(isinstance(x, ndarray) and x.dtype == np.float32 and x.shape[1:] == (1, 4, 5) for x in seen)
    np.testing.assert_array_equal(found.codes[:, 1], PIXELS.max((1, 2, 3)))
    assert min(x.min() for x in seen) >= 0 and max(x.max() for x in seen) == 1


def test_a_module_gets_its_own_precision_and_points_stay_points() -> None:
    model = Images().double()
    found = encode(model)
    assert found.codes.dtype == np.float64
    np.testing.assert_allclose(found.codes, expected(model.linear.float()), atol=1e-6)
    points = encode(lambda x: x[:, :2], "synth_linear", settings={"points": 30})
    own = SynthLinear(SynthLinear.Settings(points=30)).load()
    np.testing.assert_array_equal(points.codes, own.images[own.evaluation_rows][:, :2])


def test_layouts_and_channels_are_what_the_function_gets() -> None:
    shapes = []

    def look(x: ndarray) -> ndarray:
        shapes.append(x.shape[1:])
        return x.reshape(len(x), -1)[:, :2]

    for options in ({"layout": "nhwc"}, {"layout": "flat"}, {"channels": 3}, {"layout": "nhwc", "channels": 3}):
        encode(look, **options)
    assert list(dict.fromkeys(shapes)) == [(4, 5, 1), (20,), (3, 4, 5), (4, 5, 3)]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Flat(), 'it takes rows of shape (2, 20), float32: say layout="flat"'),
        (nn.Sequential(nn.Conv2d(3, 2, (4, 5)), nn.Flatten()), "images of shape (2, 3, 4, 5), float32: say channels=3"),
        (nn.Sequential(nn.Conv2d(4, 2, (5, 1)), nn.Flatten()), 'say layout="nhwc"'),
        (nn.Sequential(nn.Flatten(), nn.Linear(9, 2)), "images of another size are another dataset"),
    ],
)  # fmt: skip
def test_a_model_that_wants_other_images_is_told_how_to_get_them(model: Any, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        encode(model)
    assert words in str(raised.value) and "(2, 1, 4, 5)" in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda x: x.reshape(len(x), -1)[:, :3] * np.nan, "NaN or infinite for 2 of 2 images"),
        (lambda x: x, r"codes of shape \(2, 1, 4, 5\) for 2 images"),
        (lambda x: x.reshape(len(x), -1).T, r"codes of shape \(20, 2\) for 2 images"),
        (lambda x: (x.mean((2, 3)), x.mean((2, 3)), x.mean((2, 3))), "3 arrays of shapes"),
        (lambda x: {"z": x.mean((2, 3))}, "a dictionary of z"),
        (lambda x: None, "NoneType"),
        (lambda x: {"mu": x.mean((2, 3)), "logvar": x.mean((2, 3)) + 1e6}, "no positive numbers"),
        (lambda x: {"mu": x.mean((2, 3)), "logvar": x.mean((1, 2))}, "beside codes"),
        (lambda x: 1 / 0, "ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_no_codes_is_one_sentence(model: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        encode(model)
    assert "\n" not in str(raised.value)


def test_nan_late_in_the_data_is_found() -> None:
    brightest = PIXELS.mean((1, 2, 3)).argmax()
    limit = np.sort(PIXELS.mean((1, 2, 3)))[-2]
    assert brightest > 1
    with pytest.raises(UsageError, match="NaN or infinite for 1 of"):
        encode(lambda x: np.where(x.mean((2, 3)) > limit, np.nan, x.mean((2, 3))), batch=8)


def test_draws_are_noted_and_means_are_not() -> None:
    noisy = encode(lambda x: x.mean((2, 3)) + np.random.default_rng().normal(size=(len(x), 1)))
    assert any("draws, not means" in note for note in noisy.notes)
    assert not any("draws" in note for note in encode(Images()).notes)
    deviations = encode(lambda x: (x.mean((2, 3)), x.mean((2, 3)) + 1))
    assert any("nowhere negative" in note for note in deviations.notes)


def test_codes_that_depend_on_the_batch_are_noted() -> None:
    """A network in train mode within a function, which nothing but its codes tells."""
    for norm in (nn.Sequential(nn.BatchNorm2d(1), nn.Flatten()), nn.Sequential(nn.Flatten(), nn.BatchNorm1d(20))):
        found = encode(lambda x, net=norm: net(x).detach(), tensors=True)
        assert any("beside other images" in note and ".eval()" in note for note in found.notes)
        norm.eval()
        assert len(encode(lambda x, net=norm: net(x).detach(), tensors=True).notes) == 1
    noisy = encode(lambda x: x.mean((2, 3)) + np.random.default_rng().normal(size=(len(x), 1)))
    assert not any("beside other images" in note for note in noisy.notes)


def test_a_saved_file_may_be_scored_without_some_factors(tmp_path: Path) -> None:
    found = encode(Images())
    found.save(tmp_path / "mine.npz")
    assert read_codes(tmp_path / "mine.npz", wishes=Wishes(drop=["shape"])).codes.factor_names == ("place",)
    assert list(benchmark.score(found, metrics="mcc", drop=["shape"], quiet=True).attrs["factors"]) == ["place"]
    with pytest.raises(UsageError, match=r"no factor is called 'shape' \(discrete\)"):
        benchmark.score(found, metrics="mcc", drop=["shape"], discrete=["shape"], quiet=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dataset": "dspritess"}, 'did you mean "dsprites"'),
        ({"dataset": 3}, "give a name of"),
        ({"settings": {}}, "belong to a dataset's name"),
        ({"dataset": "dsprites", "settings": {"resolution": 7}}, "resolution"),
        ({"layout": "cwh"}, "layout"),
        ({"batch": 0}, "batch"),
        ({"channels": 0}, "channels"),
        ({"model": 3}, "int is no torch module"),
        ({"dataset": data((3, 4, 5)), "channels": 4}, "repeats the one channel"),
    ],
)
def test_a_wrong_request_is_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        benchmark.encode(**({"model": Images(), "dataset": GREY, "quiet": True} | arguments))


def test_a_saved_file_is_scored_like_the_arrays(tmp_path: Path) -> None:
    found = encode(Pair())
    assert found.save(str(tmp_path / "mine.npz")) == tmp_path / "mine.npz"
    with np.load(tmp_path / "mine.npz") as archive:
        assert set(archive) == {"codes", "variances", "factors", "factor_names", "discrete_factors"}
    benchmark.add_codes([tmp_path / "mine.npz"], results=tmp_path / "results", metrics=["kl", "modularity"])
    from benchmark.table import read_table

    stored = read_table(benchmark.evaluate("mine", results=tmp_path / "results", jobs=0).table)
    scores = benchmark.score(found, metrics="kl,modularity", quiet=True)
    assert list(scores["value"].dropna()) == list(stored["value"].dropna()) != []
    assert scores.attrs["factors"] == {"shape": "discrete, 3 values", "place": "discrete, 20 values"}
    with pytest.raises(UsageError, match=r"saved as \.npz"):
        found.save(tmp_path / "mine.csv")
    with pytest.raises(UsageError, match="no folder"):
        found.save(tmp_path / "nowhere" / "mine.npz")


def test_a_dataset_by_name_has_the_points_of_a_suite(tmp_path: Path) -> None:
    settings = {"resolution": 32, "stride": (1, 3, 20, 16, 16)}
    own = Dsprites(Dsprites.Settings(**settings))
    found = encode(lambda x: x.mean((2, 3)), "dsprites", settings=settings)
    rows = own.load().evaluation_rows
    np.testing.assert_array_equal(found.factors, own.load().factors[rows])
    np.testing.assert_array_equal(encode(lambda x: x.mean((2, 3)), own).codes, found.codes)
    assert repr(found).startswith(f"{len(rows)} points × 1 codes on dsprites resolution=32")
