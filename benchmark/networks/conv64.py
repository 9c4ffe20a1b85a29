"""The network of Mushom's Table 5.2 for 64 × 64 images: 502,005 parameters at ten latents and one channel."""

from benchmark.networks._conv import Conv


class Conv64(Conv):
    """Conv 4×4 stride 2, c→32→32→32→32, then 512→256→256→outputs; mirrored in the decoder (M Table 5.2)."""

    name = "conv64"
    depth = 4
