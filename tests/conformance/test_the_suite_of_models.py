"""The conformance suite of models passes plain ones, and catches each fault that is put into them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark import registry
from benchmark.conformance import checks_of, examine

VAE = '''"""A plain VAE of points, which is a test's own."""
import torch
from benchmark import GaussianModel, Number, Objective, stackable

class Mine(GaussianModel):
    class Settings(GaussianModel.Settings):
        beta: Number = stackable(1.0, "weight of the KL term")

    def loss(self, batch, settings):
        terms, mu, logvar, z = self.elbo_terms(batch)
        paid = terms["kl"].maximum(settings.beta * terms["kl"])  # a method of tensors alone
        return Objective(terms["rec"] + paid, terms)
'''
FIT = '''"""Points turned by an orthogonal matrix, a test's own."""
import numpy as np
from benchmark import Embedding

class Mine(Embedding):
    def fit(self, x, rng):
        self.basis = np.linalg.qr(rng.standard_normal((x.shape[1], self.settings.latents)))[0]
        return self

    def transform(self, x):
        return (x @ self.basis).astype(np.float32)

    def state(self):
        return {"basis": self.basis}

    def decode(self, z):
        return z @ self.basis.T

    def jacobian(self, z):
        return np.broadcast_to(self.basis, (len(z), *self.basis.shape))
'''
ANCHOR = '''"""Noise in the place of codes, a test's own."""
import numpy as np
from benchmark import Anchor

class Mine(Anchor):
    def codes(self, factors, rng):
        return rng.standard_normal((len(factors), 2)).astype(np.float32)
'''
LOSS = 'return Objective(terms["rec"]'
BUILD = """
    def build(self, network):
        {}
        super().build(network)
"""
POSTERIOR = """
    def posterior(self, x):
        mu, logvar, _ = super().posterior(x)
        {}
"""
Plugin = Callable[[str], str]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """Registers a model from its source; returns its name."""
    monkeypatch.setattr(registry, "_plugins", {})

    def add(source: str) -> str:
        path = tmp_path / "mine.py"
        path.write_text(source)
        registry.add_plugin(path)
        return "mine"

    return add


def failed(name: str) -> set[str]:
    return {verdict.title for verdict in examine("model", name) if verdict.reason}


@pytest.mark.parametrize("source", [VAE, FIT, ANCHOR])
def test_the_suite_passes_plain_models(plugin: Plugin, source: str) -> None:
    assert not failed(plugin(source))


FAULTS = [
    (VAE, '"""A plain VAE of points, which is a test\'s own."""', '"""Mine."""', {"introduces itself"}),
    (VAE, "    def loss", "    version = 0\n    def loss", {"introduces itself"}),
    (VAE, "    def loss", "    labelled = True\n    def loss", {"introduces itself"}),
    (VAE, "    def loss", BUILD.format("torch.manual_seed(0)") + "    def loss", {"weights of the seed"}),
    (VAE, "    def loss", BUILD.format("self.own = torch.nn.Parameter(torch.empty(2).normal_(generator=G))")
        + "    def loss", {"weights of the seed"}),
    (VAE, 'stackable(1.0, ', "stackable(..., ", {"weights of the seed"}),
    (VAE, LOSS, 'terms["z"] = z\n        ' + LOSS, {"loss and terms"}),
    (VAE, LOSS, 'return Objective(terms["rec"] / 0', {"loss and terms"}),
    (VAE, LOSS, 'return Objective(torch.rand(()) + terms["rec"]', {"no randomness of its own"}),
    (VAE, LOSS, 'return Objective(-terms["rec"]', {"learns"}),
    (VAE, LOSS, 'return Objective(terms["rec"].detach() + 0 * terms["rec"]', {"learns"}),
    (VAE, LOSS, 'if terms["rec"] > 0: pass\n        ' + LOSS, {"stacks"}),
    (VAE, "settings.beta * ", "self.settings.beta * ", {"stacks"}),
    (VAE, "    def loss(self, batch, settings):\n", BUILD.format("self.own = self.settings")
        + "    def loss(self, batch, settings):\n        settings = self.own\n", {"stacks"}),
    (VAE, LOSS, 'self.seen = getattr(self, "seen", 0) + 1\n        return Objective(self.seen * terms["rec"]',
        {"goes on from a checkpoint"}),
    (VAE, "    def loss", POSTERIOR.format("return type(super().posterior(x))(mu[:, :1], logvar)") + "    def loss",
        {"codes"}),
    (VAE, "    def loss", POSTERIOR.format("return type(super().posterior(x))(mu - mu.mean(0), logvar)")
        + "    def loss", {"codes"}),
    (VAE, "    def loss", "    def decode(self, z):\n        return super().decode(z)[:, :1]\n    def loss", {"codes"}),
    (FIT, "rng.standard_normal", "np.random.standard_normal", {"same generator"}),
    (FIT, ".astype(np.float32)", "", {"codes"}),
    (FIT, "(x @ self.basis)", "(0 * x @ self.basis)", {"codes"}),
    (FIT, '{"basis": self.basis}', '{"basis": self.basis.tolist()}', {"state"}),
    (FIT, "np.broadcast_to(self", "2 * np.broadcast_to(self", {"decoder and its Jacobian"}),
    (ANCHOR, "rng.standard_normal", "np.random.standard_normal", {"same generator"}),
    (ANCHOR, ".astype(np.float32)", "", {"codes"}),
    (ANCHOR, "return rng", "factors[0] = 9\n        return rng", {"codes"}),
]  # fmt: skip


@pytest.mark.parametrize(("source", "sound", "broken", "caught"), FAULTS, ids=range(len(FAULTS)))
def test_the_suite_catches_bad_models(plugin: Plugin, source: str, sound: str, broken: str, caught: set[str]) -> None:
    assert source.count(sound) == 1
    faulty = source.replace(sound, broken).replace("import torch\n", "import torch\nG = torch.Generator()\n", 1)
    name = plugin(faulty)
    checks = checks_of("model", name)
    assert caught <= set(checks)
    for title in caught:
        with pytest.raises(Exception) as error:  # noqa: PT011  whatever a faulty model raises
            checks[title].run()
        assert str(error.value)


@pytest.mark.parametrize(("source", "kind"), [(VAE, "network"), (FIT, "embedding"), (ANCHOR, "anchor")])
def test_every_check_is_seen_to_fail(plugin: Plugin, source: str, kind: str) -> None:
    assert set(checks_of("model", plugin(source))) - {"introduces itself"} <= {
        title for own, _, _, caught in FAULTS if own == source for title in caught
    }


def test_what_does_not_stack_is_told_what_to_write(plugin: Plugin) -> None:
    name = plugin(VAE.replace(LOSS, 'if terms["rec"] > 0: pass\n        ' + LOSS))
    (verdict,) = [each for each in examine("model", name) if each.reason]
    assert "it branches on a tensor" in str(verdict)
    assert str(verdict).endswith("or set stacks = False")
