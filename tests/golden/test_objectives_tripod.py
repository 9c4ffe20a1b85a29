"""Tripod's three parts in cases solvable by hand: values, information in common, and curvature across coordinates."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from small import load, small_run
from test_objectives import Fixed, a_batch, make
from torch import Tensor, nn

from benchmark.errors import UsageError
from benchmark.models._hessian_penalty import hidden, normalised_penalty, second_differences, split
from benchmark.models.tripod import Tripod, multi_information
from benchmark.training.engine import seeded
from benchmark.training.loop import check_precision

ONES = torch.ones(2, dtype=torch.float64)


def deviations(c: Tensor) -> Tensor:
    return c.var(0, unbiased=False).sqrt()


class TestValues:
    def test_the_nearest_of_evenly_spread_ones(self) -> None:
        model = make("tripod", values=5)
        t = torch.tensor([[-0.99, -0.3], [0.2, 0.74], [0.26, 0.76]])
        assert model.quantised(t).tolist() == [[-1.0, -0.5], [0.0, 0.5], [0.5, 1.0]]

    def test_codes_are_values_of_tanh_and_the_gradient_passes(self) -> None:
        model = make("tripod", inputs=2, values=3)
        model.encoder = nn.Identity()
        x = torch.tensor([[0.1, 3.0], [-0.7, 0.6]], dtype=torch.float64, requires_grad=True)
        codes = model.posterior(x).mu
        assert codes.tolist() == [[0.0, 1.0], [-1.0, 1.0]]
        (slope,) = torch.autograd.grad(codes.sum(), x)
        torch.testing.assert_close(slope, 1 - x.detach().tanh() ** 2)
        assert model.posterior(torch.tensor([[float("nan"), 0.0]])).mu[0, 0].isnan()


class TestMultiInformation:
    def test_of_a_full_grid_is_none(self) -> None:
        """Its kernel density is the product of its marginals': Σ over pairs is a product of Σs."""
        grid = torch.cartesian_prod(torch.arange(3).double(), torch.tensor([0.0, 1.0, 4.0, 5.0]).double())
        assert multi_information(grid, deviations(grid)).item() == pytest.approx(0, abs=1e-12)
        assert multi_information(grid[:-2], deviations(grid[:-2])).item() > 1e-3

    def test_of_one_coordinate_is_none(self) -> None:
        c = torch.tensor([[0.1], [0.7], [-1.0]], dtype=torch.float64)
        assert multi_information(c, deviations(c)).item() == pytest.approx(0, abs=1e-12)

    @pytest.mark.parametrize("marginals", ["joint", "deviation"])
    def test_of_two_points_on_the_diagonal(self, marginals: str) -> None:
        """(0, 0) and (2, 2), deviations 1: s = (4/8)^(1/6), and each density is the mean of two kernels."""
        s = 0.5 ** (1 / 6)
        w = s if marginals == "joint" else 1.0

        def density(distances: tuple[float, float], width: float, d: int) -> float:
            kernels = [math.exp(-(r**2) / 2 / width**2) / (2 * math.pi * width**2) ** (d / 2) for r in distances]
            return math.log(sum(kernels) / 2)

        expected = density((0, math.sqrt(8)), s, 2) - 2 * density((0, 2), w, 1)
        c = torch.tensor([[0.0, 0.0], [2.0, 2.0]], dtype=torch.float64)
        assert multi_information(c, ONES, marginals).item() == pytest.approx(expected)

    def test_a_copy_of_a_coordinate_has_much(self) -> None:
        c = torch.linspace(-1, 1, 12).double().repeat(5)
        shuffled = c[torch.randperm(60, generator=torch.Generator().manual_seed(0))]
        copied, apart = (multi_information(torch.stack([c, other], 1), ONES) for other in (c, shuffled))
        assert copied > apart + 0.05


def sequence(*functions: object) -> nn.Sequential:
    """Functions of codes, each kept positive so that the activation after it changes nothing."""
    return nn.Sequential(*itertools.chain(*((Fixed(function), nn.ReLU()) for function in functions)))


def product(z: Tensor) -> Tensor:
    return 100 + z[:, :1] * z[:, 1:]


def squares(z: Tensor) -> Tensor:
    return 100 + 3 * z.square()


