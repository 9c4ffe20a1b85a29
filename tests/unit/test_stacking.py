"""What does not stack is told in one sentence with the way out."""

import pytest
import torch
from torch import nn

from benchmark import registry
from benchmark.spec import Component, Run
from benchmark.stages.stacking import advice
from benchmark.training.fleet import engine_name


@pytest.mark.parametrize(
    ("member", "why"),
    [
        (lambda x: nn.BatchNorm1d(3)(x), "batch normalisation"),
        (lambda x: nn.functional.dropout(x), "randomness"),
        (lambda x: x + torch.randn(3), "randomness"),
        (lambda x: x * x.sum().item(), ".item()"),
        (lambda x: x if x.sum() > 0 else -x, "branches on a tensor"),
    ],
)
def test_what_torch_says_of_mapped_members_becomes_advice(member, why):
    with pytest.raises(RuntimeError) as caught:
        torch.func.vmap(member)(torch.ones(2, 4, 3))
    said = advice(caught.value)
    assert said is not None
    assert said.startswith("does not stack: set stacks = False")
    assert why in said


def test_other_errors_keep_their_own_words():
    assert advice(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) is None


def test_a_network_that_does_not_stack_trains_alone(monkeypatch):
    network = registry.load("network", "mlp_200")
    run = Run(
        Component("digits", 1, {}),
        Component("vae", 1, {}),
        Component("mlp_200", 1, {"latents": 4}),
        Component("adam", 1, {}),
        0,
    )
    assert engine_name(run) == "stacked"
    monkeypatch.setattr(network, "stacks", False)
    assert (engine_name(run), engine_name(run, "cuda")) == ("single", "single")
