"""What every task that trains or encodes is told, whichever runs it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmark.stages.kept import ASKED
from benchmark.suite import EncodingSettings


@dataclass(frozen=True)
class Order:
    """Where results and data lie, loose files to load, what is kept of a trained model, and how often it is saved.

    arrays: what the measures to come read; what takes long and is not among it is not encoded. checkpoint_seconds:
    between two checkpoints of a fleet.
    """

    results: Path
    data_dir: Path | None = None
    plugins: tuple[Path, ...] = ()
    encoding: EncodingSettings = field(default_factory=EncodingSettings)
    arrays: frozenset[str] = frozenset(name for names in ASKED.values() for name in names)
    checkpoint_seconds: float = 60.0
