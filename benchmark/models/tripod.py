"""Tripod: few values a coordinate, little information in common, and a decoder that adds them up (Hsu et al. 2024)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from benchmark.models._hessian_penalty import hidden, normalised_penalty, split
from benchmark.models._neural import Batch, NeuralModel, Noise, Objective, Posterior
from benchmark.models._straight_through import straight_through
from benchmark.networks._network import Network
from benchmark.spec import Number, stackable, static

Marginals = Literal["deviation", "joint"]


class Tripod(NeuralModel):
    """rec at c + λ_m·multi-information of c + λ_h·Hessian penalty of the decoder (Hsu et al. 2024).

    c: the nearest of `values` numbers evenly from −1 to 1 to tanh of the encoder's output, straight through for the
    gradient (finite scalar quantisation). `multi_information`, in nats: mean of log q(c) − Σ_j log q(c_j), densities by
    Gaussian kernels on the batch. `hessian`: over the decoder's hidden activations, the curvature across coordinates as
    a share of all curvature, from `perturbations` random directions of each kind (`_hessian_penalty`).
    It follows the authors' code but for three things: that share is of the batch and not of each point, since these
    networks are piecewise linear; there is no residual decoder; gradients are not clipped. As there, kernels of single
    coordinates are as wide as a deviation while the joint density has Silverman's, so that independent codes have no
    multi-information of 0: with `marginals = "joint"` they have. That code averages rec over D pixels, and its weights
    times D are these: 1e-4 and 1e-2 on Shapes3D, 1e-8 and 1e-4 on MPI3D; the defaults are 1e-4 and 1e-3 on 1,024
    pixels. None of this could be compared with the paper's text. A step runs the decoder's hidden layers on
    4·`perturbations` times as many points again: of convolutions, where that is most of the price, `hessian_points` of
    16 of 64 take a third of the time. In bfloat16 differences would be noise: it trains in float32 alone.
    """

    class Settings(NeuralModel.Settings):
        values: int = static(12, "values of each coordinate", ge=2)
        lambda_multi_information: Number = stackable(
            0.1, "weight λ_m of the multi-information", ge=0, allow_inf_nan=False
        )
        lambda_hessian: Number = stackable(1.0, "weight λ_h of the Hessian penalty", ge=0, allow_inf_nan=False)
        perturbations: int = static(2, "directions k of each kind in which a point is moved", ge=2)
        hessian_points: int = static(
            0, "points of a batch, the first ones, at which curvature is taken; 0 is all of them", since=1, ge=0
        )
        marginals: Marginals = static(
            "deviation", "kernels of single coordinates: as wide as their deviation, or as those of the joint density"
        )

    narrows = False
    settings: Settings

    @classmethod
    def decoded(cls, settings: Settings) -> int:
        return 1 + 4 * settings.perturbations

    def build(self, network: Network) -> None:
        self.encoder = network.encoder(network.latents)
        self.decoder = network.decoder()
        split(self.decoder)

    def noise(self, batch: int) -> dict[str, Noise]:
        shape = (self.settings.perturbations, batch, self.latents)
        return {"signs": Noise(shape, "uniform"), "normals": Noise(shape)}

    def quantised(self, t: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """The nearest values to t in (−1, 1), with its gradient."""
        steps = self.settings.values - 1
        return straight_through(t, torch.round((t + 1) / 2 * steps) / steps * 2 - 1)

    def posterior(self, x: Tensor) -> Posterior:
        return Posterior(self.quantised(self.encoder(x).tanh()))

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z)

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        t = self.encoder(batch.x).tanh()
        c = self.quantised(t)
        # The root's slope at 0, where a coordinate is dead, would be infinite.
        deviation = (t.var(0, unbiased=False) + 1e-12).sqrt()
        layers, rest = split(self.decoder)
        at_c = hidden(layers, c)
        output = at_c[-1]
        for layer in rest:
            output = layer(output)
        some = slice(self.settings.hessian_points or None)
        signs = deviation * torch.where(batch.noise["signs"][:, some] < 0.5, -1.0, 1.0)
        normals = deviation * batch.noise["normals"][:, some]
        terms = {
            "rec": self.nats(batch.x, output).mean(),
            "multi_information": multi_information(c, deviation, self.settings.marginals),
            "hessian": normalised_penalty(layers, c[some], [each[some] for each in at_c], signs, normals),
        }
        penalties = settings.lambda_multi_information * terms["multi_information"]
        return Objective(terms["rec"] + penalties + settings.lambda_hessian * terms["hessian"], terms)


def multi_information(
    c: Float[Tensor, "b d"], deviation: Float[Tensor, " d"], marginals: Marginals = "joint"
) -> Float[Tensor, ""]:
    """Mean of log q(c) − Σ_j log q(c_j) in nats over the points that the kernels stand on.

    The joint kernels' widths are deviation·s, s = (4/(d + 2))^(1/(d+4))·b^(−1/(d+4)) (Silverman 1986, eq. 4.14).
    """
    b, d = c.shape
    s = (4 / ((d + 2) * b)) ** (1 / (d + 4))
    w = s if marginals == "joint" else 1.0
    squares = ((c.unsqueeze(1) - c.unsqueeze(0)) / deviation).square()
    joint = torch.logsumexp(-0.5 / s**2 * squares.sum(2), 1)
    single = torch.logsumexp(-0.5 / w**2 * squares, 1).sum(1)
    # What the kernels' constants leave: 1/b and 1/s^d of one density, 1/b and 1/w of each of the other d.
    return (joint - single).mean() + (d - 1) * math.log(b) + d * math.log(w / s)
