"""The whole performance table: python tests/performance/table.py [--only fleet,many_runs] [--reference FILE] [--json].

Every script beside this one that has a function `measure` is measured in a process of its own, one after the other, so
that none warms or crowds another. `measure` returns rows (name, ours, theirs, ratio, goal), numbers or texts, with None
where there is nothing to say, and no rows where it cannot measure, as without a GPU. The options below reach those
whose `measure` takes a parameter of that name. Nothing is asserted: exit code 1 says that a script failed, not that it
is slow.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
MARK = "rows of the table: "
"""Begins the line with which a measuring process ends: whatever else it prints is not the table's."""


class Row(NamedTuple):
    """One comparison; `ratio` is how many times as fast as theirs ours is."""

    name: str
    ours: float | str | None = None
    theirs: float | str | None = None
    ratio: float | None = None
    goal: str | None = None


def scripts() -> list[str]:
    """The names of the scripts that measure something, in alphabetical order."""
    others = (path for path in sorted(HERE.glob("*.py")) if path != Path(__file__))
    return [path.stem for path in others if "\ndef measure(" in path.read_text()]


def measure_of(name: str) -> Callable[..., Iterable[Any]]:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # processes that the script starts look for its functions there
    spec.loader.exec_module(module)
    found: Callable[..., Iterable[Any]] = module.measure
    return found


def measured(name: str, options: dict[str, Any]) -> list[Row]:
    """In this process: a script's rows, with those of the options that its `measure` takes."""
    measure = measure_of(name)
    taken = {key: value for key, value in options.items() if key in inspect.signature(measure).parameters}
    return [Row(*row) for row in measure(**taken)]


def measured_apart(name: str, options: dict[str, Any]) -> list[Row] | None:
    """The same in a process of its own; None where that failed, which has then said why."""
    line = [sys.executable, __file__, "--measure", name, json.dumps(options)]
    process = subprocess.run(line, stdout=subprocess.PIPE, text=True)
    *_, last = ["", *process.stdout.splitlines()]
    if process.returncode or not last.startswith(MARK):
        return None
    return [Row(*row) for row in json.loads(last.removeprefix(MARK))]


def line(row: Row) -> str:
    ratio = "" if row.ratio is None else f"{cell(row.ratio)} ×"
    return f"{row.name:<64}{cell(row.ours):>16}{cell(row.theirs):>14}{ratio:>12}   {row.goal or ''}".rstrip()


def cell(value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def main() -> int:
    if sys.argv[1:2] == ["--measure"]:
        rows = measured(sys.argv[2], json.loads(sys.argv[3]))
        print(f"\n{MARK}{json.dumps(rows)}")
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME[,NAME]", help=f"some of {', '.join(scripts())}")
    parser.add_argument("--rounds", type=int, help="measurements of each side, alternating")
    parser.add_argument("--reference", type=Path, help="a Python file with functions NAME(codes, factors)")
    parser.add_argument("--json", action="store_true", help="one list of rows")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else scripts()
    unknown = [name for name in chosen if name not in scripts()]
    if unknown:
        parser.error(f"no script {', '.join(unknown)} with a function measure; there are {', '.join(scripts())}")
    given = {"rounds": arguments.rounds, "reference": arguments.reference and str(arguments.reference.resolve())}
    options = {key: value for key, value in given.items() if value is not None}
    if not arguments.json:
        print(line(Row("what", "ours", "theirs", None, "goal")))
    found, failed = [], []
    for name in chosen:
        rows = measured_apart(name, options)
        if rows is None:
            failed.append(name)
        for row in rows or []:
            found.append({"script": name, **row._asdict()})
            if not arguments.json:
                print(line(row), flush=True)
        if rows == [] and not arguments.json:
            print(f"{name}: nothing to measure here", flush=True)
    if arguments.json:
        print(json.dumps(found, indent=1))
    if failed:
        print(f"failed, as said above: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
