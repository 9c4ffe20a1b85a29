"""The distance between a joint support and the product of its marginals, in cases solvable by hand."""

from __future__ import annotations

import itertools

import pytest
import torch
from test_objectives import a_batch, loss_of, make
from torch import Tensor

from benchmark.errors import UsageError
from benchmark.models.hfs import hausdorff

POINTS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0], [5.0, 4.0]], dtype=torch.float64)
"""Of their 16 recombinations the farthest from any of them is (5, 0): 4 from (1, 0) and (5, 4)."""


def every_combination(n: int, pairs: int = 1) -> Tensor:
    rows = torch.tensor(list(itertools.product(range(n), repeat=2)))
    return rows.unsqueeze(1).expand(-1, pairs, -1)


def slowly(codes: Tensor, rows: Tensor) -> float:
    total = 0.0
    for p in range(codes.shape[1]):
        points = [(codes[a, p, 0].item(), codes[b, p, 1].item()) for a, b in rows[:, p].tolist()]
        own = codes[:, p].tolist()
        total += max(min((x - u) ** 2 + (y - v) ** 2 for u, v in own) for x, y in points)
    return total


def test_four_points() -> None:
    codes = POINTS.unsqueeze(1)
    assert hausdorff(codes, every_combination(4)).item() == 16
    # (0, 4), (1, 3) and (0, 0) alone: one from (0, 3), one from (0, 3), none.
    drawn = torch.tensor([[0, 3], [1, 2], [2, 1]]).unsqueeze(1)
    assert hausdorff(codes, drawn).item() == 1
    assert hausdorff(codes, torch.tensor([[[3, 3]], [[1, 0]]])).item() == 0


@pytest.mark.parametrize("sizes", [(2, 2), (3, 4), (1, 5)])
def test_a_full_grid_has_a_factorised_support(sizes: tuple[int, int]) -> None:
    grid = torch.cartesian_prod(*(torch.arange(size).double() ** 1.5 for size in sizes))
    assert hausdorff(grid.unsqueeze(1), every_combination(len(grid))).item() == 0
    without_a_corner = grid[:-1].unsqueeze(1)
    gap = hausdorff(without_a_corner, every_combination(len(grid) - 1)).item()
    assert (gap > 0) == (min(sizes) > 1)


def test_correlation_costs_nothing_where_every_combination_occurs() -> None:
    """Nine of ten codes on the diagonal, each corner once."""
    codes = torch.tensor([[0.0, 0.0]] * 9 + [[1.0, 1.0]] * 9 + [[0.0, 1.0], [1.0, 0.0]]).unsqueeze(1)
    assert hausdorff(codes, every_combination(20)).item() == 0
    assert hausdorff(codes[:18], every_combination(18)).item() == 1


def test_pairs_add_up_and_agree_with_the_definition() -> None:
    rng = torch.Generator().manual_seed(0)
    codes = torch.randn(12, 3, 2, generator=rng, dtype=torch.float64)
    rows = torch.randint(12, (40, 3, 2), generator=rng)
    expected = slowly(codes, rows)
    assert hausdorff(codes, rows).item() == pytest.approx(expected)
    alone = [hausdorff(codes[:, [p]], rows[:, [p]]).item() for p in range(3)]
    assert sum(alone) == pytest.approx(expected)


def test_gradient_of_four_points() -> None:
    """(5, 0) takes its first coordinate from the fourth point and its second from the first; its nearest is (1, 0), the
    second point, which is met before (5, 4): ∂16 = 2·4·(∂ of 5 − ∂ of 1)."""
    codes = POINTS.clone().unsqueeze(1).requires_grad_()
    (slope,) = torch.autograd.grad(hausdorff(codes, every_combination(4)), codes)
    expected = torch.zeros(4, 2, dtype=torch.float64)
    expected[3, 0], expected[1, 0] = 8.0, -8.0
    torch.testing.assert_close(slope[:, 0], expected)


def test_gradient_is_the_slope_of_the_value() -> None:
    rng = torch.Generator().manual_seed(1)
    codes = torch.randn(7, 2, 2, generator=rng, dtype=torch.float64, requires_grad=True)
    rows = torch.randint(7, (30, 2, 2), generator=rng)
    assert torch.autograd.gradcheck(lambda z: hausdorff(z, rows), (codes,))


class TestLoss:
    def test_gamma_zero_is_the_beta_vae(self) -> None:
        assert loss_of(make("hfs", gamma=0.0, beta=3.0)) == loss_of(make("beta_vae", beta=3.0))

    def test_terms_are_weighed_and_the_distance_is_that_of_the_means(self) -> None:
        model = make("hfs", gamma=7.0, beta=2.0, combinations=5)
        batch = a_batch(model)
        loss, terms, _ = model.loss(batch, model.settings)
        rows = (batch.noise["recombined"] * len(batch.x)).long()
        mu = model.encoder(batch.x).chunk(2, dim=1)[0]
        assert rows.shape == (5, 1, 2)
        assert terms["hausdorff"].item() == pytest.approx(slowly(mu.unsqueeze(1), rows))
        assert terms["hausdorff"] > 0
        torch.testing.assert_close(loss, terms["rec"] + 2 * terms["kl"] + 7 * terms["hausdorff"])

    def test_a_step_looks_at_the_pairs_drawn_first(self) -> None:
        """Of three pairs (0, 1), (0, 2), (1, 2) the two smallest numbers choose the last and the first."""
        model = make("hfs", latents=3, pairs=2, combinations=6)
        batch = a_batch(model)
        batch.noise["order"].copy_(torch.tensor([0.5, 0.9, 0.1]))
        mu = model.encoder(batch.x).chunk(2, dim=1)[0]
        rows = (batch.noise["recombined"] * len(batch.x)).long()
        expected = slowly(torch.stack([mu[:, [1, 2]], mu[:, [0, 1]]], dim=1), rows)
        assert model.loss(batch, model.settings).terms["hausdorff"].item() == pytest.approx(expected)

    def test_one_coordinate_has_no_pairs(self) -> None:
        with pytest.raises(UsageError, match=r"network\.latents"):
            make("hfs", latents=1)

    def test_rounding_stays_within_the_batch(self) -> None:
        model = make("hfs")
        batch = a_batch(model)
        batch.noise["recombined"].fill_(1.0)
        assert model.loss(batch, model.settings).terms["hausdorff"].item() == 0
