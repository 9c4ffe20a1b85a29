"""Verdicts in cases that a person can decide."""

import numpy as np
import pandas as pd
import pytest
from synthetic_suite import DECLARATIONS, synthetic_suite

from benchmark.errors import UsageError
from benchmark.published import publish
from benchmark.stages.score_task import declarations
from benchmark.table import compile_table
from leaderboard.comparison import SHARED as WIDENED
from leaderboard.margins import beside, read_margins, seed_deviations
from leaderboard.regression import UNKNOWN, check
from leaderboard.verdicts import alone, as_junit, as_markdown, counts


def table_of(tmp_path_factory, seeds: int) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("results")
    return compile_table("suite", synthetic_suite(folder, seeds=seeds, pictures=False))


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> pd.DataFrame:
    return table_of(tmp_path_factory, 2)


@pytest.fixture(scope="module")
def six(tmp_path_factory) -> pd.DataFrame:
    return table_of(tmp_path_factory, 6)


def moved(table: pd.DataFrame, score: str, by: float, model: str = "beta_vae") -> pd.DataFrame:
    rows = (table["score"] == score) & (table["model"] == model) & (table["status"] == "ok")
    return table.assign(value=table["value"].where(~rows, table["value"] + by))


def outcomes(new: pd.DataFrame, reference: pd.DataFrame, **options) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for verdict in alone(check(new, reference, DECLARATIONS, **options)):
        found.setdefault(verdict.verdict, set()).add(f"{verdict.configuration}: {verdict.score}")
    return found


def test_the_same_table_is_the_same(two, six):
    assert set(outcomes(two, two)) == set(outcomes(six, six)) == {"same"}


def test_two_seeds_by_margin_alone(two):
    worse = outcomes(moved(two, "mig", -0.2), two)["worse"]
    assert worse == {"beta_vae β=4: mig", "beta_vae β=10: mig"}
    assert set(outcomes(moved(two, "mig", -0.04), two)) == {"same"}, "within 5 % of the range"
    verdict = next(v for v in check(two, two, DECLARATIONS) if v.metric == "mig")
    assert verdict.p is None and "too few seeds for a test" in verdict.note


def test_lower_is_better(two):
    assert "beta_vae β=4: dto" in outcomes(moved(two, "dto", 2.0), two)["worse"]
    assert "beta_vae β=4: dto" in outcomes(moved(two, "dto", -2.0), two)["better"]


def test_without_a_direction_nothing_is_worse(two):
    verdicts = check(moved(two, "kl", 30), two, DECLARATIONS)
    notes = {v.note for v in verdicts if v.metric == "kl" and v.model == "beta_vae"}
    assert set(counts(verdicts)) >= {"worse"} and counts(verdicts)["worse"] == 0
    assert notes == {"neither direction is better; it moved by more than the margin"}


def test_with_seeds_the_drop_must_also_be_significant(six):
    assert "beta_vae β=4: mig" in outcomes(moved(six, "mig", -0.15), six)["worse"]
    rng = np.random.default_rng(0)
    noisy = six.assign(value=six["value"] + np.where(six["score"] == "mig", rng.normal(0, 0.5, len(six)), 0))
    assert "worse" not in outcomes(moved(noisy, "mig", -0.1), noisy), "far over the margin, and noise"


def test_a_single_seed_a_side_says_that_its_scatter_is_unknown(two):
    one = two[two["seed"] == 0]
    worse = [v for v in alone(check(moved(one, "mig", -0.2), one, DECLARATIONS)) if v.verdict == "worse"]
    assert worse and all(UNKNOWN in v.note for v in worse)
    known = check(moved(one, "mig", -0.2), one, DECLARATIONS, reruns=reruns_of(two, 0.01))
    for verdicts in (check(one, one, DECLARATIONS), check(moved(two, "mig", -0.2), two, DECLARATIONS), known):
        assert not any(UNKNOWN in v.note for v in verdicts)


def test_margins_can_be_given(two):
    assert "worse" not in outcomes(moved(two, "mig", -0.06), two, margins={"mig": 0.1})


