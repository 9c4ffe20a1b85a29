"""The untrained network: what the architecture alone gives (the baseline column of Rolínek et al., Table 2)."""

from benchmark.models.vae import VAE


class Untrained(VAE):
    """A VAE as it was drawn, never trained (R §5.3)."""

    trained = False
