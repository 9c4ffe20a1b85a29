"""Verdicts of a check, and how they are written: a line, JSON, JUnit XML, a summary for a pull request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal
from xml.etree import ElementTree

from benchmark.naming import score_name
from benchmark.stages.comparisons import counted

Outcome = Literal["better", "same", "worse", "missing", "new"]
Source = Literal["default", "reruns", "given"]
Level = Literal["score", "configuration", "measure", "suite"]

ALONE = "too few seeds for a test: by the margin alone"
"""The note of a verdict without p."""
SHOWN = 50
"""Rows of a summary's section, and of its collapsed table: GitHub takes comments of 65,536 characters."""


@dataclass(frozen=True)
class Verdict:
    """One score of one configuration, then and now, all in the score's unit; or several together.

    level: what it is on: a "score", or all of a "configuration", of a "measure" or of the "suite", of which `members`
    is how many scores these are and `drop` the root mean square of their drops in deviations between seeds.
    change: positive is better, or where neither direction is, just the difference. margin: what it must exceed;
    `margin_from` says whether it is the default, comes from reruns under other seeds, or was given. standard_error:
    of the difference of the two means. p: one-sided, after Holm, for the direction that the change has; None where
    the margin alone decides. cannot_fail: no drop within its measure's range would be called worse; `note` says why.
    absent: how many runs had the score then, were asked for now and have none. other_settings: the configuration is
    gone, and another of its model has come.
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
    level: Level = "score"
    members: int = 1
    drop: float | None = None
    cannot_fail: bool = False
    absent: int = 0
    other_settings: bool = False

    @property
    def name(self) -> str:
        budget = "" if self.budget is None else f" @ {self.budget:,}"
        together, score = f"{self.members} scores together", score_name(self.metric, self.score)
        return {
            "score": f"{score}{budget} of {self.configuration} on {self.dataset} ({self.representation})",
            "configuration": f"{self.configuration} on {self.dataset}, {together}",
            "measure": f"{score}{budget}, {together}",
            "suite": f"the suite, {together}",
        }[self.level]


def alone(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those on single scores."""
    return [verdict for verdict in verdicts if verdict.level == "score"]


def counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many scores there are of each verdict, how many are too good to be true, and how many cannot fail."""
    own = alone(verdicts)
    outcomes = [verdict.verdict for verdict in own]
    found = {outcome: outcomes.count(outcome) for outcome in ("worse", "missing", "better", "same", "new")}
    found |= {"too_good": sum(verdict.too_good for verdict in own)}
    return found | {"cannot_fail": sum(verdict.cannot_fail for verdict in own)}


def together(verdicts: Sequence[Verdict]) -> dict[Level, dict[str, int]]:
    """By level, how many joint verdicts there are and how many of them are "worse"."""
    found: dict[Level, dict[str, int]] = {}
    for verdict in verdicts:
        if verdict.level != "score":
            number = found.setdefault(verdict.level, {"worse": 0, "all": 0})
            number["all"] += 1
            number["worse"] += verdict.verdict == "worse"
    return found


def summary(verdicts: Sequence[Verdict]) -> str:
    """The counts in some lines: of scores, of what cannot fail or has no reruns, and of what is judged together."""
    number = counts(verdicts)
    cannot = number.pop("cannot_fail")
    lines = [", ".join(f"{value} {name}" for name, value in number.items())]
    if cannot:
        lines.append(cannot_fail(verdicts))
    if known := from_reruns(verdicts):
        lines.append(known)
    if gone := absent(verdicts):
        lines.append(gone)
    levels = together(verdicts)
    if levels:
        lines.append(
            f"together: {', '.join(_of(own['worse'], own['all'], name) for name, own in levels.items())} worse"
        )
    return "\n".join(lines)


def _of(some: int, total: int, level: Level) -> str:
    if level == "suite":
        return "the suite" if some else "not the suite"
    return f"{some} of {total} {level}{'s' * (total > 1)}"


def cannot_fail(verdicts: Sequence[Verdict]) -> str:
    """How many scores no drop could fail, and at how many seeds these have."""
    own = [verdict for verdict in alone(verdicts) if verdict.cannot_fail]
    seeds = sorted({min(verdict.reference_runs, verdict.new_runs) for verdict in own})
    words = " or ".join(map(str, seeds))
    return f"{len(own)} of {len(alone(verdicts))} scores cannot fail alone at {words} seeds"


def from_reruns(verdicts: Sequence[Verdict]) -> str:
    """How many margins are from reruns; empty where all are, or none."""
    own = [verdict for verdict in alone(verdicts) if verdict.margin is not None]
    known = sum(verdict.margin_from == "reruns" for verdict in own)
    return f"margins from reruns for {known:,} of {counted(len(own), 'score')}" if 0 < known < len(own) else ""


def is_absent(verdict: Verdict) -> bool:
    """Whether runs of the reference that were asked for, by these or by other settings, have no such score now, and it
    is not "worse" already."""
    return (verdict.absent > 0 or verdict.other_settings) and verdict.verdict != "worse"


def absent(verdicts: Sequence[Verdict]) -> str:
    """What the reference has and the new results, which were asked for it, have not; empty where there is nothing."""
    own = [verdict for verdict in alone(verdicts) if is_absent(verdict)]
    if not own:
        return ""
    whole = sum(verdict.new_runs == 0 for verdict in own)
    parts = [(whole, "of all runs"), (len(own) - whole, "of some runs")]
    said = [f"{counted(number, 'score')} {of}" for number, of in parts if number]
    return f"not there any more: {', '.join(said)}"


def sentence(verdict: Verdict) -> str:
    """A verdict in one line."""
    if verdict.level != "score":
        numbers = f"drop {_plain(verdict.drop)} deviations between seeds, p = {verdict.p:.2g}"
        return f"{verdict.verdict}: {verdict.name}: {numbers}" + (f"; {verdict.note}" if verdict.note else "")
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
    found = {"format": 1, "counts": counts(verdicts), "together": together(verdicts)}
    return json.dumps(found | {"verdicts": [asdict(v) for v in verdicts]}, indent=1)


def as_junit(verdicts: Sequence[Verdict], suite: str) -> str:
    """JUnit XML: a test case a score, and one for each set of them; worse fails, and what is not there any more.

    Missing that was not asked for, new and what cannot fail alone are skipped with a message.
    """
    outcomes = [_of_junit(verdict) for verdict in verdicts]
    root = ElementTree.Element(
        "testsuite",
        name=f"benchmark check {suite}",
        tests=str(len(verdicts)),
        failures=str(outcomes.count("failure")),
        errors="0",
        skipped=str(outcomes.count("skipped")),
    )
    for verdict, outcome in zip(verdicts, outcomes, strict=True):
        place = verdict.protocol if verdict.level == "score" else verdict.level
        case = ElementTree.SubElement(root, "testcase", classname=place, name=verdict.name)
        # XML has no control characters, and the reasons of failures are whatever was raised.
        said = "".join(letter if letter.isprintable() else " " for letter in sentence(verdict))
        if outcome == "passed":
            ElementTree.SubElement(case, "system-out").text = said
        else:
            ElementTree.SubElement(case, outcome, message=said)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _of_junit(verdict: Verdict) -> Literal["failure", "skipped", "passed"]:
    if verdict.verdict == "worse" or is_absent(verdict):
        return "failure"
    cannot = verdict.cannot_fail and verdict.verdict == "same"
    return "skipped" if cannot or verdict.verdict in ("missing", "new") else "passed"


def as_markdown(verdicts: Sequence[Verdict], suite: str, rule: str = "") -> str:
    """A summary for a pull request: what got worse first, then what is not there any more, better, missing and new;
    the rest collapsed.

    rule: a sentence that says what worse means.
    """
    own, number, levels = alone(verdicts), counts(verdicts), together(verdicts)
    joint = [verdict for verdict in verdicts if verdict.level != "score" and verdict.verdict == "worse"]
    worse: dict[Level, tuple[int, int]] = {"score": (number["worse"], len(own))}
    worse |= {name: (of["worse"], of["all"]) for name, of in levels.items()}
    parts = [_of(some, total, name) for name, (some, total) in worse.items() if some]
    titles = [f"{', '.join(parts)} worse" if parts else "", absent(verdicts)]
    title = "; ".join(filter(None, titles)) or ("nothing is worse" if verdicts else "nothing to compare")
    cannot = number.pop("cannot_fail")
    told = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in number.items() if value)
    lines = [f"### benchmark check `{suite}`: {title}", ""]
    if told:
        lines += [f"{told}.", ""]
    lines += _section("Worse together", joint, _sets)
    gone, rest = [v for v in own if is_absent(v)], [v for v in own if not is_absent(v)]
    gone.sort(key=lambda v: v.new_runs > 0)
    by_outcome = {outcome: [v for v in rest if v.verdict == outcome] for outcome in ("worse", "better")}
    # Too good to be true comes before better, and the furthest over its margin before the others.
    for found in by_outcome.values():
        found.sort(key=lambda v: (not v.too_good, -_reach(v)))
    lines += _section("Worse", by_outcome["worse"], _compared)
    lines += _section("Not there any more", gone, _compared)
    lines += _section("Better", by_outcome["better"], _compared)
    for outcome in ("missing", "new"):
        lines += _section(outcome.capitalize(), [v for v in rest if v.verdict == outcome], _alone)
    same = sorted((v for v in rest if v.verdict == "same"), key=_reach, reverse=True)
    if same:
        nearest = f"the {SHOWN} nearest to a verdict of " if len(same) > SHOWN else ""
        lines += ["<details>", f"<summary>The same: {nearest}{len(same)}</summary>", ""]
        lines += [*_compared(same[:SHOWN]), "", "</details>", ""]
    margin = sum(ALONE in v.note for v in own)
    untested = f"Without p: {margin} of {len(own)} comparisons, by the margin alone." if margin else ""
    silent = f"{cannot_fail(verdicts)}; they are judged together with others." if cannot else ""
    known = f"M{from_reruns(verdicts)[1:]}." if from_reruns(verdicts) else ""
    lines += [f"<sub>{' '.join(filter(None, (rule, untested, silent, known)))}</sub>", ""]
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
        both = (verdict.reference_mean, verdict.new_mean)
        means = ("" if value is None else f"{value:.4g}" for value in both)
        seeds = f"{verdict.reference_runs}, {verdict.new_runs}"
        numbers = [*means, _plain(verdict.margin), "" if verdict.p is None else f"{verdict.p:.2g}", seeds]
        # That the margin alone decides is said once, below the tables.
        note = "; ".join(part for part in _note(verdict).split("; ") if part != ALONE)
        rows.append("| " + " | ".join([_escaped(verdict.name), *numbers, _escaped(note)]) + " |")
    return rows


def _sets(verdicts: list[Verdict]) -> list[str]:
    rows = ["| what | drop, deviations between seeds | p | note |", "|---|---:|---:|---|"]
    for verdict in verdicts:
        numbers = [_plain(verdict.drop), _plain(verdict.p)]
        rows.append("| " + " | ".join([_escaped(verdict.name), *numbers, _escaped(verdict.note)]) + " |")
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
