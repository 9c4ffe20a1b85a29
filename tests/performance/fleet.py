"""Time a fleet against a plain loop of one model: python tests/performance/fleet.py --processes 2.

Both train mlp_tiny VAEs on one thread, batch 64: the fleet by the stacked engine, drawing its own data order and noise
as in a real run; the plain loop as anyone would write it, with `backward` and torch's Adam. Rounds alternate, medians
count.
Goal: 10 times as many steps a second at least, 15 times hoped for, at hidden 64 and 100 members.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch

from benchmark.models._neural import Batch
from benchmark.models.vae import VAE
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.spec import TrainingSettings
from benchmark.training.draws import Draws
from benchmark.training.engine import seeded
from benchmark.training.process import set_up
from benchmark.training.stacked import StackedEngine

go_on_with: Callable[[int], float]
"""A worker process's own fleet."""
BATCH, LATENTS, POINTS, RATE = 64, 2, 10_000, 1e-4


def model(hidden: int, inputs: int, member: int) -> VAE:
    network = MlpTiny(MlpTiny.Settings(latents=LATENTS, hidden=hidden), (inputs,))
    with seeded("performance", member):
        return VAE(VAE.Settings(likelihood="gaussian", sigma=0.1), network, POINTS)


def fleet(data: np.ndarray, hidden: int, members: int) -> Callable[[int], float]:
    """A function that takes so many steps and returns members × steps per second."""
    models = [model(hidden, data.shape[1], member) for member in range(members)]
    engine = StackedEngine(models, [TrainingSettings(batch=BATCH, learning_rate=RATE)] * members)  # type: ignore[arg-type]
    draws = Draws([f"member-{member}" for member in range(members)], models[0], np.arange(POINTS), BATCH)
    done = 0

    def run(steps: int) -> float:
        nonlocal done
        start = time.perf_counter()
        for step in range(done, done + steps):
            rows, noise = draws.at(step)
            engine.step(torch.from_numpy(data[rows[:, 0]]), None, noise, step)
        done += steps
        return members * steps / (time.perf_counter() - start)

    return run


def shared(data: np.ndarray, hidden: int, members: int, processes: int) -> Callable[[int], float]:
    """The same with the members shared out over processes of one thread each, as `benchmark run` does."""
    sizes = [len(part) for part in np.array_split(np.arange(members), processes)]
    workers = [ProcessPoolExecutor(1, initializer=begin, initargs=(data, hidden, size)) for size in sizes]

    def run(steps: int) -> float:
        return sum(future.result() for future in [worker.submit(go_on, steps) for worker in workers])

    return run


def begin(data: np.ndarray, hidden: int, members: int) -> None:
    global go_on_with
    set_up()
    go_on_with = fleet(data, hidden, members)


def go_on(steps: int) -> float:
    return go_on_with(steps)


def plain(data: np.ndarray, hidden: int) -> Callable[[int], float]:
    """A function that takes so many steps of one model and returns steps per second."""
    one = model(hidden, data.shape[1], 0)
    optimiser = torch.optim.Adam(one.parameters(), lr=RATE)
    points = torch.from_numpy(data)

    def run(steps: int) -> float:
        start = time.perf_counter()
        for step in range(steps):
            x = points[torch.randint(POINTS, (BATCH,))]
            batch = Batch(x, {"eps": torch.randn(BATCH, LATENTS)}, torch.tensor(float(step)))
            optimiser.zero_grad()
            one.loss(batch, one.settings).loss.backward()
            optimiser.step()
        return steps / (time.perf_counter() - start)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--hidden", type=int, default=64, help="width of both hidden layers")
    parser.add_argument("--members", type=int, default=100, help="members of the fleet")
    parser.add_argument("--inputs", type=int, default=6, help="dimensions of the data")
    parser.add_argument("--processes", type=int, default=1, help="processes that share the members, one thread each")
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each, alternating")
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long one measurement takes")
    options = parser.parse_args()
    set_up()
    data = np.random.default_rng(0).standard_normal((POINTS, options.inputs), np.float32)
    many = (
        fleet(data, options.hidden, options.members)
        if options.processes == 1
        else shared(data, options.hidden, options.members, options.processes)
    )
    loops = {"fleet": many, "plain": plain(data, options.hidden)}
    each = {"fleet": options.members, "plain": 1}
    # Warmed up and paced by a block of steps, which includes the drawing of the fleet's own.
    steps = {name: max(64, int(run(64) / each[name] * options.seconds)) for name, run in loops.items()}
    speeds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(options.rounds):
        for name, run in loops.items():
            speeds[name].append(run(steps[name]))
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    for name, values in speeds.items():
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        print(f"{name}: {medians[name]:,.0f} models × steps per second (median of {len(values)}; {spread})")
    pairs = [a / b for a, b in zip(speeds["fleet"], speeds["plain"], strict=True)]
    told = f"{options.members} members in {options.processes} processes, hidden {options.hidden}"
    print(f"{told}, {options.inputs} inputs, batch {BATCH}")
    print(f"ratio: {medians['fleet'] / medians['plain']:.1f} (round by round {min(pairs):.1f} to {max(pairs):.1f})")


if __name__ == "__main__":
    main()
