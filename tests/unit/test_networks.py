"""Networks: sizes, shapes and initial weights."""

import math

import pytest
import torch
from torch import nn
from torch.func import functional_call, jvp, vmap

from benchmark import registry
from benchmark.errors import UsageError
from benchmark.networks import conv128
from benchmark.networks._doubling import Doubling, Product
from benchmark.networks._network import Network
from benchmark.networks.conv import AnyConv
from benchmark.networks.conv32 import Conv32
from benchmark.networks.conv64 import Conv64
from benchmark.networks.conv128 import Conv128
from benchmark.networks.linear import Linear
from benchmark.networks.mlp_tiny import MlpTiny

SHAPES = [(3, 128, 128), (2, 64, 64), (2, 32, 32), (3, 8, 8), (5,)]


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def fits(network: type[Network], shape: tuple[int, ...]) -> bool:
    try:
        network(network.Settings(), shape)
    except UsageError:
        return False
    return True


def test_conv64_has_the_502_005_parameters_that_its_source_states() -> None:
    network = Conv64(Conv64.Settings(), (1, 64, 64))
    assert parameters(network.encoder(20)) + parameters(network.decoder()) == 502_005


def test_one_family_for_every_power_of_two() -> None:
    """At a side that has a name of its own it is that network: the same layers, the same weights from one stream."""
    for cls, side in ((Conv32, 32), (Conv64, 64), (Conv128, 128)):
        drawn = []
        for one in (cls, AnyConv):
            torch.manual_seed(0)
            network = one(one.Settings(latents=3), (3, side, side))
            drawn.append({**network.encoder(6).state_dict(), "": network.decoder().state_dict()["0.weight"]})
        assert drawn[0].keys() == drawn[1].keys()
        assert all(torch.equal(drawn[0][key], drawn[1][key]) for key in drawn[0])
    sides = {side: AnyConv(AnyConv.Settings(), (1, side, side)) for side in (8, 16, 256)}
    assert {side: network.depth for side, network in sides.items()} == {8: 1, 16: 2, 256: 6}
    assert sides[16].encoder(5)(torch.zeros(2, 1, 16, 16)).shape == (2, 5)
    assert sides[256].decoder()(torch.zeros(1, 10)).shape == (1, 1, 256, 256)


@pytest.mark.parametrize("shape", [(1, 48, 48), (1, 4, 4), (1, 2048, 2048), (3, 64, 32), (64, 64), (10,)])
def test_the_family_refuses_other_data(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"a power of two from 8 to 1024 pixels, this data is .*; set dataset"):
        AnyConv(AnyConv.Settings(), shape)


def test_conv128_has_the_parameters_that_its_text_states() -> None:
    network = Conv128(Conv128.Settings(), (3, 128, 128))
    count = parameters(network.encoder(20)) + parameters(network.decoder())
    assert f"{count:,} parameters" in str(conv128.__doc__)


def test_mlp_tiny_has_two_hidden_layers_on_each_side() -> None:
    network = MlpTiny(MlpTiny.Settings(latents=2, hidden=7), (3,))
    assert parameters(network.encoder(4)) == 3 * 7 + 7 + 7 * 7 + 7 + 7 * 4 + 4
    assert parameters(network.decoder()) == 2 * 7 + 7 + 7 * 7 + 7 + 7 * 3 + 3


@pytest.mark.parametrize("name", registry.names("network"))
def test_networks_map_data_to_outputs_and_latents_to_data(name: str) -> None:
    cls: type[Network] = registry.load("network", name)
    shapes = [shape for shape in SHAPES if fits(cls, shape)]
    assert shapes
    for shape in shapes:
        network = cls(cls.Settings(latents=3), shape)
        with torch.no_grad():
            assert network.encoder(9)(torch.rand(4, *shape)).shape == (4, 9)
            assert network.decoder()(torch.rand(4, 3)).shape == (4, *shape)


