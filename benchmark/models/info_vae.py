"""InfoVAE: ELBO, more or less KL, and the discrepancy of the aggregate posterior to the prior (Zhao et al. 2017)."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator
from torch import Tensor

from benchmark.models._gaussian import GaussianModel
from benchmark.models._mmd import mmd2
from benchmark.models._neural import Batch, Noise, Objective
from benchmark.spec import Number, stackable


class InfoVAE(GaussianModel):
    """rec + KL + λ·KL + λ'·MMD²(q(z), p(z)) (M §4.3).

    The weights may be given as Zhao et al.'s `alpha` and `lambda_z` instead: λ = −α, λ' = α + λ_Z − 1.
    λ = λ' = 0 is the VAE, λ' = 0 the β-VAE of β = 1 + λ, λ = −1 has no KL. MMD² is between one batch of codes and as
    many draws from the prior, without bias; the sum of seven kernels is at most 7, so λ' has to be large beside rec.
    """

    class Settings(GaussianModel.Settings):
        lambda_kl: Number = stackable(0.0, "weight λ of the KL beside the ELBO's own", ge=-1, allow_inf_nan=False)
        lambda_mmd: Number = stackable(100.0, "weight λ' of the squared discrepancy", ge=0, allow_inf_nan=False)

        @model_validator(mode="before")
        @classmethod
        def _of_zhao(cls, values: dict[str, Any]) -> dict[str, Any]:
            """Turn `alpha` and `lambda_z` into λ and λ'."""
            given = {"alpha", "lambda_z"} & values.keys()
            if not given:
                return values
            if len(given) == 1 or {"lambda_kl", "lambda_mmd"} & values.keys():
                raise ValueError("give lambda_kl and lambda_mmd, or both of alpha and lambda_z instead")
            rest = {key: value for key, value in values.items() if key not in given}
            alpha, lambda_z = values["alpha"], values["lambda_z"]
            if not all(isinstance(value, int | float) for value in (alpha, lambda_z)):
                raise ValueError("alpha and lambda_z must be numbers")
            # 0.2 + 1 − 1 is no 0.2 in binary, and another run.
            return {**rest, "lambda_kl": -alpha, "lambda_mmd": round(alpha + lambda_z - 1, 12)}

    def noise(self, batch: int) -> dict[str, Noise]:
        return {**super().noise(batch), **self.prior_noise(batch)}

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        terms, _, _, z = self.elbo_terms(batch)
        terms["mmd"] = mmd2(z, self.sample_prior(batch.noise))
        penalty: Tensor = settings.lambda_kl * terms["kl"] + settings.lambda_mmd * terms["mmd"]
        return Objective(terms["rec"] + terms["kl"] + penalty, terms)
