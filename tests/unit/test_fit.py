"""What a model refuses before it is trained: data that its likelihood or its weights are not of."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small import load, small_run

from benchmark.errors import UsageError
from benchmark.models.siamese import Siamese
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.spec import Run
from benchmark.stages.estimate import estimate
from benchmark.stages.train import check_data
from benchmark.training.fleet import plan_fleets


def check(*runs: Run) -> None:
    check_data(plan_fleets(list(runs)), None)


def test_a_bernoulli_likelihood_is_of_data_from_0_to_1() -> None:
    said = (
        r"model vae does not suit dataset swiss_roll: the likelihood bernoulli is of data from 0 to 1, and this has"
        r" values from -.* to .*set model\.likelihood"
    )
    unfit = small_run("vae", {"likelihood": "bernoulli"}, dataset=("swiss_roll", {}))
    with pytest.raises(UsageError, match=said):
        check(unfit)
    with pytest.raises(UsageError, match=said):
        estimate(plan_fleets([unfit]), 0, 1, None)
    check(small_run("vae", {"likelihood": "bernoulli"}, dataset=("digits", {})))
    check(small_run("vae", dataset=("swiss_roll", {})))


def test_what_decodes_nothing_has_no_likelihood_to_suit() -> None:
    model = Siamese(Siamese.Settings(likelihood="bernoulli"), MlpTiny(MlpTiny.Settings(), (2,)), 10)
    model.check_fit(torch.tensor([[-5.0, 5.0]]), 16)


def test_stratified_weights_are_of_more_points_than_a_batch() -> None:
    """15 training points: the weight of one of them is that of N − b + 1, which 17 points would make negative."""

    def run(batch: int, **settings: Any) -> Run:
        return small_run("beta_tcvae", settings, training={"batch": batch}, dataset=("synth_linear", {"points": 15}))

    assert len(load(run(16)).training_rows) == 15
    check(run(16, stratified=True), run(17))
    with pytest.raises(UsageError, match=r"at least training\.batch − 1 = 16 training points, and there are 15; set"):
        check(run(17, stratified=True))
