"""What training logs: the mean terms since the last row, and the state of the latent code on a fixed probe."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from benchmark.metrics.polarised_regime import active, delta_kl
from benchmark.models._neural import Posterior

PROBE = 1024
"""Points of the probe, drawn once per dataset."""


def log_interval(steps: int) -> int:
    """Steps between two rows: 500 as in R §5.2, or a twentieth of a short run."""
    return max(1, min(500, steps // 20))


class History:
    """The rows of every member of a fleet, and the step at which a member's loss stopped being a number."""

    def __init__(self, members: int) -> None:
        self.rows: list[list[dict[str, float]]] = [[] for _ in range(members)]
        self.diverged: dict[int, int] = {}
        self._pending: list[tuple[int, Tensor]] = []
        self._names: list[str] = []

    def add(self, step: int, terms: dict[str, Tensor]) -> None:
        """Take one step's terms, each (m,)."""
        self._names = list(terms)
        self._pending.append((step, torch.stack(list(terms.values()))))

    def close(self, step: int, posterior: Posterior) -> None:
        """Write a row: the mean terms since the last one, and the probe's posterior (m n d) as it stands."""
        values = torch.stack([value for _, value in self._pending]).double().cpu().numpy()  # (steps, terms, m)
        losses = values[:, self._names.index("loss")]
        for member, rows in enumerate(self.rows):
            if member in self.diverged:
                continue
            bad = np.flatnonzero(~np.isfinite(losses[:, member]))
            if len(bad):
                self.diverged[member] = self._pending[bad[0]][0]
                continue
            latent = probe_terms(posterior, member)
            if latent is None:
                self.diverged[member] = step
                continue
            means = dict(zip(self._names, values[:, :, member].mean(0).tolist(), strict=True))
            rows.append({"step": step, **means, **latent})
        self._pending = []

    def csv(self, member: int) -> str:
        """A member's rows as CSV text; a value that was not a number stands empty."""
        rows = self.rows[member]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row.get(name)) for name in columns])
        return text.getvalue()

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "diverged": {str(member): step for member, step in self.diverged.items()}}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> History:
        history = cls(len(value["rows"]))
        history.rows = value["rows"]
        history.diverged = {int(member): step for member, step in value["diverged"].items()}
        return history


def _cell(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:.7g}"


def probe_terms(posterior: Posterior, member: int) -> dict[str, float] | None:
    """The KL of each coordinate, the active coordinates and Δ_KL (R eq. 30) of one member; None if it diverged."""
    mu: ndarray = posterior.mu[member].double().numpy()
    if not np.isfinite(mu).all():
        return None
    latent = {"active": float(active(mu).sum())}
    if posterior.logvar is None:
        return latent
    logvar: ndarray = posterior.logvar[member].double().numpy()
    with np.errstate(over="ignore"):
        variances = np.exp(logvar)
    if not (np.isfinite(logvar).all() and np.isfinite(variances).all()):
        return None
    per_coordinate = (0.5 * (mu**2 + variances - logvar - 1)).mean(0)
    coordinates = {f"probe_kl_{j}": float(value) for j, value in enumerate(per_coordinate)}
    return {**coordinates, **latent, "delta_kl": delta_kl(mu, variances)}
