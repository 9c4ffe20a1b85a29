"""Race the engines on a GPU, and check them against the CPU's: python tests/performance/gpu.py.

First the check: the first steps of fleets on the device against every member by itself on the CPU, and a fleet that
stops and goes on against one that does not. Then the race, on random images that lie on the device: fleets by the
engine as `benchmark run` uses it, each round beside one model in a plain loop (`backward`, fused Adam, torch's own
choice of precision). Medians count. The hours are those of 170 models × 345,600 steps at that speed.
With --device cpu everything runs without a GPU, slowly: to try the script, not to learn a speed.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark import registry
from benchmark.datasets._dataset import Data
from benchmark.errors import ModelError, UsageError
from benchmark.models._neural import Batch, NeuralModel
from benchmark.spec import TrainingSettings
from benchmark.training import checkpoint, device
from benchmark.training.checkpoint import Progress
from benchmark.training.draws import Draws
from benchmark.training.engine import Engine, seeded
from benchmark.training.feed import Feed, ResidentFeed
from benchmark.training.graphed import GraphedEngine
from benchmark.training.history import History
from benchmark.training.single import SingleEngine

MODELS, STEPS = 170, 345_600
"""The work that hours are told for: the thesis's models, and the steps of each."""
TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-5}
"""Of weights in double precision, and of losses, relative, in single."""
CHECKED_STEPS = 10
CHECKED: dict[str, list[dict[str, float]]] = {
    "vae": [{}, {}],
    "beta_vae": [{"beta": 1.0}, {"beta": 4.0}, {"beta": 16.0}],
    "factor_vae": [{"gamma": 2.0}, {"gamma": 20.0}],
    "beta_tcvae": [{"beta": 2.0}, {"beta": 8.0}],
}
PRECISIONS = ("float32", "tf32", "bfloat16")
CONVOLUTIONS = ("grouped", "space_to_depth")


def pictures(options: argparse.Namespace) -> Data:
    """Random pixels: what an image shows changes no speed."""
    size = 64 if options.network == "conv64" else 32
    rng = np.random.default_rng(0)
    images = rng.integers(0, 2, (options.points, options.channels, size, size), dtype=np.uint8)
    rows = np.arange(options.points)
    return Data(images, np.zeros((options.points, 0)), (), (), rows, rows)


def member(name: str, settings: dict[str, float], seed: int, data: Data, network_name: str) -> NeuralModel:
    network_class, model_class = registry.load("network", network_name), registry.load("model", name)
    network = network_class(network_class.Settings(), data.shape)
    values = {key: value for key, value in settings.items() if key in model_class.Settings.model_fields}
    with seeded("performance", seed):
        model: NeuralModel = model_class(
            model_class.Settings(likelihood="bernoulli", **values), network, len(data.images)
        )
    return model


def draws_of(members: Sequence[NeuralModel], data: Data, batch: int) -> Draws:
    return Draws([f"member-{index}" for index in range(len(members))], members[0], data.training_rows, batch)


def advance(
    engine: Engine, feed: Feed | ResidentFeed, start: int, stop: int, kind: torch.dtype = torch.float32
) -> Tensor:
    """Take steps as the training loop does; returns the losses (steps m), on the CPU."""
    losses = []
    for step in range(start, stop):
        x, x2, noise, labels = feed.at(step)
        noise = {name: value.to(kind) for name, value in noise.items()}
        terms = engine.step(x.to(kind), None if x2 is None else x2.to(kind), noise, step, labels)
        losses.append(terms["loss"].float())
    return torch.stack(losses).cpu()


@contextmanager
def usual_precision(place: str, *, usual: bool = True) -> Iterator[None]:
    """Inside the block, TF32 and whatever algorithm is fastest, as in a plain loop; outside, what engines set."""
    if usual and place != "cpu":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.deterministic = False
        torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        device.set_up(place)


