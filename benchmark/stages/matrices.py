"""Which code says what of which factor: from arrays, and from the scores that a run's matrices lie beside."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from benchmark import registry
from benchmark.errors import UsageError
from benchmark.integrity.run_seal import SCORES, read_record, read_score
from benchmark.metrics._boundary import given
from benchmark.metrics._matrix import Kind, Matrix

if TYPE_CHECKING:
    from pandas import DataFrame

MEASURES: dict[str, str] = {"mutual_information": "mig", "correlation": "mcc", "importance": "dci"}
"""The measure that makes each kind."""


@dataclass(frozen=True)
class CodesByFactors:
    """A matrix of codes by factors under their names, and what it is of: its run and protocol, where it has any."""

    matrix: Matrix
    codes: Sequence[Hashable]
    factors: Sequence[Hashable]
    of: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """mutual_information, correlation or importance."""
        return self.matrix.kind

    @property
    def values(self) -> DataFrame:
        """A row for each code, a column for each factor; what is constant and has no number is not there.

        Mutual information in nats; Pearson's correlation with its sign; importance as the model gives it.
        """
        return self._frame(self.matrix.values)

    @property
    def shares(self) -> DataFrame:
        """The same from 0 to 1: of the factor's entropy; without sign; of the importance of all codes."""
        return self._frame(self.matrix.shares)

    @property
    def matching(self) -> dict[Hashable, Hashable]:
        """The code of each factor, each code used once, where the shares sum to most; a factor may have none."""
        return {self.factors[factor]: self.codes[code] for factor, code in self.matrix.matching().items()}

    def sorted(self) -> DataFrame:
        """`values` with the matched pairs on the diagonal, then the codes without a factor by their largest share."""
        codes, factors = self.matrix.order()
        rows, columns = map(self.matrix.codes.index, codes), map(self.matrix.factors.index, factors)
        return self.values.iloc[list(rows), list(columns)]

    def long(self) -> DataFrame:
        """A row for each pair: what it is of, kind, code, factor, value, share, whether they are matched, and the
        places of code and factor in `sorted`."""
        import pandas as pd

        matching, shares = self.matrix.matching(), self.matrix.shares
        codes, factors = ({each: place for place, each in enumerate(order)} for order in self.matrix.order())
        pairs = [
            {
                **self.of,
                "kind": self.kind,
                "code": self.codes[code],
                "factor": self.factors[factor],
                "value": float(self.matrix.values[row, column]),
                "share": float(shares[row, column]),
                "matched": matching.get(factor) == code,
                "code_place": codes[code],
                "factor_place": factors[factor],
            }
            for row, code in enumerate(self.matrix.codes)
            for column, factor in enumerate(self.matrix.factors)
        ]
        return pd.DataFrame(pairs)

    def _frame(self, table: Any) -> DataFrame:
        import pandas as pd

        index = pd.Index([self.codes[code] for code in self.matrix.codes], name="code")
        columns = pd.Index([self.factors[factor] for factor in self.matrix.factors], name="factor")
        return pd.DataFrame(table, index=index, columns=columns)


def codes_by_factors(
    codes: Any, factors: Any, kind: Kind = "mutual_information", *, seed: int = 0, **settings: Any
) -> CodesByFactors:
    """What each code (n d) says of each factor (n k), which code is which factor, and in which order that is seen.

    kind: "mutual_information" as `mig` counts it, in nats; "correlation", Pearson's as `mcc` has it, with its sign;
    "importance" for predicting each factor by the models of `dci`. `settings` are those of that measure: `bins=10`,
    `model="random_forest"`, `train=1_000, test=500`. Lists, frames and tensors are taken, too; frames give names to
    codes and factors, which are numbers otherwise.
    Raises what the measure raises: `NotApplicable` where there is no such matrix, `UsageError` on unusable input.
    """
    if kind not in get_args(Kind):
        raise UsageError(f"kind = {kind!r}: {', '.join(map(repr, get_args(Kind)))}")
    metric = registry.load("metric", MEASURES[kind]).declaration
    read = metric.settings.read(settings, metric.name)
    options = {name: getattr(read, name) for name in type(read).model_fields}
    z, v = given("codes", codes), given("factors", factors)
    _, matrix = metric.measured(z, v, seed=seed, **options)
    return CodesByFactors(matrix, _names(codes, z.shape[1]), _names(factors, v.shape[1]))


def _names(table: Any, number: int) -> Sequence[Hashable]:
    """The names of a frame's columns, or numbers."""
    names = getattr(table, "columns", None)
    return range(number) if names is None else list(names)


def matrices_of(folder: Path) -> Iterator[CodesByFactors]:
    """The matrices that lie beside a run's scores.

    Raises `BenchmarkError` where the run's record or such a score was altered.
    """
    record = read_record(folder)
    run = record["run"]
    of = {
        "run_id": record["run_id"],
        "config_id": record["config_id"],
        "dataset": run["dataset"]["name"],
        "model": run["model"]["name"],
        "seed": run["seed"],
    }
    for name in registry.names("metric"):
        paths = sorted((folder / SCORES).glob(f"{name}-*.json"))
        if paths and registry.load("metric", name).declaration.has_matrix:
            for path in paths:
                score = read_score(path, record, run["seed"])
                if "matrix" in score:
                    yield of_score(score, of)


def of_score(score: Mapping[str, Any], of: Mapping[str, Any]) -> CodesByFactors:
    """The matrix of a score that has one."""
    matrix, names = Matrix.read(score["matrix"]), score["factor_names"]
    factors = [*names, *range(len(names), max(matrix.factors, default=-1) + 1)]
    said = {name: score[name] for name in ("representation", "metric", "protocol")}
    return CodesByFactors(matrix, range(max(matrix.codes, default=-1) + 1), factors, {**of, **said})