def test_what_reference_models_score_widens_no_margin_of_others(two):
    """An untrained network's ELBO may be a thousand times a trained one's; a tenth of it would hide any collapse."""
    lost = (two["model"] == "noise") & (two["metric"] == "reconstruction")
    far = two.copy()
    far.loc[lost, ["value", "status", "score"]] = [20_000.0, "ok", "reconstruction"]
    own = far[~lost & (far["score"] == "reconstruction")]
    size = own.groupby("config_id")["value"].mean().quantile(0.5, interpolation="lower")
    verdicts = check(moved(far, "reconstruction", 60), far, DECLARATIONS, reruns_of(two, 0.0))
    found = {v.configuration: v for v in alone(verdicts) if v.score == "reconstruction"}
    assert found["vae"].margin == pytest.approx(0.2 * 0.1 * size), "the least of what reruns give"
    assert found["noise"].margin == pytest.approx(0.1 * 20_000), "references have a size of their own"
    assert found["beta_vae β=4"].verdict == "worse"


def test_a_configuration_that_diverged_widens_no_margin_of_others(six):
    diverged = (six["model"] == "vae") & (six["score"] == "reconstruction")
    far = six.assign(value=six["value"].where(~diverged, 1e6))
    told = alone(check(moved(far, "reconstruction", 60), far, DECLARATIONS))
    assert {v.configuration for v in told if v.verdict == "worse"} == {"beta_vae β=4", "beta_vae β=10"}


def test_few_seeds_that_scatter_widen_the_margin(two):
    rng = np.random.default_rng(0)
    scattered = two.assign(value=two["value"] + np.where(two["score"] == "mig", rng.normal(0, 0.2, len(two)), 0))
    verdicts = [v for v in check(scattered, scattered, DECLARATIONS) if v.metric == "mig" and v.model == "beta_vae"]
    # One in a hundred over some fifty comparisons is more than three standard errors, whatever their number.
    assert verdicts and all(v.margin > 3 * v.standard_error > 0 for v in verdicts)
    assert any(v.margin > 0.1 for v in verdicts)
    assert "worse" not in outcomes(moved(scattered, "mig", -0.1), scattered)


def reruns_of(table: pd.DataFrame, deviation: float, seeds: int = 10) -> pd.DataFrame:
    return seed_deviations(table, DECLARATIONS).assign(seeds=seeds, deviation=deviation)


def test_reruns_make_the_margin(two, six):
    """At n seeds a side the difference of the means moves by √(2/n) deviations."""
    quiet, loud = reruns_of(six, 0.001, 200), reruns_of(six, 0.5, 200)
    for reruns, margin in ((quiet, 0.01), (loud, 2 * 0.5 * np.sqrt(1 / 3))):
        verdict = next(v for v in check(six, six, DECLARATIONS, reruns) if v.metric == "mig" and v.model == "vae")
        assert (verdict.margin, verdict.margin_from) == (pytest.approx(margin), "reruns")
    drop = moved(six, "mig", -0.04, "perfect")
    assert "perfect: mig" in outcomes(drop, six, reruns=quiet)["worse"], "far over what other seeds move it by"
    assert "worse" not in outcomes(drop, six), "within the default margin"
    assert "worse" not in outcomes(drop, six, reruns=loud)
    assert "perfect: mig" in outcomes(moved(two, "mig", -0.04, "perfect"), two, reruns=quiet)["worse"]
    verdict = next(v for v in check(two, two, DECLARATIONS, quiet[quiet["metric"] != "mig"]) if v.metric == "mig")
    assert verdict.margin_from == "default", "no rerun knows it"


def test_what_no_seed_moves_still_has_the_least_margin(two):
    fixed = two.assign(value=two["value"].where(two["score"] != "mig", 0.5))
    reruns = reruns_of(fixed, 0.0)
    assert "worse" not in outcomes(moved(fixed, "mig", -0.009), fixed, reruns=reruns), "a machine may round otherwise"
    assert "beta_vae β=4: mig" in outcomes(moved(fixed, "mig", -0.011), fixed, reruns=reruns)["worse"]


