"""What a model trained by gradients must do, on a network of 16 units and few points: seconds of one core."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmark import registry
from benchmark.conformance.check import Check
from benchmark.conformance.small_runs import advance, engine_of, load, small_run, trained, weights
from benchmark.errors import UsageError
from benchmark.models._neural import Batch, NeuralModel, Objective
from benchmark.stages.encode import encode_neural
from benchmark.stages.stacking import advice
from benchmark.stages.worker import finish
from benchmark.suite import EncodingSettings, settings_of
from benchmark.training import checkpoint
from benchmark.training.checkpoint import Progress
from benchmark.training.engine import logged
from benchmark.training.history import History
from benchmark.training.loop import build, make_draws, make_feed
from benchmark.training.single import SingleEngine

LITTLE = EncodingSettings(likelihood_points=2, likelihood_samples=3)


def checks_of_network(name: str) -> dict[str, Check]:
    """The checks that apply to a model trained by gradients, by title, the first things first."""
    model: type[NeuralModel] = registry.load("model", name)
    found = {
        "weights of the seed": Check(
            partial(weights_of_seed, name),
            "give every setting a default, take sizes from `network`, and draw weights in `build` by torch alone",
        ),
        "loss and terms": Check(
            partial(loss_and_terms, name),
            "return Objective(loss, terms), all scalars: sums over coordinates, means over the batch",
        ),
        "codes": Check(
            partial(codes, name),
            "return Posterior(mu, logvar) of each point by itself, and decode (b d) to the data's shape",
        ),
    }
    if model.stacks:
        found["no randomness of its own"] = Check(
            partial(no_own_randomness, name), "declare it in `noise` and take it from batch.noise"
        )
    if model.trained:
        found["learns"] = Check(partial(learns, name), "look at the loss's sign, and at what gradients reach")
    if model.trained and model.stacks:
        found["stacks"] = Check(
            partial(stacks, name),
            "branch on no tensor, keep no state beside parameters and buffers, take stackable settings from loss's"
            " argument, or set stacks = False",
        )
        found["goes on from a checkpoint"] = Check(
            partial(goes_on, name), "keep what changes in parameters or buffers, and count steps by batch.step"
        )
    return found


class FirstStep(NamedTuple):
    """A model as it was drawn, what its first step sees, and its settings as a loss gets them: stackable ones are
    scalars of tensors."""

    model: NeuralModel
    batch: Batch
    settings: Any

    def forward(self) -> tuple[Objective, dict[str, Tensor]]:
        """The objective and the critics' losses."""
        found: tuple[Objective, dict[str, Tensor]] = self.model(self.batch, self.settings)
        return found


def first_step(name: str) -> FirstStep:
    run = small_run(name)
    data = load(run)
    engine = engine_of("single", [run], data)
    assert isinstance(engine, SingleEngine)
    model = engine.model
    x, x2, noise, labels = make_feed(engine, make_draws([run], model, data, 16), data).at(0)
    second, classes = (None if each is None else each[0] for each in (x2, labels))
    batch = Batch(x[0], {key: value[0] for key, value in noise.items()}, torch.tensor(0.0), second, classes)
    return FirstStep(model, batch, engine.settings)


def weights_of_seed(name: str) -> None:
    run, other = small_run(name), small_run(name, seed=1)
    data = load(run)
    one, again, another = (weights(build(each, data)) for each in (run, run, other))
    assert torch.equal(one, again), "two models of one seed begin with different weights"
    assert not torch.equal(one, another), "models of two seeds begin with the same weights"


def loss_and_terms(name: str) -> None:
    first = first_step(name)
    objective, losses = first.forward()
    critics = sorted(first.model.critics)
    values = logged(objective.loss, objective.terms, losses)
    for term, value in values.items():
        assert isinstance(value, Tensor) and value.shape == (), f"{term} is no scalar tensor"
        assert value.isfinite(), f"{term} is {value.item()} at the first step"
    assert sorted(losses) == critics, f"critics {critics} have losses of {sorted(losses)}"


