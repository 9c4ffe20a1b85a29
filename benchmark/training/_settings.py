"""What training means: steps, batch and optimiser."""

from __future__ import annotations

from typing import ClassVar

from benchmark.spec import Number, Settings, stackable, static


class TrainingSettings(Settings):
    """Adam on batches drawn with replacement from the training rows. One step is one batch."""

    VERSION: ClassVar[int] = 1
    """Raise it when an engine may give other weights."""

    steps: int = static(10_000, "gradient steps", ge=0)
    batch: int = static(64, "data points in a batch", ge=2)
    learning_rate: Number = stackable(1e-4, "Adam's rate", gt=0, allow_inf_nan=False)
    beta1: Number = static(0.9, "Adam's decay of the first moment", ge=0, lt=1)
    beta2: Number = static(0.999, "Adam's decay of the second moment", ge=0, lt=1)


def log_interval(steps: int) -> int:
    """Steps between two rows of the history: 500 as in R §5.2, or a twentieth of a short run."""
    return max(1, min(500, steps // 20))
