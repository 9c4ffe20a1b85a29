"""`demo` and `run`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from benchmark.cli.asked import request, workplace
from benchmark.cli.options import (
    DataDir,
    Device,
    Jobs,
    Json,
    Name,
    Only,
    Plugin,
    Results,
    RetryFailed,
    Scheduler,
    Seeds,
    Set,
    Shard,
)
from benchmark.cli.printed import fail_if, print_again, print_next, print_next_line, print_result
from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.naming import printable


def demo(results: Results = RESULTS, jobs: Jobs = None, as_json: Json = False) -> None:
    """Run, evaluate and report the suite `quickstart`: a few minutes, no download."""
    from benchmark.verbs.evaluate import evaluate
    from benchmark.verbs.report import report
    from benchmark.verbs.run import run

    summary = run("quickstart", results=results, jobs=jobs, quiet=as_json)
    scores = evaluate("quickstart", results=results, jobs=jobs, quiet=as_json)
    page = report("quickstart", results=results, jobs=jobs, quiet=as_json)
    print_result({"run": summary, "evaluate": scores, "report": page}, as_json, str(page))
    print_next_line("open the page above, then: benchmark list suites")
    fail_if(bool(summary.failed or scores.failed))


def run(
    suite: Name,
    results: Results = RESULTS,
    only: Only = None,
    set_: Set = None,
    seeds: Seeds = None,
    plugin: Plugin = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    data_dir: DataDir = None,
    shard: Shard = None,
    device: Device = "auto",
    retry_failed: RetryFailed = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done and what it would cost")] = False,
    as_json: Json = False,
) -> None:
    """Train and encode a suite's runs. What is done already is kept: run it again to resume."""
    from benchmark.verbs.estimate import estimate
    from benchmark.verbs.run import carry_out

    if dry_run and scheduler:
        raise UsageError("--dry-run estimates for --jobs N processes: give the number of workers, no --scheduler")
    wanted = request(
        suite, only=only, plugins=plugin, retry_failed=retry_failed, overrides=set_, seeds=seeds, shard=shard
    )
    at = workplace(results, data_dir, jobs=jobs, scheduler=scheduler, as_json=as_json, device=device)
    if dry_run:
        from benchmark.words.estimates import as_record, as_text

        cost = estimate(wanted, at)
        print_result(as_record(cost), as_json, as_text(cost))
        return
    summary = carry_out(wanted, at)
    print_result(summary, as_json, summary.sentence())
    for run_id, reason in summary.failed.items():
        print(f"failed  {run_id}: {printable(reason)}", file=sys.stderr)
    if summary.failed:
        print_again("--retry-failed")
    else:
        print_next("evaluate", suite, results=results, plugins=plugin)
    fail_if(bool(summary.failed))
