"""What runs say of themselves: their run.json, and what a page says of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.errors import BenchmarkError
from benchmark.integrity.run_seal import MEND, RECORD
from benchmark.integrity.sealed import check_format, read_json
from benchmark.stages.comparisons import counted


def read_record(folder: Path) -> dict[str, Any]:
    """A run's run.json, with its `folder`. Raises `BenchmarkError` on one that cannot be read."""
    path = folder / RECORD
    try:
        record = read_json(path, MEND)
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error}); delete its folder and rerun") from None
    check_format(record, path)
    return record | {"folder": folder}


def facts(
    table: pd.DataFrame, records: Iterable[Mapping[str, Any]], failures: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """What the foot of the page says: how much was run, by what, where and when."""
    records = list(records)
    provenance = [record["provenance"] for record in records]
    hours = sum(record["seconds"]["training"] for record in records) / 3600
    versions = {f"{name} {version}" for origin in provenance for name, version in origin["versions"].items() if version}
    days = sorted(origin["finished"][:10] for origin in provenance)
    found = {
        "runs": f"{len(records)} finished, {len(failures)} failed",
        "configurations": str(table["config_id"].nunique()),
        "seeds": str(table["seed"].nunique()),
        "training": f"{hours:.1f} h of process time" if hours >= 0.1 else f"{hours * 60:.1f} min of process time",
        "finished": " to ".join(dict.fromkeys([days[0], days[-1]])) if days else "",
        "commit": ", ".join(sorted({origin["commit"][:12] for origin in provenance if origin["commit"]})),
        "machines": ", ".join(sorted(set(map(_machine, provenance)))),
        "versions": ", ".join(sorted(versions)),
    }
    return {name: value for name, value in found.items() if value}


def _machine(origin: Mapping[str, Any]) -> str:
    """A published run does not say its host."""
    said = f"{origin['device']}, {origin['cpu']}"
    return f"{origin['host']} ({said})" if "host" in origin else said


def completeness(finished: int, failed: int, planned: int | None) -> str:
    """How much of the plan is there, in a sentence; planned is None where no plan is known."""
    if planned is None:
        return f"{counted(finished, 'run')} finished, {failed} failed."
    missing = planned - finished
    if missing <= 0:
        return f"All {counted(planned, 'planned run')} finished." if planned > 1 else "The planned run finished."
    waiting = missing - failed
    causes = [f"{failed} failed"] if failed else []
    causes += [f"{waiting} {'has' if waiting == 1 else 'have'} not run"] if waiting > 0 else []
    verb = "is" if missing == 1 else "are"
    return f"{missing:,} of {counted(planned, 'planned run')} {verb} missing: {', '.join(causes)}."


def flat_failure(failure: Mapping[str, Any]) -> tuple[str, str]:
    """A failure's run id, and the rest of its record as text."""
    rest = {key: value for key, value in failure.items() if key not in ("run_id", "format", "run") and value}
    return str(failure["run_id"]), "; ".join(f"{key}: {value}" for key, value in rest.items())
