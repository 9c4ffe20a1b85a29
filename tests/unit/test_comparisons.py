"""The tables that compare configurations, from headline scores written down by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_suite import DECLARATIONS, synthetic_suite
from synthetic_table import synthetic_table

from benchmark import registry
from benchmark.stages.aggregate import Summaries, aggregate
from benchmark.stages.comparisons import BY_CONSTRUCTION, SHARED, improvement, rankings, selections, variances
from benchmark.stages.configurations import by_construction, supervision
from benchmark.stages.score_task import declarations
from benchmark.table import compile_table
from leaderboard.board import boards
from leaderboard.statistics_tables import over, statistics_tables

SCORES = {"mig": ("higher", True), "reconstruction": ("lower", False), "kl": ("none", False), "udr": ("higher", False)}


def headlines(
    scores: Mapping[str, Mapping[str, Sequence[float]]],
    supervision: str = "none",
    by_construction: Sequence[tuple[str, str]] = (),
) -> pd.DataFrame:
    """By configuration `model/setting` and score, the values of its runs."""
    rows = [
        {
            "dataset_label": "shapes",
            "representation": "mean",
            "model": label.split("/")[0],
            "config_id": label,
            "label": label,
            "run_id": f"{label}-s{seed}",
            "metric": score,
            "column": score,
            "protocol": f"{score}/v1",
            "value": value,
            "direction": SCORES[score][0],
            "supervised": SCORES[score][1],
            "supervision": supervision,
            "by_construction": (label, score) in by_construction,
            "shared": score == "udr",
        }
        for label, of_label in scores.items()
        for score, values in of_label.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def test_improvement_knows_which_way_is_better():
    found = improvement(
        headlines(
            {
                "vae": {"mig": [0.1, 0.3], "reconstruction": [5, 6], "kl": [1, 2]},
                "ae": {"mig": [0.2], "reconstruction": [2]},
            }
        )
    ).set_index(["column", "a", "b"])
    assert found["p"].to_dict() == {
        ("mig", "vae", "ae"): 0.5,
        ("mig", "ae", "vae"): 0.5,
        ("reconstruction", "vae", "ae"): 0,
        ("reconstruction", "ae", "vae"): 1,
    }
    row = found.loc[("mig", "vae", "ae")]
    assert (row["n_a"], row["n_b"], row["a_label"]) == (2, 1, "vae") and pd.isna(row["low"])


def test_ranking_knows_which_way_is_better():
    found = rankings(headlines({"vae": {"reconstruction": [5, 6]}, "ae": {"reconstruction": [2, 2]}}))
    assert list(zip(found["label"], found["rank"], strict=True)) == [("ae", 1), ("vae", 2)]
    assert list(found["note"]) == ["2 runs: not tested below 10"] * 2
    assert found["rank_low"].isna().all() and list(found["groups"]) == ["", ""]


def test_ranking_of_ten_seeds_says_what_it_cannot_tell():
    spread = np.linspace(0, 0.01, 10)
    found = rankings(headlines({name: {"mig": level + spread} for name, level in (("a", 0.5), ("b", 0.1), ("c", 0.5))}))
    found = found.set_index("label")
    assert list(found.loc[["a", "c", "b"], "rank"]) == [1, 1, 3]
    assert found.loc["a", "indistinguishable_from"] == ["c"] and found.loc["b", "indistinguishable_from"] == []
    assert (found.loc["a", "rank_low"], found.loc["a", "rank_high"], found.loc["b", "rank_low"]) == (1, 2, 3)
    assert list(found.loc[["a", "c", "b"], "groups"]) == ["a", "a", "b"]


def test_a_rank_needs_as_many_runs_as_the_others_have():
    spread = np.linspace(0, 0.01, 10)
    scores = {"a": 0.5 + spread, "b": 0.1 + spread, "lucky": [0.9], "most": [0.3] * 40}
    found = rankings(headlines({name: {"mig": values} for name, values in scores.items()})).set_index("label")
    assert found["rank"].drop("lucky").to_dict() == {"a": 1, "most": 2, "b": 3} and pd.isna(found.loc["lucky", "rank"])
    assert found.loc["lucky", "note"] == "1 run where others have 10 or more: not ranked" and found.index[-1] == "lucky"
    assert found["rank_high"].max() == 3, "nobody's rank makes room for it"
    few = rankings(headlines({"a": {"mig": [0.1, 0.2, 0.3]}, "b": {"mig": [0.5, 0.6]}, "c": {"mig": [0.0, 0.1, 0.1]}}))
    assert few.set_index("label")["rank"].dropna().to_dict() == {"a": 1, "c": 2}


def test_what_is_true_by_construction_wins_against_nobody():
    scores = {
        "pca": {"reconstruction": [0.0, 0.0]},
        "ae": {"reconstruction": [2, 3]},
        "vae": {"reconstruction": [4, 5]},
    }
    rows = headlines(scores, by_construction=[("pca", "reconstruction")])
    found = rankings(rows).set_index("label")
    assert found["rank"].dropna().to_dict() == {"ae": 1, "vae": 2}
    assert found.loc["pca", "note"] == BY_CONSTRUCTION and found.loc["pca", "runs"] == 2
    assert set(improvement(rows)["a"]) == {"ae", "vae"}
    assert rankings(headlines(scores)).set_index("label").loc["pca", "rank"] == 1


def test_what_runs_share_is_ranked_by_the_mean_that_tables_show():
    """Two of ten runs that agree with none: the middle half does not see them, and the page shows the mean."""
    scores = {"ica": [0.8] * 10, "ae": [0.9] * 8 + [0.0] * 2}
    for score, first in (("udr", "ica"), ("mig", "ae")):
        found = rankings(headlines({label: {score: values} for label, values in scores.items()}))
        assert found["label"].iloc[0] == first and list(found["rank"]) == [1, 2], score
    assert rankings(headlines({label: {"udr": v} for label, v in scores.items()}))["rank_low"].isna().all()


def test_supervised_models_are_ranked_apart():
    sees = headlines({"siamese": {"mig": [0.9]}}, supervision="labels")
    pairs = headlines({"ada_gvae": {"mig": [0.8]}, "ada_ml_vae": {"mig": [0.7]}}, supervision="pairs")
    both = pd.concat([sees, pairs, headlines({"vae": {"mig": [0.1]}, "ae": {"mig": [0.2]}})], ignore_index=True)
    found = rankings(both)
    assert list(zip(found["label"], found["rank"], found["supervision"], strict=True)) == [
        ("ae", 1, "none"),
        ("vae", 2, "none"),
        ("ada_gvae", 1, "pairs"),
        ("ada_ml_vae", 2, "pairs"),
        ("siamese", 1, "labels"),
    ]
    against = improvement(both)
    assert set(zip(against["a"], against["b"], strict=True)) == {
        ("ae", "vae"), ("vae", "ae"), ("ada_gvae", "ada_ml_vae"), ("ada_ml_vae", "ada_gvae")
    }  # fmt: skip
    assert set(selections(both, 0)["n"]) == {0, 2}
    assert variances(both, 0)["configurations"].item() == 2


def test_variance_says_what_the_design_cannot_tell():
    def note(scores):
        return variances(headlines(scores), 0)["note"].item()

    def settings(*values):
        return {f"vae/{place}": {"mig": own} for place, own in enumerate(values)}

    assert note(settings(*[[0.1 * place] for place in range(5)])) == "one run a configuration"
    assert note(settings(*[[0.1, 0.1]] * 5)) == "all runs score the same"
    assert note(settings(*[[0.1, 0.1 * place] for place in range(5)])) == (
        "one model: nothing is the objective's; 2 runs of a configuration: no interval below 10"
    )
    models = {name: {"mig": [0.1, 0.2]} for name in ("vae", "beta_vae", "dip_vae", "pca")}
    assert note(models | {"ae": {"mig": [0.1, 0.3, 0.4]}}) == (
        "one setting a model: hyperparameters vary nowhere; unbalanced: 2 to 3 runs a configuration, which weigh by"
        " their number; 2 runs of a configuration: no interval below 10"
    )
    assert note(models | {"vae/again": {"mig": [0.7, 0.8]}}).startswith("hyperparameters vary in 1 model alone; ")


def test_few_configurations_have_no_shares_and_say_so():
    scores = {f"vae/{place}": {"mig": list(np.linspace(place, place + 1, 10))} for place in range(5)}
    assert variances(headlines(scores), 0)["share_seed"].notna().all()
    few = {name: scores[name] for name in list(scores)[:4]}
    row = variances(headlines(few), 0).iloc[0]
    assert row["note"] == "40 runs of 4 configurations: no shares below 5" and (row["n"], row["configurations"]) == (
        40,
        4,
    )
    assert row[[name for name in row.index if "share" in name or name.endswith(("_low", "_high"))]].isna().all()


def test_selection_by_hand():
    """Reconstruction always prefers the AE; a sweep's best is 0.5, or 0.3 where it holds the poor VAE."""
    found = selections(
        headlines(
            {
                "vae": {"mig": [0.1, 0.5], "reconstruction": [5, 6]},
                "ae": {"mig": [0.3, 0.3], "reconstruction": [2, 3]},
                "pca": {"mig": [0.0]},
            }
        ),
        0,
    ).set_index("criterion")
    row = found.loc["reconstruction"]
    assert (row["best"], row["chosen"], row["regret"]) == pytest.approx((0.4, 0.3, 0.1))
    assert row["at_random"] == pytest.approx(0.3), "among the two that have a reconstruction; the third scores 0"
    assert (row["n"], row["configurations"]) == (4, 2) and row["note"].startswith("1 configuration has no recon")
    assert found.loc["random", "chosen"] == pytest.approx(0.2) and found.loc["random", "configurations"] == 3
    assert found.loc["elbo", "note"].startswith("no configuration has") and pd.isna(found.loc["elbo", "regret"])


