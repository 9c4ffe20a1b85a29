"""What `run` would do and cost: the verb's --dry-run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark.verbs._given import located
from benchmark.verbs._request import Request
from benchmark.verbs._suite_file import check_file
from benchmark.verbs._workplace import Workplace, cores
from benchmark.verbs.run import damages

if TYPE_CHECKING:
    from benchmark.stages.estimate import Estimate


def estimate(request: Request, at: Workplace) -> Estimate:
    """What `run` would do when asked the same, and what it would cost. Nothing is written."""
    from benchmark.stages import train
    from benchmark.stages.estimate import estimate as cost
    from benchmark.stages.kept import parts_of
    from benchmark.stages.score_task import arrays_read, check_metrics

    at.add_plugins(request.plugins)
    request = replace(request, suite=located(request.suite, at.results))
    suite = request.expanded()
    runs = request.share(suite.runs)
    store = at.store(make=False)
    check_file(store, suite.name, request.suite)
    kind, places = at.devices()
    again = damages(store, runs, at) if request.retry_failed else {}
    fleets = train.plan(store, runs, retry_failed=request.retry_failed, device=kind, again=again)
    parts = parts_of(arrays_read(check_metrics(suite.evaluation.metrics)))
    done = sum(store.is_done(each) and each.run_id not in again for each in runs)
    jobs = len(places) if kind == "cuda" and at.jobs is None else max(1, at.processes())
    return cost(fleets, done, jobs, at.data_dir, suite.encoding, places[0], parts, store, cores())
