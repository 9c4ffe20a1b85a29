"""The siamese embedding, and the labels that reach it: its loss by hand, and training in either engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small import load, neural_models, small_run, table, weights
from torch import Tensor, nn

from benchmark import registry
from benchmark.datasets._dataset import Data
from benchmark.errors import ModelError
from benchmark.models._neural import Batch
from benchmark.models.siamese import Siamese
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.spec import Run, TrainingSettings
from benchmark.training.draws import Draws
from benchmark.training.feed import classes, points
from benchmark.training.fleet import EngineName, Fleet
from benchmark.training.loop import ENGINES, build, train


def siamese(margin: float = 1.0) -> Siamese:
    """A model whose codes are the data."""
    model = Siamese(Siamese.Settings(likelihood="gaussian", margin=margin), MlpTiny(MlpTiny.Settings(), (2,)), 10)
    model.encoder = nn.Identity()
    return model


def batch_of(x: list[list[float]], labels: list[int]) -> Batch:
    return Batch(torch.tensor(x, requires_grad=True), {}, torch.tensor(0.0), None, torch.tensor(labels))


def a_run(seed: int = 0, margin: float = 1.0, **training: Any) -> Run:
    settings = {"steps": 60, "batch": 32, **training}
    return small_run("siamese", {"margin": margin}, training=settings, dataset=("digits", {}), seed=seed)


def trained(engine: EngineName, runs: list[Run], folder: Path) -> tuple[list[Tensor], list[list[dict[str, float]]]]:
    """The weights and the histories of runs after the training loop."""
    folder.mkdir()
    done, progress = train(Fleet(engine, tuple(runs)), load(runs[0]), folder, 1e9, lambda: False)
    return [weights(done.member(index)) for index in range(len(runs))], progress.history.rows


class TestLoss:
    def test_by_hand(self) -> None:
        """a, b alike at distance 5; c of another class, 0.6 from a (margin 1), and far from b."""
        model = siamese()
        batch = batch_of([[0.0, 0.0], [3.0, 4.0], [0.6, 0.0]], [7, 7, 2])
        loss, terms, _ = model.loss(batch, model.settings)
        assert terms["attraction"].item() == pytest.approx(5 / 3)
        assert terms["repulsion"].item() == pytest.approx(0.4 / 3)
        assert terms["offset"].item() == pytest.approx((0 + 0 + 1.8) / 3)
        assert loss.item() == pytest.approx(7.2 / 3)

    def test_offset_is_the_squared_mean_and_leaves_distances_alone(self) -> None:
        """Without bias: N(m, 1) in two coordinates gives ‖m‖², and moving all codes changes no other term."""
        model, n = siamese(), 2000
        z = torch.from_numpy(np.random.default_rng(0).standard_normal((n, 2)))
        labels = torch.arange(n) % 3
        centred, moved = (
            model.loss(Batch(x, {}, torch.tensor(0.0), None, labels), model.settings).terms
            for x in (z, z + torch.tensor([1.0, -2.0]))
        )
        assert centred["offset"].item() == pytest.approx(0, abs=0.01)
        assert moved["offset"].item() == pytest.approx(5, abs=0.4)
        for name in ("attraction", "repulsion"):
            torch.testing.assert_close(centred[name], moved[name])

    def test_margin_is_the_reach_of_repulsion(self) -> None:
        for margin, expected in ((2.0, 0.0), (5.0, 0.0), (7.5, 2.5)):
            model = siamese(margin)
            batch = batch_of([[0.0, 0.0], [3.0, 4.0]], [0, 1])
            loss = model.loss(batch, model.settings).terms["repulsion"]
            assert loss.item() == pytest.approx(expected)
            (slope,) = torch.autograd.grad(loss, batch.x)
            pull = -1.0 if expected else 0.0  # the way out is along (3, 4)/5
            torch.testing.assert_close(slope[1], pull * torch.tensor([0.6, 0.8]))

    def test_one_class_attracts_wherever_it_is(self) -> None:
        model = siamese()
        batch = batch_of([[0.0, 0.0], [30.0, 40.0]], [1, 1])
        (slope,) = torch.autograd.grad(model.loss(batch, model.settings).terms["attraction"], batch.x)
        torch.testing.assert_close(slope, torch.tensor([[-0.6, -0.8], [0.6, 0.8]]))

    def test_a_point_drawn_twice_has_a_finite_gradient(self) -> None:
        model = siamese()
        batch = batch_of([[1.0, 2.0], [1.0, 2.0], [1.5, 2.0]], [0, 0, 1])
        (slope,) = torch.autograd.grad(model.loss(batch, model.settings).loss, batch.x)
        assert torch.isfinite(slope).all()
        assert slope.abs().sum() > 0.1

    def test_names_of_classes_do_not_matter(self) -> None:
        model = siamese()
        x = np.random.default_rng(0).random((4, 2)).tolist()
        losses = [model.loss(batch_of(x, labels), model.settings).loss for labels in ([0, 1, 0, 2], [5, 3, 5, 9])]
        assert losses[0] == losses[1]
        assert model.loss(batch_of(x, [0, 1, 1, 2]), model.settings).loss != losses[0]


class TestClasses:
    def data(self, factors: np.ndarray, sizes: tuple[int, ...]) -> Data:
        whole = table(np.zeros((len(factors), 2), np.float32), factors)
        return Data(whole.images, factors, whole.factor_names, sizes, whole.training_rows, whole.evaluation_rows)

    def test_the_first_discrete_factor_that_varies(self) -> None:
        factors = np.array([[0.5, 0, 2, 1], [0.1, 0, 0, 1], [0.2, 0, 1, 0]])
        found = classes(self.data(factors, (0, 1, 3, 2)))
        assert found.dtype == np.int64
        assert found.tolist() == [2, 0, 1]

    @pytest.mark.parametrize("factors", [np.zeros((3, 0)), np.array([[0.5, 0.0], [0.1, 0.0], [0.2, 0.0]])])
    def test_without_one_it_is_the_models_failure(self, factors: np.ndarray) -> None:
        with pytest.raises(ModelError, match="discrete factor"):
            classes(self.data(factors, (0, 1)[: factors.shape[1]]))


class TestTraining:
    def test_engines_agree_and_the_loss_falls(self, tmp_path: Path) -> None:
        runs = [a_run(0), a_run(1, margin=3.0), a_run(2, learning_rate=2e-3)]
        fleet, rows = trained("stacked", runs, tmp_path / "fleet")
        for index, run in enumerate(runs):
            (alone,), _ = trained("single", [run], tmp_path / f"alone{index}")
            before = weights(build(run, load(run)))
            assert (fleet[index] - before).abs().max() > 1e-2
            assert (fleet[index] - alone).abs().max() < 1e-5
            assert rows[index][-1]["loss"] < rows[index][0]["loss"] - 0.05
            assert {"attraction", "repulsion", "offset"} < rows[index][0].keys()

    def test_classes_come_closer_within_than_between(self, tmp_path: Path) -> None:
        run = a_run(steps=400, learning_rate=1e-2)
        data = load(run)
        engine, _ = train(Fleet("stacked", (run,)), data, tmp_path, 1e9, lambda: False)
        with torch.no_grad():
            z = engine.member(0).posterior(points(data.images, data.evaluation_rows, data.maximum)).mu
        alike = torch.from_numpy(data.factors[data.evaluation_rows, 0])
        alike = alike[:, None] == alike[None]
        distances = torch.cdist(z, z)
        assert distances[alike].mean() < 0.5 * distances[~alike].mean()

    @pytest.mark.parametrize("kind", ["single", "stacked"])
    def test_labels_are_those_of_the_rows_drawn(self, kind: str) -> None:
        """A step of an engine is the loss of the drawn rows under their own labels, and not under others."""
        run = a_run()
        data = load(run)
        draws = Draws([run.run_id], build(run, data), data.training_rows, 32)
        rows, noise = draws.at(0)
        x, labels = points(data.images, rows, data.maximum), torch.from_numpy(classes(data)[rows[:, 0]])
        expected = build(run, data)
        loss = expected.loss(Batch(x[0, 0], {}, torch.tensor(0.0), None, labels[0]), expected.settings).loss
        for seen, same in ((labels, True), (labels.flip(1), False)):
            engine = ENGINES[kind]([build(run, data)], [TrainingSettings()])  # type: ignore[call-arg]
            found = engine.step(x[:, 0], None, noise, 0, seen)["loss"][0]
            assert torch.isclose(found, loss.detach(), atol=1e-6) == same

    def test_unlabelled_models_see_none(self) -> None:
        others = [registry.load("model", name) for name in neural_models() if name != "siamese"]
        assert not any(model.labelled or model.supervised for model in others)
        assert Siamese.labelled and Siamese.supervised


def test_there_is_no_way_back() -> None:
    with pytest.raises(ModelError, match="no way back"):
        siamese().decode(torch.zeros(1, 2))
