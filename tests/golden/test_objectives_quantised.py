"""Quantised latents in cases solvable by hand: the nearest value, both losses, and who is trained by which."""

from __future__ import annotations

import math

import pytest
import torch
from small import advance, engine_of, load, small_run
from test_objectives import Fixed, make
from torch import Tensor, nn

from benchmark.models._neural import Batch
from benchmark.models._straight_through import straight_through
from benchmark.models.qlae import QLAE

VALUES = torch.tensor([[-1.0, 0.0, 2.0], [10.0, 11.0, 12.0]], dtype=torch.float64)


def by_hand(**settings: float) -> QLAE:
    """Codes are the data; the decoder doubles them; likelihood N(x; 2c, ½²)."""
    model: QLAE = make("qlae", inputs=2, values=3, **settings)
    model.encoder, model.decoder = nn.Identity(), Fixed(lambda z: 2 * z)
    model.codebook.values = nn.Parameter(VALUES.clone())
    return model


def batch_of(x: list[list[float]]) -> Batch:
    return Batch(torch.tensor(x, dtype=torch.float64, requires_grad=True), {}, torch.tensor(0.0))


TWO = [[0.4, 10.75], [1.5, 20.0]]
"""Nearest: 0 and 11; 2 and 12."""


def test_each_coordinate_takes_the_nearest_value_of_its_own() -> None:
    codebook = by_hand().codebook
    assert codebook(torch.tensor(TWO)).tolist() == [[0.0, 11.0], [2.0, 12.0]]
    assert codebook(torch.tensor([[1.0, -5.0], [-9.0, 10.5]])).tolist() == [
        [0.0, 10.0],
        [-1.0, 10.0],
    ]  # ties: the first


def test_values_are_evenly_spread_at_first() -> None:
    values = make("qlae", values=5).codebook.values
    assert values.tolist() == [[-0.5, -0.25, 0.0, 0.25, 0.5]] * 2


def test_codes_are_values_to_the_bit_and_the_gradient_passes_straight_through() -> None:
    z = torch.tensor([[0.1, 0.7], [3.0, -2.0]], requires_grad=True)
    nearest = torch.tensor([[0.3, 0.1], [0.2, 0.6]], requires_grad=True)
    found = straight_through(z, nearest)
    assert torch.equal(found, nearest)
    weights = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    to_z, to_values = torch.autograd.grad((weights * found).sum(), [z, nearest], materialize_grads=True)
    assert torch.equal(to_z, weights)
    assert not to_values.any()


def test_a_code_that_is_no_number_is_not_hidden() -> None:
    model = by_hand()
    for bad in (float("nan"), float("inf")):
        assert model.posterior(torch.tensor([[bad, 11.0]])).mu.isnan().tolist() == [[True, False]]


def test_losses_of_two_points() -> None:
    """rec: 2‖x − 2c‖² + log 2πσ²; distances to the codebook: 0.4², 0.25², 0.5², 8²."""
    model = by_hand(commitment=3.0)
    batch = batch_of(TWO)
    (loss, terms, shared), critics = model(batch, model.settings)
    far = (0.16 + 0.0625 + 0.25 + 64) / 2
    rec = (2 * (0.4**2 + 11.25**2) + 2 * (2.5**2 + 4.0**2)) / 2 + math.log(2 * math.pi / 4)
    assert terms["rec"].item() == pytest.approx(rec)
    assert terms["commitment"].item() == pytest.approx(far)
    assert critics["codebook"].item() == pytest.approx(far)
    assert loss.item() == pytest.approx(rec + 3 * far)
    assert shared.keys() == {"z"}


