"""Two ways to do one thing, timed in turns: ours, theirs, ours, … A busy machine then slows both."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

Work = Callable[[int], float]
"""Does so much of something and returns how much of it a second."""


class Row(NamedTuple):
    """Medians of both, in units a second; `ratio` is the median of the rounds' own ratios."""

    name: str
    ours: float
    theirs: float
    ratio: float
    goal: float


class Crew:
    """The same work in several processes at once, each of its own; they add up."""

    def __init__(self, processes: int, begin: Callable[..., Work], *arguments: object) -> None:
        # Fresh processes: nothing of the other contender's allocator or threads is left in them.
        self.workers = [
            ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin, initargs=(begin, *arguments))
            for _ in range(processes)
        ]

    def __call__(self, amount: int) -> float:
        return sum(future.result() for future in [worker.submit(_go_on, amount) for worker in self.workers])

    def close(self) -> None:
        for worker in self.workers:
            worker.shutdown()


_work: Work
"""A worker process's own."""


def _begin(begin: Callable[..., Work], *arguments: object) -> None:
    global _work
    _work = begin(*arguments)


def _go_on(amount: int) -> float:
    return _work(amount)


def race(name: str, ours: Crew, theirs: Crew, amount: int, rounds: int, goal: float) -> Row:
    """A warm-up, then so many rounds of both in turn. Prints the range of the rounds' ratios."""
    crews = (ours, theirs)
    for crew in crews:
        crew(amount)
    speeds = [[crew(amount) for crew in crews] for _ in range(rounds)]
    for crew in crews:
        crew.close()
    ratios = [a / b for a, b in speeds]
    medians = [statistics.median(each) for each in zip(*speeds, strict=True)]
    row = Row(name, *medians, statistics.median(ratios), goal)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f} in {rounds} rounds"
    print(f"{name}: ours {row.ours:,.1f}, theirs {row.theirs:,.1f}; ratio {row.ratio:.2f} ({spread}), goal {goal}")
    return row
