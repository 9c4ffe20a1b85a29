"""A finding in one sentence: it claims no more than the intervals carry.

"No model beats X" is said of averages: no model's is better. "Beats X" is said where the 95 % interval of the first
lies wholly beyond that of X, and "can be told from" where the ranking's test (Holm over all pairs) says so. Fewer than
ten runs carry neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmark.statistics import MINIMUM_RUNS
from leaderboard.cells import decimals, signed
from leaderboard.finding import Finding, Placed

NAMES = {
    "noise": "noise",
    "untrained": "an untrained network",
    "rotated": "a random rotation of perfect codes",
    "perfect": "perfect codes",
}
"""References as a sentence calls them."""
SUPERVISED = {
    "labelled": "only models that see labels are here",
    "paired": "no unsupervised model is here, only weakly supervised ones are ranked",
}
"""What is said first where the ranked models were shown more than the data."""
NOBODY = {"trained": "no unsupervised model", "paired": "no weakly supervised model"}
"""Whom a sentence denies something where models that were shown more are here as well."""
LISTED = 3
"""At most so many models are named in a row."""
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def sentence(found: Finding) -> str:
    """The dataset's finding, from its name to the full stop."""
    return f"{found.dataset}: {'; '.join(_clauses(found))}."


def _clauses(found: Finding) -> Iterator[str]:
    if found.column is None:
        yield "no configuration has a score that says which is better"
    elif found.ranked:
        yield from _led(found)
    elif found.references:
        values = ", ".join(f"{NAMES[each.model]} {each.cell.text}" for each in found.references)
        yield f"{_nobody(found)} is ranked; references by {_measure(found)}: {values}"
    else:
        yield f"{_nobody(found)} is ranked by {_measure(found)}"
    yield from _left_out(found)


def _led(found: Finding) -> Iterator[str]:
    """Whether a reference is beaten, who is first, and how surely."""
    assert found.column is not None
    barrier = next((each for each in (found.floor, found.rotated) if each and found.beats(each) == "no better"), None)
    if barrier:
        even = "even " if barrier is found.floor and found.rotated else ""
        lower = ", lower is better" if found.sign < 0 else ""
        yield f"{_nobody(found)} beats {even}{NAMES[barrier.model]} ({found.column.title} {barrier.cell.text}{lower})"
    first = found.leaders[0]
    among = " among unsupervised models" if found.beside and found.kind == "trained" else ""
    by = "" if barrier else f" by {_measure(found)}{among}"
    ceiling = f" (perfect codes {found.ceiling.cell.main})" if found.ceiling else ""
    if found.kind in SUPERVISED:
        yield SUPERVISED[found.kind]
    if len(found.ranked) == 1:
        many = _seeds(len(first.cell.values))
        yield f"{first.label} is the only model that is ranked{by}: {first.cell.text}{ceiling}, {many}"
    elif len(found.leaders) > 1:
        together = _listed([each.label for each in found.leaders])
        yield f"{together} share the first place{by} with {first.cell.main}{ceiling}"
    else:
        yield from _ahead(found, f"{by} with {first.cell.text}{ceiling}")
    if not barrier:
        yield from _against(found)
    if found.floor and barrier is not found.floor:
        under = found.no_better_than(found.floor)
        if under:
            verb = "is" if len(under) == 1 else "are"
            yield f"{_listed(under)} {verb} on average no better than {_reference(found.floor)}"


def _ahead(found: Finding, by: str) -> Iterator[str]:
    """One model is first of several: how far, and whether the test tells it from the others."""
    first, second = found.ranked[0].label, found.ranked[1].label
    ahead = f"{_distance(found)} ahead of {second}"
    if not found.tested:
        yield f"{first} is first{by}, {ahead}"
        yield _untested(found)
    elif not found.alike:
        yield f"{first} leads{by}, {ahead}, and can be told from {'it' if len(found.ranked) == 2 else 'every other'}"
    elif found.alike == (second,):
        yield f"{first} is first{by}, {ahead}, from which it cannot be told"
    else:
        yield f"{first} is first{by}, {ahead}, and cannot be told from {_listed(found.alike)}"


def _untested(found: Finding) -> str:
    if found.fewest >= MINIMUM_RUNS:
        return "the runs of a model share this score, and are no sample to test its rank by"
    verb = "is" if found.fewest == 1 else "are"
    return f"ranks are tested from {_number(MINIMUM_RUNS)} seeds on, and there {verb} {_number(found.fewest)}"


def _against(found: Finding) -> Iterator[str]:
    """The first against a rotation and the floor, where neither stops every model."""
    it, beats = ("they", "beat") if len(found.leaders) > 1 else ("it", "beats")
    few = f" below {_seeds(MINIMUM_RUNS)}" if len(found.ranked) > 1 and found.fewest < MINIMUM_RUNS else ""
    for reference in (found.rotated, found.floor):
        if reference is None:
            continue
        surely = found.beats(reference) == "better"
        # That runs lie beyond the floor's is no test, and no news either: only the contrary is said.
        if reference is found.floor and (surely or found.apart(reference)):
            continue
        yield (
            f"{it} {beats} {_reference(reference)}"
            if surely
            else f"whether {it} {beats} {_reference(reference)} is open{few}"
        )


def _reference(reference: Placed) -> str:
    return f"{NAMES[reference.model]} ({reference.cell.text})"


def _left_out(found: Finding) -> Iterator[str]:
    """Who has a number and no rank, who has no number, and whose runs failed."""
    given = [each.label for each in found.outside if each.cell.by_construction]
    few = [each.label for each in found.outside if not each.cell.by_construction]
    if few:
        yield f"{_listed(few)} {'has' if len(few) == 1 else 'have'} too few runs to be ranked"
    if given:
        yield f"the score of {_listed(given)} is true by construction"
    without = found.without or {}
    failed = [label for label, status in without.items() if status == "failed"]
    none = [label for label, status in without.items() if status != "failed"]
    title = found.column.title if found.column else ""
    if failed:
        yield f"{title} failed for {_listed(failed)}"
    if none:
        yield f"{_listed(none)} {'has' if len(none) == 1 else 'have'} no {title}"
    for model, runs in (found.failed or {}).items():
        yield f"{_number(runs)} {'run' if runs == 1 else 'runs'} of {model} failed"


def _nobody(found: Finding) -> str:
    return NOBODY.get(found.kind, "no model") if found.beside else "no model"


def _measure(found: Finding) -> str:
    assert found.column is not None
    return found.column.title + (" (lower is better)" if found.column.direction == "lower" else "")


def _distance(found: Finding) -> str:
    places = decimals(found.ranked[0].point)
    text = f"{found.lead:,.{places}f}"
    return f"less than {10**-places:.{places}f}" if float(text.replace(",", "")) == 0 else signed(text)


def _seeds(number: int) -> str:
    return f"{_number(number)} seed{'' if number == 1 else 's'}"


def _number(number: int) -> str:
    return WORDS[number] if number < len(WORDS) else f"{number:,}"


def _listed(names: Sequence[str]) -> str:
    """`a, b and c`; of many the first ones, and how many more there are."""
    shown = list(names) if len(names) <= LISTED + 1 else [*names[:LISTED], f"{len(names) - LISTED} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