class TestHessian:
    Z = torch.tensor([[0.3, -0.2], [1.0, 2.0]], dtype=torch.float64)
    SIGNS = torch.tensor([[[1.0, 1.0]] * 2, [[1.0, -1.0]] * 2], dtype=torch.float64)
    NORMALS = torch.tensor([[[0.5, 2.0]] * 2, [[-1.0, 1.0]] * 2], dtype=torch.float64)

    def penalty(self, *functions: object) -> float:
        layers, rest = split(sequence(*functions))
        assert rest == []
        return normalised_penalty(layers, self.Z, hidden(layers, self.Z), self.SIGNS, self.NORMALS).item()

    def test_second_differences_are_those_of_the_quadratic_form(self) -> None:
        """Of z₁z₂: 2 v₁v₂; of 3z₁², 3z₂²: 6 v₁² and 6 v₂²."""
        layers, _ = split(sequence(lambda z: torch.cat([product(z), squares(z)], dim=1)))
        (found,) = second_differences(layers, self.Z, hidden(layers, self.Z), self.NORMALS)
        expected = torch.tensor([[2.0, 1.5, 24.0], [-2.0, 6.0, 6.0]], dtype=torch.float64)
        torch.testing.assert_close(found, expected.unsqueeze(1).expand(-1, 2, -1), rtol=1e-6, atol=1e-6)

    def test_what_adds_up_costs_nothing(self) -> None:
        assert self.penalty(squares) == pytest.approx(0, abs=1e-9)

    def test_a_product_is_all_across(self) -> None:
        """Signs: 2 and −2, variance 4. Normals: 2 and −2, variance 4."""
        assert self.penalty(product) == pytest.approx(1)

    def test_a_mixture_is_a_share(self) -> None:
        """Means over outputs: (4 + 0 + 0)/3 across, of (4 + 5.0625 + 81)/3."""
        both = self.penalty(lambda z: torch.cat([product(z), squares(z)], dim=1))
        assert both == pytest.approx(4 / (4 + 2.25**2 + 81))

    def test_layers_add_up(self) -> None:
        """A second activation of the same values costs as much again."""
        first, second = self.penalty(product), self.penalty(product, lambda h: h)
        assert second == pytest.approx(2 * first)

    def test_a_linear_decoder_has_no_curvature_and_costs_nothing(self) -> None:
        assert self.penalty(lambda z: 100 + z) == pytest.approx(0, abs=1e-6)

    def test_a_decoder_without_activations_is_refused(self) -> None:
        with pytest.raises(UsageError, match="choose a network"):
            split(nn.Sequential(nn.Linear(2, 3)))


class TestLoss:
    def test_is_the_sum_of_its_weighed_terms_and_rec_that_of_the_codes(self) -> None:
        model = make("tripod", lambda_multi_information=3.0, lambda_hessian=5.0)
        batch = a_batch(model)
        loss, terms, _ = model.loss(batch, model.settings)
        torch.testing.assert_close(loss, terms["rec"] + 3 * terms["multi_information"] + 5 * terms["hessian"])
        codes = model.posterior(batch.x).mu
        torch.testing.assert_close(terms["rec"], model.nats(batch.x, model.decode(codes)).mean())
        deviation = deviations(model.encoder(batch.x).tanh())
        torch.testing.assert_close(terms["multi_information"], multi_information(codes, deviation, "deviation"))
        assert terms["hessian"] > 0

    def test_curvature_may_be_taken_at_the_first_points_alone(self) -> None:
        """Their own, under the whole batch's deviations: how the others are moved makes no difference."""
        with seeded("curved"):
            curved = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 3)).double()
        whole, some, every = (make("tripod", hessian_points=points) for points in (0, 3, 8))
        batch = a_batch(whole)

        def hessian(model: Tripod) -> float:
            model.decoder = curved
            return model.loss(batch, model.settings).terms["hessian"].item()

        at_some, at_all = hessian(some), hessian(whole)
        assert at_some > 0.01
        assert at_some != pytest.approx(at_all)
        assert hessian(every) == at_all
        batch.noise["normals"][:, 3:] = 9.0
        assert hessian(some) == at_some
        batch.noise["normals"][:, 2] *= 2
        assert hessian(some) != pytest.approx(at_some)

    def test_a_dead_coordinate_has_a_finite_gradient(self) -> None:
        model = make("tripod")
        with torch.no_grad():
            model.encoder[-1].weight[0] = 0
        loss = model.loss(a_batch(model), model.settings).loss
        for slope in torch.autograd.grad(loss, list(model.parameters()), allow_unused=True):
            assert slope is None or slope.isfinite().all()


def test_narrow_products_are_refused() -> None:
    run = small_run("tripod", training={"precision": "bfloat16"})
    with pytest.raises(UsageError, match=r'training\.precision = "bfloat16" does not suit model tripod'):
        check_precision(run, load(run))
