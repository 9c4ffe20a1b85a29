"""Schedules, warm-up and decay of weights: by hand, in every engine, resumed, and out of old identities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from small import advance, engine_of, load, small_run, trained, weights
from torch import Tensor

from benchmark.errors import UsageError
from benchmark.models._neural import Batch
from benchmark.spec import TrainingSettings
from benchmark.suite import expand, settings_of
from benchmark.training.draws import Draws
from benchmark.training.feed import points
from benchmark.training.fleet import plan_fleets
from benchmark.training.loop import Interrupted, build, train
from benchmark.training.schedule import rate_factor
from benchmark.training.single import SingleEngine

RECIPE = {"schedule": "cosine", "warm_up": 0.2, "weight_decay": 0.3}


def factors(**settings: Any) -> list[float]:
    training = TrainingSettings.read({"steps": 10, **settings}, "training")
    return [rate_factor(training, step) for step in range(training.steps)]


def test_factors_by_hand() -> None:
    assert factors() == [1.0] * 10
    assert factors(warm_up=0.2) == [0.5] + [1.0] * 9
    assert factors(schedule="linear") == pytest.approx([1 - step / 10 for step in range(10)])
    assert factors(schedule="linear", warm_up=0.2) == pytest.approx([0.5, 1, *(1 - step / 8 for step in range(8))])
    half = factors(schedule="cosine")
    assert (half[0], half[5]) == pytest.approx((1, 0.5))
    assert half[2] + half[8] == pytest.approx(1)  # half a cosine is symmetric about its middle
    assert half[9] == pytest.approx(0.0244717, abs=1e-6)  # (1 + cos 0.9π) / 2
    assert factors(schedule="cosine", warm_up=1.0) == pytest.approx([(step + 1) / 10 for step in range(10)])


def plain(run: Any, rate: float, steps: int) -> Tensor:
    """What anyone would write: torch's AdamW, unfused, whose rate is set before every step."""
    data, model = load(run), build(run, load(run))
    training = settings_of(run.training, TrainingSettings)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.3, fused=False, foreach=False)
    draws = Draws([run.run_id], model, data.training_rows, training.batch)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * rate_factor(training, step)
        rows, noise = draws.at(step)
        x = points(data.images, rows, data.maximum)[0, 0]
        batch = Batch(x, {name: value[0] for name, value in noise.items()}, torch.tensor(float(step)))
        optimiser.zero_grad()
        model.loss(batch, model.settings).loss.backward()
        optimiser.step()
    return weights(model)


def test_every_engine_is_plain_adamw_at_each_members_own_rate() -> None:
    rates = (1e-3, 5e-3)
    runs = [small_run("vae", training={**RECIPE, "learning_rate": rate}) for rate in rates]
    expected = [plain(run, rate, 50) for run, rate in zip(runs, rates, strict=True)]
    data = load(runs[0])
    for kind in ("stacked", "graphed"):
        engine = engine_of(kind, runs, data)
        advance(engine, runs, data, 0, 50)
        for index, own in enumerate(expected):
            torch.testing.assert_close(weights(engine.member(index)), own, rtol=0, atol=1e-5)
    for run, own in zip(runs, expected, strict=True):
        torch.testing.assert_close(trained("single", [run])[0], own, rtol=0, atol=1e-5)
    unscheduled = trained("single", [small_run("vae", training={"learning_rate": rates[1]})])[0]
    assert (expected[1] - unscheduled).abs().max() > 1e-2


@pytest.mark.parametrize("kind", ["single", "stacked"])
def test_critics_keep_their_rate_and_their_weights(kind: str) -> None:
    """A warm-up so long that the model stands still: its critic learns as it always does."""
    training = {"steps": 10**9, "warm_up": 1.0, "weight_decay": 0.0}
    run = small_run("factor_vae", {"discriminator_learning_rate": 1e-2}, training=training)
    data, before = load(run), build(run, load(run))
    engine = engine_of(kind, [run], data)
    advance(engine, [run], data, 0, 20)
    start, now = dict(before.named_parameters()), dict(engine.member(0).named_parameters())
    moved = {name: (now[name] - start[name]).abs().max().item() for name in now}
    assert max(value for name, value in moved.items() if not name.startswith("discriminator")) < 1e-6
    assert min(value for name, value in moved.items() if name.startswith("discriminator.0")) > 0.05


@pytest.mark.parametrize("model", ["vae", "factor_vae"])
def test_a_resumed_training_has_the_same_bits(tmp_path: Path, model: str) -> None:
    runs = [small_run(model, seed=seed, training={**RECIPE, "steps": 60}) for seed in range(2)]
    (fleet,), data = plan_fleets(runs), load(runs[0])
    folders = [tmp_path / name for name in ("whole", "parts")]
    for folder in folders:
        folder.mkdir()
    whole, _ = train(fleet, data, folders[0], 1e9, lambda: False)
    asked = iter(range(100))
    with pytest.raises(Interrupted):
        train(fleet, data, folders[1], 1e9, lambda: next(asked) >= 4)
    again, progress = train(fleet, data, folders[1], 1e9, lambda: False)
    assert 0 < progress.resumed[0] < 60
    for index in range(2):
        assert torch.equal(weights(whole.member(index)), weights(again.member(index)))


def test_members_share_a_fleet_whatever_their_decay_but_not_their_schedule() -> None:
    runs = [small_run("vae", training={"weight_decay": decay}, seed=seed) for decay in (0.0, 0.1) for seed in range(2)]
    (fleet,) = plan_fleets(runs)
    decays = [(run.training and run.training.settings.get("weight_decay", 0)) for run in fleet.runs]
    assert decays == sorted(decays)
    assert len(plan_fleets([small_run(), small_run(training={"schedule": "linear"})])) == 2
    assert len(plan_fleets([small_run(), small_run(training={"warm_up": 0.1})])) == 2


def test_defaults_stay_out_of_old_identities() -> None:
    defaults = {"schedule": "constant", "warm_up": 0.0, "weight_decay": 0.0, "precision": "float32"}
    assert small_run().config_id == small_run(training=defaults).config_id == "c3e3d4376d75"
    changed = [{"schedule": "linear"}, {"warm_up": 0.1}, {"weight_decay": 0.1}]
    assert len({small_run(training=each).config_id for each in changed} | {"c3e3d4376d75"}) == 4


def test_weights_of_old_settings_have_the_bits_of_the_adam_that_trained_them() -> None:
    run = small_run(
        network=("conv32", {"latents": 2}), dataset=("dsprites", {"resolution": 32, "stride": (1, 1, 8, 8, 8)})
    )
    data = load(run)
    engine, old = (engine_of("single", [run], data) for _ in range(2))
    assert isinstance(old, SingleEngine)
    old.optimisers = {
        group: torch.optim.Adam(tensors, fused=True, lr=1e-3, betas=(0.9, 0.999))
        for group, tensors in old.groups.items()
    }
    for each in (engine, old):
        advance(each, [run], data, 0, 3)
    assert torch.equal(weights(engine.member(0)), weights(old.member(0)))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ({"training.schedule": "cosin"}, r"training\.schedule = 'cosin': input should be .*'cosine'"),
        ({"training.warm_up": 1.5}, r"training\.warm_up = 1\.5: .*less than or equal to 1"),
        ({"training.weight_decay": -0.1}, r"training\.weight_decay = -0\.1: .*greater than or equal to 0"),
        ({"training.precision": "float16"}, r"training\.precision = 'float16': input should be .*'bfloat16'"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(override: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        expand("quickstart", overrides=override)
