"""What a model is, in its three kinds: trained by gradients, fitted in closed form, or codes alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float, Shaped
from numpy import ndarray

from benchmark.datasets._dataset import Dataset
from benchmark.spec import Settings as BaseSettings


class Model:
    """Base of every model. The file's name is the model's name; its module's docstring describes it."""

    class Settings(BaseSettings):
        pass

    version: ClassVar[int] = 1
    supervised: ClassVar[bool] = False
    """Whether it sees labels: such models are marked and never ranked with the rest."""
    needs_network: ClassVar[bool] = False
    """Whether it is trained by gradients, on a network and with training settings."""
    settings: Settings

    @classmethod
    def resolve(cls, settings: Settings, dataset: Dataset) -> Settings:
        """Fill in settings that depend on the data, before they are hashed."""
        return settings


class Embedding(Model, ABC):
    """A model fitted in closed form to a table of points."""

    class Settings(Model.Settings):
        pass

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def fit(self, x: Float[ndarray, "n D"], rng: np.random.Generator) -> Self:
        """Fit to n flattened data points."""

    @abstractmethod
    def transform(self, x: Float[ndarray, "m D"]) -> Float[ndarray, "m d"]:
        """The codes of any m data points."""

    @abstractmethod
    def decode(self, z: Float[ndarray, "m d"]) -> Float[ndarray, "m D"]:
        """The data points that the codes stand for."""

    @abstractmethod
    def state(self) -> dict[str, ndarray]:
        """The fitted arrays, which are stored as the run's weights."""

    def jacobian(self, z: Float[ndarray, "m d"]) -> Float[ndarray, "m D d"] | None:
        """∂decode/∂z at each code; None where decoding has no derivative."""
        return None


class Anchor(Model, ABC):
    """A reference row: codes made from the factors themselves, which show where a measure's floor and ceiling lie."""

    class Settings(Model.Settings):
        pass

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def codes(self, factors: Shaped[ndarray, "n k"], rng: np.random.Generator) -> Float[ndarray, "n d"]:
        """The codes of n points with these factors."""


def standardised(factors: Shaped[ndarray, "n k"]) -> Float[ndarray, "n k"]:
    """Factors centred and divided by their standard deviation; constant ones become 0."""
    centred = factors - factors.mean(axis=0)
    deviation = centred.std(axis=0)
    return (centred / np.where(deviation > 0, deviation, 1)).astype(np.float32)
