"""Statistics that hold on few runs: the whole run is resampled, and below ten runs there is no interval."""

from benchmark.statistics.bootstrap import Spread, bootstrap_interval, interquartile_mean, spread
from benchmark.statistics.correlation import (
    MINIMUM_PERMUTED,
    average_ranks,
    exchangeable,
    least_p,
    permutation_p,
    permutation_pairs,
    spearman,
    spearman_interval,
    spearman_intervals,
    two_stage_counts,
)
from benchmark.statistics.difference import MINIMUM_TESTED, Difference, difference
from benchmark.statistics.improvement import probabilities_of_improvement, probability_of_improvement
from benchmark.statistics.interval import MINIMUM_CONFIGURATIONS, MINIMUM_RUNS, Interval
from benchmark.statistics.profiles import Profile, performance_profile
from benchmark.statistics.ranks import Ranked, letter_groups, ranking, runs_needed
from benchmark.statistics.selection import Selection, selection_regret
from benchmark.statistics.significance import holm, welch_p, yuen_p, yuen_pairs
from benchmark.statistics.variance import Shares, variance_shares

__all__ = [
    "MINIMUM_CONFIGURATIONS",
    "MINIMUM_PERMUTED",
    "MINIMUM_RUNS",
    "MINIMUM_TESTED",
    "Difference",
    "Interval",
    "Profile",
    "Ranked",
    "Selection",
    "Shares",
    "Spread",
    "average_ranks",
    "bootstrap_interval",
    "difference",
    "exchangeable",
    "holm",
    "interquartile_mean",
    "least_p",
    "letter_groups",
    "performance_profile",
    "permutation_p",
    "permutation_pairs",
    "probabilities_of_improvement",
    "probability_of_improvement",
    "ranking",
    "runs_needed",
    "selection_regret",
    "spearman",
    "spearman_interval",
    "spearman_intervals",
    "spread",
    "two_stage_counts",
    "variance_shares",
    "welch_p",
    "yuen_p",
    "yuen_pairs",
]
