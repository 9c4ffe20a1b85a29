"""Headline scores of a few runs as lines: what `evaluate --codes` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def as_text(records: Sequence[Mapping[str, Any]]) -> str:
    """The records of `benchmark.stages.headlines` as lines: score, mean ± standard deviation over runs, protocol."""
    lines = []
    for record in records:
        if record["status"] == "ok":
            spread = "" if record["std"] is None else f" ± {record['std']:.4f}"
            lines.append(f"  {record['score']:<36}{record['mean']:>10.4f}{spread:<12}{record['protocol']}")
        else:
            name = record["metric"] + ("" if record["representation"] == "mean" else f" ({record['representation']})")
            lines.append(f"  {name:<36}{record['status'].replace('_', ' ')}: {record['reason']}")
    return "\n".join(lines)
