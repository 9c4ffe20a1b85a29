"""Ada-ML-VAE: what two points of a pair seem to share takes the product of posteriors (Locatello et al. 2020)."""

from __future__ import annotations

import math

import torch

from benchmark.models._paired import Gaussians, PairedVAE


class AdaMLVAE(PairedVAE):
    """rec + β·KL of pairs; a shared coordinate's precision is the mean of both, and precisions weigh its means.

    That is the product of the two Gaussians as the multi-level VAE has it (Bouchacourt et al. 2018), whose precision
    would be the sum: the authors' code halves it, so that two equal posteriors are their own average. Pairs, threshold
    and settings are `PairedVAE`'s, after Locatello et al. 2020 and its authors' code, whose pairs may by chance differ
    in fewer factors: here exactly in `changed`. The paper's text could not be compared.
    """

    weakly_supervised = True

    def average(self, one: Gaussians, other: Gaussians) -> Gaussians:
        log_precision = torch.logaddexp(-one.logvar, -other.logvar) - math.log(2)
        weight = torch.sigmoid(other.logvar - one.logvar)
        return Gaussians(weight * one.mu + (1 - weight) * other.mu, -log_precision)
