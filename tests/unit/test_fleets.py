"""Fleets: which runs train together, and a fleet's whole training with stops, resumption and divergence."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from small import after, fleet_of, load, small_run, weights
from torch import Tensor

from benchmark.integrity.sealed import read_json
from benchmark.spec import Run
from benchmark.stages.train import turn
from benchmark.training.checkpoint import kept_step
from benchmark.training.fleet import CACHED_WEIGHTS, LARGEST, Fleet, fleet_size, plan_fleets
from benchmark.training.loop import Interrupted, build, train
from benchmark.training.stacked import StackedEngine


def members(fleets: list[Fleet]) -> list[list[str]]:
    return [[run.run_id for run in fleet.runs] for fleet in fleets]


def never() -> bool:
    return False


class TestPlan:
    def test_runs_that_differ_in_stackable_settings_and_seed_share_a_fleet(self) -> None:
        runs = [small_run("beta_vae", {"beta": beta}, seed=seed) for beta in (1.0, 4.0) for seed in range(2)]
        runs += [small_run("beta_vae", {"annealing_steps": 10.0}, training={"learning_rate": 1e-2})]
        (fleet,) = plan_fleets(runs)
        assert fleet.engine == "stacked"
        assert {run.run_id for run in fleet.runs} == {run.run_id for run in runs}

    @pytest.mark.parametrize(
        "other",
        [
            small_run("vae"),
            small_run("beta_vae", {"likelihood": "bernoulli"}),
            small_run("beta_vae", {"sigma": 0.3}),
            small_run("beta_vae", training={"steps": 60}),
            small_run("beta_vae", training={"batch": 32}),
            small_run("beta_vae", training={"beta1": 0.5}),
            small_run("beta_vae", network=("mlp_tiny", {"hidden": 17})),
            small_run("beta_vae", dataset=("synth_linear", {"points": 201})),
        ],
        ids=["model", "likelihood", "sigma", "steps", "batch", "beta1", "network", "data"],
    )
    def test_anything_else_splits_fleets(self, other: Run) -> None:
        assert len(plan_fleets([small_run("beta_vae"), other])) == 2

    def test_equal_learning_rates_stand_side_by_side(self) -> None:
        rates = [1e-3, 1e-2, 1e-3, 1e-2]
        runs = [small_run(seed=seed, training={"learning_rate": rate}) for seed, rate in enumerate(rates)]
        (fleet,) = plan_fleets(runs)
        found = [run.training.settings["learning_rate"] for run in fleet.runs if run.training]
        assert found in ([1e-3, 1e-3, 1e-2, 1e-2], [1e-2, 1e-2, 1e-3, 1e-3])

    def test_a_plan_is_a_function_of_its_runs(self) -> None:
        runs = [small_run(model, seed=seed) for model in ("vae", "ae") for seed in range(3)]
        first, again = plan_fleets(runs), plan_fleets(list(runs))
        assert members(first) == members(again) == [[run.run_id for run in runs[:3]], [run.run_id for run in runs[3:]]]
        assert [fleet.fleet_id for fleet in first] == [fleet.fleet_id for fleet in again]

    def test_large_groups_are_cut_into_fleets_of_the_networks_size(self) -> None:
        runs = [small_run(seed=seed) for seed in range(LARGEST + 5)]
        fleets = plan_fleets(runs)
        assert [len(fleet.runs) for fleet in fleets] == [LARGEST, 5]
        assert [run_id for fleet in members(fleets) for run_id in fleet] == [run.run_id for run in runs]

    def test_size_falls_with_the_networks_weights(self) -> None:
        assert fleet_size(small_run(network=("mlp_tiny", {"hidden": 4}))) == LARGEST
        assert fleet_size(small_run(network=("mlp_tiny", {"hidden": 64}))) == CACHED_WEIGHTS // (2 * 64**2)
        assert fleet_size(small_run(network=("mlp_tiny", {"hidden": 1000}))) == 1
        assert fleet_size(small_run("factor_vae", {"discriminator_width": 1000})) == 1

    def test_convolutions_train_one_by_one_and_closed_forms_are_no_training(self) -> None:
        conv = ("conv32", {"latents": 2})
        fleets = plan_fleets([small_run(network=conv, seed=seed) for seed in range(2)])
        assert [(fleet.engine, len(fleet.runs)) for fleet in fleets] == [("single", 1)] * 2
        vae = small_run()
        closed = [Run(vae.dataset, vae.model, None, None, seed) for seed in range(2)]
        fleets = plan_fleets(closed)
        assert [(fleet.engine, len(fleet.runs), fleet.steps) for fleet in fleets] == [("closed_form", 1, 0)] * 2

    def test_an_id_tells_members_and_order(self) -> None:
        a, b = small_run(seed=0), small_run(seed=1)
        ids = {Fleet("stacked", runs).fleet_id for runs in [(a,), (a, b), (b, a)]}
        assert len({*ids, Fleet("single", (a,)).fleet_id}) == 4
        again = Fleet.from_json(json.loads(json.dumps(Fleet("stacked", (a, b)).to_json())))
        assert again == Fleet("stacked", (a, b))
        assert again.fleet_id in ids


def folder(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.mkdir()
    return path


class TestTraining:
    @pytest.mark.parametrize(
        ("engine", "model"),
        [("single", "vae"), ("stacked", "factor_vae"), ("stacked", "beta_vae"), ("stacked", "ada_ml_vae")],
    )
    def test_a_stopped_fleet_goes_on_bit_by_bit(self, engine: str, model: str, tmp_path: Path) -> None:
        fleet = fleet_of(engine, model)
        data = load(fleet.runs[0])
        whole, progress = train(fleet, data, folder(tmp_path, "whole"), 1e9, never)
        stopped = folder(tmp_path, "stopped")
        # Rows are 2 steps apart: stop at step 6, then at 6 + 14.
        for times in (3, 7):
            with pytest.raises(Interrupted):
                train(fleet, data, stopped, 1e9, after(times))
        again, resumed = train(fleet, data, stopped, 1e9, never)
        assert (progress.resumed, resumed.resumed) == ([], [6, 20])
        assert resumed.seconds > 0
        for index in range(len(fleet.runs)):
            assert torch.equal(weights(whole.member(index)), weights(again.member(index)))
            assert progress.history.csv(index) == resumed.history.csv(index)
        assert progress.step == resumed.step == 40

    @pytest.mark.parametrize(("seconds", "resumed"), [(0.0, [8]), (1e9, [])])
    def test_a_killed_fleet_goes_on_from_its_last_checkpoint(
        self, seconds: float, resumed: list[int], tmp_path: Path
    ) -> None:
        fleet = fleet_of("stacked", "vae")
        data = load(fleet.runs[0])
        whole, _ = train(fleet, data, folder(tmp_path, "whole"), 1e9, never)
        killed = folder(tmp_path, "killed")
        rows = iter(range(4))
        with pytest.raises(StopIteration):
            train(fleet, data, killed, seconds, lambda: next(rows) < 0)
        again, progress = train(fleet, data, killed, 1e9, never)
        assert progress.resumed == resumed
        assert torch.equal(weights(whole.member(1)), weights(again.member(1)))

    @pytest.mark.parametrize("place", [3, 200, 400, -1, "cut", "old"])
    def test_an_altered_checkpoint_is_said_and_the_fleet_begins_again(self, place: int | str, tmp_path: Path) -> None:
        fleet = fleet_of("stacked", "vae")
        data, path = load(fleet.runs[0]), folder(tmp_path, "fleet")
        whole, _ = train(fleet, data, folder(tmp_path, "whole"), 1e9, never)
        with pytest.raises(Interrupted):
            train(fleet, data, path, 1e9, after(3))
        file = path / "checkpoint.safetensors"
        content = bytearray(file.read_bytes())
        if isinstance(place, int):
            content[place] ^= 1
        content = content[:-5] if place == "cut" else content
        file.write_bytes(content.replace(b"sha256", b"digest") if place == "old" else content)
        said: list[str] = []
        again, progress = train(fleet, data, path, 1e9, never, say=said.append)
        assert progress.resumed == []
        assert len(said) == 1
        assert said[0].endswith("training begins again at step 0")
        assert torch.equal(weights(whole.member(1)), weights(again.member(1)))

    def test_a_finished_fleet_that_was_not_published_is_not_trained_again(self, tmp_path: Path) -> None:
        fleet = fleet_of("stacked", "vae")
        data, path = load(fleet.runs[0]), folder(tmp_path, "fleet")
        engine, _ = train(fleet, data, path, 1e9, never)
        again, progress = train(fleet, data, path, 1e9, never)
        assert (progress.step, progress.resumed) == (40, [40])
        assert torch.equal(weights(engine.member(0)), weights(again.member(0)))

    def test_a_fleet_tells_how_far_it_is(self, tmp_path: Path) -> None:
        fleet = fleet_of("stacked", "vae")
        path = folder(tmp_path, "fleet")
        train(fleet, load(fleet.runs[0]), path, 1e9, never)
        said = read_json(path / "progress.json")
        assert (said["step"], said["steps"], said["resumed"]) == (40, 40, [])

    def test_history_has_a_row_for_each_twentieth(self, tmp_path: Path) -> None:
        fleet = fleet_of("stacked", "beta_vae")
        _, progress = train(fleet, load(fleet.runs[0]), folder(tmp_path, "fleet"), 1e9, never)
        rows = progress.history.csv(0).splitlines()
        assert rows[0] == "step,loss,rec,kl,probe_kl_0,probe_kl_1,active,delta_kl"
        assert [int(row.split(",")[0]) for row in rows[1:]] == list(range(2, 41, 2))

    def test_a_diverged_member_fails_at_its_step_and_the_others_go_on(self, tmp_path: Path) -> None:
        fleet = fleet_of("stacked", "vae", rates=(1e-3, 1e6, 1e-3))
        data = load(fleet.runs[0])
        engine, progress = train(fleet, data, folder(tmp_path, "fleet"), 1e9, never)
        assert set(progress.history.diverged) == {1}
        assert 0 < progress.history.diverged[1] < 10
        healthy = Fleet("stacked", (fleet.runs[0], fleet.runs[2]))
        alone, expected = train(healthy, data, folder(tmp_path, "healthy"), 1e9, never)
        for index, kept in ((0, 0), (2, 1)):
            assert (weights(engine.member(index)) - weights(alone.member(kept))).abs().max() < 1e-5
            assert len(progress.history.rows[index]) == len(expected.history.rows[kept]) == 20

    def test_a_fleet_of_diverged_members_ends_early(self, tmp_path: Path) -> None:
        fleet = fleet_of("stacked", "vae", steps=10_000, rates=(1e6, 1e6))
        _, progress = train(fleet, load(fleet.runs[0]), folder(tmp_path, "fleet"), 1e9, never)
        assert progress.step == 500
        assert set(progress.history.diverged) == {0, 1}

    def test_a_member_that_its_last_update_breaks_has_diverged(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its last loss was finite, and its codes still are."""

        def step(self: StackedEngine, x: Any, x2: Any, noise: Any, step: int, labels: Any = None) -> dict[str, Tensor]:
            terms = take_step(self, x, x2, noise, step, labels)
            if step == 39:
                with torch.no_grad():
                    self.parameters["decoder.4.bias"][1, 0] = math.nan
            return terms

        take_step = StackedEngine.step
        monkeypatch.setattr(StackedEngine, "step", step)
        fleet = fleet_of("stacked", "vae")
        _, progress = train(fleet, load(fleet.runs[0]), folder(tmp_path, "fleet"), 1e9, never)
        assert progress.history.diverged == {1: 40}

    def test_the_untrained_network_is_as_it_was_drawn(self, tmp_path: Path) -> None:
        fleet = fleet_of("stacked", "untrained")
        data = load(fleet.runs[0])
        engine, progress = train(fleet, data, folder(tmp_path, "fleet"), 1e9, never)
        assert progress.step == 0
        for index, run in enumerate(fleet.runs):
            assert torch.equal(weights(engine.member(index)), weights(build(run, data)))


@pytest.mark.parametrize("content", ["", "{}", '{"checkpoint": 1}'])
def test_a_damaged_checkpoint_holds_no_step(content: str, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(len(content).to_bytes(8, "little") + content.encode())
    assert kept_step(path) == 0


def test_networks_that_train_one_by_one_are_worked_off_seed_by_seed() -> None:
    runs = [
        small_run("vae", network=("conv32", {"latents": 2}), training={"steps": steps}, seed=seed)
        for steps in (10, 30, 20)
        for seed in range(2)
    ]
    order = [fleet.runs[0] for fleet in sorted(plan_fleets(runs), key=turn)]
    assert [(run.seed, run.training and run.training.settings["steps"]) for run in order] == [
        (0, 30), (0, 20), (0, 10), (1, 30), (1, 20), (1, 10),
    ]  # fmt: skip
