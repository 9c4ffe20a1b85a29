"""Joint verdicts: rotations where a person can say what must come out."""

from dataclasses import replace

import numpy as np
import pytest
from test_regression import DECLARATIONS, moved, reruns_of, six, two  # noqa: F401

from leaderboard.joint import Block, dropped, rotation_p
from leaderboard.regression import check
from leaderboard.verdicts import counts, summary, together


def block(rng, n=5, m=5, r=10, k=20, drop=0.0, shared=0.8) -> Block:
    """Scores of deviation 1 of which those of a run correlate by `shared`."""

    def side(runs):
        return np.sqrt(shared) * rng.normal(size=(runs, 1)) + np.sqrt(1 - shared) * rng.normal(size=(runs, k))

    return Block(side(n), side(m) - drop, side(r), np.ones(k), np.zeros(k), np.zeros(k))


def test_the_rows_keep_the_variance_of_one_seed():
    own = Block(np.array([[1.0], [3.0]]), np.array([[5.0], [7.0]]), np.empty((0, 1)), *np.zeros((3, 1)))
    # Means 2 and 6; over √(1/2 + 1/2); each side's two values lie √2 · 1 apart from their mean.
    assert own.rows.ravel() == pytest.approx([-4, -np.sqrt(2), -np.sqrt(2)])
    assert own.deviation == pytest.approx([np.sqrt(2)])
    assert own.seen[0] < 0, "it became better"


def test_z_is_the_normal_quantile_of_t():
    from scipy.special import ndtri, stdtr

    for t in (0.5, 2.0, 5.0):
        own = Block(np.array([[t], [t]]), np.zeros((2, 1)), np.empty((0, 1)), np.ones(1), np.full(1, 6.0), np.zeros(1))
        # Two degrees of freedom without scatter, six of variance 1: 6 / 8.
        expected = ndtri(stdtr(8, t / np.sqrt(6 / 8)))
        assert own.seen[0] == pytest.approx(expected, abs=0.03)


def test_improvements_do_not_pay_for_what_breaks():
    assert dropped(np.array([3.0, -9.0, 1.0])) == pytest.approx(10 / 3)


def test_p_is_uniform_however_scores_correlate():
    rng = np.random.default_rng(0)
    for shared in (0.0, 0.9):
        everything = [np.ones(20, dtype=bool)]
        p = [rotation_p([block(rng, 3, 3, 0, shared=shared)], everything, [0.05], seed)[0] for seed in range(300)]
        assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.06)


def test_another_configuration_leaves_p_to_the_last_bit():
    rng = np.random.default_rng(2)
    first, second = (replace(block(rng, 3, 3, 10, drop=0.3), name=name) for name in ("a", "b"))
    own = np.arange(40) >= 20
    assert rotation_p([first, second], [own, ~own], [0.05] * 2)[0] == rotation_p([second], [own[20:]], [0.05])[0]
    assert rotation_p([second], [own[20:]], [0.05])[0] != rotation_p([replace(second, name="c")], [own[20:]], [0.05])[0]


def test_a_common_drop_is_seen_together():
    """Two deviations in every score: hardly anything for each alone at three seeds."""
    rng = np.random.default_rng(1)
    everything = [np.ones(20, dtype=bool)]
    p = [rotation_p([block(rng, 3, 3, 10, drop=2.0, shared=0.2)], everything, [0.01])[0] for _ in range(20)]
    assert np.mean(np.array(p) < 0.01) > 0.9
    p = [rotation_p([block(rng, 3, 3, 10, drop=-2.0, shared=0.2)], everything, [0.01])[0] for _ in range(20)]
    assert min(p) > 0.01, "one side only"


def worse_sets(new, reference, **options) -> set[str]:
    verdicts = check(new, reference, DECLARATIONS, **options)
    return {v.configuration or v.score or "suite" for v in verdicts if v.level != "score" and v.verdict == "worse"}


def collapsed(table, model):
    """Every score of a model as `noise` has it, or far worse."""
    for score, by in (
        ("mig", -0.2),
        ("factor_vae_score", -0.4),
        ("accuracy", -0.4),
        ("dto", 2.0),
        ("reconstruction", 60),
    ):
        table = moved(table, score, by, model)
    return table


def test_the_same_table_is_the_same_together(two, six):  # noqa: F811
    assert not worse_sets(two, two) and not worse_sets(six, six)
    levels = together(check(six, six, DECLARATIONS))
    assert levels == {
        "configuration": {"worse": 0, "all": 8},
        "measure": {"worse": 0, "all": 7},
        "suite": {"worse": 0, "all": 1},
    }


def test_a_collapse_is_one_of_its_configuration(six):  # noqa: F811
    found = worse_sets(collapsed(six, "factor_vae"), six)
    assert "factor_vae γ=10" in found and "vae" not in found


def test_a_measure_that_returns_zero_is_told_by_name(six):  # noqa: F811
    rows = (six["score"] == "mig") & (six["status"] == "ok")
    broken = six.assign(value=six["value"].where(~rows, 0.0))
    assert "mig" in worse_sets(broken, six)
    stuck = [v for v in check(broken, six, DECLARATIONS) if "stuck" in v.note]
    assert stuck and {v.score for v in stuck} == {"mig"} and all(v.verdict == "worse" for v in stuck)


def test_stuck_is_worse_whichever_way(six):  # noqa: F811
    rows = (six["score"] == "dto") & (six["status"] == "ok")
    broken = check(six.assign(value=six["value"].where(~rows, 0.0)), six, DECLARATIONS)
    assert any(v.verdict == "worse" and v.change > 0 for v in broken if v.score == "dto")


def test_margins_hide_no_collapse(two):  # noqa: F811
    """Reruns whose margins exceed the scores themselves: nothing can fail alone, the configuration does together."""
    loud = reruns_of(two, 0.1, 10)
    scale = {"mig": 1, "factor_vae_score": 1, "accuracy": 1, "dto": 2, "reconstruction": 60}
    loud = loud.assign(deviation=[0.12 * scale.get(score, 1) for score in loud["score"]])
    verdicts = check(two, two, DECLARATIONS, loud)
    silent = [v for v in verdicts if v.cannot_fail]
    assert silent and all("cannot fail alone at 2 seeds" in v.note for v in silent)
    assert f"{len(silent)} of {sum(v.level == 'score' for v in verdicts)} scores cannot fail alone" in summary(verdicts)
    assert counts(verdicts)["cannot_fail"] == len(silent)


def test_what_cannot_fail_never_does(two):  # noqa: F811
    """The widest drop of the mean within the range is not called worse, for exactly those that say so."""
    loud = reruns_of(two, 0.12, 200)
    silent = {v.name for v in check(two, two, DECLARATIONS, loud) if v.cannot_fail and v.metric == "mig"}
    rows = (two["score"] == "mig") & (two["status"] == "ok")
    means = two[rows].groupby(["config_id", "representation"])["value"].transform("mean")
    lowest = two.assign(value=two["value"] - means.reindex(two.index, fill_value=0.0))
    verdicts = [replace(v, note="") for v in check(lowest, two, DECLARATIONS, loud) if v.metric == "mig"]
    still = {v.name for v in verdicts if v.level == "score" and v.verdict != "worse"}
    assert silent and silent == still
