"""Pictures of one run, a file each, drawn from the arrays that `encode` kept.

A file has `NEEDS`, the arrays without which it draws nothing, maybe `USES`, those that it can do without, and
`pictures(arrays, title)`, its figures; `kind`s other than PNG only where a file says so.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from benchmark.codes import Codes
from leaderboard.style import Figure

ORDER = ("reconstructions", "traversals", "samples")
"""The files of this folder, in the order in which a page shows them."""


def draw(codes: Path, title: str) -> list[Figure]:
    """Every picture that a run's codes file has the arrays for."""
    modules = [import_module(f"{__name__}.{name}") for name in ORDER]
    names = {name for module in modules for name in module.NEEDS | getattr(module, "USES", set())}
    arrays = Codes.load(codes, names=names).arrays
    return [figure for module in modules if arrays.keys() >= module.NEEDS for figure in module.pictures(arrays, title)]
