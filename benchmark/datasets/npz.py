"""Your own data: an .npz file with `images` and, where known, `factors` and `factor_names`."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped, UInt8
from numpy import ndarray

from benchmark.datasets._archive import member, opened, read_header, read_npz
from benchmark.datasets._dataset import Data, Dataset
from benchmark.datasets._files import remembered_sha256
from benchmark.datasets._shift import ShiftSettings, shifted
from benchmark.errors import UsageError
from benchmark.kinds import seems_discrete
from benchmark.spec import location, static, suggest

OTHERS = {
    "images": ("x_train", "X_train", "train_images", "imgs", "x", "X", "data", "x_test", "arr_0"),
    "factors": (
        "y_train",
        "Y_train",
        "train_labels",
        "latents_classes",
        "labels",
        "y",
        "Y",
        "targets",
        "y_test",
        "arr_1",
    ),
}
"""How others call these arrays: Keras, dSprites, scikit-learn."""

OPTIONAL = ("factors", "factor_names", "discrete_factors", "continuous_factors")

DARK = 64
"""Images of bytes of which none is brighter are said to be dark: white is 255."""


class Npz(Dataset):
    """Images or points of the user's. All rows are trained on and scored.

    `images`: (N h w), (N c h w) or (N h w c) with 1 or 3 channels, as uint8 (0 and 1, or up to 255), booleans, or
    floats in [0, 1], which are rounded to 255 levels; a warning says so where bytes from 2 on stay below 64, nearly
    black. Or points (N D) as floats, for the Gaussian likelihood, whose σ_x is 1 unless the model's `sigma` says
    otherwise.
    `factors`: (N k) or (N): integers or booleans are discrete, their values relabelled 0, 1, … in ascending order;
    floats are continuous, unless the names in `discrete_factors` or `continuous_factors` say otherwise; a warning tells
    where the values look like another kind. Where the rows are every combination of discrete values once, they are put
    into C order.
    Another training distribution (`correlated`, `split`) needs such a grid.
    Errors, each a `UsageError`: a file that is no archive, truncated or pickled; `images` missing; shapes that do not
    fit; NaN; content other than `sha256` says.
    """

    class Settings(Dataset.Settings, ShiftSettings):
        path: str = location("the .npz file")
        sha256: str = static("", "the content's digest, filled in where it is empty")

        def resolved(self) -> Npz.Settings:
            """These settings with an absolute path and the content's digest: what enters the run's identity."""
            path = Path(self.path).expanduser().absolute()
            return self.model_copy(update={"path": str(path), "sha256": _checked_digest(path, self.sha256)})

    settings: Settings

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.path = Path(settings.path).expanduser()
        _checked_digest(self.path, settings.sha256)
        # Models ask for the likelihood before anything is loaded.
        with opened(self.path) as archive:
            _check_names(self.path, archive)
        with opened(self.path) as archive, member(self.path, archive, "images") as file:
            shape, _ = read_header(file)
        self.likelihood = "gaussian" if len(shape) == 2 else "bernoulli"

    @property
    def shifted(self) -> bool:
        return self.settings.shifted

    def load(self, data_dir: Path | None = None) -> Data:  # noqa: ARG002
        """Read and check the file; `data_dir` is not used."""
        arrays = read_npz(self.path, ("images",), OPTIONAL)
        images, maximum = _images(self.path, arrays["images"])
        given = _table(self.path, arrays.get("factors", np.zeros((len(images), 0), np.int64)), len(images))
        names = _names(self.path, arrays.get("factor_names"), given.shape[1])
        factors, sizes = _factors(self.path, given, len(images), _kinds(self.path, given, names, arrays))
        grid = _is_grid(factors, sizes)
        if grid:
            order = np.lexsort(factors.T[::-1])
            images, factors = images[order], factors[order]
        rows = np.arange(len(images))
        return shifted(Data(images, factors, names, sizes, rows, rows, grid, maximum), self.settings)


def _check_names(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise `UsageError` where there are no images, with what to call those that are there under another name."""
    names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    if "images" in names:
        return
    calls = {new: next((name for name in old if name in names), None) for new, old in OTHERS.items()}
    told = ", ".join(f"{new}=file[{old!r}]" for new, old in calls.items() if old)
    hint = f"; save it anew by np.savez_compressed(path, {told})" if calls["images"] else ""
    raise UsageError(f"{path} must hold an array `images`; it holds {', '.join(names) or 'nothing'}{hint}")


