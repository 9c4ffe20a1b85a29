"""Settings that decide nothing, contradict the data or have no meaning are refused, each by its name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from small import small_run, trained

from benchmark import registry
from benchmark.errors import ModelError, UsageError
from benchmark.models._neural import Adam, NeuralModel
from benchmark.models.beta_vae import BetaVAE
from benchmark.models.factor_analysis import FactorAnalysis
from benchmark.models.isomap import Isomap
from benchmark.models.pca import PCA
from benchmark.models.student_vae import StudentVAE
from benchmark.training.engine import logged
from benchmark.training.loop import build


@pytest.mark.parametrize(
    ("model", "settings", "name"),
    [
        ("kernel_pca", {"kernel": "rbf", "degree": 4}, "degree"),
        ("kernel_pca", {"kernel": "linear", "gamma": 0.5}, "gamma"),
        ("laplacian_eigenmaps", {"graph": "epsilon", "neighbours": 5}, "neighbours"),
        ("laplacian_eigenmaps", {"epsilon": 2.0}, "epsilon"),
        ("mds", {"kind": "classical", "iterations": 5}, "iterations"),
        ("sparse_vae", {"gamma": 0.0, "spike_variance": 0.1}, "spike_variance"),
        ("siamese", {"likelihood": "gaussian"}, "likelihood"),
        ("regularised_vae", {"regulariser": "mmd", "discriminator_width": 5}, "discriminator_width"),
    ],
)
def test_a_setting_that_decides_nothing_is_refused(model: str, settings: dict[str, Any], name: str) -> None:
    cls = registry.load("model", model)
    with pytest.raises(UsageError, match=rf"^model\.{name} = .* decides nothing under .*: leave it out$"):
        cls.check_idle(cls.Settings(**settings))
    del settings[name]
    cls.check_idle(cls.Settings(**settings))


@pytest.mark.parametrize("model", registry.names("model"))
def test_defaults_decide_something_or_are_not_given(model: str) -> None:
    cls = registry.load("model", model)
    cls.check_idle(cls.Settings())


def test_directions_without_variance_are_no_components() -> None:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((200, 2)) @ rng.standard_normal((2, 30))).astype(np.float32)
    with pytest.raises(ModelError, match=r"vary along 2 directions, not 3; lower model\.latents"):
        PCA(PCA.Settings(latents=3)).fit(x, rng)
    assert PCA(PCA.Settings(latents=2)).fit(x, rng).transform(x).std() == pytest.approx(1, abs=0.01)
    with pytest.raises(ModelError, match=r"200 points of 30 numbers have 30 components; lower model\.latents"):
        PCA(PCA.Settings(latents=31)).fit(x, rng)
    with pytest.raises(ModelError, match=r"30 dimensions has at most as many factors; lower model\.latents"):
        FactorAnalysis(FactorAnalysis.Settings(latents=31)).fit(x, rng)


def test_wrong_edges_of_ones_own_stand_and_are_counted() -> None:
    disk = registry.load("dataset", "triangle_disk")
    dataset = disk(disk.Settings())
    own = Isomap.Settings(latents=2, wrong_edges=(0.0, 0.0, 0.1, 0.1), wrong_length=0.5)
    assert Isomap.resolve(own, dataset) == own
    assert Isomap.resolve(Isomap.Settings(latents=2), dataset).wrong_edges  # type: ignore[attr-defined]
    odd = Isomap(Isomap.Settings(latents=2, wrong_edges=(0.0, 0.0, 0.1)))
    with pytest.raises(ModelError, match="has 3 numbers; an edge has 4, both of its ends in 2 dimensions"):
        odd.graph(np.random.default_rng(0).standard_normal((50, 2)))


def test_flows_are_as_wide_as_their_codes() -> None:
    with pytest.raises(UsageError, match=r"model\.width = 2 is below 3 latents"):
        trained("single", [small_run("iaf_vae", {"width": 2}, network=("linear", {"latents": 3}))], 1)


@pytest.mark.parametrize("name", ["loss", "step", "active", "delta_kl", "probe_kl_0", "critic_loss"])
def test_a_term_has_a_column_of_its_own(name: str) -> None:
    one = torch.zeros(())
    with pytest.raises(ModelError, match=f'column "{name}" of its own'):
        logged(one, {"rec": one, name: one}, {"critic": one})
    assert list(logged(one, {"rec": one}, {"critic": one})) == ["loss", "rec", "critic_loss"]


def test_a_critic_without_a_rate_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from small import load

    monkeypatch.setattr(BetaVAE, "critics", {"judge": Adam("judge_rate", betas=(0.5, 0.9))})
    run = small_run("beta_vae")
    with pytest.raises(UsageError, match=r'the critic "judge" has its rate from the setting model\.judge_rate'):
        build(run, load(run))


def test_samples_of_an_author_are_no_number_of_draws() -> None:
    class Other(NeuralModel.Settings):
        samples: str = "one"

    assert NeuralModel.decoded(Other()) == 1
    assert NeuralModel.decoded(registry.load("model", "iwae").Settings(samples=7)) == 7


def test_a_great_many_degrees_of_freedom_are_normal() -> None:
    z = torch.linspace(-3, 3, 7)[:, None]

    def density(nu: float) -> torch.Tensor:
        model = object.__new__(StudentVAE)
        torch.nn.Module.__init__(model)
        model.settings = StudentVAE.Settings(nu=nu)
        return model.log_prior(z)

    torch.testing.assert_close(density(1e15), density(float("inf")))
    torch.testing.assert_close(density(0.999e9), density(float("inf")), atol=1e-5, rtol=0)
