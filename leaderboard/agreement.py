"""Which measures agree: for each score the ones that it goes with most and least, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from benchmark.stages.comparisons import counted
from leaderboard.cells import signed
from leaderboard.text_table import TextTable

COLUMNS = ("score", "goes most with", "goes least with", "of scores without labels", "over")
CAPTION = (
    "Spearman’s ρ between scores that know the factors, over runs, and the strongest of those that need no "
    "labels; raw values, so that two scores of opposite directions are expected to have a negative one; without "
    "scores that are true by construction, and not of one measure with itself under another protocol. Partners are "
    "sought among the pairs that the most configurations have. In brackets a 95 % interval, from ten configurations "
    "on, and p by permuting configurations, after Holm over the pairs of two measures, where there are configurations"
    " enough for any to be below 0.05. All pairs are in the file correlations. Over few configurations a correlation "
    "says which ones took part."
)


def agreement(summaries: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> TextTable | None:
    """A row a supervised score that has a correlation; None where there is none.

    summaries: a leaderboard's frames by name. titles: of its columns, in their order.
    """
    frame = summaries.get("correlations", pd.DataFrame())
    known = frame[frame["rho"].notna()] if len(frame) else frame
    if known.empty:
        return None
    known = known[known["a_protocol"].map(_measure) != known["b_protocol"].map(_measure)]
    # Either side of a pair is a score with its partner.
    turned = known.rename(columns={"a": "b", "b": "a"})
    among = known[known["kind"] == "supervised×supervised"]
    pairs = pd.concat([among, among.rename(columns={"a": "b", "b": "a"})])
    without = turned[turned["kind"] == "unsupervised×supervised"]
    rows = []
    for name, title in titles.items():
        own, unlabelled = (_widest(part[part["a"] == name]) for part in (pairs, without))
        if own.empty and unlabelled.empty:
            continue
        most, least = _end(own, titles, highest=True), _end(own, titles, highest=False)
        strongest = unlabelled.iloc[unlabelled["rho"].abs().argsort()[::-1][:1]]
        rows.append(
            [title, most, least if len(own) > 1 else "–", _end(strongest, titles, highest=True), _over(own, unlabelled)]
        )
    return TextTable("Which measures agree", COLUMNS, rows, CAPTION) if rows else None


def _measure(protocol: str) -> str:
    return protocol.partition("/")[0]


def _widest(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs over the most configurations: the fewer there are, the larger is ρ by chance."""
    return pairs[pairs["configurations"] == pairs["configurations"].max()]


def _end(pairs: pd.DataFrame, titles: Mapping[str, str], *, highest: bool) -> str:
    """The partner with the highest or the lowest ρ."""
    if pairs.empty:
        return "–"
    row: dict[Any, Any] = pairs.sort_values("rho", kind="stable").iloc[-1 if highest else 0].to_dict()
    known = [] if pd.isna(row["low"]) else [f"{_rho(row['low'])} to {_rho(row['high'])}"]
    known += [] if pd.isna(row["p_holm"]) else [f"p = {row['p_holm']:.2g}"]
    return f"{titles.get(row['b'], row['b'])} {_rho(row['rho'])}" + (f" ({', '.join(known)})" if known else "")


def _over(*parts: pd.DataFrame) -> str:
    every = pd.concat(parts)
    ends = [
        (int(every[name].min()), int(every[name].max()), noun)
        for name, noun in (("n", "run"), ("configurations", "configuration"))
    ]
    return " of ".join(
        counted(high, noun) if low == high else f"{low:,} to {counted(high, noun)}" for low, high, noun in ends
    )


def _rho(value: float) -> str:
    return signed(f"{value:.2f}")
