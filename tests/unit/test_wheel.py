"""What is installed is what lies here: every module, suite, page, template and published table is in the wheel.

Its version is said in one place, and the oldest versions of other packages that it allows are those that are tested.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import benchmark

ROOT = Path(__file__).parents[2]
SHIPPED = {"benchmark": "benchmark", "leaderboard": "leaderboard", "results/published": "benchmark/published"}
"""Folders of the repository, and where they lie when installed."""
PLANTED = ("benchmark/suites/more.yaml", "leaderboard/templates/more.svg", "results/published/board/1/more.feather")
"""Kinds of files that nothing here has yet."""
BUILD = "from setuptools import build_meta; print(build_meta.build_wheel('built'))"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a wheel is built from, with planted files."""
    folder = tmp_path_factory.mktemp("tree")
    for name in SHIPPED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    for name in PLANTED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("planted")
    return folder


def built(tree: Path) -> set[str]:
    """The names in the wheel of a tree."""
    done = subprocess.run([sys.executable, "-c", BUILD], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    name = done.stdout.splitlines()[-1]
    assert name == f"disentanglement_benchmark-{benchmark.__version__}-py3-none-any.whl"
    shutil.rmtree(tree / "build")
    shutil.rmtree(tree / "disentanglement_benchmark.egg-info")  # it lists what the build before had
    return set(zipfile.ZipFile(tree / "built" / name).namelist())


def missing(tree: Path, wheel: set[str]) -> set[str]:
    """Files of a tree that its wheel lacks."""
    found = set()
    for here, there in SHIPPED.items():
        files = [path.relative_to(tree / here) for path in (tree / here).rglob("*") if path.is_file()]
        assert len(files) > 10
        found |= {f"{here}/{file}" for file in map(str, files) if f"{there}/{file}" not in wheel}
    return found


def test_the_wheel_holds_all_that_lies_here_and_no_more(tree: Path) -> None:
    wheel = built(tree)
    assert missing(tree, wheel) == set()
    tops = {name.partition("/")[0] for name in wheel}
    assert tops == {"benchmark", "leaderboard", f"disentanglement_benchmark-{benchmark.__version__}.dist-info"}


def test_a_suffix_that_was_forgotten_is_noticed(tree: Path) -> None:
    path = tree / "pyproject.toml"
    text = path.read_text()
    assert '"suites/*", ' in text
    path.write_text(text.replace('"suites/*", ', '"suites/*.toml", '))
    suites = [file.name for file in (tree / "benchmark/suites").iterdir() if file.suffix != ".toml"]
    assert "more.yaml" in suites
    assert missing(tree, built(tree)) == {f"benchmark/suites/{name}" for name in suites}


def test_the_oldest_versions_are_those_that_are_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    oldest = {re.sub(r">=([\d.]+).*", r"==\1", each) for each in listed}
    assert all("==" in each for each in oldest) and len(oldest) > 30
    lines = (ROOT / "constraints-lowest.txt").read_text().splitlines()
    assert {line for line in lines if not line.startswith("#")} == oldest


def test_one_place_says_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"] and project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "benchmark.__version__"}
    cited = re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited and cited[1] == benchmark.__version__
    released = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == benchmark.__version__
