"""Two models side by side as a table: what `compare` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def as_text(records: Sequence[Mapping[str, Any]], a: str, b: str) -> str:
    """The records of `benchmark.stages.side_by_side` as a table, with what the p values are."""
    lines = [["score", a, b, "difference", "better", "p"]]
    without = []
    for record in records:
        mean = "" if record["representation"] == "mean" else f" ({record['representation']})"
        name = record["score"] + mean
        if record["difference"] is None:
            without.append(f"  {name:<36}{record['reason'] or 'scored on one side alone'}")
            continue
        better = {"a": a, "b": b, None: "–"}[record["better"]]
        p = "–" if record["p"] is None else f"{record['p']:.2g}"
        numbers = [_spelled(record[side]) for side in ("a", "b")]
        lines.append([name, *numbers, f"{record['difference']:+.4f}".replace("-", "−"), better, p])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*table, *without, _explained(records)])


def _spelled(side: Mapping[str, Any]) -> str:
    spread = "" if side["std"] is None else f" ± {side['std']:.4f}"
    return f"{side['mean']:.4f}{spread}".replace("-", "−")


def _explained(records: Sequence[Mapping[str, Any]]) -> str:
    compared = [record for record in records if record["difference"] is not None]
    tested = sum(record["p"] is not None for record in records)
    if tested:
        return f"p: Welch's test over seeds, two-sided, adjusted by Holm over {tested} scores"
    if not compared:
        return "no score is there on both sides"
    return (
        "no p: a test needs two or more seeds a side, better five; a difference of two single runs may be their seeds'"
    )
