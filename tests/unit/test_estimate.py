"""What a dry run says: times as people write them."""

from pathlib import Path

import pytest

from benchmark.registry import load
from benchmark.spec import Component
from benchmark.stages.data_cache import outlined_data
from benchmark.stages.estimate import kept_bytes
from benchmark.words.estimates import duration


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0, "0 s"),
        (0.0001, "1 s"),
        (20 / 3600, "20 s"),
        (0.05, "3 min"),
        (1.0, "60 min"),
        (4.5, "4.5 h"),
        (30, "30 h"),
        (442, "442 h, 18 days"),
        (12_000, "12,000 h, 500 days"),
    ],
)
def test_times_are_written_as_people_do(hours: float, text: str) -> None:
    assert duration(hours) == text


@pytest.mark.parametrize("name", ["mnist", "cars3d", "dsprites_real", "shapes3d", "smallnorb", "mpi3d"])
def test_absent_files_are_outlined(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHMARK_CACHE", str(tmp_path))
    monkeypatch.delenv("BENCHMARK_DATA", raising=False)
    dataset = load("dataset", name)
    data = outlined_data(Component(name, 1, dataset.Settings().plain()), None)
    assert len(data.images) == len(data.factors) > len(data.factor_sizes)
    assert len(data.images[data.evaluation_rows[:3]]) == 3
    assert not list(tmp_path.iterdir())


def test_a_run_keeps_weights_jacobians_and_pictures() -> None:
    """dSprites in 32 × 32 pixels, ten latents, half a million weights: a run measured 5.3 MB beside its codes."""
    data = outlined_data(Component("dsprites", 1, {"resolution": 32, "stride": [1, 1, 4, 4, 4]}), None)
    found = kept_bytes(data, 10, 497_000)
    assert found == 5 * 497_000 + 2 * 8 * 1_000 * 110 + 600 * 1_024
    assert found == pytest.approx(5.3e6, rel=0.2)
