"""Two small hidden layers with ReLU, for synthetic data."""

from benchmark.networks._mlp import Mlp
from benchmark.spec import static


class MlpTiny(Mlp):
    """Data → hidden → hidden → outputs, mirrored in the decoder."""

    class Settings(Mlp.Settings):
        latents: int = static(2, "latent size d", ge=1)
        hidden: int = static(64, "width of both hidden layers", ge=1)

    settings: Settings

    def hidden(self) -> tuple[int, ...]:
        return (self.settings.hidden, self.settings.hidden)
