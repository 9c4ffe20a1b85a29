"""Whoever edits a dataset, model, network or measure is reminded to raise its version.

`python tests/unit/test_locks.py` writes the locks anew, once the versions are right.
"""

import ast
import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from benchmark.suite import expand

ROOT = Path(__file__).parents[2]
LOCKS = Path(__file__).with_name("locks.json")
FOLDERS = ("datasets", "models", "networks", "metrics", "training")


def files() -> list[Path]:
    found = [file for folder in FOLDERS for file in (ROOT / "benchmark" / folder).glob("*.py")]
    return sorted(file for file in found if file.name != "__init__.py")


def lock(file: Path) -> str:
    """A digest of the code without comments, layout and docstrings."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)] or [ast.Pass()]  # type: ignore[attr-defined]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:16]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def name(file: Path) -> str:
    return file.relative_to(ROOT / "benchmark").as_posix()


@pytest.mark.parametrize("file", files(), ids=name)
def test_edited_code_comes_with_a_decision_on_its_version(file: Path) -> None:
    assert json.loads(LOCKS.read_text()).get(name(file)) == lock(file), (
        f"{name(file)} was edited. If the same settings may now give another result, raise its `version` (of a helper,"
        " those of what uses it; of training, TrainingSettings.VERSION). Then run python tests/unit/test_locks.py"
    )


def test_a_lock_ignores_comments_and_docstrings_but_not_code(tmp_path: Path) -> None:
    first, second, third = (tmp_path / each for each in ("a.py", "b.py", "c.py"))
    first.write_text('"""One."""\nx = 1\n')
    second.write_text('"""Another."""\n# why\nx = 1\n')
    third.write_text('"""One."""\nx = 2\n')
    assert lock(first) == lock(second) != lock(third)


def test_the_quickstarts_runs_are_those_that_are_published() -> None:
    """A setting that was added without saying since when changes the identity of all runs of its component."""
    published = pd.read_csv(ROOT / "results" / "published" / "quickstart.csv", usecols=["run_id"])
    assert {run.run_id for run in expand("quickstart").runs} == set(published["run_id"])


if __name__ == "__main__":
    LOCKS.write_text(json.dumps({name(file): lock(file) for file in files()}, indent=1) + "\n")
    print(f"{LOCKS}: {len(files())} locks")
