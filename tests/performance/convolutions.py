"""Time the training of convolutional VAEs on this machine: python tests/performance/convolutions.py.

Ours: a process of one thread for each core, set up as in `benchmark run`, each with a model of its own. Theirs: one
process with torch's own number of threads, a clean eager loop over resident data, torch's layers and its Adam.
Both train conv64 at batch 64 on binary images. Models × steps a second over the whole machine.
Goals: 2.6 times as many in single precision, 3.6 in bfloat16 where the processor multiplies such numbers four times as
fast (one that does so twice as fast cannot reach it). Where other work wants the cores too, threads wait for each other
and the ratio is larger than on an idle machine: a second row has theirs in as many processes of one thread as ours.
"""

from __future__ import annotations

import argparse
import os

import numpy as np
from rounds import Crew, Row, Work, race

from benchmark.spec import Precision

BATCH, IMAGES, RATE = 64, 5_000, 1e-4
GOALS: dict[Precision, float] = {"float32": 2.6, "bfloat16": 3.6}


def squares(images: int) -> np.ndarray:
    """Binary images (n, 1, 64, 64), each of one white square."""
    rng = np.random.default_rng(0)
    data = np.zeros((images, 1, 64, 64), np.uint8)
    for image, (x, y), size in zip(data, rng.integers(0, 44, (images, 2)), rng.integers(8, 20, images), strict=True):
        image[0, x : x + size, y : y + size] = 1
    return data


def ours(model: str = "vae", precision: Precision = "float32") -> Work:
    """The engine of `benchmark run` with its own drawing of rows and noise; returns steps a second."""
    import time

    from benchmark import registry
    from benchmark.networks.conv64 import Conv64
    from benchmark.spec import TrainingSettings
    from benchmark.training.draws import Draws
    from benchmark.training.engine import seeded
    from benchmark.training.loop import points
    from benchmark.training.process import set_up
    from benchmark.training.single import SingleEngine

    set_up()
    data = squares(IMAGES)
    cls = registry.load("model", model)
    with seeded("performance"):
        member = cls(cls.Settings(likelihood="bernoulli"), Conv64(Conv64.Settings(), data.shape[1:]), IMAGES)
    engine = SingleEngine([member], [TrainingSettings(batch=BATCH, learning_rate=RATE, precision=precision)])  # type: ignore[call-arg]
    draws = Draws([f"member-{os.getpid()}"], member, np.arange(IMAGES), BATCH)
    done = 0

    def run(steps: int) -> float:
        nonlocal done
        start = time.perf_counter()
        for step in range(done, done + steps):
            rows, noise = draws.at(step)
            x = points(data, rows, 1)
            engine.step(x[:, 0], x[:, 1] if draws.batches == 2 else None, noise, step)
        done += steps
        return steps / (time.perf_counter() - start)

    return run


def theirs(threads: int) -> Work:
    """The loop that anyone would write; returns steps a second."""
    import time

    import torch
    from plain import VAE, images_at

    torch.set_num_threads(threads)
    data = torch.from_numpy(squares(IMAGES))
    model = VAE()
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)

    def run(steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            optimiser.zero_grad()
            loss, _ = model.loss(images_at(data, BATCH))
            loss.backward()
            optimiser.step()
        return steps / (time.perf_counter() - start)

    return run


def measure(rounds: int = 9, steps: int = 10) -> list[Row]:
    cores = os.cpu_count() or 1
    return [
        race(
            f"conv64 VAE, {precision}, {cores} processes against {processes} of {threads} (models × steps a second)",
            *(Crew(cores, ours, "vae", precision), Crew(processes, theirs, threads)),
            *(steps, rounds, goal),
        )
        for precision, goal in GOALS.items()
        for processes, threads in ((1, cores), (cores, 1))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="measurements of each, alternating")
    parser.add_argument("--steps", type=int, default=10, help="training steps of one measurement")
    options = parser.parse_args()
    measure(options.rounds, options.steps)


if __name__ == "__main__":
    main()
