"""Two small hidden layers with ReLU, for synthetic data."""

from benchmark.networks._mlp import Mlp
from benchmark.spec import static


class MlpTiny(Mlp):
    """Data → hidden → hidden → outputs, mirrored in the decoder."""

    class Settings(Mlp.Settings):
        latents: int = static(2, "latent size d", ge=1)
        hidden: int = static(64, "width of both hidden layers", ge=1)

    @classmethod
    def hidden(cls, settings: Mlp.Settings) -> tuple[int, ...]:
        assert isinstance(settings, MlpTiny.Settings)
        return (settings.hidden, settings.hidden)
