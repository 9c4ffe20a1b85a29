"""Engines: the same arithmetic whether alone, in a fleet, stacked, or resumed."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small import advance, engine_of, load, small_run, table, trained, weights
from torch import Tensor, nn

from benchmark import registry
from benchmark.errors import BenchmarkError
from benchmark.models._neural import Batch, Posterior
from benchmark.models.vae import VAE
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.spec import TrainingSettings
from benchmark.training import checkpoint
from benchmark.training.checkpoint import Progress
from benchmark.training.draws import Draws
from benchmark.training.engine import laid_out_as, seeded
from benchmark.training.history import History
from benchmark.training.loop import ENGINES, build
from benchmark.training.single import SingleEngine


def apart(one: Tensor, other: Tensor) -> float:
    return (one - other).abs().max().item()


def moved(run_weights: Tensor, run: Any) -> float:
    return apart(run_weights, weights(build(run, load(run))))


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("beta_vae", [{"beta": 1.0}, {"beta": 16.0, "annealing_steps": 30.0}, {"beta": 0.0}]),
        ("factor_vae", [{"gamma": 0.0}, {"gamma": 30.0}, {"discriminator_learning_rate": 1e-2}]),
        ("dip_vae", [{"lambda_diagonal": 0.0}, {"lambda_off_diagonal": 50.0}, {}]),
        ("beta_tcvae", [{"alpha": 3.0}, {"beta": 1.0}, {"lambda_": 0.1}]),
    ],
)
def test_members_keep_their_own_settings_and_learning_rates(model: str, settings: list[dict[str, float]]) -> None:
    rates = (1e-3, 3e-3, 1e-4)
    runs = [small_run(model, s, training={"learning_rate": rate}) for s, rate in zip(settings, rates, strict=True)]
    for run, together in zip(runs, trained("stacked", runs), strict=True):
        assert apart(trained("single", [run])[0], together) < 1e-5


@pytest.mark.parametrize("settings", [{"likelihood": "bernoulli"}, {"likelihood": "gaussian_learned"}])
def test_engines_agree_under_every_likelihood(settings: dict[str, str]) -> None:
    runs = [small_run("vae", settings, seed=seed, dataset=("digits", {})) for seed in range(2)]
    fleet = trained("stacked", runs, 20)
    assert moved(fleet[1], runs[1]) > 1e-3
    assert apart(trained("single", runs[1:], 20)[0], fleet[1]) < 1e-5


def plain_loop(model: Any, rate: float, batches: list[Batch]) -> Tensor:
    """What anyone would write: backward, and torch's Adam without fusion."""
    model = model.to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, fused=False, foreach=False)
    for batch in batches:
        optimiser.zero_grad()
        model.loss(batch, model.settings).loss.backward()
        optimiser.step()
    return weights(model)


@pytest.mark.parametrize("channels", [1, 3])
def test_fused_adam_is_plain_adam_on_convolutions(channels: int) -> None:
    """The fused Adam reads weights and gradients by position, whatever their strides."""
    rng = np.random.default_rng(0)
    network_class = registry.load("network", "conv32")
    network = network_class(network_class.Settings(latents=3), (channels, 32, 32))
    with seeded("fused"):
        model = VAE(VAE.Settings(likelihood="bernoulli"), network, 100)
    twin, before = copy.deepcopy(model), weights(model)
    batches = [
        Batch(
            torch.from_numpy(rng.random((4, channels, 32, 32), np.float32)),
            {"eps": torch.from_numpy(rng.standard_normal((4, 3), np.float32))},
            torch.tensor(float(step)),
        )
        for step in range(5)
    ]
    engine = SingleEngine([model], [TrainingSettings(learning_rate=1e-3)])
    for step, batch in enumerate(batches):
        engine.step(batch.x[None], None, {"eps": batch.noise["eps"][None]}, step)
    expected = plain_loop(twin, 1e-3, batches)
    assert apart(expected, before) > 2e-3
    assert apart(weights(engine.member(0)), expected) < 1e-5


