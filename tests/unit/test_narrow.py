"""bfloat16 on a CPU: layers against exact arithmetic, what stays in single precision, and who is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from small import advance, engine_of, load, small_run
from torch import Tensor, nn

from benchmark.errors import UsageError
from benchmark.models.vae import VAE
from benchmark.networks._doubling import Doubling
from benchmark.spec import TrainingSettings
from benchmark.training import products
from benchmark.training.fleet import plan_fleets
from benchmark.training.loop import build, check_precision
from benchmark.training.narrow import NarrowLayer, NarrowReLU, narrowed
from benchmark.training.single import SingleEngine

NARROW = {"precision": "bfloat16"}
CONV: dict[str, Any] = {
    "network": ("conv32", {"latents": 2}),
    "dataset": ("dsprites", {"resolution": 32, "stride": (1, 1, 8, 8, 8)}),
}


def whole_numbers(*shape: int, most: int = 2) -> Tensor:
    return torch.randint(-most, most + 1, shape).float()


LAYERS = {
    "linear": (nn.Linear(6, 5), (3, 6)),
    "convolution": (nn.Conv2d(2, 3, 4, stride=2, padding=1), (2, 2, 8, 8)),
    "dilated": (nn.Conv2d(2, 4, 3, padding=2, dilation=2, groups=2), (2, 2, 7, 7)),
    "transposed": (nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1), (2, 2, 4, 4)),
    "doubling, few channels": (Doubling(2, 1), (2, 2, 4, 4)),
    "doubling, many channels": (Doubling(2, 9), (2, 2, 4, 4)),
    "without bias": (nn.Conv2d(2, 3, 4, stride=2, padding=1, bias=False), (2, 2, 8, 8)),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_are_exact_on_numbers_that_bfloat16_holds(layer: str) -> None:
    """Sums of small whole numbers stay below 256: outputs and gradients must agree to the last bit."""
    torch.manual_seed(0)
    exact, shape = copy.deepcopy(LAYERS[layer])
    with torch.no_grad():
        for parameter in exact.parameters():
            parameter.copy_(whole_numbers(*parameter.shape))
    narrow, x = NarrowLayer(exact, hands_on=False), whole_numbers(*shape, most=1)
    found = []
    for module in (exact, narrow):
        given = x.clone().requires_grad_()
        y = module(given)
        pull = whole_numbers(*y.shape, most=1) if not found else found[0][1]
        gradients = torch.autograd.grad((y * pull).sum(), [given, *exact.parameters()])
        found.append((y, pull, gradients))
    (y, _, expected), (narrow_y, _, gradients) = found
    assert y.abs().max() > 2
    assert torch.equal(y, narrow_y)
    assert narrow_y.dtype == torch.float32
    for one, other in zip(gradients, expected, strict=True):
        assert one.dtype == torch.float32
        assert torch.equal(one, other)


def test_a_layer_rounds_what_it_multiplies_and_not_its_weights() -> None:
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1 + 2**-10)  # 1 in bfloat16, of 8 bits
    assert NarrowLayer(layer, hands_on=False)(torch.ones(1, 1)).item() == 1
    assert layer.weight.item() == 1 + 2**-10


def test_the_relu_by_bits_is_the_relu() -> None:
    values = torch.tensor([-3.0, -0.0, 0.0, 1e-30, 2.5, float("inf"), -float("inf")]).bfloat16()
    pull = torch.arange(1.0, 8.0).bfloat16()
    found = []
    for relu in (nn.ReLU(), NarrowReLU()):
        x = values.clone().requires_grad_()
        y = relu(x * 1)
        found.append((y, *torch.autograd.grad(y, x, pull)))
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
    assert torch.equal(NarrowReLU()(torch.tensor([-1.0, 2.0])), torch.tensor([0.0, 2.0]))


def test_a_twin_shares_weights_and_hands_narrow_numbers_on() -> None:
    run = small_run(**CONV)
    model = build(run, load(run))
    twin = narrowed(model)
    assert all(one is other for one, other in zip(model.parameters(), twin.parameters(), strict=True))
    assert not any(isinstance(layer, NarrowLayer) for layer in model.modules())
    decoder = twin.decoder
    assert isinstance(decoder, nn.Sequential)
    z = torch.randn(3, 2)
    assert decoder[0](z).dtype == torch.bfloat16
    assert decoder(z).dtype == torch.float32
    assert type(decoder[1]) is NarrowReLU


@pytest.mark.parametrize("model", ["vae", "factor_vae", "beta_tcvae", "aae"])
def test_one_by_one_it_is_near_single_precision_and_keeps_its_state_there(model: str) -> None:
    run = small_run(model, **CONV)
    data, training = load(run), TrainingSettings(batch=16, learning_rate=1e-3, steps=50)  # type: ignore[call-arg]
    losses = []
    for precision in ("float32", "bfloat16"):
        settings = training.model_copy(update={"precision": precision})
        engine = SingleEngine([build(run, data)], [settings])
        losses.append(torch.stack([each["loss"] for each in advance(engine, [run], data, 0, 5)]))
        assert all(value.dtype == torch.float32 for value in engine.state().values())
        assert type(engine.member(0)) is type(build(run, data))  # what is encoded: the model as it was written
        assert not any(isinstance(layer, NarrowLayer) for layer in engine.member(0).modules())
    torch.testing.assert_close(losses[1], losses[0], rtol=0.01, atol=0)
    assert not torch.equal(*losses)


def test_stacked_and_one_by_one_agree() -> None:
    run = small_run("vae", training=NARROW, network=("mlp_200", {"latents": 2}), dataset=("digits", {}))
    data = load(run)
    found = [
        torch.stack([each["loss"] for each in advance(engine_of(kind, [run], data), [run], data, 0, 20)])
        for kind in ("single", "stacked")
    ]
    torch.testing.assert_close(found[0], found[1], rtol=0.01, atol=0)


def test_a_stacked_step_takes_relus_by_their_bits() -> None:
    run = small_run("vae", training=NARROW)
    engine, data = engine_of("stacked", [run], load(run)), load(run)
    advance(engine, [run], data, 0, 1)
    recorded = engine._recorded.func  # type: ignore[attr-defined]
    called = [str(node.target) for node in recorded.graph.nodes if node.op == "call_function"]
    assert sum("relu" in name for name in called) == 0
    assert sum("clamp_min" in name for name in called) >= 2
    assert sum("threshold_backward" in name for name in called) >= 2


def test_plans_for_a_cpu() -> None:
    assert [fleet.engine for fleet in plan_fleets([small_run(training=NARROW)])] == ["stacked"]
    assert [fleet.engine for fleet in plan_fleets([small_run(training=NARROW, **CONV)])] == ["single"]


def test_a_model_without_layers_of_torch_is_refused_before_training(monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run("vae", training=NARROW)
    check_precision(run, load(run))

    class Own(nn.Linear):
        pass

    def build_own(self: VAE, network: Any) -> None:
        self.encoder, self.decoder = Own(3, 4), Own(2, 3)

    monkeypatch.setattr(VAE, "build", build_own)
    with pytest.raises(UsageError, match=r'training\.precision = "bfloat16" does not suit model vae: .*use "float32"'):
        check_precision(run, load(run))
    check_precision(small_run("vae"), load(run))


def test_what_multiplies_is_named_and_slowness_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "narrow_units", lambda: "AVX512-BF16")
    assert products.described("bfloat16") == "bfloat16, oneDNN, AVX512-BF16"
    assert products.described("float32").startswith("float32, ")
    assert products.slow("bfloat16") is None
    monkeypatch.setattr(products, "narrow_units", lambda: None)
    assert products.described("bfloat16") == "bfloat16, oneDNN, without units of its own"
    assert "is slow here" in (products.slow("bfloat16") or "")
    assert products.slow("float32") is products.slow("bfloat16", "cuda") is None
