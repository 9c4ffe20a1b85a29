"""What all tests share: the real data where it is present, and a cache of their own."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data files: $BENCHMARK_DATA, else ../shared/data beside the repository. Skips without one."""
    named = os.environ.get("BENCHMARK_DATA")
    path = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"no real data: {path} is not a folder (set BENCHMARK_DATA)")
    return path


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder in place of the user's, and no $BENCHMARK_DATA."""
    path = tmp_path / "cache"
    monkeypatch.setenv("BENCHMARK_CACHE", str(path))
    monkeypatch.delenv("BENCHMARK_DATA", raising=False)
    return path
