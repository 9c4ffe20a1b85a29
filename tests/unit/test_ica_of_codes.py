"""Independent components of trained codes: the same training, codes unmixed, likelihoods untouched, all restored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy import ndarray
from scipy.optimize import linear_sum_assignment
from scipy.stats import multivariate_normal
from small import small_run
from torch import Tensor

from benchmark import registry
from benchmark.codes import Codes
from benchmark.errors import ModelError
from benchmark.models._neural import Batch
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.stages.configurations import by_construction
from benchmark.stages.order import Order
from benchmark.stages.reencode import EncodeTask, reencode
from benchmark.stages.worker import FleetTask, train_fleet
from benchmark.store import Store, write_json
from benchmark.suite import EncodingSettings
from benchmark.training.engine import seeded
from benchmark.training.fleet import Fleet

INPUTS, LATENTS = 4, 3


def make(name: str, **settings: Any) -> Any:
    """A model as it was drawn, in double precision; models of one shape have equal weights."""
    cls = registry.load("model", name)
    with seeded("ica"):
        network = MlpTiny(MlpTiny.Settings(latents=LATENTS, hidden=8), (INPUTS,))
        return cls(cls.Settings(likelihood="gaussian", sigma=0.5, **settings), network, 100).double()


def sources(n: int = 3000) -> ndarray:
    """Three independent coordinates of unit variance, none of them Gaussian."""
    rng = np.random.default_rng(0)
    columns = [rng.uniform(-1, 1, n), rng.laplace(size=n), rng.integers(0, 2, n) + 0.1 * rng.standard_normal(n)]
    table = np.stack(columns, axis=1)
    return (table - table.mean(0)) / table.std(0)


MIXING = np.array([[2.0, 1.0, 0.3], [-1.0, 1.5, 0.4], [0.5, -0.4, 1.0]])


def finished(name: str, **settings: Any) -> tuple[Any, Any]:
    """A model before and after it saw mixed sources as its codes."""
    before, after = make(name, **settings), make(name, **settings)
    after.finish((sources() @ MIXING.T + 5).astype(np.float32), np.random.default_rng(1))
    return before, after


def data(n: int = 16) -> Tensor:
    return torch.from_numpy(np.random.default_rng(2).standard_normal((n, INPUTS)))


@pytest.mark.parametrize("name", ["ae", "vae"])
def test_training_is_that_of_the_model_itself(name: str) -> None:
    plain, ica = make(name), make(f"{name}_ica")
    noise = {key: torch.randn(shape).double() for key, (shape, _) in plain.noise(16).items()}
    assert {*ica.noise(16)} == {*noise}
    batch = Batch(data(), noise, torch.tensor(0.0))
    one, other = plain.loss(batch, plain.settings), ica.loss(batch, ica.settings)
    assert one.loss.item() == other.loss.item()
    assert one.terms.keys() == other.terms.keys()
    one.loss.backward()
    other.loss.backward()
    gradients = dict(plain.named_parameters())
    assert gradients.keys() == dict(ica.named_parameters()).keys()
    for key, parameter in ica.named_parameters():
        np.testing.assert_array_equal(parameter.grad.numpy(), gradients[key].grad.numpy())


@pytest.mark.parametrize("name", ["ae_ica", "vae_ica"])
def test_mixed_codes_are_unmixed(name: str) -> None:
    _, model = finished(name)
    z = model.unmixed(torch.from_numpy(sources() @ MIXING.T + 5)).numpy()
    table = np.abs(np.corrcoef(sources().T, z.T)[:3, 3:])
    assert table[linear_sum_assignment(-table)].min() > 0.98
    mixed = np.abs(np.corrcoef(sources().T, (sources() @ MIXING.T).T)[:3, 3:])
    assert mixed[linear_sum_assignment(-mixed)].min() < 0.95
    np.testing.assert_allclose(np.cov(z.T), np.eye(3), atol=1e-2)
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-5)


@pytest.mark.parametrize("name", ["ae_ica", "vae_ica"])
def test_decoding_takes_the_codes_back(name: str) -> None:
    before, after = finished(name)
    with torch.no_grad():
        one, other = before.posterior(data()).mu, after.posterior(data()).mu
        assert (one - other).abs().max() > 0.1
        np.testing.assert_allclose(after.decode(other), before.decode(one), atol=1e-6)


def test_before_it_is_finished_it_is_the_vae() -> None:
    with torch.no_grad():
        np.testing.assert_array_equal(make("vae_ica").posterior(data()).mu, make("vae").posterior(data()).mu)


def test_importance_weights_do_not_depend_on_the_coordinates() -> None:
    before, after = finished("vae_ica")
    eps = torch.from_numpy(np.random.default_rng(3).standard_normal((16, LATENTS)))
    with torch.no_grad():
        pairs = [(model, model.sample(data(), eps)) for model in (before, after)]
        (_, one, log_one), (_, other, log_other) = (drawn for _, drawn in pairs)
        np.testing.assert_allclose(after.mixed(other), one, atol=1e-6)
        np.testing.assert_allclose(after.log_prior(other) - log_other, before.log_prior(one) - log_one, atol=1e-6)
        assert (log_one - log_other).abs().max() > 0.1


def test_posterior_and_prior_are_the_densities_of_the_new_codes() -> None:
    _, after = finished("vae_ica")
    u, c = after.unmixing.numpy(), after.centre.numpy()
    eps = torch.from_numpy(np.random.default_rng(3).standard_normal((1, LATENTS)))
    with torch.no_grad():
        mu, logvar, _ = make("vae").posterior(data(1))
        _, z, log_q = after.sample(data(1), eps)
        q = multivariate_normal(u @ (mu[0].numpy() - c), u @ np.diag(logvar[0].exp().numpy()) @ u.T)
        assert log_q.item() == pytest.approx(q.logpdf(z[0].numpy()))
        prior = multivariate_normal(-u @ c, u @ u.T)
        assert after.log_prior(z).item() == pytest.approx(prior.logpdf(z[0].numpy()))
        drawn = after.sample_prior({"prior": torch.from_numpy(np.random.default_rng(4).standard_normal((50_000, 3)))})
        np.testing.assert_allclose(drawn.mean(0), -u @ c, atol=0.03)
        np.testing.assert_allclose(np.cov(drawn.numpy().T), u @ u.T, atol=0.05)


def test_measures_are_told_of_no_diagonal_posterior() -> None:
    for name in ("ae_ica", "vae_ica"):
        posterior, z, _ = make(name).sample(data(), torch.zeros(16, LATENTS).double())
        assert posterior.logvar is None and posterior.scale is None
        assert (z is None) == (name == "ae_ica")


def test_passive_coordinates_of_a_vae_are_only_centred() -> None:
    z = sources() @ MIXING.T
    z[:, 1] = 0.05 * z[:, 1] / z[:, 1].std() + 2
    model = make("vae_ica")
    model.finish(z, np.random.default_rng(0))
    unmixing = model.unmixing.numpy()
    np.testing.assert_array_equal(unmixing[1], [0, 1, 0])
    np.testing.assert_array_equal(unmixing[:, 1], [0, 1, 0])
    assert abs(model.centre[1].item() - z[:, 1].mean()) < 1e-6
    assert np.abs(np.cov(model.unmixed(torch.from_numpy(z)).numpy().T)[[0, 0, 2], [0, 2, 2]] - [1, 0, 1]).max() < 1e-2
    # An autoencoder's codes have any scale: there it is unmixed like the others.
    model = make("ae_ica")
    model.finish(z, np.random.default_rng(0))
    assert model.unmixed(torch.from_numpy(z)).numpy()[:, 1].std() == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("name", ["ae_ica", "vae_ica"])
def test_directions_along_which_codes_do_not_vary_are_only_centred(name: str) -> None:
    """Three coordinates of two sources: whitened, the rounding of single precision would be a third."""
    z = (sources()[:, :2] @ MIXING[:, :2].T + 5).astype(np.float32)
    before, model = make(name), make(name)
    model.finish(z, np.random.default_rng(0))
    found = model.unmixed(torch.from_numpy(z).double()).numpy()
    np.testing.assert_allclose(np.cov(found.T)[:2, :2], np.eye(2), atol=1e-2)
    assert np.abs(found[:, 2]).max() < 1e-5
    table = np.abs(np.corrcoef(sources()[:, :2].T, found[:, :2].T)[:2, 2:])
    assert table[linear_sum_assignment(-table)].min() > 0.98
    assert np.linalg.cond(model.unmixing) < 20
    with torch.no_grad():
        np.testing.assert_allclose(
            model.decode(model.posterior(data()).mu), before.decode(before.posterior(data()).mu), atol=1e-6
        )


@pytest.mark.parametrize("active", [0, 1])
def test_one_or_no_active_coordinate(active: int) -> None:
    z = np.random.default_rng(0).standard_normal((500, 3)) * 1e-3
    z[:, :active] = np.random.default_rng(1).laplace(size=(500, active)) * 3
    model = make("vae_ica")
    model.finish(z, np.random.default_rng(0))
    expected = np.eye(3)
    if active:
        expected[0, 0] = 1 / z[:, 0].std()
    np.testing.assert_allclose(np.abs(model.unmixing.numpy()), expected, rtol=1e-5)


def test_ica_that_does_not_converge_is_said() -> None:
    with pytest.raises(ModelError, match="did not converge in 1 iterations"):
        finished("ae_ica", iterations=1, tolerance=1e-12)


def test_weights_restore_the_unmixing() -> None:
    _, after = finished("vae_ica")
    again = make("vae_ica")
    again.load_state_dict(after.state_dict())
    with torch.no_grad():
        np.testing.assert_array_equal(again.posterior(data()).mu, after.posterior(data()).mu)


@pytest.mark.parametrize("name", ["ae_ica", "vae_ica"])
def test_a_worker_unmixes_after_training_and_weights_are_encoded_again_alike(name: str, tmp_path: Path) -> None:
    training = {"steps": 200, "batch": 32, "learning_rate": 1e-2}
    run = small_run(name, training=training, dataset=("synth_linear", {"points": 800}))
    store, fleet = Store(tmp_path), Fleet("stacked", (run,))
    write_json(store.fleet_folder(fleet.fleet_id) / "fleet.json", {"fleet": fleet.to_json()})
    kept = EncodingSettings(likelihood_points=4, likelihood_samples=50)
    outcome = train_fleet(FleetTask(Order(tmp_path, encoding=kept), fleet.fleet_id))
    assert outcome.published == [run.run_id], outcome
    path = store.run_folder(run) / "codes.safetensors"
    codes = Codes.load(path)
    np.testing.assert_allclose(np.cov(codes.means.T), np.eye(2), atol=0.01)
    assert {"gaussian_total_correlation", "wasserstein_correlation"} == by_construction(name)
    assert codes.variances is None
    assert reencode(EncodeTask(Order(tmp_path, encoding=kept, arrays=frozenset()), run)) is None
    again = Codes.load(path)
    np.testing.assert_array_equal(again.means, codes.means)
    assert again.arrays.keys() == codes.arrays.keys()
    for key, value in codes.arrays.items():
        np.testing.assert_array_equal(again.arrays[key], value)


def test_a_worker_says_why_a_run_has_no_codes(tmp_path: Path) -> None:
    run = small_run("ae_ica", {"iterations": 1, "tolerance": 1e-12})
    store, fleet = Store(tmp_path), Fleet("stacked", (run,))
    write_json(store.fleet_folder(fleet.fleet_id) / "fleet.json", {"fleet": fleet.to_json()})
    outcome = train_fleet(FleetTask(Order(tmp_path), fleet.fleet_id))
    ((failed, reason),) = outcome.failed
    assert failed == run.run_id
    assert "did not converge" in reason
