"""How a learning rate rises and falls over a training."""

from __future__ import annotations

import math

from benchmark.spec import TrainingSettings


def rate_factor(training: TrainingSettings, step: int) -> float:
    """What the learning rate is multiplied by at a step counted from 0, in (0, 1].

    It rises linearly to 1 over the warm-up, a share of the steps, and falls over the rest so that it would be 0 after
    the last one: linearly, or as half a cosine (Loshchilov & Hutter 2017, eq. 5, without restarts).
    """
    rising = round(training.warm_up * training.steps)
    if step < rising:
        return (step + 1) / rising
    if training.schedule == "constant":
        return 1.0
    done = (step - rising) / (training.steps - rising)
    return 1 - done if training.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * done))