def _checked_digest(path: Path, expected: str) -> str:
    try:
        found = remembered_sha256(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be opened: {error.strerror}") from None
    if expected and found != expected:
        raise UsageError(
            f"{path} has changed: expected sha256 {expected}, found {found}; restore it, or run without `sha256`"
        )
    return found


def _images(path: Path, images: ndarray) -> tuple[UInt8[ndarray, "N c h w"] | Float[ndarray, "N D"], int]:
    """The images in the suite's form, and the value of white."""
    if images.ndim not in (2, 3, 4) or 0 in images.shape:
        raise UsageError(f"{path}: `images` must be (N h w), (N c h w), (N h w c) or points (N D), not {images.shape}")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise UsageError(f"{path}: `images` holds NaN or infinite values")
    if images.ndim == 2:
        if images.dtype.kind != "f":
            raise UsageError(f"{path}: points (N D) must be floats, not {images.dtype}")
        return images.astype(np.float32), 1
    if images.ndim == 3:
        images = images[:, None]
    elif images.shape[1] not in (1, 3):
        if images.shape[3] not in (1, 3):
            raise UsageError(f"{path}: `images` of shape {images.shape} has no axis of 1 or 3 channels")
        images = images.transpose(0, 3, 1, 2)
    if images.dtype.kind == "f":
        if images.min() < 0 or images.max() > 1:
            raise UsageError(f"{path}: `images` as floats must lie in [0, 1], not [{images.min()}, {images.max()}]")
        return np.rint(images * 255).astype(np.uint8), 255
    if images.dtype not in (np.uint8, np.bool_):
        raise UsageError(f"{path}: `images` must be uint8, booleans or floats in [0, 1], not {images.dtype}")
    brightest = int(images.max())
    if 1 < brightest < DARK:
        warnings.warn(
            f"{path}: the brightest pixel of `images` is {brightest}, and white is 255: models see nearly black images;"
            f" if {brightest} is white, save images / {brightest} as floats",
            stacklevel=3,
        )
    return np.ascontiguousarray(images, np.uint8), 1 if brightest <= 1 else 255


def _table(path: Path, factors: ndarray, n: int) -> Shaped[ndarray, "N k"]:
    if factors.ndim == 1:
        factors = factors[:, None]
    if factors.ndim != 2 or len(factors) != n:
        raise UsageError(f"{path}: `factors` of shape {factors.shape} does not fit {n} images")
    return factors


def _factors(
    path: Path, factors: ndarray, n: int, kinds: Sequence[bool | None]
) -> tuple[Shaped[ndarray, "N k"], tuple[int, ...]]:
    """The factors in the suite's form, and how many values each takes; `kinds`: which the file says are discrete."""
    if factors.dtype.kind == "f" and not np.isfinite(factors).all():
        raise UsageError(f"{path}: `factors` holds NaN or infinite values")
    if factors.dtype.kind not in "fiub":
        raise UsageError(f"{path}: `factors` must be integers, booleans or floats, not {factors.dtype}")
    discrete = [factors.dtype.kind != "f" if kind is None else kind for kind in kinds]
    columns, sizes = [], []
    for column, is_class in zip(factors.T, discrete, strict=True):
        values, labels = np.unique(column, return_inverse=True)
        columns.append(labels.astype(np.int64) if is_class else column.astype(np.float64))
        sizes.append(len(values) if is_class else 0)
    return (np.stack(columns, axis=1) if columns else np.zeros((n, 0), np.int64)), tuple(sizes)


def _kinds(path: Path, factors: ndarray, names: tuple[str, ...], arrays: Mapping[str, ndarray]) -> list[bool | None]:
    """Which factors the file says are discrete or not, None where the type decides, with a warning if values differ."""
    said: dict[str, bool] = {}
    for kind, discrete in (("discrete_factors", True), ("continuous_factors", False)):
        declared = arrays.get(kind, np.zeros(0, str))
        if declared.ndim != 1 or declared.dtype.kind != "U" or set(declared.tolist()) & set(said):
            raise UsageError(f"{path}: `{kind}` must be names of factors, each of one kind, not {declared.tolist()}")
        said |= dict.fromkeys(declared.tolist(), discrete)
    if unknown := sorted(set(said) - set(names)):
        raise UsageError(f"{path}: no factor is called {unknown[0]!r}{suggest(unknown[0], list(names))}")
    by_type = factors.dtype.kind != "f"
    usable = by_type or np.isfinite(factors).all()
    for name, column in zip(names, factors.T, strict=True):
        if name not in said and factors.dtype.kind in "fiu" and usable and seems_discrete(column) != by_type:
            taken, other = ("discrete", "continuous") if by_type else ("continuous", "discrete")
            warnings.warn(
                f"{path}: factor {name} takes {len(np.unique(column)):,} values in {len(column):,} rows and is {taken}"
                f" by its type, {factors.dtype}; an array `{other}_factors` of names says otherwise",
                stacklevel=3,
            )
    return [said.get(name) for name in names]


def _names(path: Path, names: ndarray | None, k: int) -> tuple[str, ...]:
    if names is None:
        return tuple(f"factor_{i}" for i in range(k))
    if names.shape != (k,) or names.dtype.kind != "U" or len(set(names.tolist())) < k:
        raise UsageError(f"{path}: `factor_names` must be {k} different strings, not {names.tolist()}")
    return tuple(names.tolist())


def _is_grid(factors: Shaped[ndarray, "N k"], sizes: tuple[int, ...]) -> bool:
    if not sizes or 0 in sizes or prod(sizes) != len(factors):
        return False
    return len(np.unique(np.ravel_multi_index(tuple(factors.T), sizes))) == len(factors)
