"""Input that measures refuse."""

import jaxtyping
import numpy as np
import pytest

from benchmark import registry
from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics import _trees
from benchmark.metrics._check import (
    check_codes,
    check_factors,
    check_losses,
    check_posterior,
    is_discrete,
    varying_codes,
    varying_factors,
)
from benchmark.metrics._split import check_split
from benchmark.stages.score_task import check_metrics
from benchmark.suite import expand

REFUSED = (UsageError, TypeError)
"""TypeError where shapes and types are checked by annotation."""


@pytest.mark.parametrize(
    "codes",
    [
        np.zeros(3),
        np.zeros((0, 2)),
        np.zeros((2, 0)),
        np.array([[1.0, np.nan]]),
        np.array([[np.inf]]),
        np.array([["a"]]),
        np.array([[1j]]),
    ],
)
def test_codes(codes):
    with pytest.raises(REFUSED):
        check_codes(codes)


def test_whole_numbers_are_codes():
    assert check_codes(np.arange(6).reshape(3, 2)).dtype == np.float64
    assert check_codes(np.zeros((3, 2), dtype=np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "factors", [np.zeros(3, dtype=int), np.zeros((4, 1), dtype=int), np.full((3, 1), np.nan), np.array([["x"]] * 3)]
)
def test_factors(factors):
    with pytest.raises(REFUSED):
        check_factors(factors, 3)


def test_posteriors_of_other_shapes():
    with pytest.raises(REFUSED):
        check_posterior(np.zeros((3, 2)), np.ones((3, 1)))


@pytest.fixture
def untyped():
    """Functions as they are where no annotation is checked, as for users."""
    disabled = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", disabled)


def test_losses_are_one_a_point(untyped):
    assert check_losses(np.ones((3, 1)), "losses").shape == (3,)
    with pytest.raises(UsageError, match="one loss a point"):
        check_losses(np.ones((3, 2)), "losses")


def test_a_split_is_of_positions(untyped):
    training, testing = check_split(6, ([0, 1], [2]))
    assert training.tolist() == [0, 1]
    assert testing.tolist() == [2]
    mask = np.arange(6) < 3
    for split in ((mask, ~mask), ([0.0], [1.0]), ([[0]], [[1]])):
        with pytest.raises(UsageError, match="positions"):
            check_split(6, split)


def test_varying_factors():
    assert varying_factors(np.array([[1, 0, 2], [1, 1, 2]])) == [1]
    with pytest.raises(NotApplicable, match="more than one value"):
        varying_factors(np.ones((3, 2), dtype=int))
    with pytest.raises(NotApplicable, match="known"):
        varying_factors(np.ones((3, 0), dtype=int))


def test_a_constant_code_is_constant_whatever_its_computed_deviation():
    codes = np.full((100_000, 2), 1 / 3, dtype=np.float32)
    codes[0, 1] = 0.333
    assert codes[:, 0].std() > 0
    assert varying_codes(codes).tolist() == [False, True]


def test_whole_floats_are_discrete():
    assert is_discrete(np.array([0.0, 3.0]))
    assert not is_discrete(np.array([0.0, 0.5]))
    assert is_discrete(np.array([1, 2]))


def test_scores_of_a_package_that_is_not_here_are_read_and_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published leaderboards have some: `verify` holds without LightGBM, and `run` says before training."""
    monkeypatch.setattr(_trees, "find_spec", lambda name: None)
    declaration = registry.load("metric", "dci").declaration
    assert declaration.settings.read({"model": "lightgbm"}, "dci").model == "lightgbm"
    with pytest.raises(UsageError, match="LightGBM is not installed: pip install 'lightgbm>=4"):
        check_metrics(("dci(model=lightgbm)",))
    with pytest.raises(UsageError, match="LightGBM is not installed"):
        expand("dsprites-core")