def test_margins_are_written_beside_the_table_and_read_again(six, tmp_path):
    path = publish(seed_deviations(six, DECLARATIONS), beside(tmp_path / "saved.csv"))
    assert path.name == "saved-margins.csv"
    found, reference = read_margins(path), seed_deviations(six, DECLARATIONS)
    pd.testing.assert_frame_equal(found, reference, rtol=1e-5, check_dtype=False)
    row = found.query("metric == 'mig' and representation == 'mean' and configuration == 'vae'").iloc[0]
    values = six.query("score == 'mig' and factor.isna() and representation == 'mean' and model == 'vae'")["value"]
    assert (row["seeds"], row["deviation"]) == (6, pytest.approx(values.std(ddof=1), rel=1e-5))
    assert [float(word) for word in row["values"].split()] == pytest.approx(values.tolist(), rel=1e-6)


@pytest.mark.parametrize("config_id", ["012345678901", "1234567e8901"])
def test_margins_of_one_configuration_whose_id_reads_like_a_number(six, tmp_path, config_id):
    one = six[six["model"] == "vae"]
    one = one[one["config_id"] == one["config_id"].iloc[0]].assign(config_id=config_id)
    path = publish(seed_deviations(one, DECLARATIONS), beside(tmp_path / "saved.csv"))
    verdicts = alone(check(one, one, DECLARATIONS, read_margins(path)))
    assert {v.margin_from for v in verdicts if v.metric == "mig"} == {"reruns"}


def test_margins_of_before_have_no_values_and_are_still_read(six, tmp_path):
    path = tmp_path / "saved-margins.csv"
    seed_deviations(six, DECLARATIONS).drop(columns="values").to_csv(path, index=False)
    old, new = read_margins(path), seed_deviations(six, DECLARATIONS)
    drop = moved(six, "mig", -0.15)
    alike = [[(v.name, v.verdict, v.margin) for v in alone(check(drop, six, DECLARATIONS, m))] for m in (old, new)]
    assert alike[0] == [(name, verdict, pytest.approx(margin)) for name, verdict, margin in alike[1]]


def test_a_run_without_a_score_leaves_its_place(six):
    """The values of all scores of a configuration stand in one order of seeds."""
    lacking = (six["metric"] == "mig") & (six["model"] == "vae") & (six["seed"] == 2)
    found = seed_deviations(six[~lacking], DECLARATIONS)
    row = found.query("metric == 'mig' and configuration == 'vae' and representation == 'mean'").iloc[0]
    assert row["values"].split()[2] == "-" and len(row["values"].split()) == 6 and row["seeds"] == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="deviation"), "lacks the columns deviation"),
        (lambda frame: pd.concat([frame, frame]), "stands there twice"),
        (lambda frame: frame.assign(deviation=-1.0), "without a deviation"),
        (lambda frame: frame.assign(seeds="many"), "cannot be read as a table of margins"),
        (lambda frame: frame.assign(values="0.1"), "another number of values than of seeds"),
        (lambda frame: frame.assign(values="0.1 what"), "holds numbers and - between spaces"),
    ],
)
def test_margins_that_are_none_are_refused(two, tmp_path, change, message):
    path = tmp_path / "saved-margins.csv"
    change(seed_deviations(two, DECLARATIONS)).to_csv(path, index=False)
    with pytest.raises(UsageError, match=message):
        read_margins(path)


def test_no_margins_without_two_seeds(two, tmp_path):
    with pytest.raises(UsageError, match="no score has two"):
        seed_deviations(two[two["seed"] == 0], DECLARATIONS)
    with pytest.raises(UsageError, match="is not there"):
        read_margins(tmp_path / "absent.csv")


def test_too_good_is_flagged(two):
    reruns = reruns_of(two, 0.01)
    verdicts = check(moved(two, "mig", 0.3), two, DECLARATIONS, reruns)
    assert {v.configuration for v in verdicts if v.too_good} == {"beta_vae β=4", "beta_vae β=10"}
    better = check(moved(two, "mig", 0.15), two, DECLARATIONS, reruns)
    assert counts(better)["better"] and not counts(better)["too_good"], "within four default margins"


def test_missing_and_new(two):
    fewer = two[two["model"] != "vae"]
    assert all(name.startswith("vae") for name in outcomes(fewer, two)["missing"])
    assert all(name.startswith("vae") for name in outcomes(two, fewer)["new"])


