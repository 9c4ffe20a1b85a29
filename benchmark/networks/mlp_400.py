"""One hidden layer of 400 with ReLU (our choice for Saleh 2019, whose network page is lost)."""

from benchmark.networks._mlp import Mlp


class Mlp400(Mlp):
    """Data → 400 → outputs, mirrored in the decoder."""

    widths = (400,)
