"""Time a fleet against a plain loop of one model: python tests/performance/fleet.py --processes 2.

Both train mlp_tiny VAEs on one thread, batch 64: the fleet by the stacked engine, drawing its own data order and noise
as in a real run; the plain loop as anyone would write it, with `backward` and torch's Adam. Rounds alternate, medians
count.
Goals: 12 times as many steps a second at least at hidden 64 and 100 members, and 40 times, 100 hoped for, at hidden 10
and 400 members. `--precision bfloat16` narrows the fleet's products; 20 times at hidden 64 is the goal of a processor
that multiplies such numbers four times as fast. `--network mlp_400` or `mlp_200` takes images of 28 × 28.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple, get_args

import numpy as np
import torch

from benchmark import registry
from benchmark.models._neural import Batch
from benchmark.models.vae import VAE
from benchmark.spec import Precision, TrainingSettings
from benchmark.training.draws import Draws
from benchmark.training.engine import seeded
from benchmark.training.process import set_up
from benchmark.training.stacked import StackedEngine

go_on_with: Callable[[int], float]
"""A worker process's own fleet."""
BATCH, LATENTS, POINTS, RATE = 64, 2, 10_000, 1e-4


class Trained(NamedTuple):
    """What is trained: a network by name (`hidden` is the width of `mlp_tiny`) on data of so many `inputs`."""

    network: str
    hidden: int
    inputs: int
    precision: Precision = "float32"


def model(what: Trained, member: int) -> VAE:
    cls = registry.load("network", what.network)
    settings = {"hidden": what.hidden} if what.network == "mlp_tiny" else {}
    network = cls(cls.Settings(latents=LATENTS, **settings), (what.inputs,))
    with seeded("performance", member):
        return VAE(VAE.Settings(likelihood="gaussian", sigma=0.1), network, POINTS)


def fleet(data: np.ndarray, what: Trained, members: int) -> Callable[[int], float]:
    """A function that takes so many steps and returns members × steps per second."""
    models = [model(what, member) for member in range(members)]
    training = TrainingSettings(batch=BATCH, learning_rate=RATE, precision=what.precision)  # type: ignore[call-arg]
    engine = StackedEngine(models, [training] * members)
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


def shared(data: np.ndarray, what: Trained, members: int, processes: int) -> Callable[[int], float]:
    """The same with the members shared out over processes of one thread each, as `benchmark run` does."""
    sizes = [len(part) for part in np.array_split(np.arange(members), processes)]
    workers = [ProcessPoolExecutor(1, initializer=begin, initargs=(data, what, size)) for size in sizes]

    def run(steps: int) -> float:
        return sum(future.result() for future in [worker.submit(go_on, steps) for worker in workers])

    return run


def begin(data: np.ndarray, what: Trained, members: int) -> None:
    global go_on_with
    set_up()
    go_on_with = fleet(data, what, members)


def go_on(steps: int) -> float:
    return go_on_with(steps)


def plain(data: np.ndarray, what: Trained) -> Callable[[int], float]:
    """A function that takes so many steps of one model, in single precision, and returns steps per second."""
    one = model(what, 0)
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


class Compared(NamedTuple):
    """Models × steps per second of the fleet and of the plain loop, one pair a round."""

    fleet: list[float]
    plain: list[float]

    @property
    def ratio(self) -> float:
        return statistics.median(self.fleet) / statistics.median(self.plain)


def compare(what: Trained, members: int, processes: int, rounds: int, seconds: float) -> Compared:
    """Alternating measurements of both, each of about so many seconds."""
    data = np.random.default_rng(0).standard_normal((POINTS, what.inputs), np.float32)
    many = fleet(data, what, members) if processes == 1 else shared(data, what, members, processes)
    loops, found = (many, plain(data, what)), Compared([], [])
    # Warmed up and paced by a block of steps, which includes the drawing of the fleet's own.
    steps = [max(64, int(run(64) / each * seconds)) for run, each in zip(loops, (members, 1), strict=True)]
    for _ in range(rounds):
        for run, count, speeds in zip(loops, steps, found, strict=True):
            speeds.append(run(count))
    return found


def measure(rounds: int = 7, seconds: float = 1.0) -> list[tuple[str, float, float, float, str]]:
    """Models × steps per second, the fleet's as ours."""
    set_up()
    rows = []
    fleets: list[tuple[Trained, int, str]] = [
        (Trained("mlp_tiny", 10, 3), 400, "≥ 40 ×, hoped for 100"),
        (Trained("mlp_tiny", 64, 6), 100, "≥ 12 ×"),
        (Trained("mlp_tiny", 64, 6, "bfloat16"), 100, "≥ 20 ×, hoped for 35"),
    ]
    fleets += [
        (Trained(network, 0, 784, precision), 16, "")
        for network in ("mlp_200", "mlp_400")
        for precision in get_args(Precision)
    ]
    for what, members, goal in fleets:
        for processes in (1, 2):
            found = compare(what, members, processes, rounds, seconds)
            network = f"hidden {what.hidden}" if what.hidden else what.network
            name = f"fleet of {members}, {network}, {what.precision}, {processes} pr.: models × steps / s"
            rows.append((name, *(statistics.median(speeds) for speeds in found), found.ratio, goal))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--network", default="mlp_tiny", help="mlp_tiny, mlp_200 or mlp_400")
    parser.add_argument("--precision", default="float32", choices=get_args(Precision), help="of the fleet's products")
    parser.add_argument("--hidden", type=int, default=64, help="width of both hidden layers of mlp_tiny")
    parser.add_argument("--members", type=int, default=100, help="members of the fleet")
    parser.add_argument("--inputs", type=int, default=6, help="dimensions of the data")
    parser.add_argument("--processes", type=int, default=1, help="processes that share the members, one thread each")
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each, alternating")
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long one measurement takes")
    options = parser.parse_args()
    set_up()
    what = Trained(options.network, options.hidden, options.inputs, options.precision)
    found = compare(what, options.members, options.processes, options.rounds, options.seconds)
    for name, values in found._asdict().items():
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        print(f"{name}: {statistics.median(values):,.0f} models × steps per second (median of {len(values)}; {spread})")
    pairs = [a / b for a, b in zip(*found, strict=True)]
    told = f"{options.members} members in {options.processes} processes, hidden {options.hidden}"
    print(f"{told}, {options.inputs} inputs, batch {BATCH}")
    print(f"ratio: {found.ratio:.1f} (round by round {min(pairs):.1f} to {max(pairs):.1f})")


if __name__ == "__main__":
    main()
