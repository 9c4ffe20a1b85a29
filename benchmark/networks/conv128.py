"""The same layers for 128 × 128 images, one convolution more than conv64: one in colour has 536,887 parameters."""

from benchmark.networks._conv import Conv


class Conv128(Conv):
    """Conv 4×4 stride 2, c→32→32→32→32→32, then 512→256→256→outputs; mirrored in the decoder."""

    name = "conv128"
    depth = 5
