"""What members of a fleet do not share: settings, numbers that were drawn once, and what is not trained."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small import advance, load, small_run, weights
from torch import Tensor

from benchmark.errors import ModelError
from benchmark.models._gaussian import GaussianModel
from benchmark.models._neural import Batch, Objective, Posterior
from benchmark.models.vae import VAE
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.spec import Number, TrainingSettings, stackable
from benchmark.training.engine import seeded
from benchmark.training.loop import ENGINES, build
from benchmark.training.single import SingleEngine
from benchmark.training.stacked import StackedEngine


class OwnBeta(GaussianModel):
    """A model whose author reads a stackable setting off the model."""

    class Settings(GaussianModel.Settings):
        beta: Number = stackable(1.0, "weight of the KL term")

    settings: Settings

    def loss(self, batch: Batch, settings: Any) -> Objective:
        terms, *_ = self.elbo_terms(batch)
        return Objective(terms["rec"] + self.settings.beta * terms["kl"], terms)


def member(cls: type[GaussianModel], seed: int = 0, **settings: Any) -> Any:
    """A model of points in three dimensions, as it was drawn from a seed."""
    with seeded("member", seed):
        return cls(cls.Settings(likelihood="gaussian", sigma=0.1, **settings), MlpTiny(MlpTiny.Settings(), (3,)), 200)


def test_a_members_own_setting_is_not_read_off_the_model() -> None:
    """A fleet knows one model: its settings would be the first member's."""
    run = small_run()
    data = load(run)
    members = [member(OwnBeta, beta=beta) for beta in (1.0, 100.0)]
    engine = StackedEngine(members, [TrainingSettings()] * 2)
    said = r"OwnBeta reads self\.settings\.beta.*read settings\.beta, of the settings that `loss` is given"
    with pytest.raises(ModelError, match=said):
        advance(engine, [run, run], data, 0, 1)


class FixedScales(VAE):
    """A model that multiplies its codes by numbers that are drawn once and not trained."""

    scales: Tensor

    def build(self, network: Any) -> None:
        super().build(network)
        self.register_buffer("scales", torch.rand(network.latents) * 3 + 0.2)

    def posterior(self, x: Tensor) -> Posterior:
        mu, logvar, _ = super().posterior(x)
        return Posterior(mu * self.scales, logvar)


def test_buffers_that_are_drawn_stay_each_members_own() -> None:
    runs = [small_run(seed=seed) for seed in range(3)]
    data = load(runs[0])
    drawn = [member(FixedScales, seed).scales for seed in range(3)]
    fleet = StackedEngine([member(FixedScales, seed) for seed in range(3)], [TrainingSettings()] * 3)
    advance(fleet, runs, data, 0, 30)
    x = torch.from_numpy(data.images[:5])
    for index, run in enumerate(runs):
        alone = SingleEngine([member(FixedScales, index)], [TrainingSettings()])
        advance(alone, [run], data, 0, 30)
        assert (weights(fleet.member(index)) - weights(alone.member(0))).abs().max() < 1e-5
        assert torch.equal(fleet.member(index).get_buffer("scales"), drawn[index])
        torch.testing.assert_close(fleet.posterior(x).mu[index], alone.posterior(x).mu[0])


@pytest.mark.parametrize("kind", ["single", "stacked"])
@pytest.mark.parametrize("frozen", ["decoder", "discriminator", ""])
def test_what_is_frozen_stays_as_it_was_drawn(kind: str, frozen: str) -> None:
    """A part, a whole critic, or everything."""
    runs = [small_run("factor_vae", seed=seed) for seed in range(1 if kind == "single" else 2)]
    data = load(runs[0])
    members = [build(run, data) for run in runs]
    for each in members:
        each.get_submodule(frozen).requires_grad_(False)
    before = [{name: value.clone() for name, value in each.named_parameters()} for each in members]
    engine = ENGINES[kind](members, [TrainingSettings(learning_rate=1e-2)] * len(runs))  # type: ignore[call-arg]
    advance(engine, runs, data, 0, 3)
    for index, drawn in enumerate(before):
        for name, value in engine.member(index).named_parameters():
            assert torch.equal(value, drawn[name]) == name.startswith(frozen), name
