"""What dSprites' harder variants share: colour images painted from the binary ones when they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Integer, UInt8
from numpy import ndarray

from benchmark.datasets import _sprites
from benchmark.datasets._dataset import Data, Images
from benchmark.datasets._grid import Grid
from benchmark.datasets._shift import shifted
from benchmark.datasets.dsprites import Dsprites
from benchmark.seeds import stream
from benchmark.spec import static


class DspritesVariant(Grid):
    """dSprites' factors; images (N 3 r r), of which 255 is white, with something random that belongs to the image.

    Locatello et al. (2019) draw it anew whenever an image is sampled. Here it is drawn from a stream named by
    `seed` and the sprite's place in the whole grid: an image is the same each time it is read and whatever the stride.
    Only the binary images are kept (bits, where they are many); a batch is painted when it is read.
    """

    class Settings(Dsprites.Settings):
        seed: int = static(0, "what is drawn for each image; independent of the run's seed", ge=0)

    files = Dsprites.files
    drawn = True
    name: ClassVar[str]
    settings: Settings

    @property
    def sizes(self) -> Mapping[str, int]:
        return self._binary.sizes

    @property
    def _binary(self) -> Dsprites:
        """The binary images, of the whole grid."""
        return Dsprites(Dsprites.Settings(resolution=self.settings.resolution, stride=self.settings.stride))

    @staticmethod
    @abstractmethod
    def paint(sprite: UInt8[ndarray, "1 r r"], rng: np.random.Generator) -> UInt8[ndarray, "3 r r"]:
        """One image from its sprite of 0 and 1."""

    def load(self, data_dir: Path | None = None) -> Data:
        """Load dSprites, from its published archive where that is found, and paint it lazily."""
        sprites = self._binary.load(data_dir)
        places = np.ravel_multi_index(tuple((sprites.factors * self.settings.stride).T), _sprites.SIZES)
        painted = Painted(sprites.images, places, type(self), self.settings.seed)
        return shifted(replace(sprites, images=painted, maximum=255), self.settings)


@dataclass(frozen=True)
class Painted:
    """Images of a variant; `places` are the sprites' rows in the whole grid."""

    sprites: Images
    places: Integer[ndarray, " N"]
    variant: type[DspritesVariant]
    seed: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.sprites), 3, *self.sprites.shape[2:])

    def __len__(self) -> int:
        return len(self.sprites)

    def __getitem__(self, rows: Integer[ndarray, " n"] | slice) -> UInt8[ndarray, "n 3 r r"]:
        return self.paint(self.sprites[rows], rows)

    def paint(
        self, sprites: UInt8[ndarray, "n 1 r r"], rows: Integer[ndarray, " n"] | slice
    ) -> UInt8[ndarray, "n 3 r r"]:
        """Any sprites, painted as the images of these rows are."""
        images = np.empty((len(sprites), *self.shape[1:]), np.uint8)
        for image, sprite, place in zip(images, sprites, self.places[rows].tolist(), strict=True):
            image[:] = self.variant.paint(sprite, stream(self.variant.name, self.seed, block=place))
        return images
