"""The table of both boosting libraries, from what each way of scoring gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
from boosters import KEY, of_all_factors

from benchmark import score
from benchmark.table import COLUMNS


def test_scores_of_arrays_and_of_a_table_have_one_name() -> None:
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 3, (400, 2))
    codes = (factors + 0.1 * rng.standard_normal(factors.shape)).astype(np.float32)
    measure = "sample_efficiency(budgets=[10, 100], test=200)"
    found = of_all_factors(score(codes, factors, metrics=measure, quiet=True))
    assert list(found["score"]) == ["accuracy_at_10", "accuracy_at_100", "accuracy"]
    rows = [("accuracy", 10, None), ("accuracy", 100, None), ("accuracy", None, None), ("accuracy", 100, "factor_0")]
    table = pd.DataFrame(rows, columns=["score", "budget", "factor"]).assign(metric="sample_efficiency")
    table = table.astype({"budget": "Int64", "factor": "str"})
    assert set(table) | set(KEY) <= {*COLUMNS}
    assert list(of_all_factors(table)["score"]) == list(found["score"])
