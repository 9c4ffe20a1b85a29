"""What all tests share: the real data where it is present, and a cache of their own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

# The shapes and types in annotations are checked at every call, from the first import on.
install_import_hook(
    ["benchmark.metrics", "benchmark.datasets", "benchmark.codes", "benchmark.statistics"], "beartype.beartype"
)

import command  # noqa: E402
from chromium import Browser, browser  # noqa: E402

from benchmark.spec import Run  # noqa: E402

# Who starts the tests in the background has SIGINT ignored, and every command that they start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes by their argument's name: gzip puts the time into them, and parallel processes must name tests alike."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data files: $BENCHMARK_DATA, else ../shared/data beside the repository. Skips without one."""
    named = os.environ.get("BENCHMARK_DATA")
    path = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"no real data: {path} is not a folder (set BENCHMARK_DATA)")
    return path


@pytest.fixture
def dead() -> int:
    """The pid of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder in place of the user's, and no $BENCHMARK_DATA."""
    path = tmp_path / "cache"
    monkeypatch.setenv("BENCHMARK_CACHE", str(path))
    monkeypatch.delenv("BENCHMARK_DATA", raising=False)
    return path


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The one browser of all tests that need one; `open` forgets what an earlier test did."""
    with browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture(scope="module")
def exported_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results folder of `exported_runs`; one for each file of tests, which may score them anew."""
    return tmp_path_factory.mktemp("export") / "results"


@pytest.fixture(scope="module")
def exported_runs(exported_results: Path) -> dict[str, Run]:
    """The runs of the small suite that exports are tested with, by model."""
    from exported_suite import exported_suite

    return exported_suite(exported_results)


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `tiny.toml` and its `results`, run and evaluated by the command line. Not to be changed."""
    folder = tmp_path_factory.mktemp("scored")
    (folder / "tiny.toml").write_text(command.TINY)
    command.succeed(folder, "run", "tiny.toml", "--jobs", "0")
    command.succeed(folder, "evaluate", "tiny.toml", "--jobs", "0")
    return folder


@pytest.fixture
def work(scored: Path, tmp_path: Path) -> Path:
    """A copy of `scored` to work in."""
    folder = tmp_path / "work"
    shutil.copytree(scored, folder)
    return folder
