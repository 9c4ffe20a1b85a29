"""Two hidden layers of 200 with ReLU (Peste, Malagò & Sârbu; MNIST)."""

from benchmark.networks._mlp import Mlp


class Mlp200(Mlp):
    """Data → 200 → 200 → outputs, mirrored in the decoder."""

    widths = (200, 200)
