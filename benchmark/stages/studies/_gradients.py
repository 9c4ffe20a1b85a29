"""Three unbiased estimators of the gradient of an expectation under a Gaussian, one sample each (M §3.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


class Gradients(NamedTuple):
    """One estimate for each draw, of the derivatives in μ (first) and in log σ (second).

    `score`: f(z) ∇log q(z) (M eq. 3.3). `baseline`: the same with f less the mean of f at the other draws.
    `pathwise`: ∇f(μ + σ ε), the reparametrised gradient (M eq. 3.4).
    """

    score: Float[Tensor, "n 2 d"]
    baseline: Float[Tensor, "n 2 d"]
    pathwise: Float[Tensor, "n 2 d"]


def gradients(
    value: Callable[[Tensor, Tensor, Tensor], Tensor],
    mu: Float[Tensor, " d"],
    log_sigma: Float[Tensor, " d"],
    eps: Float[Tensor, "n d"],
) -> Gradients:
    """Estimates of ∇ E_q[f(z)], q = N(μ, diag σ²), at the draws z = μ + σ ε.

    `value(z, mu, log_sigma)` gives f at each draw (n,) from tables (n d), a row's from that row alone. What it takes
    directly from μ and σ must have no expected derivative, as log q itself.
    """
    import torch

    with torch.enable_grad():
        mean = mu.expand_as(eps).detach().clone().requires_grad_()
        log_scale = log_sigma.expand_as(eps).detach().clone().requires_grad_()
        f = value(mean + log_scale.exp() * eps, mean, log_scale)
        pathwise = torch.stack(torch.autograd.grad(f.sum(), (mean, log_scale)), dim=1)
    f = f.detach()[:, None, None]
    score = torch.stack([eps * torch.exp(-log_sigma), eps.square() - 1], dim=1)
    others = (f.sum() - f) / (len(f) - 1) if len(f) > 1 else torch.zeros_like(f)
    return Gradients(f * score, (f - others) * score, pathwise)
