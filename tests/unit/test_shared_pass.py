"""One pass of a critic for two losses: the gradients of two passes."""

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, vmap

from benchmark.models._shared_pass import Critic


def a_critic(layers: int) -> tuple[Critic, Tensor, Tensor]:
    """A critic, codes and others, in double precision."""
    torch.manual_seed(layers)
    critic = Critic(3, 6, layers).double()
    for parameter in critic.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return critic, torch.randn(7, 3).double().requires_grad_(), torch.randn(4, 3).double()


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_values_and_gradients_are_those_of_two_passes(layers: int) -> None:
    critic, z, others = a_critic(layers)
    for_codes, for_weights = critic.log_ratio_for_both(z, others)
    rows = torch.cat([z, others]).detach()
    torch.testing.assert_close(for_codes, critic.log_ratio(z))
    torch.testing.assert_close(for_weights, critic.log_ratio(rows))
    of_codes, of_weights = torch.randn(7).double(), torch.randn(11).double()
    tensors = [z, *critic.parameters()]
    expected = torch.autograd.grad(critic.log_ratio(z), [z], of_codes)
    expected += torch.autograd.grad(critic.log_ratio(rows), tensors[1:], of_weights)
    together = of_codes @ for_codes + of_weights @ for_weights
    for found, known in zip(torch.autograd.grad(together, tensors), expected, strict=True):
        torch.testing.assert_close(found, known)
        assert known.abs().max() > 1e-3


def test_the_first_reaches_codes_alone_and_the_second_weights_alone() -> None:
    critic, z, others = a_critic(2)
    tensors = [z, *critic.parameters()]
    for_codes, for_weights = critic.log_ratio_for_both(z, others)
    of_codes, *rest = torch.autograd.grad(for_codes.sum(), tensors, retain_graph=True, allow_unused=True)
    assert of_codes is not None
    assert rest == [None] * len(rest)
    of_codes, *rest = torch.autograd.grad(for_weights.sum(), tensors, allow_unused=True)
    assert of_codes is None
    assert all(gradient is not None for gradient in rest)


def test_stacked_critics_have_their_own_gradients() -> None:
    critics = [a_critic(layers=2)[0] for _ in range(3)]
    for index, critic in enumerate(critics):
        critic[0].weight.data += index
    each = [critic.state_dict() for critic in critics]
    leaves = {name: torch.stack([weights[name] for weights in each]).requires_grad_() for name in each[0]}
    z = torch.randn(3, 7, 3).double()

    class Both(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.critic = critics[0]

        def forward(self, z: Tensor) -> Tensor:
            return self.critic.log_ratio_for_both(z, z)[1]

    def one(parameters: dict[str, Tensor], z: Tensor) -> Tensor:
        return functional_call(Both(), {f"critic.{name}": value for name, value in parameters.items()}, (z,))

    found = torch.autograd.grad(vmap(one)(leaves, z).sum(), list(leaves.values()))
    for index, critic in enumerate(critics):
        known = torch.autograd.grad(2 * critic.log_ratio(z[index]).sum(), list(critic.parameters()))
        for gradient, own in zip(found, known, strict=True):
            torch.testing.assert_close(gradient[index], own)
