"""The log: means since the last row, the state of the codes, and where a member diverged."""

import csv
import io
import json
import math

import pytest
import torch
from torch import Tensor

from benchmark.models._neural import Posterior
from benchmark.training.history import History, log_interval


def posterior(members: int, points: int = 4) -> Posterior:
    """Coordinate 0 is active with μ = ±2 and σ² = ¼, coordinate 1 is the prior."""
    mu = torch.zeros(members, points, 2)
    mu[:, ::2, 0], mu[:, 1::2, 0] = 2, -2
    logvar = torch.zeros(members, points, 2)
    logvar[:, :, 0] = math.log(0.25)
    return Posterior(mu, logvar)


def terms(*losses: float) -> dict[str, Tensor]:
    return {"loss": torch.tensor(losses), "rec": 2 * torch.tensor(losses)}


def test_a_row_holds_means_since_the_last_row_and_the_probes_state() -> None:
    history = History(2)
    history.add(0, terms(1, 10))
    history.add(1, terms(3, 20))
    history.close(2, posterior(2))
    history.add(2, terms(7, 8))
    history.close(3, posterior(2))
    active_kl = 0.5 * (4 + 0.25 - math.log(0.25) - 1)
    without_variance = 0.5 * (4 - math.log(0.25) - 1)
    state = {
        "probe_kl_0": pytest.approx(active_kl),
        "probe_kl_1": pytest.approx(0),
        "active": 1,
        "delta_kl": pytest.approx((active_kl - without_variance) / active_kl),
    }
    assert history.rows[0] == [{"step": 2, "loss": 2, "rec": 4, **state}, {"step": 3, "loss": 7, "rec": 14, **state}]
    assert history.rows[1] == [{"step": 2, "loss": 15, "rec": 30, **state}, {"step": 3, "loss": 8, "rec": 16, **state}]


def test_deterministic_codes_have_no_kl() -> None:
    history = History(1)
    history.add(0, terms(1))
    history.close(1, Posterior(posterior(1).mu))
    assert history.rows[0] == [{"step": 1, "loss": 1, "rec": 2, "active": 1}]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_divergence_is_recorded_with_its_step_and_spares_the_others(bad: float) -> None:
    history = History(3)
    history.add(0, terms(1, 1, 1))
    history.close(1, posterior(3))
    for step, losses in enumerate([(1, 1, 1), (1, bad, 1), (1, 2, 1)], start=1):
        history.add(step, terms(*losses))
    history.close(4, posterior(3))
    history.add(4, terms(1, bad, bad))
    history.close(5, posterior(3))
    assert history.diverged == {1: 2, 2: 4}
    assert [len(rows) for rows in history.rows] == [3, 1, 2]
    assert history.rows[0][-1]["loss"] == 1


@pytest.mark.parametrize("part", ["mu", "logvar"])
@pytest.mark.parametrize("bad", [math.nan, 2000.0])
def test_codes_that_are_no_numbers_are_a_divergence_too(part: str, bad: float) -> None:
    """σ² = exp(2000) overflows; a mean of 2000 is large but a number."""
    history = History(2)
    history.add(0, terms(1, 1))
    codes = posterior(2)
    getattr(codes, part)[1, 0, 0] = bad
    history.close(1, codes)
    assert history.diverged == ({} if part == "mu" and bad == 2000 else {1: 1})
    assert len(history.rows[0]) == 1


def test_a_term_that_is_no_number_stands_empty_in_the_csv() -> None:
    history = History(1)
    history.add(0, {"loss": torch.tensor([0.1]), "tc": torch.tensor([math.nan])})
    history.close(1, Posterior(posterior(1).mu))
    assert history.csv(0) == "step,loss,tc,active\n1,0.1,,1\n"


def test_csv_is_one_members_rows() -> None:
    history = History(2)
    history.add(0, terms(1 / 3, 5))
    history.close(1, posterior(2))
    (row,) = csv.DictReader(io.StringIO(history.csv(0)))
    assert list(row) == ["step", "loss", "rec", "probe_kl_0", "probe_kl_1", "active", "delta_kl"]
    assert (row["step"], row["loss"]) == ("1", "0.3333333")


def test_a_history_survives_json() -> None:
    history = History(2)
    for step in range(3):
        history.add(step, terms(1 / 3, math.nan if step == 1 else 1))
    history.close(3, posterior(2))
    again = History.from_json(json.loads(json.dumps(history.to_json())))
    assert (again.rows, again.diverged) == (history.rows, history.diverged)
    assert again.diverged == {1: 1}
    again.add(3, terms(1, 1))
    again.close(4, posterior(2))
    assert [len(rows) for rows in again.rows] == [2, 0]


@pytest.mark.parametrize(("steps", "interval"), [(1, 1), (40, 2), (4_000, 200), (10_000, 500), (345_600, 500)])
def test_rows_are_500_steps_apart_or_a_twentieth_of_a_short_run(steps: int, interval: int) -> None:
    assert log_interval(steps) == interval