def test_what_a_model_sees_is_read_as_it_is_declared():
    classes = {name: registry.load("model", name) for name in registry.names("model")}
    assert {name for name in classes if supervision(name) == "labels"} == {n for n in classes if classes[n].supervised}
    weak = {name for name in classes if supervision(name) == "pairs"}
    assert weak == {name for name in classes if classes[name].weakly_supervised} == {"ada_gvae", "ada_ml_vae"}
    assert weak == {name for name in classes if getattr(classes[name], "paired", False)}
    assert supervision("siamese") == "labels" and supervision("somebody-elses") == "none"
    given = {name: frozenset(registry.load("model", name).by_construction) for name in registry.names("model")}
    assert {name: by_construction(name) for name in given} == given
    assert "dto" in given["pca"] and not given["vae"] and not by_construction("somebody-elses")
    assert frozenset().union(*given.values()) <= set(registry.names("metric"))


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> Summaries:
    runs = synthetic_suite(tmp_path_factory.mktemp("suite"), seeds=2, pictures=False)
    return aggregate(compile_table("suite", runs), DECLARATIONS)


def test_all_tables_are_written_and_leave_references_out(summaries: Summaries, tmp_path: Path):
    summaries.write(tmp_path)
    for name in ("summary", "correlations", "improvement", "ranking", "variance", "selection"):
        read = pd.read_csv(tmp_path / f"{name}.csv")
        assert list(read) == list(getattr(summaries, name)) and len(read) == len(getattr(summaries, name)) > 0
    assert set(summaries.ranking["label"]) == set(summaries.improvement["a_label"])
    assert not {"perfect", "noise"} & set(summaries.ranking["label"])
    assert set(summaries.variance["configurations"]) == {4, 5, 6}  # five have a DtO of their own, PCA not


