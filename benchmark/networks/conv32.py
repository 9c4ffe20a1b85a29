"""The same layers for 32 × 32 images, one convolution fewer; 28 × 28 sets reach it padded (resolution = 32)."""

from benchmark.networks._conv import Conv


class Conv32(Conv):
    """Conv 4×4 stride 2, c→32→32→32, then 512→256→256→outputs; mirrored in the decoder."""

    name = "conv32"
    depth = 3
