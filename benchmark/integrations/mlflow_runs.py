"""Runs of a suite as runs of an MLflow experiment, in whatever store a tracking URI names.

A run is found again by its tag `benchmark.run_id`. The tag `benchmark.digest`, of all that was exported, is written
last: without it a run is what a killed export left, and with another it is not up to date. Both are deleted, which
MLflow can undo until `mlflow gc`, and exported anew.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from benchmark.errors import UsageError
from benchmark.integrations.exported import Exported
from benchmark.integrations.outcome import Outcome, Outcomes
from benchmark.integrations.package import needed, silent

RUN_ID, DIGEST = "benchmark.run_id", "benchmark.digest"
METRICS, OTHERS = 1000, 100
"""How many metrics, and how many parameters or tags, a store takes at once."""
LONGEST = 6000
"""Characters of a parameter at most; tags may have more."""
Item = TypeVar("Item")


def place(output: str | None) -> str:
    """The tracking URI: the one asked for, a database file by its name alone too, or the one that MLflow takes by
    itself, which is $MLFLOW_TRACKING_URI or a database here."""
    if output is None:
        with silent():
            return str(needed("mlflow", "--to mlflow").get_tracking_uri())
    return f"sqlite:///{output}" if output.endswith(".db") and "://" not in output else output


def export_runs(runs: Iterable[Exported], uri: str, experiment: str) -> Outcomes:
    """Write each run that is not in the experiment as it is.

    Raises `UsageError` where MLflow is absent, cannot use the URI, or refuses what it is given.
    """
    with silent():
        needed("mlflow", "--to mlflow")
        from mlflow import MlflowClient

        with refused(uri):
            client = MlflowClient(uri)
            experiment_id = _experiment(client, experiment)
        for run in runs:
            with refused(uri):
                outcome = _put(client, experiment_id, run)
            yield run, outcome


@contextmanager
def refused(uri: str) -> Iterator[None]:
    """What MLflow, or the database beneath it, says is wrong, as a sentence."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("mlflow", "sqlalchemy"):
            raise
        # A database whose tables were being made when an export was killed cannot be carried on.
        half = "; an export was killed while it made this database: delete it" if "alembic" in str(error) else ""
        raise UsageError(f"MLflow cannot export to {uri}: {' '.join(str(error).split())}{half}") from None


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name))
    if found.lifecycle_stage == "deleted":
        raise UsageError(
            f'the MLflow experiment "{name}" was deleted: mlflow experiments restore --experiment-id'
            f" {found.experiment_id} brings it back, --project names another"
        )
    return str(found.experiment_id)


def _put(client: Any, experiment_id: str, run: Exported) -> Outcome:
    there = client.search_runs([experiment_id], f"tags.`{RUN_ID}` = '{run.run_id}'")
    same = [each for each in there if each.data.tags.get(DIGEST) == run.digest][:1]
    for each in there:
        if each not in same:
            client.delete_run(each.info.run_id)
    if same:
        return "unchanged"
    _write(client, experiment_id, run)
    return "renewed" if any(DIGEST in each.data.tags for each in there) else "exported"


def _write(client: Any, experiment_id: str, run: Exported) -> None:
    from mlflow.entities import Param, RunTag

    started, finished = (_milliseconds(run.origin.get(key)) for key in ("started", "finished"))
    started, finished = started or finished or _now(), finished or _now()
    made = client.create_run(experiment_id, started, {RUN_ID: run.run_id}, run.title).info.run_id
    params = [Param(name, _text(value)[:LONGEST]) for name, value in run.settings.items()]
    tags = [RunTag(name, text[:LONGEST]) for name, text in _tags(run).items()]
    for metrics in _parts(_metrics(run, finished), METRICS):
        client.log_batch(made, metrics=metrics)
    for some in _parts(params, OTHERS):
        client.log_batch(made, params=some)
    for few in _parts(tags, OTHERS):
        client.log_batch(made, tags=few)
    if len(run.scores):
        client.log_text(made, run.scores.to_csv(index=False), "scores.csv")
    client.set_terminated(made, "FINISHED" if run.status == "finished" else "FAILED", finished)
    client.set_tag(made, DIGEST, run.digest)


def _metrics(run: Exported, when: int) -> list[Any]:
    """Histories under training/, scores under score/, costs under cost/. When each step was is not known: all are
    dated from the run's end."""
    from mlflow.entities import Metric

    single = {f"score/{key(name)}": value for name, value in run.numbers.items()}
    single |= {f"cost/{name}": value for name, value in run.costs.items()}
    found = [Metric(name, value, when, 0) for name, value in single.items()]
    for row in [] if run.history is None else run.history.to_dict("records"):
        step = int(row.pop("step"))
        found += [
            Metric(f"training/{key(str(term))}", float(value), when, step)
            for term, value in row.items()
            if math.isfinite(value)
        ]
    return found


def _tags(run: Exported) -> Mapping[str, str]:
    found = {
        "benchmark.suite": run.suite,
        "benchmark.config_id": run.run.config_id,
        "benchmark.label": run.label,
        "benchmark.dataset": run.dataset_label,
    }
    found |= {f"benchmark.{name}": _text(run.origin[name]) for name in ("commit", "device") if run.origin.get(name)}
    found |= {f"protocol/{key(name)}": protocol for name, protocol in run.protocols.items()}
    found |= {f"missing/{key(name)}": reason for name, reason in run.missing.items()}
    return found if run.reason is None else {**found, "mlflow.note.content": run.reason}


def key(name: str) -> str:
    """A name as MLflow takes it: it refuses most signs."""
    return "".join(letter if letter.isalnum() or letter in "_-. :/" else "_" for letter in name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _milliseconds(when: str | None) -> int | None:
    return None if when is None else int(datetime.fromisoformat(when).timestamp() * 1000)


def _now() -> int:
    return int(time.time() * 1000)


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
