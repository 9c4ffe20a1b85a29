"""How much an archive may hold of networks: weights first, explorers as far as there is room."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field

ROOM = 25_000_000
"""Bytes of all weights and explorers of an archive; what comes after is listed as left out."""


@dataclass
class Room:
    """What is left of `ROOM`, and of what did not fit in the reason."""

    left: int = field(default_factory=lambda: ROOM)
    left_out: MutableMapping[str, str] = field(default_factory=dict)

    def takes(self, content: bytes, whose: str, what: str) -> bool:
        """Whether something still fits; from then on it is there. whose: such as vae (3f…). what: such as weights."""
        if len(content) > self.left:
            size = f"its {len(content) / 1e6:.1f} MB of {what} do not fit"
            self.left_out[whose] = f"{size} into the {ROOM / 1e6:.0f} MB of an archive"
            return False
        self.left -= len(content)
        return True
