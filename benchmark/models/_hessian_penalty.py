"""How much a decoder's coordinates act on one another: the Hessian penalty, normalised by all curvature there is."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from benchmark.errors import UsageError

ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh)
STEP = 0.1
"""Of the finite differences, in standard deviations of the codes."""
FLOOR = 1e-10
"""Added to the curvature that a layer is divided by: one that is linear at a point has none."""


def split(decoder: nn.Module) -> tuple[list[nn.Module], list[nn.Module]]:
    """A decoder's layers up to its last activation, and the rest. Raises `UsageError` where it is no such sequence."""
    layers = list(decoder) if isinstance(decoder, nn.Sequential) else []
    places = [place for place, layer in enumerate(layers) if isinstance(layer, ACTIVATIONS)]
    if not places:
        raise UsageError(
            "model tripod looks into its decoder's hidden layers: choose a network whose decoder is a sequence of"
            " layers with activations between them, such as mlp_200 or conv32"
        )
    return layers[: places[-1] + 1], layers[places[-1] + 1 :]


def hidden(layers: list[nn.Module], z: Float[Tensor, "n d"]) -> list[Float[Tensor, "n ..."]]:
    """What each activation among the layers gives; the last one's is what the rest of the decoder goes on with."""
    found = []
    for layer in layers:
        z = layer(z)
        if isinstance(layer, ACTIVATIONS):
            found.append(z)
    return found


def second_differences(
    layers: list[nn.Module],
    z: Float[Tensor, "b d"],
    at_z: list[Float[Tensor, "b ..."]],
    directions: Float[Tensor, "k b d"],
) -> list[Float[Tensor, "k b m"]]:
    """(f(z + h) − 2 f(z) + f(z − h))/STEP² of each activation f, h = STEP·direction: vᵀ∇²f v of each direction v."""
    steps = STEP * directions
    there = hidden(layers, torch.cat([z + steps, z - steps]).flatten(0, 1))
    found = []
    for moved, own in zip(there, at_z, strict=True):
        up, down = moved.reshape(2, *directions.shape[:2], -1).unbind()
        found.append((up - 2 * own.flatten(1) + down) / STEP**2)
    return found


def normalised_penalty(
    layers: list[nn.Module],
    z: Float[Tensor, "b d"],
    at_z: list[Float[Tensor, "b ..."]],
    signs: Float[Tensor, "k b d"],
    normals: Float[Tensor, "k b d"],
) -> Float[Tensor, ""]:
    """Σ over activations of mean Var_k[over signs] / mean Var_k[over normals] of second differences.

    Of vᵀHv over random signs ±σ the variance is 2·Σ_(i≠j) H_ij² σ_i² σ_j² (Peebles et al. 2020), over normals N(0, σ²)
    it is that sum over all pairs (i, j). The means are over outputs and the batch: where activations are piecewise
    linear a point may have no bend within reach, and a ratio of its own would have no bound.
    """
    seconds = second_differences(layers, z, at_z, torch.cat([signs, normals]))
    total = z.new_zeros(())
    for each in seconds:
        mixed, every = (part.var(0, unbiased=False).mean() for part in each.chunk(2))
        total = total + mixed / (every + FLOOR)
    return total