def test_a_gradient_is_laid_out_as_its_parameter() -> None:
    parameter = torch.rand(4, 3, 2, 2).to(memory_format=torch.channels_last)
    gradient = torch.rand(4, 3, 2, 2)
    found = laid_out_as(parameter, gradient)
    assert found.stride() == parameter.stride()
    assert torch.equal(found, gradient)
    assert laid_out_as(gradient, gradient) is gradient


class Transposed(VAE):
    """A model whose first weights' gradient comes transposed in memory."""

    def build(self, network: Any) -> None:
        super().build(network)
        self.frame = nn.Parameter(torch.randn(4, 3))
        self.encoder = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))

    def posterior(self, x: Tensor) -> Posterior:
        mu, logvar = self.encoder(x @ self.frame.T.contiguous()).chunk(2, dim=1)
        return Posterior(mu, logvar)


@pytest.mark.parametrize("kind", ["single", "stacked"])
@pytest.mark.parametrize("cls", [VAE, Transposed])
def test_engines_are_plain_adam_whatever_the_gradients_layout(cls: type[VAE], kind: str) -> None:
    run = small_run()
    data = load(run)

    def model() -> VAE:
        with seeded("layout"):
            return cls(VAE.Settings(likelihood="gaussian", sigma=0.1), MlpTiny(MlpTiny.Settings(), (3,)), 200)

    draws = Draws([run.run_id], model(), data.training_rows, 16)
    batches = []
    for step in range(30):
        rows, noise = draws.at(step)
        x = torch.from_numpy(data.images[rows[0, 0]])
        batches.append(Batch(x, {"eps": noise["eps"][0]}, torch.tensor(float(step))))
    engine = ENGINES[kind]([model()], [TrainingSettings(learning_rate=1e-3)])  # type: ignore[call-arg]
    advance(engine, [run], data, 0, 30)
    assert apart(plain_loop(model(), 1e-3, batches), weights(engine.member(0))) < 1e-5


@pytest.mark.parametrize("kind", ["single", "stacked"])
def test_a_discriminator_learns_from_its_own_loss_only(kind: str) -> None:
    """γ does not enter its first step, nor its learning rate the model's."""

    # A run's settings are part of its id, hence of its weights: here one run's weights take them all.
    run = small_run("factor_vae")
    data = load(run)

    def step(**settings: float) -> dict[str, Tensor]:
        member = build(run, data)
        member.settings = member.settings.model_copy(update=settings)
        engine = ENGINES[kind]([member], [TrainingSettings(learning_rate=1e-3)])  # type: ignore[call-arg]
        advance(engine, [run], data, 0, 1)
        return {name: value.detach().clone() for name, value in engine.member(0).named_parameters()}

    plain, heavy, fast = step(gamma=0.0), step(gamma=100.0), step(gamma=0.0, discriminator_learning_rate=1e-2)
    critic = [name for name in plain if name.startswith("discriminator.")]
    own = [name for name in plain if name not in critic]
    assert all(torch.equal(plain[name], heavy[name]) for name in critic)
    assert any(not torch.equal(plain[name], heavy[name]) for name in own)
    assert all(torch.equal(plain[name], fast[name]) for name in own)
    assert any(not torch.equal(plain[name], fast[name]) for name in critic)


@pytest.mark.parametrize("kind", ["single", "stacked"])
@pytest.mark.parametrize("model", ["beta_vae_full", "factor_vae", "qlae"])
def test_training_goes_on_from_a_checkpoint_bit_by_bit(kind: str, model: str, tmp_path: Path) -> None:
    runs = [small_run(model, seed=seed, training={"learning_rate": 10.0 ** -(2 + seed)}) for seed in range(2)]
    runs = runs[:1] if kind == "single" else runs
    data = load(runs[0])
    whole, first, second = (engine_of(kind, runs, data) for _ in range(3))
    advance(whole, runs, data, 0, 40)
    advance(first, runs, data, 0, 20)
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, first, Progress(20, 1.5, History(len(runs)), [7]))
    step, seconds, _, resumed, _ = checkpoint.restore(path, second)
    assert (step, seconds, resumed) == (20, 1.5, [7])
    advance(second, runs, data, 20, 40)
    for index in range(len(runs)):
        assert torch.equal(weights(whole.member(index)), weights(second.member(index)))
    expected = whole.state()
    assert expected.keys() == second.state().keys()
    assert all(torch.equal(value, second.state()[name]) for name, value in expected.items())


