"""What a network is: an encoder and a decoder for data of one shape, with a latent size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from torch import nn

from benchmark.errors import UsageError
from benchmark.spec import Settings as BaseSettings
from benchmark.spec import static


class Network(ABC):
    """Base of every network. The file's name is the network's name.

    `encoder(outputs)` maps data (b, *shape) to (b, outputs), `decoder()` maps latents (b, latents) to (b, *shape):
    logits under a Bernoulli likelihood, means under a Gaussian one.
    """

    class Settings(BaseSettings):
        latents: int = static(10, "latent size d", ge=1)

    version: ClassVar[int] = 1
    stacks: ClassVar[bool] = True
    """False for what cannot be stacked, such as batch normalisation or dropout: its runs train alone."""
    settings: Settings

    @classmethod
    def weights(cls, settings: Settings) -> int | None:
        """About how many weights one member multiplies with; None where stacking gains nothing on a CPU."""
        return None

    def __init__(self, settings: Settings, shape: tuple[int, ...]) -> None:
        self.settings = settings
        self.shape = shape
        self.check(shape)

    @property
    def latents(self) -> int:
        return self.settings.latents

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise `UsageError` where data of this shape does not fit."""

    @abstractmethod
    def encoder(self, outputs: int) -> nn.Module: ...

    @abstractmethod
    def decoder(self) -> nn.Module: ...


def require_images(name: str, shape: tuple[int, ...], size: int) -> None:
    """Raise `UsageError` unless the data are images of size × size pixels."""
    if len(shape) != 3 or shape[1:] != (size, size):
        found = " × ".join(str(length) for length in shape)
        raise UsageError(
            f"network {name} takes images of {size} × {size} pixels, this data is {found};"
            f" set dataset.resolution = {size} where the dataset offers it, or choose an mlp network"
        )


def kaiming(module: nn.Module) -> nn.Module:
    """Kaiming-normal weights (fan-in, a = 0) and zero biases, in place (He et al. 2015; M §5.1)."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            # A transposed convolution's fan-in is its input channels times the kernel: torch reads the axis swapped.
            mode: Literal["fan_in", "fan_out"] = "fan_out" if isinstance(layer, nn.ConvTranspose2d) else "fan_in"
            nn.init.kaiming_normal_(layer.weight, a=0, mode=mode)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module