INTERVALS = {
    "summary": ("mean", "std", "iqm", "low", "high"),
    "correlations": ("rho", "low", "high", "p"),
    "improvement": ("p", "low", "high"),
    "ranking": ("rank", "rank_low", "rank_high"),
    "variance": ("share_objective", "objective_low", "objective_high", "hyperparameter_high", "seed_low", "seed_high"),
    "selection": ("regret", "low", "high", "best", "chosen"),
}
"""What a score has of its own, by frame; p after Holm is of all pairs by definition."""
NAMED = ("config_id", "protocol", "column", "a", "b", "criterion")


def test_a_second_measure_leaves_the_intervals_of_the_first_to_the_last_bit():
    """Beside it planted: seven more, among them an ELBO that some configurations lack, whose pairs have other runs."""
    table = synthetic_table(declarations(), 12, 10, 10, gaps=True)
    alone = aggregate(table[table["metric"].isin(["mig", "kl", "udr"])], declarations())
    beside = aggregate(table, declarations())
    for name, numbers in INTERVALS.items():
        known = [each for each in NAMED if each in getattr(alone, name)]
        first, second = (getattr(each, name).set_index(known)[list(numbers)].dropna() for each in (alone, beside))
        assert 0 < len(first) < len(second), name
        pd.testing.assert_frame_equal(first, second.loc[first.index], check_exact=True, obj=name)


