"""Time FactorVAE's training step against the usual one: python tests/performance/factor_vae.py.

Both on conv64 at batch 64, one process of one thread for each core, set up as in `benchmark run`, by the same engine's
settings: channels_last, fused Adam, this project's layers. Theirs differs in its losses alone, as in most public code:
the model's loss goes backward through the discriminator with all its weights, the discriminator's own loss goes back
over the same codes, and the second batch is encoded with a graph. Models × steps a second over the whole machine.
Goal: 1.3 times as many.
"""

from __future__ import annotations

import argparse
import os

from convolutions import BATCH, IMAGES, RATE, ours, squares
from rounds import Crew, Row, Work, race

GOAL = 1.3


def theirs() -> Work:
    """The usual loop; returns steps a second."""
    import time

    import torch
    from plain import images_at
    from torch.nn import functional as F

    from benchmark.models._gaussian import reparametrise
    from benchmark.models._neural import Batch
    from benchmark.models.factor_vae import FactorVAE
    from benchmark.networks.conv64 import Conv64
    from benchmark.spec import TrainingSettings
    from benchmark.training.engine import optimiser_of, seeded, split_parameters
    from benchmark.training.process import set_up

    set_up()
    data = torch.from_numpy(squares(IMAGES))
    with seeded("performance"):
        model = FactorVAE(FactorVAE.Settings(likelihood="bernoulli"), Conv64(Conv64.Settings(), (1, 64, 64)), IMAGES)
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    parameters = dict(model.named_parameters())
    training = TrainingSettings(batch=BATCH, learning_rate=RATE)  # type: ignore[call-arg]
    optimisers = []
    for group, names in split_parameters(model).items():
        rate, betas, _, _ = optimiser_of(model, training, group)
        optimisers.append(torch.optim.Adam([parameters[name] for name in names], lr=rate, betas=betas, fused=True))
    joint, permuted = torch.zeros(BATCH, dtype=torch.long), torch.ones(BATCH, dtype=torch.long)

    def step() -> None:
        x, x2 = images_at(data, BATCH), images_at(data, BATCH)
        noise, noise2 = torch.randn(2, BATCH, model.latents)
        terms, _, _, z = model.elbo_terms(Batch(x, {"eps": noise}, torch.tensor(0.0)))
        logits = model.discriminator(z)
        loss = terms["rec"] + terms["kl"] + model.settings.gamma * (logits[:, 0] - logits[:, 1]).mean()
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward(retain_graph=True)
        mu, logvar, _ = model.posterior(x2)
        assert logvar is not None
        second = reparametrise(mu, logvar, noise2)
        second = torch.gather(second, 0, torch.rand_like(second).argsort(dim=0)).detach()
        optimisers[1].zero_grad()
        wrong = F.cross_entropy(logits, joint) + F.cross_entropy(model.discriminator(second), permuted)
        (0.5 * wrong).backward()
        for optimiser in optimisers:
            optimiser.step()

    def run(steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            step()
        return steps / (time.perf_counter() - start)

    return run


def measure(rounds: int = 9, steps: int = 10) -> list[Row]:
    processes, rows = os.cpu_count() or 1, []
    for precision, what in (("float32", "its loss alone"), ("bfloat16", "its loss and narrow products")):
        crews = Crew(processes, ours, "factor_vae", precision), Crew(processes, theirs)
        rows.append(race(f"factor_vae on conv64, {what} (models × steps a second)", *crews, steps, rounds, GOAL))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="measurements of each, alternating")
    parser.add_argument("--steps", type=int, default=10, help="training steps of one measurement")
    options = parser.parse_args()
    measure(options.rounds, options.steps)


if __name__ == "__main__":
    main()
