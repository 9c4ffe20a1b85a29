"""Maximum mean discrepancy of two samples, without bias, under inverse multiquadratic kernels (Gretton et al. 2012)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def kernel(x: Float[Tensor, "m d"], y: Float[Tensor, "n d"]) -> Float[Tensor, "m n"]:
    """Σ_s C_s / (C_s + ‖x − y‖²), C_s = 2d·s: 2d is the mean ‖z − z'‖² under N(0, I) (Tolstikhin et al. 2018, §4)."""
    distances = (x.unsqueeze(1) - y.unsqueeze(0)).square().sum(2)
    constants = [2 * x.shape[1] * scale for scale in SCALES]
    return sum((c / (c + distances) for c in constants), start=distances.new_zeros(()))


def mmd2(z: Float[Tensor, "m d"], prior: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """MMD² by U-statistics: its mean is that of the laws, so that a value may be negative (Gretton et al., eq. 3)."""
    # A point's kernel with itself is 1 at each scale, and is left out.
    within = [(kernel(x, x).sum() - len(SCALES) * len(x)) / (len(x) * (len(x) - 1)) for x in (z, prior)]
    return within[0] + within[1] - 2 * kernel(z, prior).mean()
