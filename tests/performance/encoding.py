"""Time the encoding of a dataset on this machine: python tests/performance/encoding.py.

Ours: a process of one thread for each core, set up as in `benchmark run`, each encoding with a model of its own.
Theirs: one process with torch's own number of threads and torch's layers, in batches of the same size.
Both are conv64 VAEs and keep means, variances and a sample. Models × images a second over the whole machine.
Goal: 1.3 times as many. As in convolutions.py, a second row has theirs in as many processes of one thread as ours.
"""

from __future__ import annotations

import argparse
import os

import numpy as np
from convolutions import squares
from rounds import Crew, Row, Work, race

GOAL = 1.3


def ours() -> Work:
    """What `benchmark run` does after training; returns images a second."""
    import time

    import torch

    from benchmark.datasets._dataset import Data
    from benchmark.models.vae import VAE
    from benchmark.networks.conv64 import Conv64
    from benchmark.stages.encode import posterior_tables
    from benchmark.training.process import set_up

    set_up()
    torch.manual_seed(0)
    model = VAE(VAE.Settings(likelihood="bernoulli"), Conv64(Conv64.Settings(), (1, 64, 64)), 1).eval()

    def run(images: int) -> float:
        rows = np.arange(images)
        data = Data(squares(images), np.zeros((images, 0)), (), (), rows, rows)
        start = time.perf_counter()
        posterior_tables(model, data, np.random.default_rng(0))
        return images / (time.perf_counter() - start)

    return run


def theirs(threads: int) -> Work:
    """The loop that anyone would write; returns images a second."""
    import time

    import torch
    from plain import VAE

    from benchmark.stages.points import BATCH

    torch.set_num_threads(threads)
    model = VAE().eval()

    def run(images: int) -> float:
        data = torch.from_numpy(squares(images))
        start = time.perf_counter()
        found: list[list[torch.Tensor]] = []
        with torch.no_grad():
            for x in data.split(BATCH):
                mu, logvar, z = model.encode(x.float())
                found.append([mu, logvar.exp(), z])
        for parts in zip(*found, strict=True):
            torch.cat(parts).numpy()
        return images / (time.perf_counter() - start)

    return run


def measure(rounds: int = 7, images: int = 8_192) -> list[Row]:
    cores = os.cpu_count() or 1
    return [
        race(
            f"conv64 encoding, {cores} processes against {processes} of {threads} threads (models × images a second)",
            *(Crew(cores, ours), Crew(processes, theirs, threads)),
            *(images, rounds, GOAL),
        )
        for processes, threads in ((1, cores), (cores, 1))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each, alternating")
    parser.add_argument("--images", type=int, default=8_192, help="images of one measurement")
    options = parser.parse_args()
    measure(options.rounds, options.images)


if __name__ == "__main__":
    main()