def check(options: argparse.Namespace, place: str) -> bool:
    """Print how far fleets on the device are from their members alone on the CPU; whether all are near enough.

    Weights are compared in double precision: in single, Adam makes full steps of gradients that are rounding alone.
    """
    data, good = pictures(argparse.Namespace(**{**vars(options), "points": 500})), True
    for name, settings in CHECKED.items():
        seeds = range(len(settings))
        rates = [TrainingSettings(batch=options.batch, learning_rate=1e-3 / (seed + 1)) for seed in seeds]

        def built(kind: torch.dtype, name: str = name, settings: Any = settings) -> list[NeuralModel]:
            found = [member(name, each, seed, data, options.network) for seed, each in enumerate(settings)]
            return [model.to(kind) for model in found]

        draws = draws_of(built(torch.float32), data, options.batch)
        alone: dict[torch.dtype, list[tuple[Tensor, Tensor]]] = {torch.float64: [], torch.float32: []}
        for kind, found in alone.items():
            for seed in seeds:
                one = SingleEngine([built(kind)[seed]], [rates[seed]])
                own = Draws([draws.run_ids[seed]], one.members[0], data.training_rows, options.batch)
                losses = advance(one, Feed(own, data, labelled=False), 0, CHECKED_STEPS, kind)
                found.append((weights(one.member(0)), losses))
        for convolution in options.convolutions:
            apart = {}
            for kind, expected in alone.items():
                whole, first, second = (GraphedEngine(built(kind), rates, place, convolution) for _ in range(3))
                feed = ResidentFeed(draws, data, whole.device, labelled=False)
                losses = advance(whole, feed, 0, CHECKED_STEPS, kind)
                for seed, (weight, loss) in enumerate(expected):
                    further = (
                        (weights(whole.member(seed)) - weight).abs().max().item()
                        if kind == torch.float64
                        else (losses[:, seed] / loss[:, 0] - 1).abs().max().item()
                    )
                    apart[kind] = max(apart.get(kind, 0.0), further)
            advance(first, feed, 0, CHECKED_STEPS // 2)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "checkpoint.safetensors"
                checkpoint.save(path, first, Progress(CHECKED_STEPS // 2, 0.0, History(len(seeds)), []))
                checkpoint.restore(path, second)
            advance(second, feed, CHECKED_STEPS // 2, CHECKED_STEPS)
            same = all(torch.equal(weights(whole.member(seed)), weights(second.member(seed))) for seed in seeds)
            near = all(apart[kind] < tolerance for kind, tolerance in TOLERANCES.items())
            good &= near and same
            print(
                f"{name}, {convolution}: {CHECKED_STEPS} steps from the CPU's by {apart[torch.float64]:.0e} in weights"
                f" (double precision) and by {apart[torch.float32]:.0e} of the loss (single):"
                f" {'good' if near else 'TOO FAR'}; stopped and resumed: {'equal bits' if same else 'OTHER BITS'}"
            )
    return good


def weights(model: NeuralModel) -> Tensor:
    return torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()]).clone()


def plain(options: argparse.Namespace, data: Data, place: str) -> Callable[[int], float]:
    """A function that takes so many steps of one model, as anyone would write them, and returns steps per second."""
    model = member(options.model, {}, 0, data, options.network).to(place)
    groups = {name: list(getattr(model, name).parameters()) for name in model.critics}
    theirs = {id(parameter) for group in groups.values() for parameter in group}
    own = [parameter for parameter in model.parameters() if id(parameter) not in theirs]
    optimisers = {name: torch.optim.Adam(group, lr=1e-4, fused=True) for name, group in {"": own, **groups}.items()}
    images, declared = torch.from_numpy(np.asarray(data.images)).to(place), model.noise(options.batch)

    def points() -> Tensor:
        return images[torch.randint(len(images), (options.batch,), device=place)].float()

    def take(step: int) -> None:
        drawn = {"normal": torch.randn, "uniform": torch.rand}
        noise = {name: drawn[kind](shape, device=place) for name, (shape, kind) in declared.items()}
        second = points() if model.second_batch else None
        batch = Batch(points(), noise, torch.tensor(float(step)), second)
        objective, critics = model(batch, model.settings)
        for optimiser in optimisers.values():
            optimiser.zero_grad()
        for name, loss in {"": objective.loss, **critics}.items():
            target = groups.get(name, own)
            gradients = torch.autograd.grad(loss, target, retain_graph=bool(critics), materialize_grads=True)
            for parameter, gradient in zip(target, gradients, strict=True):
                parameter.grad = gradient
        for optimiser in optimisers.values():
            optimiser.step()

    def run(steps: int) -> float:
        with usual_precision(place):
            device.wait(place)
            start = time.perf_counter()
            for step in range(steps):
                take(step)
            device.wait(place)
            return steps / (time.perf_counter() - start)

    return run


def fleet(
    options: argparse.Namespace, data: Data, place: str, members: int, convolution: Any, precision: str
) -> Callable[[int], float]:
    """A function that takes so many steps of a fleet and returns members × steps per second."""
    models = [member(options.model, {}, seed, data, options.network) for seed in range(members)]
    stored: Any = "bfloat16" if precision == "bfloat16" else "float32"
    training = TrainingSettings(batch=options.batch, learning_rate=1e-4, precision=stored)
    engine = GraphedEngine(models, [training] * members, place, convolution)
    feed = ResidentFeed(draws_of(models, data, options.batch), data, engine.device, labelled=False)
    done = 0

    def run(steps: int) -> float:
        nonlocal done
        with usual_precision(place, usual=precision == "tf32"):
            device.wait(place)
            start = time.perf_counter()
            advance(engine, feed, done, done + steps)
            device.wait(place)
            done += steps
            return members * steps / (time.perf_counter() - start)

    return run


def race(options: argparse.Namespace, place: str) -> None:
    data = pictures(options)
    beside = plain(options, data, place)
    beside(options.warm_up)
    told_of = f"{options.model}, {options.network}, {options.channels} channels, batch {options.batch}"
    print(f"{told_of}, {options.points:,} images")
    row = "{:<34}{:>16}{:>12}{:>12}{:>10}{:>9}"
    print(row.format("", "models × steps/s", "ms", "to plain", "hours", "GB"))

    def told(name: str, speed: float, ratio: float, memory: float) -> None:
        hours = MODELS * STEPS / speed / 3600
        print(
            row.format(name, f"{speed:,.0f}", f"{1000 / speed:.3f}", f"{ratio:.2f}", f"{hours:,.2f}", f"{memory:.1f}")
        )

    speed = statistics.median(beside(options.steps) for _ in range(options.rounds))
    told("plain loop, one model", speed, 1.0, allocated(place))
    for members in options.members:
        for convolution in options.convolutions:
            for precision in options.precisions:
                name = f"{members} members, {convolution}, {precision}"
                try:
                    run = fleet(options, data, place, members, convolution, precision)
                    run(options.warm_up)
                    pairs = [(run(options.steps), beside(options.steps)) for _ in range(options.rounds)]
                except (ModelError, torch.OutOfMemoryError) as error:
                    print(f"{name}: {str(error).splitlines()[0]}")
                    continue
                ratio = statistics.median(one / other for one, other in pairs)
                told(name, statistics.median(one for one, _ in pairs), ratio, allocated(place))
                del run


def allocated(place: str) -> float:
    """The most GB that torch held on the device since it was last asked; then forgets what nobody uses."""
    gc.collect()
    if place == "cpu":
        return 0.0
    most = torch.cuda.max_memory_allocated(place) / 1e9
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(place)
    return most


def listed(choices: Sequence[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - set(choices):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose of {', '.join(choices)}")
        return names

    return read


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--parts", type=listed(("check", "race")), default=["check", "race"], metavar="PART[,PART]")
    parser.add_argument("--model", default="vae", help="whom to race: vae, or factor_vae with its discriminator")
    parser.add_argument("--network", default="conv64", choices=("conv32", "conv64"))
    parser.add_argument("--channels", type=int, default=1, help="of the images")
    parser.add_argument("--points", type=int, default=100_000, help="images on the device")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--members", type=lambda text: [int(n) for n in text.split(",")], default=[1, 16, 64])
    parser.add_argument("--convolutions", type=listed(CONVOLUTIONS), default=list(CONVOLUTIONS), metavar="NAME[,NAME]")
    parser.add_argument("--precisions", type=listed(PRECISIONS), default=list(PRECISIONS), metavar="NAME[,NAME]")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each, alternating with the plain loop")
    parser.add_argument("--steps", type=int, default=300, help="steps of one measurement")
    parser.add_argument("--warm-up", type=int, default=64, help="steps before the first one")
    options = parser.parse_args(arguments)
    try:
        place = device.places(device.chosen(options.device))[0]
    except UsageError as error:
        print(error, file=sys.stderr)
        return UsageError.exit_code
    device.set_up(place)
    print(f"{device.described(place)}, torch {torch.__version__}")
    good = check(options, place) if "check" in options.parts else True
    if "race" in options.parts:
        race(options, place)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
