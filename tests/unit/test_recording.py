"""Rewrites of a recorded step: constants, identities and layouts change nothing of what is computed but rounding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from benchmark.training.adam import StackedAdam
from benchmark.training.engine import Optimiser
from benchmark.training.folding import fold
from benchmark.training.recording import add_in_products, lay_batches_last, rewrite, turn_narrow_products

M, B = 3, 20


def names(recorded: GraphModule) -> list[str]:
    return [str(node.target).removeprefix("aten.") for node in recorded.graph.nodes if node.op == "call_function"]


def folded(function: Callable[[Tensor], Tensor], x: Tensor) -> list[str]:
    """The operations left of a function that is to give what it gave."""
    recorded = make_fx(function)(x)
    fold(recorded)
    recorded.recompile()
    torch.testing.assert_close(recorded(x), function(x))
    return names(recorded)


def test_products_with_known_numbers_become_one() -> None:
    x = torch.randn(M, B)

    def scaled(x: Tensor) -> Tensor:
        return -((x * 1).detach() ** 1.0 * torch.ones_like(x) * 2 * (torch.zeros_like(x) - 0.5).exp() * 3)

    assert folded(scaled, x) == ["mul.Tensor"]


def test_what_is_not_known_is_kept() -> None:
    x = torch.randn(M, B)
    assert folded(lambda x: 1 - x.exp() * x, x) == ["exp.default", "mul.Tensor", "rsub.Scalar"]
    # The sum spreads its first operand: a number in place of the second would not.
    assert "add.Tensor" in folded(lambda x: x[:1] + torch.ones_like(x), x)


@pytest.mark.parametrize("columns", [3, 30])
def test_biases_are_added_inside_products(columns: int) -> None:
    x, weight, bias = torch.randn(M, B, 5), torch.randn(M, columns, 5), torch.randn(M, 1, columns)

    def layer(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.relu(torch.bmm(x, weight.transpose(1, 2)) + bias)

    recorded = make_fx(layer)(x, weight, bias)
    turn_narrow_products(recorded)
    add_in_products(recorded)
    recorded.recompile()
    assert "baddbmm.default" in names(recorded)
    assert not {"bmm.default", "add.Tensor"} & set(names(recorded))
    torch.testing.assert_close(recorded(x, weight, bias), layer(x, weight, bias))


def test_a_narrow_argument_is_computed_on_with_its_batch_last() -> None:
    x = torch.randn(M, B, 2)

    def halves(x: Tensor) -> Tensor:
        return torch.cat([x.exp(), x * x], 2)

    recorded = make_fx(halves)(x)
    lay_batches_last(recorded, 0)
    recorded.recompile()
    result = recorded(x)
    assert result.stride() == (4 * B, 1, B)
    torch.testing.assert_close(result, halves(x))


def test_a_rewritten_step_sees_what_is_written_over_its_fixed_arguments() -> None:
    weight, x = torch.randn(M, 4, 5), torch.randn(M, B, 5)

    def step(weight: Tensor, x: Tensor) -> list[Tensor]:
        return [torch.relu(torch.bmm(x, weight.transpose(1, 2))), (weight * 1).reshape(M, 20)]

    rewritten = rewrite(make_fx(step)(weight, x), [weight])
    for _ in range(2):
        for found, expected in zip(rewritten(x), step(weight, x), strict=True):
            torch.testing.assert_close(found, expected)
        weight.neg_()


def test_a_step_that_writes_over_its_operands_is_not_folded() -> None:
    x = torch.randn(M, B)

    def step(x: Tensor) -> list[Tensor]:
        copy = x * 1
        copy.add_(1)
        return [copy, x * 2]

    rewritten = rewrite(make_fx(step)(x.clone()), [])
    torch.testing.assert_close(rewritten(x)[1], x * 2)


def test_members_of_unequal_rates_and_decays_step_as_each_would_alone() -> None:
    rates, decays = [1e-2, 1e-2, 1e-3, 1e-3], [0.0, 0.5, 0.5, 0.5]
    start, gradients = torch.randn(4, 4, 2), torch.randn(5, 4, 4, 2)
    stacked = start.clone()
    optimisers = [Optimiser(rate, (0.5, 0.9), decay, True) for rate, decay in zip(rates, decays, strict=True)]
    adam = StackedAdam({"w": stacked}, optimisers)
    assert [(part.start, part.stop) for part in adam.parts] == [(0, 1), (1, 2), (2, 4)]
    for index, gradient in enumerate(gradients):
        adam.schedule(1 / (1 + index))
        adam.step([gradient.transpose(1, 2).contiguous().transpose(1, 2)])
    for member, (rate, decay) in enumerate(zip(rates, decays, strict=True)):
        alone = start[member].clone()
        optimiser = torch.optim.AdamW(
            [alone], lr=rate, betas=(0.5, 0.9), weight_decay=decay, fused=False, foreach=False
        )
        for index, gradient in enumerate(gradients):
            optimiser.param_groups[0]["lr"] = rate / (1 + index)
            alone.grad = gradient[member]
            optimiser.step()
        torch.testing.assert_close(stacked[member], alone)


KINDS: dict[str, Callable[[Tensor], Tensor]] = {
    "a mask times one": lambda x: (x > 0) * 1.0,
    "a mean of a mask": lambda x: ((x > 0) * 1.0).mean((1, 2)),
    "a sum of two masks": lambda x: (x > 0) * 1.0 + (x > 1) * 1.0,
    "a difference of a mask": lambda x: (x > 0) * 1.0 - 0.5,
    "a whole number times one": lambda x: (x * 9).long() * 1.0,
    "signs of whole numbers": lambda x: (-(x * 9).long() * 2) % 7,
    "a whole number halved": lambda x: (x * 9).long() * 2 * 0.5,
    "numbers beside whole ones": lambda x: x.exp() + ((x * 9).long() + 1),
    "narrow numbers beside ones": lambda x: x.bfloat16() * torch.ones_like(x),
    "narrow products beside a row": lambda x: (
        torch.bmm(x.bfloat16(), x.bfloat16().transpose(1, 2)) + x[:, :1, :1].expand(-1, 1, x.shape[1])
    ),
}


@pytest.mark.parametrize("function", KINDS.values(), ids=KINDS)
def test_rewrites_keep_the_kind_of_numbers(function: Callable[[Tensor], Tensor]) -> None:
    """What turns masks and whole numbers into others is no identity, and no memory of theirs is written over."""
    x = torch.randn(M, B, 4)

    def step(x: Tensor) -> list[Tensor]:
        return [function(x)]

    (found,) = rewrite(make_fx(step)(x), [])(x)
    expected = function(x)
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found, expected)