def codes(name: str) -> None:
    run = small_run(name)
    data = load(run)
    model = build(run, data)
    finish(model, data, run)
    model.eval()
    batch = first_step(name).batch
    with torch.no_grad():
        mu, logvar, scale = model.posterior(batch.x)
        n, d = len(batch.x), model.latents
        assert mu.shape == (n, d), f"the means of {n} points have shape {tuple(mu.shape)}, and there are {d} latents"
        assert logvar is None or logvar.shape == mu.shape, f"log-variances have shape {tuple(logvar.shape)}"
        assert scale is None or scale.shape == (n, d, d), f"the scale has shape {tuple(scale.shape)}"
        alone = model.posterior(batch.x[:2]).mu
        assert torch.allclose(mu[:2], alone, atol=1e-5), "a point's means depend on the points beside it"
        if model.decodes:
            shape = tuple(model.decode(mu).shape)
            assert shape == tuple(batch.x.shape), f"{n} codes are decoded to {shape}, and the data are {batch.x.shape}"
    found = encode_neural(model, data, run, LITTLE)
    assert len(found.means) == len(data.evaluation_rows) and np.isfinite(found.means).all()


def no_own_randomness(name: str) -> None:
    first = first_step(name)
    before = torch.random.get_rng_state()
    one, other = (first.forward()[0].loss.item() for _ in range(2))
    assert one == other, f"the same batch and noise give a loss of {one} and then of {other}"
    assert torch.equal(torch.random.get_rng_state(), before), "its loss draws from torch's own generator"


def learns(name: str) -> None:
    """The mean loss of three seeds falls from the first to the last ten of 150 steps, beyond twice its error; so does
    the term `rec`, where there is one: a loss of the wrong sign falls as well."""
    runs = [small_run(name, training={"learning_rate": 3e-3, "batch": 32}, seed=seed) for seed in range(3)]
    data = load(runs[0])
    terms = [advance(engine_of("single", [run], data), [run], data, 0, 150) for run in runs]
    for term in ("loss", "rec") if "rec" in terms[0][0] else ("loss",):
        values = np.array([[step[term].item() for step in member] for member in terms])
        assert np.isfinite(values).all(), f"{term} is no finite number within 150 steps"
        first, last = values[:, :10], values[:, -10:]
        error = float(np.sqrt((first.var() + last.var()) / first.size))
        said = f"{term} goes from {first.mean():.4g} to {last.mean():.4g} in 150 steps at a learning rate of 0.003"
        assert last.mean() < first.mean() - 2 * error, said


def stacks(name: str) -> None:
    """Trained alone, stacked alone and stacked with others, weights agree after 50 steps, to 1e-5.

    Every run has values of its own of the stackable settings: one member's must not train the others.
    """
    runs = [small_run(name, moved(name, by), seed=seed) for seed, by in enumerate((0.0, 0.5, -0.5))]
    data = load(runs[0])
    try:
        fleet = trained("stacked", runs)
        alone = [trained("stacked", [run])[0] for run in runs]
    except Exception as error:  # torch says in its own words what cannot be mapped over
        told = advice(error)
        if told is None:
            raise
        raise AssertionError(told) from None
    for run, together, single in zip(runs, fleet, alone, strict=True):
        assert apart(together, weights(build(run, data))) > 1e-2, "50 steps leave the weights where they were"
        off = max(apart(trained("single", [run])[0], together), apart(single, together))
        assert off < 1e-5, f"trained alone and beside others, weights differ by {off:.2g} after 50 steps"


def moved(name: str, by: float) -> dict[str, float]:
    """Every stackable setting times 1 + `by`, `by` itself where it is 0; those that must not have that value are left
    out."""
    model: type[NeuralModel] = registry.load("model", name)
    settings = settings_of(small_run(name).model, model.Settings)
    found: dict[str, float] = {}
    for each in settings.stackable_names():
        value = getattr(settings, each) * (1 + by) or by
        with suppress(UsageError):
            model.Settings.read({**settings.plain(), **found, each: value}, "model")
            found[each] = value
    return found


def goes_on(name: str) -> None:
    """Ten steps, and five and five with a checkpoint between, give the same bits."""
    run = small_run(name)
    data = load(run)
    whole, first, second = (engine_of("single", [run], data) for _ in range(3))
    advance(whole, [run], data, 0, 10)
    advance(first, [run], data, 0, 5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.safetensors"
        checkpoint.save(path, first, Progress(5, 0.0, History(1), []))
        checkpoint.restore(path, second)
    advance(second, [run], data, 5, 10)
    assert torch.equal(weights(whole.member(0)), weights(second.member(0))), (
        "training that stops and goes on ends with other weights"
    )


def apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())
