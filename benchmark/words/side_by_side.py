"""Two models side by side as a table: what `compare` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.words.phrases import count


def as_text(records: Sequence[Mapping[str, Any]], a: str, b: str) -> str:
    """The records of `benchmark.stages.side_by_side` as a table, with seeds that have no number and what p is."""
    lines = [["score", a, b, "difference", "better", "p"]]
    without = []
    for record in records:
        mean = "" if record["representation"] == "mean" else f" ({record['representation']})"
        name = record["score"] + mean
        if record["difference"] is None:
            without.append(f"  {name:<35} {_reasons(record, a, b)}")
            continue
        without += [
            f"  {name + ' of ' + called:<35} {_lacking(record[side])}"
            for side, called in (("a", a), ("b", b))
            if record[side]["reason"]
        ]
        better = {"a": a, "b": b, None: "–"}[record["better"]]
        p = "–" if record["p"] is None else f"{record['p']:.2g}"
        numbers = [_spelled(record[side]) for side in ("a", "b")]
        lines.append([name, *numbers, f"{record['difference']:+.4f}".replace("-", "−"), better, p])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*table, *without, _explained(records)])


def _reasons(record: Mapping[str, Any], a: str, b: str) -> str:
    """Why there is no difference, with the side where the two do not share a reason."""
    said = {called: record[side]["reason"] for side, called in (("a", a), ("b", b)) if record[side]["reason"]}
    shared = len(said) == 2 and len(set(said.values())) == 1
    return str(record["reason"]) if shared else "; ".join(f"{called}: {reason}" for called, reason in said.items())


def _spelled(side: Mapping[str, Any]) -> str:
    spread = "" if side["std"] is None else f" ± {side['std']:.4f}"
    share = f" ({side['runs']} of {side['of']})" if side["reason"] else ""
    return f"{side['mean']:.4f}{spread}{share}".replace("-", "−")


def _lacking(side: Mapping[str, Any]) -> str:
    return f"{side['of'] - side['runs']} of {count(side['of'], 'seed')} without a number: {side['reason']}"


def _explained(records: Sequence[Mapping[str, Any]]) -> str:
    compared = [record for record in records if record["difference"] is not None]
    tested = sum(record["p"] is not None for record in records)
    if not compared:
        return "no score is there on both sides"
    lacking = "neither better nor p where seeds have no number: those left are no fair sample"
    said = [lacking] if any(record["reason"] for record in compared) else []
    if tested:
        said.insert(0, f"p: Welch's test over seeds, two-sided, adjusted by Holm over {count(tested, 'score')}")
    elif any(record["reason"] is None and not record["shared"] for record in compared):
        said.append(
            "no p: a test needs two or more seeds a side, better five; a difference of two single runs may be their"
            " seeds'"
        )
    shared = ", ".join(record["score"] for record in compared if record["shared"])
    if shared:
        said.append(f"no p of {shared}: the seeds of a model share it, and are no sample")
    return "\n".join(said)
