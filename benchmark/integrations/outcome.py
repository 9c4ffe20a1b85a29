"""What becomes of a run that is exported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from benchmark.integrations.exported import Exported

Outcome = Literal["exported", "renewed", "unchanged"]
"""It was not there; it was there and other than now; it was there as it is."""
Outcomes = Iterator[tuple[Exported, Outcome]]
"""The runs, each after it was exported."""
