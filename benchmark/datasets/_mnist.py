"""What MNIST and Fashion-MNIST share: four idx files, ten classes, 60,000 training and 10,000 test images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from pydantic import AfterValidator

from benchmark.datasets._dataset import Data, Dataset, blank_grid
from benchmark.datasets._files import RemoteFile, obtain
from benchmark.datasets._idx import read_idx
from benchmark.datasets._noise import NOISE, noisy
from benchmark.spec import Number, static

NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def idx_files(folder: str, url: str, digests: tuple[str, str, str, str], *mirrors: str) -> tuple[RemoteFile, ...]:
    """The four files of a set in the order of `NAMES`; `url` and `mirrors` are addresses of folders."""
    return tuple(
        RemoteFile(folder, name, url + name, sha, tuple(mirror + name for mirror in mirrors))
        for name, sha in zip(NAMES, digests, strict=True)
    )


def _ten_classes(classes: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(classes)) < len(classes) or not set(classes) <= set(range(10)):
        raise ValueError("classes are different labels from 0 to 9")
    return tuple(sorted(classes))


class MnistLike(Dataset):
    """Grey images (N 1 r r) of which 255 is white, and their label as the one factor.

    The factor is the class's position among the selected ones, ascending. Models are trained on the 60,000, scored on
    the 10,000. Resolution 28 is as published; 32 adds two black pixels on each side; 64 doubles each pixel (nearest
    neighbour, 56 × 56) and adds four black pixels on each side. Noise, where asked for, is on the published 28 × 28
    pixels of the 60,000.
    """

    class Settings(Dataset.Settings):
        classes: Annotated[tuple[int, ...], AfterValidator(_ten_classes)] = static((), "labels to keep; none is all")
        resolution: Literal[28, 32, 64] = static(28, "side of the images in pixels")
        noise: Number = static(0.0, NOISE, since=1, ge=0, le=1)

    name: ClassVar[str]
    settings: Settings

    def blank(self) -> Data:
        """As many images as there are, 6,000 and 1,000 of each class in its turn."""
        size = len(self.settings.classes or range(10))
        grid = blank_grid((1, self.settings.resolution, self.settings.resolution), (7_000, size), 255)
        rows = grid.training_rows
        return replace(
            grid,
            factors=grid.factors[:, 1:],
            factor_names=("label",),
            factor_sizes=(size,),
            training_rows=rows[: 6_000 * size],
            evaluation_rows=rows[6_000 * size :],
            grid=False,
        )

    def load(self, data_dir: Path | None = None) -> Data:
        """Read the four files. Raises `UsageError` where one cannot be had or is not the published one."""
        paths = obtain(self.name, self.files, data_dir)
        train_images, train_labels, test_images, test_labels = (read_idx(path) for path in paths)
        if self.settings.noise:
            train_images = noisy(train_images, self.settings.noise, 255, self.name)
        images, labels = np.concatenate([train_images, test_images]), np.concatenate([train_labels, test_labels])
        classes = self.settings.classes or tuple(range(10))
        kept = np.isin(labels, classes)
        training = np.count_nonzero(kept[: len(train_labels)])
        rows = np.arange(np.count_nonzero(kept))
        return Data(
            images=_resized(images[kept], self.settings.resolution)[:, None],
            factors=np.searchsorted(classes, labels[kept])[:, None],
            factor_names=("label",),
            factor_sizes=(len(classes),),
            training_rows=rows[:training],
            evaluation_rows=rows[training:],
            maximum=255,
        )


def _resized(images: UInt8[ndarray, "n 28 28"], resolution: int) -> UInt8[ndarray, "n r r"]:
    if resolution == 64:
        images = images.repeat(2, axis=1).repeat(2, axis=2)
    margin = (resolution - images.shape[1]) // 2
    return np.pad(images, ((0, 0), (margin, margin), (margin, margin)))