def test_a_convolutional_run_goes_on_from_a_checkpoint_bit_by_bit(tmp_path: Path) -> None:
    run = small_run()
    data = table(np.random.default_rng(0).integers(0, 2, (30, 1, 32, 32), np.uint8))
    network_class = registry.load("network", "conv32")
    network = network_class(network_class.Settings(latents=2), data.shape)

    def engine() -> SingleEngine:
        with seeded("conv"):
            model = VAE(VAE.Settings(likelihood="bernoulli"), network, 30)
        return SingleEngine([model], [TrainingSettings(learning_rate=1e-3)])

    whole, first, second = engine(), engine(), engine()
    advance(whole, [run], data, 0, 6)
    advance(first, [run], data, 0, 3)
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, first, Progress(3, 0.0, History(1), []))
    checkpoint.restore(path, second)
    advance(second, [run], data, 3, 6)
    assert torch.equal(weights(whole.member(0)), weights(second.member(0)))


def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    run = small_run()
    path = tmp_path / "checkpoint.safetensors"
    engine = engine_of("stacked", [run], load(run))
    checkpoint.save(path, engine, Progress(0, 0.0, History(1), []))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BenchmarkError, match=r"checkpoint\.safetensors was altered or cut short: its sha256 is not"):
        checkpoint.restore(path, engine)


class WithSpare(VAE):
    """A model with a weight that its loss does not use."""

    def build(self, network: Any) -> None:
        super().build(network)
        self.spare = nn.Parameter(torch.ones(3))


@pytest.mark.parametrize("kind", ["single", "stacked"])
def test_a_weight_that_the_loss_does_not_use_stays_as_it_was(kind: str) -> None:
    run = small_run()
    data = load(run)
    model = WithSpare(VAE.Settings(likelihood="gaussian", sigma=0.1), MlpTiny(MlpTiny.Settings(), (3,)), 200)
    engine = ENGINES[kind]([model], [TrainingSettings()])  # type: ignore[call-arg]
    advance(engine, [run], data, 0, 3)
    assert torch.equal(dict(engine.member(0).named_parameters())["spare"], torch.ones(3))


class WithMemory(VAE):
    """A model that cannot be stacked and keeps statistics beside its weights."""

    stacks = False

    def build(self, network: Any) -> None:
        super().build(network)
        self.encoder = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(3), *list(self.encoder)[1:])


def test_running_statistics_survive_a_checkpoint_and_see_training_batches_only(tmp_path: Path) -> None:
    run = small_run()
    data = load(run)

    def engine() -> SingleEngine:
        with seeded("memory"):
            model = WithMemory(VAE.Settings(likelihood="gaussian", sigma=0.1), MlpTiny(MlpTiny.Settings(), (3,)), 200)
        return SingleEngine([model], [TrainingSettings()])

    first, second = engine(), engine()
    advance(first, [run], data, 0, 5)
    before = copy.deepcopy(first.member(0).state_dict())
    first.posterior(torch.from_numpy(data.images[:50]))
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, first, Progress(5, 0.0, History(1), []))
    checkpoint.restore(path, second)
    assert not torch.equal(before["encoder.1.running_mean"], torch.zeros(3))
    for name, value in second.member(0).state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("kind", ["single", "stacked"])
def test_posteriors_are_those_of_the_members(kind: str) -> None:
    for model in ("ae", "vae", "beta_vae_full"):
        runs = [small_run(model, seed=seed) for seed in range(1 if kind == "single" else 2)]
        data = load(runs[0])
        engine = engine_of(kind, runs, data)
        advance(engine, runs, data, 0, 3)
        x = torch.from_numpy(data.images[:5])
        stacked = engine.posterior(x)
        for index in range(len(runs)):
            with torch.no_grad():
                alone = engine.member(index).posterior(x)
            for part, own in zip(stacked, alone, strict=True):
                assert (part is None) == (own is None)
                if part is not None:
                    torch.testing.assert_close(part[index], own)


