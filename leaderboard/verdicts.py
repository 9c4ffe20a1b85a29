"""Verdicts of a check, and how they are written: a line, JSON, JUnit XML, a summary for a pull request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal
from xml.etree import ElementTree

Outcome = Literal["better", "same", "worse", "missing", "new"]
Source = Literal["default", "reruns", "given"]

ALONE = "too few seeds for a test: by the margin alone"
"""The note of a verdict without p."""
SHOWN = 50
"""Rows of a summary's section, and of its collapsed table: GitHub takes comments of 65,536 characters."""


@dataclass(frozen=True)
class Verdict:
    """One score of one configuration, then and now, all in the score's unit.

    change: positive is better, or where neither direction is, just the difference. margin: what it must exceed;
    `margin_from` says whether it is the default, comes from reruns under other seeds, or was given. standard_error:
    of the difference of the two means. p: one-sided, after Holm, for the direction that the change has; None where
    the margin alone decides.
    """

    verdict: Outcome
    dataset: str
    model: str
    configuration: str
    config_id: str
    metric: str
    score: str
    budget: int | None
    protocol: str
    representation: str
    reference_mean: float | None = None
    new_mean: float | None = None
    reference_runs: int = 0
    new_runs: int = 0
    change: float | None = None
    margin: float | None = None
    margin_from: Source = "default"
    standard_error: float | None = None
    p: float | None = None
    too_good: bool = False
    note: str = ""

    @property
    def name(self) -> str:
        budget = "" if self.budget is None else f" @ {self.budget:,}"
        return f"{self.score}{budget} of {self.configuration} on {self.dataset} ({self.representation})"


def counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many there are of each verdict, and how many are too good to be true."""
    outcomes = [verdict.verdict for verdict in verdicts]
    found = {outcome: outcomes.count(outcome) for outcome in ("worse", "missing", "better", "same", "new")}
    return found | {"too_good": sum(verdict.too_good for verdict in verdicts)}


def sentence(verdict: Verdict) -> str:
    """A verdict in one line."""
    if verdict.new_mean is None or verdict.reference_mean is None:
        return f"{verdict.verdict}: {verdict.name}" + (f"; {verdict.note}" if verdict.note else "")
    seeds = f"{verdict.reference_runs} and {verdict.new_runs} seeds"
    p = "" if verdict.p is None else f", p = {verdict.p:.2g}"
    note = _note(verdict)
    return (
        f"{verdict.verdict}: {verdict.name}: {verdict.reference_mean:.4g} → {verdict.new_mean:.4g} ({seeds}, margin "
        f"{_plain(verdict.margin)}{p})" + (f"; {note}" if note else "")
    )


def as_json(verdicts: Sequence[Verdict]) -> str:
    """For machines."""
    return json.dumps({"format": 1, "counts": counts(verdicts), "verdicts": [asdict(v) for v in verdicts]}, indent=1)


def as_junit(verdicts: Sequence[Verdict], suite: str) -> str:
    """JUnit XML: a test case a score; worse fails, missing and new are skipped with a message."""
    number = counts(verdicts)
    skipped = number["missing"] + number["new"]
    root = ElementTree.Element(
        "testsuite",
        name=f"benchmark check {suite}",
        tests=str(len(verdicts)),
        failures=str(number["worse"]),
        errors="0",
        skipped=str(skipped),
    )
    for verdict in verdicts:
        case = ElementTree.SubElement(root, "testcase", classname=verdict.protocol, name=verdict.name)
        # XML has no control characters, and the reasons of failures are whatever was raised.
        said = "".join(letter if letter.isprintable() else " " for letter in sentence(verdict))
        if verdict.verdict == "worse":
            ElementTree.SubElement(case, "failure", message=said)
        elif verdict.verdict in ("missing", "new"):
            ElementTree.SubElement(case, "skipped", message=said)
        else:
            ElementTree.SubElement(case, "system-out").text = said
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def as_markdown(verdicts: Sequence[Verdict], suite: str, rule: str = "") -> str:
    """A summary for a pull request: what got worse first, then better, missing and new; the rest collapsed.

    rule: a sentence that says what worse means.
    """
    number = counts(verdicts)
    title = "nothing is worse" if verdicts else "nothing to compare"
    if number["worse"]:
        title = f"{number['worse']} of {len(verdicts)} scores worse"
    told = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in number.items() if value)
    lines = [f"### benchmark check `{suite}`: {title}", ""]
    if told:
        lines += [f"{told}.", ""]
    by_outcome = {outcome: [v for v in verdicts if v.verdict == outcome] for outcome in ("worse", "better")}
    # Too good to be true comes before better, and the furthest over its margin before the others.
    for outcome, found in by_outcome.items():
        found.sort(key=lambda v: (not v.too_good, -_reach(v)))
        lines += _section(outcome.capitalize(), found, _compared)
    for outcome in ("missing", "new"):
        lines += _section(outcome.capitalize(), [v for v in verdicts if v.verdict == outcome], _alone)
    same = sorted((v for v in verdicts if v.verdict == "same"), key=_reach, reverse=True)
    if same:
        nearest = f"the {SHOWN} nearest to a verdict of " if len(same) > SHOWN else ""
        lines += ["<details>", f"<summary>The same: {nearest}{len(same)}</summary>", ""]
        lines += [*_compared(same[:SHOWN]), "", "</details>", ""]
    alone = sum(ALONE in v.note for v in verdicts)
    untested = f"Without p: {alone} of {len(verdicts)} comparisons, by the margin alone." if alone else ""
    lines += [f"<sub>{' '.join(filter(None, (rule, untested)))}</sub>", ""]
    return "\n".join(lines)


def _section(title: str, found: list[Verdict], table: Callable[[list[Verdict]], list[str]]) -> list[str]:
    if not found:
        return []
    more = f"and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return [f"#### {title}", "", *table(found[:SHOWN]), "", *([more, ""] if more else [])]


def _reach(verdict: Verdict) -> float:
    """How many margins the change spans."""
    if verdict.change is None or not verdict.margin:
        return 0.0
    return abs(verdict.change) / verdict.margin


def _compared(verdicts: list[Verdict]) -> list[str]:
    rows = ["| score | reference | now | margin | p | seeds | note |", "|---|---:|---:|---:|---:|---:|---|"]
    for verdict in verdicts:
        means = (f"{value:.4g}" for value in (verdict.reference_mean, verdict.new_mean) if value is not None)
        seeds = f"{verdict.reference_runs}, {verdict.new_runs}"
        numbers = [*means, _plain(verdict.margin), "" if verdict.p is None else f"{verdict.p:.2g}", seeds]
        # That the margin alone decides is said once, below the tables.
        note = "; ".join(part for part in _note(verdict).split("; ") if part != ALONE)
        rows.append("| " + " | ".join([_escaped(verdict.name), *numbers, _escaped(note)]) + " |")
    return rows


def _alone(verdicts: list[Verdict]) -> list[str]:
    rows = ["| score | mean | seeds | note |", "|---|---:|---:|---|"]
    for verdict in verdicts:
        mean = verdict.new_mean if verdict.reference_mean is None else verdict.reference_mean
        seeds = str(verdict.reference_runs or verdict.new_runs)
        rows.append(f"| {_escaped(verdict.name)} | {_plain(mean)} | {seeds} | {_escaped(_note(verdict))} |")
    return rows


def _escaped(text: str) -> str:
    """Text in a cell: names and reasons of failures may hold whatever Markdown and HTML make something of."""
    escaped = re.sub(r"([\\`*_{}\[\]<>|~$&])", r"\\\1", " ".join(text.split()))
    # GitHub would call on people and link issues.
    return re.sub(r"([@#])(?=\w)", r"\1<!-- -->", escaped)


def _note(verdict: Verdict) -> str:
    return "; ".join(part for part in ("too good to be true?" if verdict.too_good else "", verdict.note) if part)


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
