"""Models learn: the linear VAE ends where theory puts it. That every objective falls is a conformance check."""

from __future__ import annotations

import numpy as np
import torch
from small import advance, small_run, table

from benchmark.models._gaussian import GaussianModel
from benchmark.models.vae import VAE
from benchmark.networks.linear import Linear
from benchmark.spec import TrainingSettings
from benchmark.training.engine import seeded
from benchmark.training.stacked import StackedEngine


def test_a_linear_vae_finds_the_principal_components() -> None:
    """Its optimum is W = U (Λ − σ²I)^½ up to signs: the principal subspace, and its axes at their own lengths.

    (Lucas et al. 2019, "Don't blame the ELBO!", Theorem 1: the diagonal posterior leaves no rotation free.)
    """
    sigma, spreads = 1.0, np.array([3.0, 1.5, 0.5, 0.5, 0.5])
    rng = np.random.default_rng(0)
    frame = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    x = ((rng.standard_normal((2000, 5)) * spreads) @ frame).astype(np.float32)
    x -= x.mean(axis=0)
    _, values, directions = np.linalg.svd(x, full_matrices=False)
    eigenvalues = values**2 / len(x)

    with seeded("linear"):
        members = [
            VAE(VAE.Settings(likelihood="gaussian", sigma=sigma), Linear(Linear.Settings(latents=2), (5,)), len(x))
            for _ in range(4)
        ]
    engine = StackedEngine(members, [TrainingSettings(learning_rate=1e-2)] * 4)  # type: ignore[arg-type]
    runs = [small_run("vae", training={"batch": 128}, seed=seed) for seed in range(4)]
    for start, stop, rate in ((0, 1500, 5e-2), (1500, 3000, 2e-2), (3000, 4000, 1e-3)):
        adam = engine.optimisers[""]
        adam.parts = [part._replace(rate=rate) for part in adam.parts]
        advance(engine, runs, table(x), start, stop)

    for index in range(4):
        model = engine.member(index)
        assert isinstance(model, GaussianModel)
        (layer,) = [module for module in model.decoder.modules() if isinstance(module, torch.nn.Linear)]
        matrix = layer.weight.detach().numpy()
        basis = np.linalg.qr(matrix)[0]
        np.testing.assert_allclose(np.linalg.svd(directions[:2] @ basis, compute_uv=False), 1, atol=1e-3)
        lengths = np.linalg.norm(matrix, axis=0)
        order = np.argsort(-lengths)
        np.testing.assert_allclose(np.abs(directions[:2] @ (matrix / lengths)[:, order]), np.eye(2), atol=0.05)
        np.testing.assert_allclose(lengths[order], np.sqrt(eigenvalues[:2] - sigma**2), rtol=0.03)