@pytest.mark.parametrize("status", ["failed", "not_applicable"])
def test_a_score_that_has_no_number_now_is_worse(two, status):
    rows = (two["metric"] == "mig") & (two["model"] == "vae")
    failed = two[~rows | two["factor"].isna()].copy()
    rows = (failed["metric"] == "mig") & (failed["model"] == "vae")
    failed.loc[rows, ["value", "status", "reason"]] = [np.nan, status, "it broke"]
    verdicts = check(failed, two, DECLARATIONS)
    worse = [v for v in verdicts if v.verdict == "worse"]
    assert {(v.configuration, v.metric, v.note) for v in worse} == {("vae", "mig", "it has no number now: it broke")}
    assert not counts(verdicts)["missing"]
    rows = [line for line in as_markdown(verdicts, "two").splitlines() if "it broke" in line]
    assert rows and all(line.count("|") == 8 for line in rows), "a cell a column"
    assert "<failure" in as_junit(verdicts, "two")


def test_a_configuration_all_of_whose_runs_failed_is_worse_and_one_that_left_the_suite_is_missing(two):
    fewer, config_id = two[two["model"] != "vae"], two.loc[two["model"] == "vae", "config_id"].iloc[0]
    verdicts = check(fewer, two, DECLARATIONS, failed={config_id: "all runs failed: the loss is no number"})
    worse = {v.configuration: v.note for v in verdicts if v.verdict == "worse"}
    assert worse == {"vae": "it has no number now: all runs failed: the loss is no number"}
    assert not counts(check(fewer, two, DECLARATIONS))["worse"]


def test_seeds_that_fail_now_are_told(six):
    """Those that are left may be the better ones."""
    rows = (six["metric"] == "mig") & (six["model"] == "vae") & (six["seed"] == 0)
    failed = six[~rows | six["factor"].isna()].copy()
    rows = (failed["metric"] == "mig") & (failed["model"] == "vae") & (failed["seed"] == 0)
    failed.loc[rows, ["value", "status", "reason"]] = [np.nan, "failed", "it broke"]
    notes = {v.note for v in check(failed, six, DECLARATIONS) if v.metric == "mig" and v.model == "vae"}
    assert notes == {"1 of 6 runs have no number now: it broke"}


def with_bins10(table: pd.DataFrame) -> pd.DataFrame:
    """MIG under a second protocol as well."""
    again = table[table["metric"] == "mig"]
    return pd.concat([table, again.assign(protocol=again["protocol"].str.replace("bins20", "bins10"))])


