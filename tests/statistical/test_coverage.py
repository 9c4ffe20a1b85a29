"""What 95 % intervals cover in simulated suites whose truth is known; `simulated_coverage.py` prints the full table."""

import numpy as np
import pytest
import simulated_coverage as simulated
from simulated_coverage import CLAIMS, Claim, coverage

from benchmark.statistics import MINIMUM_RUNS, probability_of_improvement, spearman_interval

SUITES = 150
SLOW = ("Spearman", "selection regret")
"""Two thirds of that for these."""
LOW, HIGH = 0.88, 0.999
"""Three standard errors or more below 95 %, and not always; bootstraps that are wrong cover 50 to 75 %."""
HELD = [claim for claim in CLAIMS if "not done here" not in claim.case]
NOT_HELD = [claim for claim in CLAIMS if "not done here" in claim.case]


def named(claim: Claim) -> str:
    return f"{claim.statistic}: {claim.case}"


@pytest.mark.parametrize("claim", HELD, ids=named)
def test_ten_are_enough(claim: Claim) -> None:
    suites = SUITES * 2 // 3 if claim.statistic in SLOW else SUITES
    assert LOW <= coverage(claim, MINIMUM_RUNS, suites) <= HIGH


@pytest.mark.parametrize("runs", [20, 50])
@pytest.mark.parametrize("claim", HELD[:3], ids=named)
def test_so_are_more(claim: Claim, runs: int) -> None:
    assert LOW <= coverage(claim, runs, SUITES) <= HIGH


@pytest.mark.parametrize("claim", NOT_HELD, ids=named)
def test_the_wrong_unit_covers_too_little(claim: Claim) -> None:
    assert coverage(claim, MINIMUM_RUNS, SUITES // 2) < 0.82


def test_too_few_runs_would_not_cover() -> None:
    """Why there are no intervals below ten; and afterwards there are none again."""
    with simulated.intervals_for_all():
        assert coverage(CLAIMS[0], 3, SUITES) < 0.82
    assert probability_of_improvement(np.arange(9.0), np.arange(9.0)).low is None


def test_spearman_needs_its_configurations() -> None:
    rng = np.random.default_rng(0)
    found = spearman_interval(*simulated.two_scores(9, rng), rng)
    assert found is not None and found.low is None
