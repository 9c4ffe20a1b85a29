"""The matrix of codes by factors behind a measure's scores, and which code is matched to which factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import BenchmarkError

Kind = Literal["mutual_information", "correlation", "importance"]


@dataclass(frozen=True)
class Matrix:
    """What each code says of each factor.

    `values` (r c): a row for each of `codes`, a column for each of `factors`, which are positions among those that the
    measure was given; what is constant and has no number is left out. Mutual information is in nats, correlation
    Pearson's with its sign, importance as the model gives it. `whole` (c): what a code that says all of the factor
    would have: the factor's entropy; 1; all importance that any code has for it.
    """

    kind: str
    codes: tuple[int, ...]
    factors: tuple[int, ...]
    values: Float[ndarray, "r c"]
    whole: Float[ndarray, " c"]

    def __post_init__(self) -> None:
        shape = (len(self.codes), len(self.factors))
        if self.values.shape != shape or self.whole.shape != shape[1:]:
            raise BenchmarkError(
                f"the matrix of {self.kind} has values of shape {self.values.shape} and {self.whole.shape} wholes for"
                f" {shape[0]} codes and {shape[1]} factors"
            )
        if not (np.isfinite(self.values).all() and np.isfinite(self.whole).all()):
            raise BenchmarkError(f"the matrix of {self.kind} holds what is no finite number")

    @property
    def shares(self) -> Float[ndarray, "r c"]:
        """The size of each entry as a share of the whole, in [0, 1]; 0 in a column without any."""
        whole = np.where(self.whole > 0, self.whole, 1.0)
        return np.minimum(np.abs(self.values) / whole, 1.0)

    def matching(self) -> dict[int, int]:
        """The code of each factor, both as positions among those given, where the shares of all pairs sum to most.

        Each code is used once. A factor of which no code that is left says anything has none.
        """
        shares = self.shares
        pairs = sorted((column, row) for row, column in assignment(shares) if shares[row, column] > 0.0)
        return {self.factors[column]: self.codes[row] for column, row in pairs}

    def order(self) -> tuple[list[int], list[int]]:
        """Codes and factors in the order in which matched pairs are a diagonal.

        Factors stay in their order, those without a code last; codes without a factor follow the others, those whose
        largest share is largest first.
        """
        matching = self.matching()
        strongest = dict(zip(self.codes, self.shares.max(axis=1, initial=0.0), strict=True))
        others = sorted(set(self.codes) - set(matching.values()), key=lambda code: (-strongest[code], code))
        matched = [factor for factor in self.factors if factor in matching]
        without = [factor for factor in self.factors if factor not in matching]
        return [matching[factor] for factor in matched] + others, matched + without

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "kind": self.kind,
            "codes": list(self.codes),
            "factors": list(self.factors),
            "values": self.values.tolist(),
            "whole": self.whole.tolist(),
        }

    @staticmethod
    def read(plain: Mapping[str, Any]) -> Matrix:
        """From what `plain` gave. Raises `BenchmarkError` where it did not give that."""
        try:
            codes, factors = (tuple(map(int, plain[name])) for name in ("codes", "factors"))
            values = np.array(plain["values"], dtype=np.float64).reshape(len(codes), len(factors))
            return Matrix(str(plain["kind"]), codes, factors, values, np.array(plain["whole"], dtype=np.float64))
        except (KeyError, TypeError, ValueError) as error:
            raise BenchmarkError(f"a matrix of codes by factors is damaged ({error})") from None


def assignment(strength: Float[ndarray, "r c"]) -> list[tuple[int, int]]:
    """Pairs of a row and a column, each used once, whose strengths sum to most."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(strength, maximize=True)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))
