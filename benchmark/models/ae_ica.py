"""Independent component analysis of a trained autoencoder's codes: a cheap baseline for what an objective adds."""

from benchmark.models._ica_of_codes import IcaOfCodes
from benchmark.models.ae import AE
from benchmark.spec import Number, static


class AEICA(IcaOfCodes, AE):
    """rec at z = μ, as `ae`; then FastICA (Hyvärinen & Oja 2000) of the codes, which are free to have any scale.

    They are whitened on training points, so that what measures linear dependence is 0 up to the choice of these.
    """

    by_construction = ("gaussian_total_correlation", "wasserstein_correlation")

    class Settings(IcaOfCodes.Settings):
        active: Number = static(0.0, "least variance of a code that is unmixed", ge=0, allow_inf_nan=False)
