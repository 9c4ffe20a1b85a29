"""β-VAE with a factorised support: all recombinations of a batch's codes lie near some code (Roth et al. 2023)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from benchmark.errors import UsageError
from benchmark.models._gaussian import Batch, GaussianModel, Objective
from benchmark.models._neural import Noise
from benchmark.networks._network import Network
from benchmark.spec import Number, stackable, static


class HFS(GaussianModel):
    """rec + β·KL + γ·Σ_(i,j) max over recombined (a_i, b_j) of min over codes z of ‖(a_i, b_j) − (z_i, z_j)‖².

    a, b and z are mean codes of one batch, and the distance is Hausdorff's from the product of two coordinates'
    supports to their joint support (Roth et al. 2023): what coordinates have together may be correlated, if only every
    combination occurs. Each step draws `pairs` pairs of coordinates (all where there are no more) and, for each,
    `combinations` recombined points; the gradient reaches both ends. As in the authors' code the distance is squared,
    pairs and points are 25 and 100, and γ is 1 unless swept, from 0.1 to 10,000: in a short training a large one draws
    all codes together, where the term is least, and rec shows it. That code's terms for scale and for soft minima,
    which its published settings leave aside, are not here. The paper's own text could not be compared.
    """

    class Settings(GaussianModel.Settings):
        beta: Number = stackable(1.0, "weight β of the KL term", ge=0, allow_inf_nan=False)
        gamma: Number = stackable(1.0, "weight γ of the distance between supports", ge=0, allow_inf_nan=False)
        pairs: int = static(25, "pairs of coordinates that a step looks at", ge=1)
        combinations: int = static(100, "recombined points drawn for each pair", ge=1)

    settings: Settings

    @classmethod
    def extra_weights(cls, settings: Settings) -> int:
        """A step's distances, of which a part is counted: they leave the cache as weights do."""
        return 8 * settings.pairs * settings.combinations

    def build(self, network: Network) -> None:
        if network.latents < 2:
            raise UsageError("model hfs pairs coordinates: set network.latents to 2 or more")
        super().build(network)

    def noise(self, batch: int) -> dict[str, Noise]:
        every = self.latents * (self.latents - 1) // 2
        chosen = min(self.settings.pairs, every)
        return {
            **super().noise(batch),
            "order": Noise((every,), "uniform"),
            "recombined": Noise((self.settings.combinations, chosen, 2), "uniform"),
        }

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        terms, mu, *_ = self.elbo_terms(batch)
        every = torch.triu_indices(self.latents, self.latents, offset=1, device=mu.device)
        rows = batch.noise["recombined"]
        chosen = every[:, batch.noise["order"].argsort()[: rows.shape[1]]]
        # Rounding may take a number just below 1 to the batch's size.
        rows = (rows * len(mu)).long().clamp(max=len(mu) - 1)
        terms["hausdorff"] = hausdorff(mu[:, chosen.T], rows)
        return Objective(terms["rec"] + settings.beta * terms["kl"] + settings.gamma * terms["hausdorff"], terms)


def hausdorff(codes: Float[Tensor, "b p 2"], rows: Integer[Tensor, "c p 2"]) -> Float[Tensor, ""]:
    """Σ over p pairs of coordinates of the largest squared distance from one of c recombined points to the codes.

    `rows`: whose first and whose second coordinate each recombined point takes.
    """
    # Only the two ends of the distance found have a gradient: which they are needs none.
    with torch.no_grad():
        distances = (codes.gather(0, rows).unsqueeze(1) - codes.unsqueeze(0)).square().sum(3)
        nearest, whose = distances.min(1)
        farthest = nearest.argmax(0, keepdim=True)
        there = rows.gather(0, farthest.unsqueeze(2).expand(-1, -1, 2))
        here = whose.gather(0, farthest).unsqueeze(2).expand(-1, -1, 2)
    return (codes.gather(0, there) - codes.gather(0, here)).square().sum()
