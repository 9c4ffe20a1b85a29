"""What a model is, in its three kinds: trained by gradients, fitted in closed form, or codes alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from jaxtyping import Float, Shaped
from numpy import ndarray

from benchmark.datasets._dataset import Dataset
from benchmark.errors import ModelError, UsageError
from benchmark.spec import Settings as BaseSettings
from benchmark.spec import static

MARKS = {
    "supervised": "sees labels",
    "weakly_supervised": "weakly supervised",
    "transductive": "scored on the points that it was fitted to",
}


class Model:
    """Base of every model. The file's name is the model's name; its module's docstring describes it."""

    class Settings(BaseSettings):
        pass

    version: ClassVar[int] = 1
    supervised: ClassVar[bool] = False
    """Whether it sees labels: such models are marked and never ranked with the rest."""
    weakly_supervised: ClassVar[bool] = False
    """Whether it sees which points share factors, though not what these are: marked and ranked apart as well."""
    by_construction: ClassVar[tuple[str, ...]] = ()
    """Measures whose scores it has whatever it is fitted to: they are marked, never the best and not ranked. Of a
    built-in model it is read from its own file, like both kinds of supervision, and stands there as a constant."""
    transductive: ClassVar[bool] = False
    """Whether it has codes for the points alone that it was fitted to: it is scored on those, and marked."""
    needs_network: ClassVar[bool] = False
    """Whether it is trained by gradients, on a network and with training settings."""
    settings: Settings

    @classmethod
    def marks(cls) -> list[str]:
        """What must be known of it before its scores are compared with those of others."""
        return [text for attribute, text in MARKS.items() if getattr(cls, attribute)]

    @classmethod
    def idle(cls, settings: Any) -> Mapping[str, str]:
        """Settings that decide nothing beside the others, each with the one that makes it so: given a value of their
        own, they are refused, as runs would differ in name alone."""
        return {}

    @classmethod
    def check_idle(cls, settings: Settings) -> None:
        """Raise `UsageError` on a setting that decides nothing."""
        for name, why in cls.idle(settings).items():
            value = getattr(settings, name)
            if value != type(settings).model_fields[name].default:
                raise UsageError(f"model.{name} = {value} decides nothing under {why}: leave it out")

    @classmethod
    def resolve(cls, settings: Settings, dataset: Dataset) -> Settings:
        """Fill in settings that depend on the data, before they are hashed."""
        return settings


class Embedding(Model, ABC):
    """A model fitted in closed form to a table of points."""

    class Settings(Model.Settings):
        latents: int = static(10, "number of coordinates d", ge=1)
        subset: int = static(5_000, "points fitted, drawn by the run's seed", ge=2)

    standardised: ClassVar[bool] = True
    """Whether its codes have about unit variance: traversals go from −3 to 3, and samples are decoded N(0, I)."""
    settings: Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def fit(self, x: Float[ndarray, "n D"], rng: np.random.Generator) -> Self:
        """Fit to n flattened data points."""

    @abstractmethod
    def transform(self, x: Float[ndarray, "m D"]) -> Float[ndarray, "m d"]:
        """The codes of any m data points."""

    @abstractmethod
    def state(self) -> dict[str, ndarray]:
        """The fitted arrays, which are stored as the run's weights."""

    def decode(self, z: Float[ndarray, "m d"]) -> Float[ndarray, "m D"] | None:
        """The data points that the codes stand for; None where there is no way back."""
        return None

    def jacobian(self, z: Float[ndarray, "m d"]) -> Float[ndarray, "m D d"] | None:
        """∂decode/∂z at each code; None where decoding has no derivative."""
        return None


class Transductive(Embedding):
    """An embedding of the points that it is fitted to, and of no others: evaluation points, and scored on those.

    An author writes `embed`.
    """

    transductive = True
    codes: Float[ndarray, "n d"]

    @abstractmethod
    def embed(self, x: Float[ndarray, "n D"], rng: np.random.Generator) -> Float[ndarray, "n d"]:
        """The codes of n flattened data points."""

    def fit(self, x: Float[ndarray, "n D"], rng: np.random.Generator) -> Self:
        self.codes = self.embed(x, rng).astype(np.float32)
        return self

    def transform(self, x: Float[ndarray, "m D"]) -> Float[ndarray, "m d"]:
        raise ModelError(f"{type(self).__name__} has codes for the points alone that it was fitted to")

    def state(self) -> dict[str, ndarray]:
        """Nothing: the codes are all that there is."""
        return {}


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
