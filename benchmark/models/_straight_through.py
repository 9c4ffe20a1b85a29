"""Rounded codes whose gradient is that of what was rounded."""

from jaxtyping import Float
from torch import Tensor


def straight_through(z: Float[Tensor, "b d"], nearest: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
    """`nearest`, to the bit, with the gradient of z; not a number where z is none."""
    return nearest.detach() + (z - z.detach())
