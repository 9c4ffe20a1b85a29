"""How far each suite is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.index import counts
from benchmark.spec import nearest
from benchmark.store import Store
from benchmark.verbs._given import next_command, takes_paths
from benchmark.words.notebook import Suites


@takes_paths
def status(suite: str | None = None, *, results: Path = RESULTS) -> Suites:
    """Each suite in a results folder, or the one of that name or file, with how many of its runs are done, failed and
    missing."""
    if not results.exists():
        raise UsageError(f"--results {results}: no such folder; next: benchmark demo")
    store = Store(results, make=False)
    rows = [
        {
            "suite": name,
            "runs": count.runs,
            "done": count.done,
            "failed": count.failed,
            "missing": count.runs - count.done - count.failed,
            "scored": (store.suite_folder(name) / "results.csv").exists(),
            "report": (store.suite_folder(name) / "index.html").exists(),
        }
        for name, count in counts(store).items()
    ]
    return Suites(rows if suite is None else _of(suite, rows, results))


def _of(suite: str, rows: list[dict[str, Any]], results: Path) -> list[dict[str, Any]]:
    name = Path(suite).stem if suite.endswith(".toml") else suite
    found = [row for row in rows if row["suite"] == name]
    if not found:
        known = [row["suite"] for row in rows]
        near = nearest(name, known)
        hint = f'; did you mean "{near}"?' if near else ""
        raise UsageError(
            f'{results} holds nothing of a suite "{name}" (there: {", ".join(known) or "none"}){hint or ";"}'
            f" next: {next_command('run', suite, results)}"
        )
    return found