def test_gradients_of_two_points() -> None:
    """The encoder's: rec's own at c, with 2(z − c)/b of the commitment; the codebook's: 2(c − z)/b of values in use."""
    model = by_hand(commitment=3.0)
    batch = batch_of(TWO)
    objective, critics = model(batch, model.settings)
    (to_x,) = torch.autograd.grad(objective.terms["commitment"], batch.x, retain_graph=True)
    torch.testing.assert_close(to_x, torch.tensor([[0.4, -0.25], [-0.5, 8.0]], dtype=torch.float64))
    z, c = batch.x.detach(), model.codebook(batch.x.detach()).detach()
    # ∂rec/∂z through the decoder alone, x held: −2(x − 2c)/σ²b.
    rec = model.nats(z, model.decode(straight_through(batch.x, c))).mean()
    (passed,) = torch.autograd.grad(rec, batch.x)
    torch.testing.assert_close(passed, -4 * (z - 2 * c))
    (to_values,) = torch.autograd.grad(critics["codebook"], model.codebook.values)
    expected = torch.tensor([[0.0, -0.4, 0.5], [0.0, 0.25, -8.0]], dtype=torch.float64)
    torch.testing.assert_close(to_values, expected)


def test_a_huge_codebook_is_the_autoencoder() -> None:
    """20,001 values within ±10: as the steps between them shrink, rec and its gradient are the autoencoder's."""
    model, ae = make("qlae", values=20_001), make("ae")
    ae.load_state_dict({name: value for name, value in model.state_dict().items() if not name.startswith("codebook")})
    with torch.no_grad():
        model.codebook.values.mul_(20)
        assert model.encoder(torch.ones(1, 3).double()).abs().max() < 10
    x = torch.rand(8, 3, generator=torch.Generator().manual_seed(0)).double()
    batch = Batch(x, {}, torch.tensor(0.0))
    objective, _ = model(batch, model.settings)
    expected = ae.loss(batch, ae.settings).loss
    torch.testing.assert_close(objective.terms["rec"], expected, rtol=0, atol=1e-2)
    assert objective.terms["commitment"] < 2 * 5e-4**2
    for name, parameter in ae.named_parameters():
        (wanted,) = torch.autograd.grad(expected, parameter, retain_graph=True)
        own = dict(model.named_parameters())[name]
        (found,) = torch.autograd.grad(objective.terms["rec"], own, retain_graph=True)
        torch.testing.assert_close(found, wanted, rtol=1e-2, atol=2e-2, msg=name)


@pytest.mark.parametrize("kind", ["single", "stacked"])
def test_codebooks_are_trained_at_their_own_rate_and_do_not_decay(kind: str) -> None:
    """One step of Adam moves a value in use by its rate, and no other; weights decay, the codebook does not."""
    run = small_run("qlae", {"codebook_learning_rate": 0.02}, training={"weight_decay": 100.0, "learning_rate": 1e-3})
    data = load(run)
    engine = engine_of(kind, [run], data)
    start = {name: value.detach().clone() for name, value in engine.member(0).named_parameters()}
    advance(engine, [run], data, 0, 1)
    after = dict(engine.member(0).named_parameters())
    moved: Tensor = (after["codebook.values"] - start["codebook.values"]).abs()
    used = moved > 0
    assert used.any() and not used.all()
    torch.testing.assert_close(moved[used], torch.full_like(moved[used], 0.02), rtol=0.05, atol=0)
    decayed = [name for name in start if name.startswith(("encoder.1.w", "decoder.0.w"))]
    assert len(decayed) == 2
    for name in decayed:
        assert (after[name].norm() / start[name].norm()).item() == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("kind", ["single", "stacked"])
def test_trained_codes_take_few_values(kind: str) -> None:
    run = small_run("qlae", {"values": 4}, training={"learning_rate": 3e-3})
    data = load(run)
    engine = engine_of(kind, [run], data)
    advance(engine, [run], data, 0, 100)
    means = engine.posterior(torch.from_numpy(data.images[:])).mu[0]
    model = engine.member(0)
    assert isinstance(model, QLAE)
    for code, values in zip(means.T, model.codebook.values, strict=True):
        assert 1 < len(code.unique()) <= 4
        assert torch.isin(code, values).all()
