"""No hidden layer: linear encoder and decoder; a linear VAE finds the PCA subspace."""

from benchmark.networks._mlp import Mlp


class Linear(Mlp):
    """Data → outputs, latents → data."""