def test_another_configuration_leaves_the_intervals_of_the_first_to_the_last_bit():
    table = synthetic_table(declarations(), 6, 10, 3)
    alone = aggregate(table[table["config_id"] != table["config_id"].iloc[0]], declarations())
    named, numbers = ["config_id", "protocol", "score"], list(INTERVALS["summary"])
    first = alone.summary.set_index(named)[numbers]
    beside = aggregate(table, declarations()).summary.set_index(named)[numbers]
    assert len(beside) == 18 and first["low"].notna().all()
    pd.testing.assert_frame_equal(first, beside.loc[first.index], check_exact=True)


def test_few_configurations_have_no_correlation_and_say_so():
    """Three runs of one configuration rank perfectly as often as not: quickstart showed ±1.00."""
    for configured, seeds in ((1, 3), (4, 10)):
        found = aggregate(synthetic_table(declarations(), configured, seeds, 3), declarations()).correlations
        assert found[["rho", "low", "high", "p", "p_holm"]].isna().all(axis=None) and len(found) == 3
        configurations = "1 configuration" if configured == 1 else "4 configurations"
        assert set(found["note"]) == {f"{configured * seeds} runs of {configurations}: no correlation below 5"}
    found = aggregate(synthetic_table(declarations(), 5, 3, 3), declarations()).correlations
    assert found["rho"].notna().all() and set(found["note"]) == {"5 configurations: no interval below 10"}
    assert set(found["n"]) == {15} and set(found["configurations"]) == {5}


@pytest.mark.parametrize("configured", [0, 1, 12])
@pytest.mark.parametrize("seeds", [1, 10])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.filterwarnings("error")
def test_tables_of_one_configuration_one_seed_or_one_value_have_all_frames(configured, seeds, constant):
    """Nothing is divided by nothing, and what has no number says why."""
    table = synthetic_table(declarations(), configured or 1, seeds, 6)
    if constant:
        table["value"] = 0.5
    if not configured:  # references alone
        table["model"] = "noise"
    found = aggregate(table, declarations())
    (board,) = boards(table, declarations(), summary=found.summary, ranking=found.ranking)
    names = ("correlations", "variance", "selection")
    of_board = {name: getattr(found, name) for name in names}
    titles = {column.name: column.title for column in board.columns}
    tables = statistics_tables(of_board, titles)
    assert len(found.summary) == 6 * max(configured, 1) and len(found.ranking) == 5 * configured
    assert len(found.correlations) == (15 if configured else 0) and bool(tables) == bool(configured)
    for frame, number in ((found.correlations, "rho"), (found.variance, "share_seed"), (found.selection, "regret")):
        assert not np.isinf(frame.select_dtypes("number").to_numpy(dtype=float)).any()
        assert (frame.loc[frame[number].isna(), "note"].str.len() > 0).all()
    if constant or configured < 5:
        assert found.correlations["rho"].isna().all() and found.variance["share_seed"].isna().all()
    else:
        assert found.correlations["rho"].notna().all()
    if constant and configured == 12:
        assert set(found.ranking["rank"]) == {1}


def test_what_is_left_blank_is_listed_with_its_reason(summaries: Summaries):
    titles = {"kl": "KL", "mig": "MIG"}
    (listed,) = (
        each for each in statistics_tables({"correlations": summaries.correlations}, titles) if "blank" in each.title
    )
    reasons = {row[0]: row for row in listed.rows}
    few = reasons["8 runs of 4 configurations: no correlation below 5"]
    assert "MIG" in few[2] and "KL" in few[2]
    blank = summaries.correlations["rho"].isna().sum()
    assert sum(int(row[1]) for row in listed.rows) == blank > 0
    assert (
        over([12, 9], [4, 3]) == "9 to 12 runs of 3 to 4 configurations"
        and over([3], [1]) == "3 runs of 1 configuration"
    )


def test_correlations_have_p_values_adjusted_over_pairs_of_two_measures_one_of_which_knows_the_factors():
    found = aggregate(synthetic_table(declarations(), 12, 3, 8), declarations()).correlations
    family = found[found["kind"] != "unsupervised×unsupervised"]
    assert found["p"].notna().all() and 0 < len(family) < len(found)
    assert found.loc[found["kind"] == "unsupervised×unsupervised", "p_holm"].isna().all()
    smallest = family["p"].idxmin()
    assert family.loc[smallest, "p_holm"] == pytest.approx(min(1, family.loc[smallest, "p"] * len(family)))


