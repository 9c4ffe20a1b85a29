"""The same layers for square images of any power of two from 8 × 8 pixels on: as many halvings as lead to 4 × 4."""

from benchmark.errors import UsageError
from benchmark.networks._conv import Conv

LEAST, MOST = 8, 1024
"""Sides in pixels."""


class AnyConv(Conv):
    """Conv 4×4 stride 2 down to 4 × 4, 32 channels each, then 512→256→256→outputs; mirrored in the decoder.

    At 32, 64 and 128 pixels it is conv32, conv64 and conv128, with the same weights from the same stream; as a run it
    is another, as its name is part of the run's identity.
    """

    name = "conv"

    def check(self, shape: tuple[int, ...]) -> None:
        side = shape[-1]
        square = len(shape) == 3 and shape[1] == side
        if not square or not LEAST <= side <= MOST or side & (side - 1):
            found = " × ".join(str(length) for length in shape)
            raise UsageError(
                f"network {self.name} takes square images whose side is a power of two from {LEAST} to {MOST} pixels,"
                f" this data is {found}; set dataset.resolution where the dataset offers it, or choose an mlp network"
            )
        self.depth = side.bit_length() - 3
