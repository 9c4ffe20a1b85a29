"""Pairs of points that share factors: what is drawn, from whose stream, how it reaches a model, and who has none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small import GRID, PLANE, engine_of, load, small_run

import benchmark
from benchmark.datasets._dataset import Data, blank_grid
from benchmark.datasets._pairs import Pairs
from benchmark.errors import UsageError
from benchmark.models._neural import Batch
from benchmark.stages.estimate import estimate
from benchmark.stages.train import check_data
from benchmark.training.draws import Draws
from benchmark.training.feed import points
from benchmark.training.fleet import plan_fleets
from benchmark.training.loop import build, make_draws, make_feed, pairs_of
from benchmark.words.components import component

SIZES = (3, 1, 2, 4)


def drawn(changed: int, n: int = 4000, sizes: tuple[int, ...] = SIZES) -> tuple[np.ndarray, np.ndarray]:
    """The factors (n k) of uniformly drawn points of a grid, and those of their partners."""
    data, rng = blank_grid((1,), sizes), np.random.default_rng(0)
    rows = rng.integers(len(data.images), size=(n // 10, 10))
    partners = Pairs(data, changed).partners(rows, rng)
    assert partners.shape == rows.shape
    return data.factors[rows.ravel()], data.factors[partners.ravel()]


class TestPairs:
    @pytest.mark.parametrize("changed", [1, 2])
    def test_partners_differ_in_so_many_factors(self, changed: int) -> None:
        """Each of the three that vary as often as the others, the constant one never."""
        points, partners = drawn(changed)
        different = points != partners
        assert (different.sum(axis=1) == changed).all()
        assert not different[:, 1].any()
        np.testing.assert_allclose(different[:, [0, 2, 3]].mean(axis=0), changed / 3, atol=0.03)

    def test_zero_is_any_number_that_leaves_one_factor_shared(self) -> None:
        points, partners = drawn(0)
        number = (points != partners).sum(axis=1)
        assert set(number) == {1, 2}
        assert (number == 1).mean() == pytest.approx(0.5, abs=0.03)

    def test_a_changed_factor_takes_every_other_value_as_often(self) -> None:
        points, partners = drawn(1, 12_000)
        step = (partners - points)[:, 3] % 4
        counts = np.bincount(step, minlength=4)
        assert counts[0] == (step == 0).sum() > 7_000
        np.testing.assert_allclose(counts[1:] / counts[1:].sum(), 1 / 3, atol=0.03)

    def test_partners_are_spread_as_points_are(self) -> None:
        _, partners = drawn(2, 24_000)
        frequencies = np.bincount(np.ravel_multi_index(tuple(partners.T), SIZES), minlength=24)
        np.testing.assert_allclose(frequencies / 1000, 1, atol=0.15)

    @pytest.mark.parametrize(
        ("data", "changed", "said"),
        [
            (replace(blank_grid((1,), (3, 4)), grid=False), 1, "this dataset is none; choose one that is"),
            (
                replace(blank_grid((1,), (3, 4)), training_rows=np.arange(11)),
                1,
                "this dataset trains on a part",
            ),
            (replace(blank_grid((1,), (3, 4)), training_weights=np.arange(1.0, 13.0)), 1, "some points more often"),
            (
                replace(blank_grid((1,), (3, 4)), training_rows=np.zeros(12, int)),
                1,
                "this dataset trains on a part",
            ),
            (blank_grid((1,), (3, 1, 4)), 2, r"needs 3 that vary; this dataset has 2: lower model\.changed"),
            (blank_grid((1,), (5, 1)), 0, "needs 2 that vary; this dataset has 1"),
        ],
    )
    def test_data_without_pairs_is_refused(self, data: Data, changed: int, said: str) -> None:
        with pytest.raises(UsageError, match=said):
            Pairs(data, changed)


class TestDraws:
    def test_a_first_point_is_that_of_an_unpaired_model_and_its_partner_shares_factors(self) -> None:
        run = small_run("ada_gvae", {"changed": 2})
        data, plain = load(run), build(small_run("vae", dataset=GRID), load(run))
        rows, noise = make_draws([run], build(run, data), data, 16).at(70)
        alone, _ = Draws([run.run_id], plain, data.training_rows, 16).at(70)
        assert rows.shape == (1, 2, 16)
        assert noise["eps"].shape == (1, 32, 2)
        np.testing.assert_array_equal(rows[:, 0], alone[:, 0])
        assert ((data.factors[rows[0, 0]] != data.factors[rows[0, 1]]).sum(axis=1) == 2).all()

    def test_pairs_depend_neither_on_company_nor_on_where_training_resumed(self) -> None:
        runs = [small_run("ada_gvae", seed=seed) for seed in range(2)]
        data = load(runs[0])
        model = build(runs[0], data)
        fleet = make_draws(runs, model, data, 16)
        straight = {step: fleet.at(step)[0][1].copy() for step in range(130)}
        assert len({value[1].tobytes() for value in straight.values()}) == 130
        alone = make_draws(runs[1:], model, data, 16)
        for step in (129, 64, 63, 0):
            np.testing.assert_array_equal(alone.at(step)[0][0], straight[step])
        block, _ = alone.block(1)
        np.testing.assert_array_equal(block[0, 5], straight[69])

    @pytest.mark.parametrize("kind", ["single", "stacked"])
    def test_a_step_is_the_loss_of_points_and_their_own_partners(self, kind: str) -> None:
        run = small_run("ada_gvae")
        data = load(run)
        draws, model = make_draws([run], build(run, data), data, 16), build(run, data)
        rows, noise = draws.at(0)
        images, eps = points(data.images, rows[0], data.maximum), {"eps": noise["eps"][0]}
        expected, crossed = (
            model.loss(Batch(images[0], eps, torch.tensor(0.0), x2), model.settings).loss
            for x2 in (images[1], images[1].flip(0))
        )
        engine = engine_of(kind, [run], data)
        x, x2, noise, labels = make_feed(engine, draws, data).at(0)
        found = engine.step(x, x2, noise, 0, labels)["loss"][0]
        torch.testing.assert_close(found, expected.detach())
        assert not torch.isclose(found, crossed.detach(), atol=1e-2)


class TestRefusals:
    def test_before_training_and_before_an_estimate_in_a_sentence(self) -> None:
        """With model and dataset by name; a model that takes no pairs trains on the same data."""
        fleets = plan_fleets([small_run("vae"), small_run("ada_ml_vae", dataset=PLANE)])
        for refused in (lambda: check_data(fleets, None), lambda: estimate(fleets, 0, 1, None)):
            with pytest.raises(
                UsageError, match="model ada_ml_vae does not suit dataset synth_linear: pairs that share"
            ):
                refused()
        for misfit in (
            small_run("vae", network=("conv32", {})),
            small_run("hfs", network=("mlp_tiny", {"latents": 1})),
        ):
            with pytest.raises(UsageError, match=r"takes images of 32|set network\.latents to 2"):
                check_data(plan_fleets([misfit]), None)
        check_data(fleets[:1], None)
        check_data(plan_fleets([small_run("ada_ml_vae")]), None)

    def test_unpaired_models_have_no_pairs(self) -> None:
        run = small_run("factor_vae")
        assert pairs_of(run, build(run, load(run)), load(run)) is None


def test_weak_supervision_is_shown_and_others_have_no_mark() -> None:
    assert component("model", "ada_gvae")["marks"] == ["weakly supervised"]
    assert component("model", "siamese")["marks"] == ["sees labels"]
    assert "marks" not in component("model", "vae")


def test_the_records_of_runs_are_marked(tmp_path: Path) -> None:
    suite = tmp_path / "weak.toml"
    suite.write_text(
        'description = "pairs"\nseeds = 1\n[training]\nsteps = 3\nbatch = 4\n[evaluation]\nmetrics = ["mig"]\n'
        "[[block]]\ndataset = { name = 'dsprites', resolution = 32, stride = [1, 3, 20, 8, 8] }\n"
        "network = { name = 'mlp_tiny', hidden = 4 }\nmodel = ['vae', 'ada_gvae']\n"
    )
    benchmark.run(str(suite), results=tmp_path / "results", jobs=1)
    records = [json.loads(path.read_text()) for path in (tmp_path / "results").glob("runs/*/*/*/*/run.json")]
    assert {record["run"]["model"]["name"]: record["marks"] for record in records} == {
        "vae": [],
        "ada_gvae": ["weakly supervised"],
    }
