"""One check of a component."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Check(NamedTuple):
    """`run` raises, in a sentence, where something is wrong; `remedy` says what to do then, where `run` does not."""

    run: Callable[[], None]
    remedy: str = ""