@pytest.mark.parametrize(("network", "size"), [(Conv64, 64), (Conv32, 32), (Conv128, 128)])
@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 64, 32), (10,)])
def test_convolutions_refuse_other_data_and_say_what_to_set(
    network: type[Network], size: int, shape: tuple[int, ...]
) -> None:
    with pytest.raises(UsageError, match=rf"{size} × {size} pixels.*dataset\.resolution = {size}"):
        network(network.Settings(), shape)


@pytest.mark.parametrize("name", registry.names("network"))
def test_weights_are_kaiming_normal_by_fan_in_and_biases_zero(name: str) -> None:
    cls: type[Network] = registry.load("network", name)
    shape = next(shape for shape in [(1, 128, 128), (1, 64, 64), (1, 32, 32), (40,)] if fits(cls, shape))
    network = cls(cls.Settings(latents=20), shape)
    torch.manual_seed(0)
    layers = [
        layer
        for part in (network.encoder(40), network.decoder())
        for layer in part.modules()
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
    ]
    assert layers
    for layer in layers:
        weight = layer.weight
        fan_in = layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels * math.prod(layer.kernel_size)
        # A standard deviation of n normal draws is off by 1/√(2n), relatively.
        assert weight.std().item() * math.sqrt(fan_in / 2) == pytest.approx(1, abs=5 / math.sqrt(2 * weight.numel()))
        assert layer.bias is not None
        assert not layer.bias.any()


def test_a_linear_network_is_linear() -> None:
    network = Linear(Linear.Settings(latents=2), (3,))
    for module, inputs in ((network.encoder(4), 3), (network.decoder(), 2)):
        a, b = torch.rand(2, 1, inputs)
        torch.testing.assert_close(module(a + 2 * b), module(a) + 2 * module(b))


def doubling(outputs: int) -> tuple[Doubling, nn.ConvTranspose2d, torch.Tensor]:
    """The layer, torch's own with the same weights, and an input; in double precision."""
    torch.manual_seed(outputs)
    own, native = Doubling(5, outputs).double(), nn.ConvTranspose2d(5, outputs, 4, stride=2, padding=1).double()
    native.load_state_dict(own.state_dict())
    return own, native, torch.randn(3, 5, 4, 6).double().requires_grad_()


@pytest.mark.parametrize("outputs", [1, 3, 32])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_doubling_is_torchs_transposed_convolution(outputs: int, layout: torch.memory_format) -> None:
    own, native, x = doubling(outputs)
    x = x.detach().to(memory_format=layout).requires_grad_()
    found, known = own(x), native(x)
    torch.testing.assert_close(found, known)
    pull = torch.randn_like(known)
    gradients = zip(
        torch.autograd.grad(found, [x, *own.parameters()], pull),
        torch.autograd.grad(known, [x, *native.parameters()], pull),
        strict=True,
    )
    for gradient, expected in gradients:
        torch.testing.assert_close(gradient, expected)
        assert gradient.shape == expected.shape


@pytest.mark.parametrize("outputs", [1, 32])
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_doubling_has_forward_derivatives_and_stacks(outputs: int) -> None:
    own, native, x = doubling(outputs)
    x = x.detach()
    tangents = torch.randn(2, *x.shape).double()
    for gradients in (True, False):
        with torch.set_grad_enabled(gradients):
            found, known = (
                vmap(lambda tangent, layer=layer: jvp(layer, (x,), (tangent,))[1])(tangents) for layer in (own, native)
            )
        torch.testing.assert_close(found, known)
    weights = {name: torch.stack([value, 2 * value + 1]) for name, value in own.state_dict().items()}
    inputs = torch.stack([x, -x])
    found, known = (
        vmap(lambda weights, x, layer=layer: functional_call(layer, weights, (x,)))(weights, inputs)
        for layer in (own, native)
    )
    torch.testing.assert_close(found, known)
    if outputs == 1:
        product = (x[:1, :2, :2, :2].clone().requires_grad_(), own.weight[:2].detach().requires_grad_())
        assert torch.autograd.gradcheck(Product.apply, product, check_forward_ad=True)