def without_number(table: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """A failure in place of each of these rows, which are headline scores, and of the scores per factor beside them."""
    failed = table[~rows | table["factor"].isna()].copy()
    failed.loc[rows, ["value", "status", "reason"]] = [np.nan, "failed", "it broke"]
    return failed


def test_a_failed_seed_counts_once_however_many_protocols_a_measure_has(six):
    both = with_bins10(six).reset_index(drop=True)
    failed = without_number(both, (both["metric"] == "mig") & (both["model"] == "vae") & (both["seed"] == 0))
    notes = {v.note for v in check(failed, both, DECLARATIONS) if v.metric == "mig" and v.model == "vae"}
    assert notes == {"1 of 6 runs have no number now: it broke"}


def test_a_protocol_that_left_the_suite_is_missing_though_another_fails(two):
    failed = without_number(two, (two["metric"] == "mig") & (two["model"] == "vae"))
    own = [v for v in check(failed, with_bins10(two), DECLARATIONS) if v.metric == "mig" and v.model == "vae"]
    assert {v.protocol.split("-")[0]: v.verdict for v in own} == {"mig/bins20": "worse", "mig/bins10": "missing"}


def test_a_failure_of_a_measures_next_version_is_worse(two):
    rows = (two["metric"] == "mig") & (two["model"] == "vae")
    failed = without_number(two, rows)
    newer = failed["protocol"].str.replace("/v1", "/v2")
    failed["protocol"] = failed["protocol"].where(failed["status"] == "ok", newer)
    notes = {v.note for v in check(failed, two, DECLARATIONS) if v.metric == "mig" and v.model == "vae"}
    assert notes == {"it has no number now: it broke"}


def test_another_protocol_is_not_compared(two):
    other = two.assign(protocol=two["protocol"].str.replace("bins20", "bins10"))
    mig = [v.verdict for v in check(other, two, DECLARATIONS) if v.metric == "mig"]
    assert set(mig) == {"new", "missing"}


def test_undeclared_metric(two):
    with pytest.raises(UsageError, match="not declared"):
        check(two, two, {})


def test_empty_against_empty(two):
    assert check(two.iloc[:0], two.iloc[:0], DECLARATIONS) == []
    assert "nothing to compare" in as_markdown([], "suite")


def changed_code(table: pd.DataFrame, label: str = "model") -> pd.DataFrame:
    """The same runs under other ids, as when a model's version was raised or a plug-in edited."""
    rows = table["model"] == "beta_vae"
    return table.assign(
        config_id=table["config_id"].where(~rows, "new" + table["config_id"].str[3:]),
        run_id=table["run_id"].where(~rows, "new" + table["run_id"].str[3:]),
        model_version=table["model_version"].where(~rows, 2),
    )


def test_a_model_whose_code_changed_is_compared_with_what_it_was(six):
    """A maintainer's fear: an edit gives the runs another id, and nobody compares them any more."""
    new = changed_code(six)
    assert set(outcomes(new, six)) == {"same"}
    told = [verdict for verdict in alone(check(new, six, DECLARATIONS)) if verdict.model == "beta_vae"]
    assert told and all("its code has changed: its id is new" in verdict.note for verdict in told)
    found = outcomes(moved(new, "mig", -0.5), six)
    assert found["worse"] == {"beta_vae β=4: mig", "beta_vae β=10: mig"} and "missing" not in found
    reruns = reruns_of(six, 0.01)
    assert set(outcomes(new, six, reruns=reruns)) == {"same"}
    id_now = str(new.loc[new["model"] == "beta_vae", "config_id"].iloc[0])
    lost, failed = new[new["config_id"] != id_now], {id_now: "all runs failed: diverged"}
    assert "worse" in outcomes(lost, six, failed=failed, planned=new), "all of its runs failed since the change"


def test_who_stands_in_both_tables_has_no_successor(six):
    """A suite that holds a model before and after its change says itself which is which."""
    both = pd.concat([six, changed_code(six)[lambda table: table["model"] == "beta_vae"]])
    found = outcomes(both, six)
    assert "worse" not in found and "missing" not in found and found["new"]
    settings = six.loc[six["model"] == "beta_vae", "settings"]
    ambiguous = changed_code(six).assign(
        settings=lambda table: table["settings"].where(table["model"] != "beta_vae", settings.iloc[0])
    )
    alike = six.assign(settings=six["settings"].where(six["model"] != "beta_vae", settings.iloc[0]))
    assert "missing" in outcomes(ambiguous, alike), "two of one name and settings are not told apart by guessing"


def test_what_runs_share_scatters_more_widely_than_they_say(six):
    """Of runs with qualities e, whose UDR is the median of e_i + e_j over the others: planted, none differs."""
    rng = np.random.default_rng(0)
    for n, low, high in ((5, 2.3, 2.9), (10, 2.0, 2.6)):
        e = rng.normal(size=(4_000, n))
        pairs = e[:, :, None] + e[:, None, :]
        pairs[:, np.arange(n), np.arange(n)] = np.nan
        udr = np.nanmedian(pairs, axis=2)
        said = np.sqrt((udr.var(axis=1, ddof=1) / n).mean())
        assert low < udr.mean(axis=1).std() / said < high and low < WIDENED < high
    mig = six["metric"] == "mig"
    names = {"metric": "udr", "score": "udr", "protocol": "udr/mean-n1000/v1"}
    shared = six.assign(**{key: six[key].where(~mig, name) for key, name in names.items()})
    metric = declarations()["udr"]
    runs, of_runs = (check(table, table, DECLARATIONS | {"udr": metric}) for table in (six, shared))
    errors, of_shared = (
        {(v.config_id, v.representation): v.standard_error for v in alone(found) if v.metric == name}
        for found, name in ((runs, "mig"), (of_runs, "udr"))
    )
    assert of_shared == pytest.approx({key: error and WIDENED * error for key, error in errors.items()})
    measures = [{v.metric for v in found if v.level == "measure"} for found in (runs, of_runs)]
    assert "mig" in measures[0] and measures[1] == measures[0] - {"mig"}
