"""The results table: from score files to one number a row, and back from disk."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from synthetic_suite import DECLARATIONS, synthetic_suite, write_run, write_scores
from synthetic_table import synthetic_table

from benchmark.errors import BenchmarkError, UsageError
from benchmark.spec import Component, Run
from benchmark.stages.aggregate import aggregate, headline_rows
from benchmark.stages.configurations import configurations
from benchmark.stages.score_task import declarations
from benchmark.table import COLUMNS, compile_table, merge_tables, read_table, split_key, write_table


@pytest.fixture
def run(tmp_path: Path) -> tuple[Run, Path]:
    parts = Component("shapes", 1, {}), Component("vae", 2, {"beta": 4}), Component("conv64", 1, {}), None
    run = Run(*parts, seed=3)
    write_run(tmp_path, run)
    return run, tmp_path


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return compile_table("suite", synthetic_suite(tmp_path_factory.mktemp("results"), pictures=False))


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("mig", ("mig", None, None)),
        ("mig_factor_0", ("mig", None, 0)),
        ("accuracy_at_100", ("accuracy", 100, None)),
        ("accuracy_at_100_factor_3", ("accuracy", 100, 3)),
        ("kl_coordinate_2", ("kl_coordinate_2", None, None)),
        ("dto_at_best", ("dto_at_best", None, None)),
    ],
)
def test_suffixes(key, parts):
    assert split_key(key) == parts


def test_one_number_a_row(run):
    write_scores(run[1], "mig", {"mig": 0.1, "mig_factor_1": 0.2})
    write_scores(run[1], "downstream", {"accuracy_at_100_factor_0": 0.3}, factor_names=[])
    table = compile_table("suite", [run])
    assert list(table) == list(COLUMNS)
    rows = table.set_index(["score", "factor", "budget"])["value"].to_dict()
    assert {tuple(None if pd.isna(k) else k for k in key): value for key, value in rows.items()} == {
        ("mig", None, None): 0.1,
        ("mig", "scale", None): 0.2,
        ("accuracy", "0", 100): 0.3,
    }
    first = table.iloc[0]
    assert (first["run_id"], first["seed"], first["model_version"], first["network"]) == (run[0].run_id, 3, 2, "conv64")
    assert json.loads(first["settings"]) == {"dataset": {}, "model": {"beta": 4}, "network": {}, "training": None}


def test_no_number_has_status_and_reason(run):
    write_scores(run[1], "dto", {}, "not_applicable", "codes alone have no decoder")
    row = compile_table("suite", [run]).iloc[0]
    assert (row["score"], row["status"], row["reason"]) == ("dto", "not_applicable", "codes alone have no decoder")
    assert pd.isna(row["value"])


def test_nan_is_no_score(run):
    path = write_scores(run[1], "mig", {"mig": float("nan")})
    with pytest.raises(BenchmarkError, match=f"{path.name} says that mig is nan"):
        compile_table("suite", [run])


def test_truncated_file_is_named(run):
    path = write_scores(run[1], "mig", {"mig": 0.1})
    path.write_text(path.read_text()[:40])
    with pytest.raises(BenchmarkError, match=rf"{path.name} is damaged \(.*\); delete it"):
        compile_table("suite", [run])


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": 1, "metric": "mig"}', "3"])
def test_json_that_is_no_score(run, content):
    path = write_scores(run[1], "mig", {"mig": 0.1})
    path.write_text(content)
    with pytest.raises(BenchmarkError, match="delete it and evaluate again"):
        compile_table("suite", [run])


def test_newer_format_is_refused(run):
    write_scores(run[1], "mig", {"mig": 0.1}, format=3)
    with pytest.raises(BenchmarkError, match="has format 3, this version reads up to 2"):
        compile_table("suite", [run])


def test_not_ok_without_a_reason(run):
    write_scores(run[1], "mig", {}, "failed", None)
    with pytest.raises(BenchmarkError, match="must have a reason"):
        compile_table("suite", [run])


def test_duplicate_is_named(run):
    path = write_scores(run[1], "mig", {"mig": 0.1})
    path.with_name("copy.json").write_text(path.read_text())
    with pytest.raises(BenchmarkError, match=rf"mig \(mig/.*, mean\) of run {run[0].run_id} twice"):
        compile_table("suite", [run])


def test_no_scores_yet(run):
    assert compile_table("suite", [run]).empty


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_read_gives_back_what_was_written(table, tmp_path, ending):
    write_table(table, tmp_path / "results.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / f"results.{ending}"), table)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.csv", "results.parquet"]


def test_text_that_looks_like_a_gap_survives(run, tmp_path):
    write_scores(run[1], "mig", {"mig_factor_0": 0.1 + 0.2}, factor_names=["NA"])
    write_table(compile_table("null", [run]), tmp_path / "results.csv")
    row = read_table(tmp_path / "results.csv").iloc[0]
    assert (row["factor"], row["suite"], row["value"]) == ("NA", "null", 0.1 + 0.2)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.csv", None, "is not there"),
        ("table.xlsx", b"", "ends in '.xlsx'"),
        ("broken.parquet", b"PAR1", "cannot be read"),
        ("empty.csv", b"", "cannot be read"),
        ("other.csv", b"a,b\n1,2\n", "lacks the columns run_id"),
    ],
)
def test_files_that_are_no_table(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_table(tmp_path / name)


def test_newer_columns_and_wrong_types(table, tmp_path):
    table.assign(colour="red").to_csv(tmp_path / "newer.csv", index=False)
    with pytest.raises(UsageError, match=r"newer version \(colour\)"):
        read_table(tmp_path / "newer.csv")
    table.astype({"seed": "str"}).assign(seed="one").to_csv(tmp_path / "wrong.csv", index=False)
    with pytest.raises(UsageError, match="is not a results table"):
        read_table(tmp_path / "wrong.csv")


@pytest.mark.parametrize(
    "settings", ["", "{", "[]", "{}", '{"dataset": 1, "model": {}, "network": {}, "training": {}}']
)
def test_settings_that_someone_edited_are_named(table, tmp_path, settings):
    table.assign(settings=[settings, *table["settings"][1:]]).to_csv(tmp_path / "edited.csv", index=False)
    with pytest.raises(BenchmarkError, match=r"edited.csv: the settings of .* are no JSON object of dataset, model"):
        read_table(tmp_path / "edited.csv")


def test_merge_keeps_equal_rows_once(table):
    half = table.iloc[: len(table) // 2].assign(seconds=9.0)
    pd.testing.assert_frame_equal(merge_tables([table, half]), table)


def test_merge_refuses_two_values_of_one_score(table):
    with pytest.raises(BenchmarkError, match="twice"):
        merge_tables([table, table.assign(value=table["value"] + 0.1)])


def test_labels_tell_what_differs(table):
    labels = configurations(table).set_index("label")["reference"].to_dict()
    assert set(labels) == {
        "ae", "vae", "beta_vae β=4", "beta_vae β=10", "factor_vae γ=10", "pca", "perfect", "noise",
    }  # fmt: skip
    assert [label for label, reference in labels.items() if reference] == ["perfect", "noise"]


def test_a_training_setting_that_is_left_at_its_default_is_told_beside_another(table):
    ae = table[table["model"] == "ae"]
    settings = json.loads(ae["settings"].iloc[0])
    settings["training"]["weight_decay"] = 0.1
    other = ae.assign(settings=json.dumps(settings), config_id="x" + ae["config_id"])
    labels = set(configurations(pd.concat([table, other]))["label"])
    assert {"ae weight_decay=0", "ae weight_decay=0.1", "vae"} <= labels


def test_datasets_of_two_settings_are_two(table):
    other = table.assign(
        settings=table["settings"].str.replace('"resolution":64', '"resolution":32'), config_id="x" + table["config_id"]
    )
    both = configurations(pd.concat([table, other]))
    assert sorted(set(both["dataset_label"])) == ["shapes resolution=32", "shapes resolution=64"]
    assert "beta_vae β=4" in set(both["label"])


def test_headlines_leave_out_factors_and_coordinates(table):
    rows = headline_rows(table, DECLARATIONS)
    assert rows["factor"].isna().all()
    assert set(rows["score"]) == {"mig", "factor_vae_score", "accuracy", "dto", "reconstruction", "kl"}
    assert {"downstream.accuracy @ 10", "downstream.accuracy @ 1,000"} <= set(rows["column"])


def test_two_protocols_never_share_a_column(table):
    quick = table[table["metric"] == "mig"]
    quick = quick.assign(protocol="mig/bins10-mean-n1000/v1")
    columns = set(headline_rows(pd.concat([table, quick]), DECLARATIONS)["column"])
    assert {"mig (mig/bins10-mean-n1000/v1)", "mig (mig/bins20-mean-n10000/v1)"} <= columns and "mig" not in columns


def test_distances_of_different_numbers_of_latents_never_share_a_column():
    """DtO grows with them: Haar-random directions of ten latents lie at 2.8, of two at 0.5."""
    every = declarations()
    table = synthetic_table(every, 4, 2, 6)
    sized = [2, 10, 10, None]
    ids = sorted(table["config_id"].unique())
    for config_id, latents in zip(ids, sized, strict=True):
        own = table["config_id"] == config_id
        network = {} if latents is None else {"latents": latents}
        table.loc[own, "settings"] = [
            json.dumps(json.loads(text) | {"network": network}) for text in table.loc[own, "settings"]
        ]
    columns = headline_rows(table, every).groupby(["metric", "config_id"])["column"].first()
    assert list(columns["dto"][ids]) == ["dto of 2 latents", "dto of 10 latents", "dto of 10 latents", "dto"]
    assert set(columns["mig"]) == {"mig"}
    alike = headline_rows(table[table["config_id"].isin(ids[1:3])], every)
    assert set(alike["column"]) == set(columns.index.levels[0])


def test_undeclared_metric_is_an_error(table):
    with pytest.raises(UsageError, match="'mig' of the table is not declared"):
        headline_rows(table, {name: d for name, d in DECLARATIONS.items() if name != "mig"})


def test_summary_by_hand(table, tmp_path):
    summaries = aggregate(table, DECLARATIONS)
    summary = summaries.summary.set_index(["configuration", "representation", "score", "budget", "factor"]).sort_index()
    row = summary.loc[("vae", "mean", "mig")].query("factor.isna()").iloc[0]
    values = table.query("model == 'vae' and score == 'mig' and representation == 'mean' and factor.isna()")["value"]
    assert (row["runs"], row["failed"], row["direction"]) == (3, 0, "higher")
    assert row["mean"] == pytest.approx(values.mean()) and row["std"] == pytest.approx(values.std())
    assert pd.isna(row["low"]), "three seeds have no interval"
    summaries.write(tmp_path)
    assert len(pd.read_csv(tmp_path / "summary.csv")) == len(summaries.summary)
    assert len(pd.read_csv(tmp_path / "correlations.csv")) == len(summaries.correlations)


def test_failures_are_counted_and_never_averaged(tmp_path):
    runs = synthetic_suite(tmp_path, pictures=False)
    for run, folder in runs:
        if run.model.name == "vae" or (run.model.name == "ae" and run.seed == 0):
            write_scores(folder, "mig", {}, "failed", "no time left")
    summary = aggregate(compile_table("suite", runs), DECLARATIONS).summary
    mig = summary.query("score == 'mig' and representation == 'mean' and factor.isna()").set_index("model")
    assert (mig.loc["vae", "runs"], mig.loc["vae", "failed"]) == (0, 3) and pd.isna(mig.loc["vae", "mean"])
    assert (mig.loc["ae", "runs"], mig.loc["ae", "failed"]) == (2, 1)


def test_correlations_leave_references_out(table):
    correlations = aggregate(table, DECLARATIONS).correlations
    assert set(correlations["kind"]) == {
        "unsupervised×unsupervised",
        "unsupervised×supervised",
        "supervised×supervised",
    }
    row = correlations.query("a == 'reconstruction' and b == 'mig'").iloc[0]
    assert (row["n"], row["configurations"]) == (18, 6) and pd.isna(row["low"])


def test_ten_seeds_have_intervals(tmp_path):
    table = compile_table("suite", synthetic_suite(tmp_path, seeds=10, pictures=False))
    summary = aggregate(table, DECLARATIONS).summary.query("score == 'mig' and model == 'vae'")
    assert (summary["low"] < summary["iqm"]).all() and (summary["iqm"] < summary["high"]).all()


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-x", "@a", "'=1", "''=1", "'plain", "\t=1"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe_and_comes_back(run, tmp_path, text):
    write_scores(run[1], "mig", {"mig": -0.5, "mig_factor_0": 0.25}, factor_names=[text])
    table = compile_table("formulas", [run])
    write_table(table, tmp_path / "results.csv")
    raw = (tmp_path / "results.csv").read_text()
    assert ",-0.5," in raw, "numbers stay as they are"
    assert not re.search(r'(^|,)"?[=+@]', raw, re.MULTILINE)
    pd.testing.assert_frame_equal(read_table(tmp_path / "results.csv"), table)
