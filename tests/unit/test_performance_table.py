"""The performance table takes what scripts measure, tells them what they ask for, and says which of them failed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TABLE = Path(__file__).parents[1] / "performance" / "table.py"
SCRIPTS = {
    "asked": "def measure(rounds=7):\n    print('noise')\n    return [('steps', 2_000, 10.0, 200.0, '≥ 12 ×')]\n",
    "nothing": "def measure():\n    return []\n",
    "slow": "\ndef measure(rounds=7):\n    return [('rounds', rounds, None, None, None)]\n",
    "wrong": "\ndef measure():\n    raise SystemExit('no compiler here')\n",
    "other": "def main():\n    raise AssertionError\n",
}


def table(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "table.py").write_text(TABLE.read_text())
    for name, text in SCRIPTS.items():
        (folder / f"{name}.py").write_text(f'"""A script."""\n{text}')
    return subprocess.run([sys.executable, str(folder / "table.py"), *arguments], capture_output=True, text=True)


def test_rows_of_all_scripts_and_the_names_of_those_that_failed(tmp_path: Path) -> None:
    found = table(tmp_path)
    assert found.returncode == 1
    lines = [" ".join(line.split()) for line in found.stdout.splitlines()]
    assert lines[1:] == ["steps 2,000 10 200 × ≥ 12 ×", "nothing: nothing to measure here", "rounds 7"]
    assert found.stderr.splitlines() == ["no compiler here", "failed, as said above: wrong"]


def test_options_reach_the_scripts_that_take_them(tmp_path: Path) -> None:
    found = table(tmp_path, "--only", "slow,nothing", "--rounds", "3", "--json")
    assert found.returncode == 0
    assert [(row["script"], row["name"], row["ours"]) for row in json.loads(found.stdout)] == [("slow", "rounds", 3)]


def test_an_unknown_script_is_answered_with_those_there_are(tmp_path: Path) -> None:
    found = table(tmp_path, "--only", "fleets")
    assert found.returncode == 2
    assert "no script fleets with a function measure; there are asked, nothing, slow, wrong" in found.stderr