def test_terms_are_those_of_the_objective() -> None:
    run = small_run("factor_vae")
    data = load(run)
    (terms,) = advance(engine_of("stacked", [run], data), [run], data, 0, 1)
    assert list(terms) == ["loss", "rec", "kl", "tc", "discriminator_loss"]
    assert all(value.shape == (1,) for value in terms.values())
    gamma = run.model.settings["gamma"]
    torch.testing.assert_close(terms["loss"], terms["rec"] + terms["kl"] + gamma * terms["tc"])


def test_training_data_are_drawn_apart_for_each_member_and_step() -> None:
    run, other = small_run(seed=0), small_run(seed=1)
    data = load(run)
    model = build(run, data)
    draws = Draws([run.run_id, other.run_id], model, data.training_rows, 16)
    (rows, noise), (later, later_noise) = draws.at(3), draws.at(4)
    assert rows.shape == (2, 1, 16)
    assert noise["eps"].shape == (2, 16, 2)
    assert not np.array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], later[0])
    assert not torch.equal(noise["eps"][0], later_noise["eps"][0])


def test_draws_depend_neither_on_company_nor_on_where_training_resumed() -> None:
    a, b = small_run("factor_vae", seed=0), small_run("factor_vae", seed=1)
    data = load(a)
    model = build(a, data)

    def draws(*run_ids: str) -> Draws:
        return Draws(list(run_ids), model, data.training_rows, 16)

    fleet = draws(a.run_id, b.run_id)
    straight = {}
    for step in range(140):
        rows, noise = fleet.at(step)
        straight[step] = rows[1].copy(), {name: value[1].clone() for name, value in noise.items()}
    assert not np.array_equal(straight[0][0], straight[64][0])
    assert not torch.equal(straight[0][1]["eps"], straight[64][1]["eps"])
    alone = draws(b.run_id)
    for step in (130, 63, 64, 0):
        rows, noise = alone.at(step)
        np.testing.assert_array_equal(rows[0], straight[step][0])
        assert set(noise) == {"eps", "eps2", "order"}
        assert all(torch.equal(value[0], straight[step][1][name]) for name, value in noise.items())


@pytest.mark.parametrize("together", [1, 8])
def test_noise_held_a_few_steps_at_a_time_is_the_same(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run("factor_vae")
    data = load(run)
    model = build(run, data)
    whole = Draws([run.run_id, "another"], model, data.training_rows, 15)
    assert whole.together == 64
    step = 4 * 2 * sum(math.prod(noise.shape) for noise in model.noise(15).values())
    monkeypatch.setattr("benchmark.training.draws.HELD", together * step)
    pieces = Draws([run.run_id, "another"], model, data.training_rows, 15)
    assert pieces.together == together
    for step in (0, 1, 7, 8, 63, 64, 70, 3):
        (rows, noise), (again, pieced) = whole.at(step), pieces.at(step)
        np.testing.assert_array_equal(rows, again)
        assert all(torch.equal(value, pieced[name]) for name, value in noise.items())
        assert all(value.untyped_storage().nbytes() <= 2 * 4 * together * value[0].numel() for value in pieced.values())


def test_noise_is_of_the_declared_kind_and_rows_are_training_rows() -> None:
    run = small_run("factor_vae")
    model = build(run, load(run))
    rows, noise = Draws([run.run_id], model, np.array([5, 7, 11]), 500).at(0)
    assert set(rows.ravel()) == {5, 7, 11}
    assert rows.shape == (1, 2, 500)
    assert (noise["order"] >= 0).all()
    assert (noise["order"] < 1).all()
    assert noise["order"].mean().item() == pytest.approx(0.5, abs=0.05)
    assert noise["eps"].std().item() == pytest.approx(1, abs=0.1)
    assert not torch.equal(noise["eps"], noise["eps2"])


def test_weights_come_from_the_runs_own_stream() -> None:
    data = load(small_run())
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    first, again, other = (weights(build(small_run(seed=seed), data)) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
