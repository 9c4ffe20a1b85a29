"""Ranges of measures' settings, written as the types of keyword parameters: checked before anything is scored."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from benchmark.metrics._information import MOST_BINS

Count = Annotated[int, Field(ge=1)]
"""Of rows, samples or neighbours."""

Bins = Annotated[int, Field(ge=2, le=MOST_BINS)]
"""In one bin a code holds nothing, and more than there are rows hold none."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

Share = Annotated[float, Field(gt=0, lt=1)]
"""Of rows, neither none nor all."""

Definition = Literal["default", "disentanglement_lib"]
"""Whose: ours, as the measure's text has it, or that of the code whose numbers most papers print."""

ShareBelowOne = Annotated[float, Field(ge=0, lt=1)]
