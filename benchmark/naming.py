"""Names that become parts of paths and lines of a terminal: which are allowed, and how foreign text is printed."""

from __future__ import annotations

import re

from benchmark.errors import UsageError

LONGEST = 120
"""Bytes of a name at most: file systems allow 255 for a file, and names of files are made from several."""
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069/\\]")
"""What leaves a folder, moves a terminal's cursor or turns the direction of text."""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""The same without separators, tabs and line ends."""


def score_name(metric: str, score: str) -> str:
    """What a score is called everywhere: `mig`, or `mcc.pearson` where a measure's score has a name of its own."""
    return score if score == metric else f"{metric}.{score}"


def without_points(protocol: str) -> str:
    """A protocol without its number of points: what a score without a number shares with those that have one.

    A measure that gives up early says another n, so its rows are told apart by their settings alone.
    """
    return re.sub(r"[-/]n\d+(?=/v\d+(-[0-9a-f]+)?$)", "", protocol)


def check_name(name: object, where: str) -> str:
    """The name itself. Raises `UsageError` on what cannot be one file's or folder's name on every system, and on what
    would not be seen as it is; `where` says what it names."""
    if not isinstance(name, str) or not name:
        raise UsageError(f"{where} {_short(repr(name))}: a name is text")
    if len(name.encode(errors="surrogatepass")) > LONGEST:
        raise UsageError(f"{where} {_short(repr(name))}: a name has at most {LONGEST} bytes")
    if UNSAFE.search(name) or name[0] in ".=+-@" or name != name.strip() or not name.isprintable():
        raise UsageError(
            f"{where} {name!a}: a name has no slashes and no control characters, and begins with neither a dot"
            " nor a space"
        )
    return name


def printable(text: str) -> str:
    """Text whose control characters are spelled out, so that a terminal shows them and does not obey them."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
