"""What is computed for all pairs at once is what one pair after the other gives, from the same random draws."""

from itertools import combinations, permutations
from math import sqrt

import numpy as np
import pytest
from synthetic_table import synthetic_table

from benchmark.stages.aggregate import aggregate, headline_rows
from benchmark.stages.score_task import declarations
from benchmark.statistics import (
    average_ranks,
    exchangeable,
    holm,
    letter_groups,
    permutation_pairs,
    probabilities_of_improvement,
    spearman,
    spearman_intervals,
    two_stage_counts,
    yuen_p,
    yuen_pairs,
)
from benchmark.statistics.selection import chance_of_highest
from leaderboard.board import boards

TOLERANCE = {"rel": 1e-12, "abs": 1e-12}


def samples(seed: int, number: int = 7, least: int = 8) -> list[np.ndarray]:
    """Runs of configurations that differ in level, spread and number, some of them with ties or all alike."""
    rng = np.random.default_rng(seed)
    found = [rng.normal(rng.normal(), 1 + rng.random(), size=rng.integers(least, 14)) for _ in range(number)]
    return [np.round(values, seed % 3) if seed % 2 else values for values in found] + [np.full(10, 0.5)] * 2


def improvement_of_one_pair(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Newcombe's score interval, with the placements' variance where that is larger, by the definition."""
    from scipy.special import ndtri

    def variance(p):
        return p * (1 - p) * (1 + ((n + m) / 2 - 1) * ((1 - p) / (2 - p) + p / (1 + p))) / (n * m)

    def limit(end):
        inside, outside = point, end
        for _ in range(50):
            p = (inside + outside) / 2
            inside, outside = (p, outside) if (p - point) ** 2 < scale * variance(p) else (inside, p)
        return (inside + outside) / 2

    n, m = len(x), len(y)
    better = (np.sign(x[:, None] - y[None, :]) + 1) / 2
    point = float(better.mean())
    if min(n, m) < 10:
        return point, np.nan, np.nan
    placements = better.mean(axis=1).var() / n + better.mean(axis=0).var() / m
    scale = (max(1.0, placements / variance(point)) if variance(point) > 0 else 1.0) * float(ndtri(0.975)) ** 2
    return point, limit(0.0), limit(1.0)


@pytest.mark.parametrize("seed", range(6))
def test_improvement_of_all_pairs(seed):
    scores = samples(seed)
    found = probabilities_of_improvement(scores)
    for i, j in permutations(range(len(scores)), 2):
        expected = improvement_of_one_pair(scores[i], scores[j])
        assert [part[i, j] for part in found] == pytest.approx(expected, nan_ok=True, **TOLERANCE)


def yuen_of_one_pair(x: np.ndarray, y: np.ndarray) -> float:
    from scipy.special import stdtr

    means, errors, freedoms = [], [], []
    for values in (np.sort(x), np.sort(y)):
        kept = values[len(values) // 4 : len(values) - len(values) // 4]
        winsorised = np.clip(values, kept[0], kept[-1])
        means.append(kept.mean())
        errors.append(((winsorised - winsorised.mean()) ** 2).sum() / (len(kept) * (len(kept) - 1)))
        freedoms.append(len(kept) - 1)
    if sum(errors) == 0:
        return float(means[0] == means[1])
    freedom = sum(errors) ** 2 / sum(e**2 / f for e, f in zip(errors, freedoms, strict=True))
    return float(2 * stdtr(freedom, -abs(means[0] - means[1]) / sqrt(sum(errors))))


@pytest.mark.parametrize("seed", range(4))
def test_yuens_test_of_all_pairs(seed):
    scores = samples(seed)
    pairs = list(combinations(range(len(scores)), 2))
    expected = [yuen_of_one_pair(scores[i], scores[j]) for i, j in pairs]
    assert yuen_pairs(scores, np.array(pairs)) == pytest.approx(expected, **TOLERANCE)
    assert yuen_p(scores[0], scores[1]) == pytest.approx(expected[0], **TOLERANCE)


def letters_by_insertion(told: np.ndarray, means: np.ndarray) -> list[str]:
    """Piepho's own algorithm: one group of all, split at each pair that is told apart; groups in others are dropped."""
    groups = [frozenset(range(len(told)))]
    for i, j in zip(*np.nonzero(np.triu(told)), strict=True):
        split = []
        for group in groups:
            split += [group - {int(i)}, group - {int(j)}] if {int(i), int(j)} <= group else [group]
        unique = list(dict.fromkeys(split))
        groups = [group for group in unique if not any(group < other for other in unique)]
    groups.sort(key=lambda group: sorted(-means[list(group)]))
    names = "abcdefghijklmnopqrstuvwxyz"[: len(groups)]
    assert len(names) == len(groups)
    return ["".join(name for name, group in zip(names, groups, strict=True) if i in group) for i in range(len(told))]


def test_letters_are_those_of_piephos_algorithm():
    rng = np.random.default_rng(0)
    for _ in range(40):
        told = np.triu(rng.random((8, 8)) < rng.random(), 1)
        means = rng.normal(size=8)
        assert letter_groups(told | told.T, means) == letters_by_insertion(told, means)


def test_letters_of_a_hundred_configurations_take_no_time():
    """Piepho's algorithm passes through many times as many groups as remain, and takes seconds."""
    rng = np.random.default_rng(0)
    scores = [rng.normal(0.8 * rng.normal(), 0.4, size=10) for _ in range(100)]
    pairs = np.stack(np.triu_indices(100, 1), axis=1)
    told = np.zeros((100, 100), dtype=bool)
    told[*pairs.T] = holm(yuen_pairs(scores, pairs)) < 0.05
    letters = letter_groups(told | told.T, np.array([values.mean() for values in scores]))
    assert any(" " in own for own in letters), "more than 26 groups"
    for (i, j), apart in zip(pairs, told[*pairs.T], strict=True):
        assert set(letters[i].split()).isdisjoint(letters[j].split()) == apart


def chance_owner_by_owner(values: np.ndarray, owners: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """By the definition: the others' chances to lie below a run's value, multiplied one by one."""
    levels, codes = np.unique(values, return_inverse=True)
    odds = counts / np.bincount(owners)[owners]
    all_within = np.ones((len(counts), len(levels)))
    parts = odds.copy()
    for owner in range(owners.max() + 1):
        own = owners == owner
        within = np.stack([parts[:, own & (codes <= level)].sum(axis=1) for level in range(len(levels))], axis=1)
        below = np.stack([parts[:, own & (codes < level)].sum(axis=1) for level in range(len(levels))], axis=1)
        all_within *= within
        odds[:, ~own] *= ((below + within) / 2)[:, codes[~own]]
    highest = np.diff(all_within, axis=1, prepend=0)
    shared = np.stack([odds[:, codes == level].sum(axis=1) for level in range(len(levels))], axis=1)
    return odds * np.divide(highest, shared, out=np.zeros_like(shared), where=shared > 0)[:, codes]


@pytest.mark.parametrize("places", [0, 1, 9])
def test_chance_of_highest_with_ties_and_without(places):
    rng = np.random.default_rng(places)
    runs = rng.integers(1, 12, size=6)
    owners = rng.permutation(np.repeat(np.arange(6), runs))
    counts = np.empty((20, len(owners)))
    for owner, n in enumerate(runs):
        counts[:, owners == owner] = rng.multinomial(n, np.full(n, 1 / n), size=20)
    values = np.round(rng.normal(size=len(owners)), places)
    expected = chance_owner_by_owner(values, owners, counts)
    np.testing.assert_allclose(chance_of_highest(values, owners, counts), expected, rtol=1e-12, atol=1e-12)


@pytest.fixture(scope="module")
def table():
    return synthetic_table(declarations(), 12, [10] * 9 + [12, 9, 4], scores=7, gaps=True)


def test_correlations_of_all_pairs(table):
    """Interval and p of each pair by itself, from the one stream: every set of runs draws its resamples in turn."""
    rows = headline_rows(table, declarations())
    wide = rows[rows["status"] == "ok"].pivot(index=["config_id", "run_id"], columns="column", values="value")
    scores, owners = wide.to_numpy(), wide.index.get_level_values("config_id").to_numpy(dtype=str)
    rng, again = np.random.default_rng(5), np.random.default_rng(5)
    found, chances = spearman_intervals(scores, owners, lambda _: rng, draws=100), permutation_pairs(scores, owners)
    counts: dict[bytes, np.ndarray | None] = {}
    assert list(found) == list(combinations(range(scores.shape[1]), 2))
    for i, j in found:
        both = ~np.isnan(scores[:, [i, j]]).any(axis=1)
        x, y = scores[both, i], scores[both, j]
        names, groups = np.unique(owners[both], return_inverse=True)
        if both.tobytes() not in counts:
            counts[both.tobytes()] = two_stage_counts(groups, 100, again) if len(names) >= 10 else None
        drawn = counts[both.tobytes()]
        assert found[i, j].point == spearman(x, y) and (found[i, j].low is None) == (drawn is None)
        if drawn is not None:
            resampled = [spearman(np.repeat(x, c), np.repeat(y, c)) for c in drawn.astype(int)]
            expected = np.quantile(resampled, [0.025, 0.975])
            assert (found[i, j].low, found[i, j].high) == pytest.approx(tuple(expected), **TOLERANCE)
        kept = exchangeable(owners[both])
        groups = np.unique(owners[both][kept], return_inverse=True)[1]
        assert chances[i, j] == pytest.approx(p_by_permutation(x[kept], y[kept], groups), **TOLERANCE)
    assert len(counts) == 2 and rng.bit_generator.state == again.bit_generator.state


def p_by_permutation(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> float:
    runs = np.bincount(groups)
    a, b = (np.bincount(groups, average_ranks(side)) / runs for side in (x, y))
    a, b = a - a.mean(), b - b.mean()
    orders = np.random.default_rng(len(runs)).permuted(
        np.broadcast_to(np.arange(len(runs), dtype=np.int32), (20_000, len(runs))), axis=1
    )
    return float((1 + (np.abs(b[orders] @ a) >= abs(a @ b) * (1 - 1e-9)).sum()) / 20_001)


def test_improvement_stands_under_its_own_configurations(table):
    rows = headline_rows(table, declarations())
    rows = rows[rows["status"] == "ok"].assign(turn=lambda frame: frame["direction"].map({"higher": 1, "lower": -1}))
    found = aggregate(table, declarations()).improvement
    assert len(found) == sum(n * (n - 1) for n in rows.dropna(subset="turn").groupby("column")["config_id"].nunique())
    for row in found.sample(60, random_state=0).to_dict("records"):
        of = rows[rows["column"] == row["column"]]
        x, y = (of[of["config_id"] == row[side]] for side in "ab")
        expected = improvement_of_one_pair((x["value"] * x["turn"]).to_numpy(), (y["value"] * y["turn"]).to_numpy())
        if row["column"] == "udr":  # shared by the runs of a configuration: no interval
            expected = (expected[0], np.nan, np.nan)
        assert (row["p"], row["low"], row["high"]) == pytest.approx(expected, nan_ok=True, **TOLERANCE)
        assert (row["n_a"], row["n_b"], row["a_label"]) == (len(x), len(y), x["label"].iloc[0])


def test_cells_hold_their_own_runs(table):
    (board,) = boards(table, declarations())
    for row in board.rows:
        own = table[(table["config_id"] == row.config_id) & (table["status"] == "ok")]
        for column in board.columns:
            values = own[own["protocol"] == column.protocol].sort_values("seed")
            assert row.cells[column.name].by_run == dict(zip(values["run_id"], values["value"], strict=True))
