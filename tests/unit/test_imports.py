"""What each part may import: help is instant, measures never see torch, training needs no solver and no downloader."""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest
from command import environment

import benchmark.verbs
from benchmark import registry

HEAVY = ("torch", "sklearn", "scipy.stats", "seaborn", "matplotlib", "pandas", "pulp", "pooch")
VERBS = sorted(each.name for each in pkgutil.iter_modules(benchmark.verbs.__path__) if not each.name.startswith("_"))
BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is blocked in this test")

sys.meta_path.insert(0, Blocker())
"""


def python(code: str, folder: Path) -> str:
    line = [sys.executable, "-c", code]
    result = subprocess.run(line, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def imported(code: str, folder: Path) -> set[str]:
    """Those of HEAVY that are imported after `code` has run."""
    report = f"\nimport json, sys\nprint(); print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    return set(json.loads(python(code + report, folder).splitlines()[-1]))


def line(*arguments: str) -> str:
    """Code that runs a command line and survives its exit."""
    return (
        f"import sys; sys.argv = ['benchmark', *{arguments!r}]\n"
        "from benchmark.cli import main\ntry:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["list"], ["list", "metrics", "--json"], ["show", "suite", "quickstart"]],
)
def test_help_and_list_import_nothing_heavy(tmp_path, arguments):
    assert imported(line(*arguments), tmp_path) == set()


def test_the_package_and_its_verbs_import_nothing_heavy(tmp_path):
    verbs = ", ".join(f"benchmark.verbs.{name}" for name in VERBS)
    assert imported(f"import benchmark, benchmark.registry, {verbs}", tmp_path) == set()


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_is_a_function_of_its_files_name(name):
    verb = getattr(importlib.import_module(f"benchmark.verbs.{name}"), name)
    assert inspect.isfunction(verb)
    assert name == "estimate" or getattr(benchmark, name) is verb


def test_no_module_takes_the_place_of_a_public_name():
    assert not {each.name for each in pkgutil.iter_modules(benchmark.__path__)} & set(benchmark.__all__)


def test_status_imports_no_torch(scored):
    assert "torch" not in imported(line("status"), scored)


@pytest.mark.parametrize("module", ["codes", "table", "statistics", "stages.evaluate", "stages.aggregate"])
def test_the_scoring_side_never_imports_torch(tmp_path, module):
    assert "torch" not in imported(f"import benchmark.{module}", tmp_path)


def test_no_measure_and_no_page_imports_torch(tmp_path):
    metrics = [f"benchmark.metrics.{name}" for name in registry.names("metric")]
    pages = ["leaderboard.report", "leaderboard.regression", "leaderboard.charts", "leaderboard.pictures"]
    code = f"import importlib\nfor name in {metrics + pages!r}: importlib.import_module(name)"
    assert "torch" not in imported(code, tmp_path)


def test_scores_and_pages_are_made_where_torch_is_not_installed(work):
    for path in (work / "results").glob("runs/*/*/*/*/scores"):
        for score in path.glob("*.json"):
            score.unlink()
    block = BLOCK.format(blocked=["torch"])
    python(block + line("evaluate", "tiny.toml", "--jobs", "0"), work)
    python(block + line("report", "tiny.toml"), work)
    python(block + line("check", "tiny.toml", "--against", "results/suites/tiny/results.csv"), work)
    assert (work / "results" / "suites" / "tiny" / "index.html").exists()


def test_runs_are_trained_where_neither_pulp_nor_pooch_is_installed(work):
    code = BLOCK.format(blocked=["pulp", "pooch"]) + line(
        "run", "tiny.toml", "--results", "other", "--seeds", "1", "--jobs", "0"
    )
    assert "3 runs done, 3 of them now; 0 failed" in python(code, work)


def test_no_module_needs_one_that_needs_it():
    """Circles hide where a thing belongs. `benchmark` itself names everything, for editors, and is left out."""
    graph = grimp.build_graph("benchmark", "leaderboard", exclude_type_checking_imports=False)
    needs = {name: graph.find_modules_directly_imported_by(name) - {"benchmark"} for name in graph.modules}
    TopologicalSorter(needs).prepare()  # raises CycleError, which names the circle
    with pytest.raises(CycleError):
        TopologicalSorter(needs | {"benchmark.errors": {"benchmark.cli"}}).prepare()
