"""Measures as people call them: with lists, frames and tensors; masks and missing values are refused, not read."""

import inspect

import numpy as np
import pandas as pd
import pytest
import torch

from benchmark import metric
from benchmark.errors import UsageError
from benchmark.metrics._boundary import as_array, given
from benchmark.metrics.dci import dci
from benchmark.metrics.jemmig import jemmig
from benchmark.metrics.mcc import mcc
from benchmark.metrics.mig import mig
from benchmark.metrics.mig_sup import mig_sup

RNG = np.random.default_rng(0)
FACTORS = RNG.integers(4, size=(1_200, 2))
CODES = FACTORS + 0.1 * RNG.standard_normal(FACTORS.shape)
KINDS = {
    "list": lambda table: table.tolist(),
    "frame": pd.DataFrame,
    "nullable frame": lambda table: pd.DataFrame(table).convert_dtypes(),
    "tensor": torch.tensor,
    "tensor of a graph": lambda table: torch.tensor(table, dtype=torch.float64, requires_grad=True) * 1,
    "mask of nothing": np.ma.asarray,
    "objects": lambda table: table.astype(object),
    "matrix": lambda table: np.asmatrix(table),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("measure", "settings"),
    [(mig, {}), (mcc, {}), (jemmig, {}), (mig_sup, {}), (dci, {"model": "lasso", "train": 600, "test": 300})],
)
def test_every_measure_takes_whatever_holds_numbers(kind, measure, settings):
    assert measure(KINDS[kind](CODES), KINDS[kind](FACTORS), **settings) == measure(CODES, FACTORS, **settings)


def test_labels_of_one_axis_are_one_factor():
    assert mig(CODES, FACTORS[:, 0]) == mig(CODES, FACTORS[:, :1])
    assert mig(codes=CODES, factors=FACTORS[:, 0] > 1) == mig(CODES, FACTORS[:, :1] > 1)


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (np.ma.masked_greater(CODES, 3.0), r"codes hold \d+ masked values, the first in row \d+"),
        (pd.DataFrame(CODES).astype("Float64").mask(CODES > 3), r"codes hold <NA> in row \d+"),
        ([[1, 2], [3]], "codes cannot be read as an array"),
        ([["a", 1]] * 3, "codes"),
        ([[None, 1]] * 3, "codes hold None in row 0"),
        (np.ones(3), "codes"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(codes, said):
    with pytest.raises((UsageError, TypeError), match=said):
        mcc(codes, FACTORS[: len(codes)])


def test_half_precision_of_torch():
    table = torch.tensor([[0.5, 2.0]], dtype=torch.bfloat16)
    np.testing.assert_array_equal(as_array("codes", table), [[0.5, 2.0]])


def test_what_is_not_an_array_stays():
    history = {"step": [1, 2]}
    assert given("history", history) is history
    assert given("variances", None) is None


def test_the_evaluation_calls_the_function_as_it_was_written():
    @metric()
    def kind_of(factors, *, seed: int = 0) -> dict[str, float]:
        """What arrives."""
        return {"kind_of": float(factors.dtype.kind == "f")}

    ids = np.arange(1_200)[:, None]
    assert kind_of(ids) == {"kind_of": 1.0}
    assert kind_of.declaration.function(ids) == {"kind_of": 0.0}
    assert list(inspect.signature(kind_of).parameters) == ["factors", "seed"]