def test_two_protocols_of_one_measure_are_no_test():
    table = synthetic_table(declarations(), 12, 3, 2)
    finer = table[table["metric"] == "mig"].assign(protocol="mig/bins50-mean-n1000/v1")
    found = aggregate(pd.concat([table, finer], ignore_index=True), declarations()).correlations
    same = found["a_protocol"].str.startswith("mig/") & found["b_protocol"].str.startswith("mig/")
    assert same.sum() == 1 and found.loc[same, "rho"].item() == pytest.approx(1)
    assert found.loc[same, "p_holm"].isna().all() and found.loc[~same, "p_holm"].notna().all()


def test_where_no_order_could_be_significant_there_is_no_adjusted_p():
    """Seven pairs of five configurations: of their 120 orders the rarest has p = 7 / 120 after Holm."""
    found = aggregate(synthetic_table(declarations(), 5, 3, 8), declarations()).correlations
    family = found[found["kind"] != "unsupervised×unsupervised"]
    assert len(family) > 6 and found["p"].notna().all() and found["p_holm"].isna().all()
    assert set(family["note"]) == {
        f"5 configurations: no interval below 10; over {len(family)} pairs no order of 5 configurations has p below"
        " 0.05 after Holm"
    }


def test_what_is_true_by_construction_enters_neither_correlations_nor_variance_nor_selection():
    """PCA has the least DtO whatever it is fitted to: planted, as far from the others as it goes."""
    table = synthetic_table(declarations(), 8, 10, 6)
    pca = table["config_id"] == table["config_id"].iloc[0]
    table.loc[pca, "model"] = "pca"
    table.loc[pca & (table["metric"] == "dto"), "value"] = -1e6
    beside = aggregate(table, declarations())
    without = aggregate(table[~pca | (table["metric"] != "dto")], declarations())
    pd.testing.assert_frame_equal(beside.correlations, without.correlations)
    pd.testing.assert_frame_equal(beside.variance, without.variance)
    pd.testing.assert_frame_equal(beside.selection, without.selection)
    runs = beside.variance.set_index("column")["n"]
    assert runs["dto"] == 70 and runs["mig"] == 80
    assert (beside.ranking["note"] == BY_CONSTRUCTION).sum() == 1


def test_what_runs_share_is_no_sample():
    """UDR is of the pairs of a configuration's runs: their values are not independent."""
    table = synthetic_table(declarations(), 8, 10, 6)
    found = aggregate(table, declarations())
    own, other = (found.summary[found.summary["metric"] == name] for name in ("udr", "mig"))
    assert own["low"].isna().all() and own["iqm"].notna().all() and other["low"].notna().all()
    ranks = found.ranking[found.ranking["column"] == "udr"]
    assert sorted(ranks["rank"]) == list(range(1, 9)) and ranks["rank_low"].isna().all()
    assert set(ranks["note"]) == {SHARED} and set(ranks["groups"]) == {""}
    pairs = found.improvement[found.improvement["column"] == "udr"]
    assert pairs["p"].notna().all() and pairs["low"].isna().all()
    shares = found.variance.set_index("column")
    assert shares.loc["udr", "note"] == SHARED and pd.isna(shares.loc["udr", "share_seed"])
    assert pd.notna(shares.loc["mig", "share_seed"])


def test_a_failure_that_knew_no_points_is_one_of_the_protocol_that_has_some(tmp_path: Path) -> None:
    table = compile_table("mine", synthetic_suite(tmp_path, seeds=3, pictures=False))
    own = (table["model"] == "vae") & (table["metric"] == "mig") & (table["representation"] == "mean")
    lost = own & (table["seed"] == 2)
    assert lost.any() and table["factor"][lost].isna().any()
    table = table[~lost | table["factor"].isna()]
    protocol = table["protocol"][own].iloc[0]
    nowhere = {"value": None, "status": "failed", "reason": "it broke", "protocol": protocol.replace("-n10000", "-n0")}
    for name, cell in nowhere.items():
        table.loc[lost, name] = cell

    def rows(found: pd.DataFrame) -> list[tuple[int, int]]:
        summary = aggregate(found, DECLARATIONS).summary
        about = (summary["metric"] == "mig") & (summary["representation"] == "mean") & summary["factor"].isna()
        ids = set(found["config_id"][found["model"] == "vae"])
        return [tuple(row) for row in summary[about & summary["config_id"].isin(ids)][["runs", "failed"]].to_numpy()]

    assert rows(table) == [(2, 1)]
    assert rows(table[(~own | lost)[table.index]]) == [(0, 1)], "of one that none has"
