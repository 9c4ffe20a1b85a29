"""Ada-GVAE: what two points of a pair seem to share takes the average of posteriors (Locatello et al. 2020)."""

from __future__ import annotations

import math

import torch

from benchmark.models._paired import Gaussians, PairedVAE


class AdaGVAE(PairedVAE):
    """rec + β·KL of pairs; a shared coordinate's posterior has the mean of both means and of both variances.

    The average is that of the group-based VAE (Hosoya 2019); pairs, threshold and settings are `PairedVAE`'s, after
    Locatello et al. 2020 and its authors' code, whose pairs may by chance differ in fewer factors: here exactly in
    `changed`. The paper's text could not be compared.
    """

    weakly_supervised = True

    def average(self, one: Gaussians, other: Gaussians) -> Gaussians:
        return Gaussians(0.5 * (one.mu + other.mu), torch.logaddexp(one.logvar, other.logvar) - math.log(2))
