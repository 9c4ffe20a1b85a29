"""Data and codes as real datasets of Hugging Face: pixels, labels, streams, and what does not fit."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchmark
from benchmark import huggingface_dataset
from benchmark.codes import Codes
from benchmark.datasets._dataset import Data
from benchmark.datasets.dsprites import Dsprites
from benchmark.datasets.synth_linear import SynthLinear
from benchmark.errors import UsageError
from benchmark.integrations.hugging_face import BLOCK, Examples

datasets: Any = pytest.importorskip(
    "datasets", reason="datasets is not installed: pip install 'disentanglement-benchmark[integrations]'"
)
pytestmark = pytest.mark.filterwarnings("default")  # of Hugging Face's own and of what it needs

SETTINGS = {"resolution": 32, "stride": (1, 2, 4, 8, 8)}
N = 3 * 3 * 10 * 4 * 4


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache of its own, nothing from the network, and no bars."""
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("BENCHMARK_CACHE", str(tmp_path / "own"))
    monkeypatch.delenv("BENCHMARK_DATA", raising=False)
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def own() -> Data:
    return Dsprites(Dsprites.Settings(resolution=32, stride=SETTINGS["stride"])).load()


def test_images_and_factors_are_those_of_the_dataset(tmp_path: Path) -> None:
    found, data = huggingface_dataset("dsprites", settings=SETTINGS, cache_dir=tmp_path), own()
    assert isinstance(found, datasets.Dataset) and len(found) == N > BLOCK
    assert list(found.features) == ["image", *data.factor_names]
    assert isinstance(found.features["orientation"], datasets.ClassLabel)
    assert found.features["orientation"].num_classes == 10
    for row in (0, 1, BLOCK - 1, BLOCK, N - 1):
        np.testing.assert_array_equal(np.asarray(found[row]["image"]), data.images[row][0] * 255)
    factors = np.stack([found[name] for name in data.factor_names], axis=1)
    np.testing.assert_array_equal(factors, data.factors)


def test_the_same_data_are_written_once_and_others_apart(tmp_path: Path) -> None:
    def files(**settings: Any) -> list[str]:
        found = huggingface_dataset("synth_linear", settings={"points": 40, **settings}, cache_dir=tmp_path)
        return [each["filename"] for each in found.cache_files]

    first = files()
    written = Path(first[0]).stat().st_mtime_ns
    assert files() == first and Path(first[0]).stat().st_mtime_ns == written
    assert files(seed=1) != first


def test_a_stream_gives_the_same_rows_and_writes_nothing(tmp_path: Path) -> None:
    stream, data = huggingface_dataset("dsprites", settings=SETTINGS, streaming=True, cache_dir=tmp_path / "no"), own()
    assert isinstance(stream, datasets.IterableDataset) and stream.num_shards == 2
    rows = list(stream)
    assert [row["posX"] for row in rows] == data.factors[:, 3].tolist()
    np.testing.assert_array_equal(np.asarray(rows[BLOCK]["image"]), data.images[BLOCK][0] * 255)
    assert not (tmp_path / "no").exists()


def test_what_workers_are_sent_is_small_and_gives_the_same_rows() -> None:
    examples = Examples(Dsprites(Dsprites.Settings(**SETTINGS)), None, training=False, data_dir=None)
    assert len(examples.columns) == 6
    sent = pickle.dumps(examples)
    assert len(sent) < 5_000 < own().images[:].nbytes
    (first, *_) = pickle.loads(sent)([BLOCK])
    assert first["posY"] == own().factors[BLOCK, 4]


def test_points_and_continuous_factors_are_numbers(tmp_path: Path) -> None:
    found = huggingface_dataset("synth_linear", settings={"points": 40}, cache_dir=tmp_path)
    loaded = SynthLinear(SynthLinear.Settings(points=40)).load()
    assert found.features[loaded.factor_names[0]] == datasets.Value("float64")
    np.testing.assert_allclose(np.asarray(found["point"]), loaded.images, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(found[loaded.factor_names[1]]), loaded.factors[:, 1])


def test_colour_stays_colour(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 4, 5), np.uint8)
    rows = np.arange(3)
    data = Data(images, np.zeros((3, 0), np.int64), (), (), rows, rows[::-1].copy(), maximum=255)
    found = huggingface_dataset(data, cache_dir=tmp_path)
    np.testing.assert_array_equal(np.asarray(found[0]["image"]), np.moveaxis(images[2], 0, 2))


def test_training_rows_come_with_how_likely_they_are(tmp_path: Path) -> None:
    settings = {**SETTINGS, "correlated": [["posX", "posY"]], "correlation_sigma": 0.2}
    found = huggingface_dataset("dsprites", settings=settings, training=True, cache_dir=tmp_path)
    data = Dsprites(Dsprites.Settings.read(settings, "dsprites")).load()
    assert (
        data.training_weights is not None
        and "weight" not in huggingface_dataset("dsprites", settings=settings, streaming=True).features
    )
    np.testing.assert_array_equal(np.asarray(found["weight"]), data.training_weights)


def test_codes_stand_beside_their_points_or_alone(tmp_path: Path) -> None:
    codes = benchmark.encode(lambda x: x.reshape(len(x), -1)[:, :3], "dsprites", settings=SETTINGS, quiet=True)
    beside = huggingface_dataset("dsprites", settings=SETTINGS, codes=codes, cache_dir=tmp_path)
    assert list(beside.features)[-1] == "codes" and "image" in beside.features
    np.testing.assert_array_equal(np.asarray(beside["codes"]), codes.codes)
    alone = huggingface_dataset(codes=codes, cache_dir=tmp_path)
    assert list(alone.features) == ["codes", *codes.factor_names]
    assert alone.features["shape"].num_classes == 3
    run = Codes(codes.codes, codes.factors, codes.factor_names, (3, 3, 10, 4, 4), variances=np.ones_like(codes.codes))
    assert list(huggingface_dataset(codes=run, cache_dir=tmp_path).features)[:2] == ["codes", "variances"]


def test_what_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="7 codes do not fit the 1,440 evaluation points"):
        huggingface_dataset("dsprites", settings=SETTINGS, codes=np.zeros((7, 2)), cache_dir=tmp_path)
    with pytest.raises(UsageError, match="give a dataset, codes, or both"):
        huggingface_dataset()
    with pytest.raises(UsageError, match='two columns would be called "codes"'):
        huggingface_dataset(codes=Codes(np.zeros((5, 2)), np.zeros((5, 1), np.int64), ("codes",), (1,)))
    with pytest.raises(UsageError, match=r"codes are float64 of shape \(5,\), not numbers \(n d\)"):
        huggingface_dataset(codes=np.zeros(5))
