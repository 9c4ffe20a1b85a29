"""What a suite is expected to cost, as `run --dry-run` says it."""

from __future__ import annotations

from typing import Any

from benchmark.datasets._shift import in_words
from benchmark.stages.estimate import Estimate, Shown


def as_text(cost: Estimate) -> str:
    """Runs, hours and what they rest on, disk and memory, a line each, then what datasets show of their grids."""
    shared = f" and {cost.shared_gigabytes:.2g} GB that they share" if cost.shared_gigabytes >= 0.01 else ""
    return (
        f"{cost.runs} runs to train in {cost.fleets} fleets, {cost.done} done already\n"
        f"about {duration(cost.hours)} with {cost.jobs} processes, {duration(cost.encoding_hours)} of it encoding\n"
        f"{rests_on(cost)}"
        f"{cost.disk_gigabytes:.2g} GB of disk, {cost.memory_gigabytes:.2g} GB of memory{shared}"
        + "".join(f"\n{shown_line(each)}" for each in cost.trained_on)
    )


def rests_on(cost: Estimate) -> str:
    """A line that says what the hours rest on; none where there is nothing to train."""
    recorded = "on the recorded speed of finished runs of the same kind"
    timed = "on steps timed just now"
    if cost.cores:
        timed += ", in seconds of a core's work; a process has "
        timed += f"one of {cost.cores} cores to itself" if cost.cores > 1 else "the only core to itself"
    if cost.by_records and cost.by_timing:
        return f"that rests {recorded} for {cost.by_records:,} runs, {timed}, for {cost.by_timing:,}\n"
    return f"that rests {recorded if cost.by_records else timed}\n" if cost.by_records or cost.by_timing else ""


def as_record(cost: Estimate) -> dict[str, Any]:
    """The same as `--json` prints it."""
    return {**vars(cost), "trained_on": [shown_line(each) for each in cost.trained_on]}


def shown_line(shown: Shown) -> str:
    """What of its grid a dataset is trained on."""
    said = in_words(shown.dataset.settings)
    line = f"{shown.dataset.name}, {said}: {shown.seen:,} of {shown.every:,} combinations trained on"
    line += f", {shown.seen / shown.every:.1%}"
    if shown.alike is None:
        return line
    return f"{line}, drawn as unevenly as {shown.alike:,.0f} alike, {shown.alike / shown.every:.1%}"


def duration(hours: float) -> str:
    """A time as a person writes it: 20 s, 3 min, 4.5 h, 450 h, 19 days."""
    if hours < 1.5 / 60:
        return f"{max(1, round(hours * 3600))} s" if hours else "0 s"
    if hours < 1.5:
        return f"{round(hours * 60)} min"
    if hours < 10:
        return f"{hours:.1f} h"
    return f"{hours:,.0f} h" if hours < 48 else f"{hours:,.0f} h, {hours / 24:,.0f} days"
