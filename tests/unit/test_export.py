"""What is exported of a suite, and the tables: names, protocols, numbers that are none, runs that failed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from exported_suite import FAILED, SUITE, exported_suite

import benchmark
from benchmark.cli.exporting import NEXT
from benchmark.errors import BenchmarkError, UsageError
from benchmark.integrations import csv_tables, mlflow_runs, package
from benchmark.integrations.exported import Exported, exported
from benchmark.integrations.score_names import score_names
from benchmark.spec import Run
from benchmark.store import Store
from benchmark.table import COLUMNS, compile_table, read_table
from benchmark.verbs.export import KINDS


@pytest.fixture(scope="module")
def found(exported_results: Path, exported_runs: dict[str, Run]) -> dict[str, Exported]:
    store = Store(exported_results)
    table = read_table(store.suite_folder(SUITE) / "results.parquet")
    done = [(run, store.run_folder(run)) for run in exported_runs.values() if store.is_done(run)]
    failed = [(exported_runs["vae"], store.failure(exported_runs["vae"]) or {})]
    return {each.run.model.name: each for each in exported(SUITE, table, done, failed, list(exported_runs.values()))}


def test_scores_have_the_names_that_people_know_and_their_protocols_beside_them(found: dict[str, Exported]) -> None:
    of = found["beta_vae"]
    assert of.numbers["mig/bins10"] == 0.5 and of.numbers["mig/bins20"] == 0.25
    assert of.protocols["mig/bins10"] == "mig/bins10-mean-n10000/v1"
    assert {"dto", "factor_vae_score", "factor_vae_score/sample", "mig/sample", "reconstruction"} <= of.numbers.keys()
    assert {"downstream.accuracy/10 labels", "downstream.accuracy/sample/1000 labels"} <= of.numbers.keys()
    assert not any("factor_1" in name or "coordinate" in name for name in of.numbers)
    # One protocol of this dataset has two settings: the other runs' MIG is told from it, too.
    assert "mig/bins20" in found["ae"].numbers and "mig" not in found["ae"].numbers


def test_what_is_no_number_is_its_reason(found: dict[str, Exported]) -> None:
    perfect = found["perfect"]
    assert perfect.missing["dto"] == "not_applicable: codes alone have no decoder"
    assert not perfect.numbers.keys() & perfect.missing.keys()
    assert perfect.protocols.keys() == perfect.numbers.keys() | perfect.missing.keys()
    assert "kl" in found["beta_vae"].numbers and "kl" in found["ae"].missing


def test_a_failed_run_has_its_reason_and_nothing_else(found: dict[str, Exported]) -> None:
    vae = found["vae"]
    assert (vae.status, vae.reason, vae.history, len(vae.scores)) == ("failed", FAILED, None, 0)
    assert vae.settings["model"] == "vae" and vae.costs == {}
    assert "noise" not in found


def test_settings_costs_and_histories_are_those_of_the_run(found: dict[str, Exported]) -> None:
    of = found["beta_vae"]
    assert of.settings["model.beta"] == 4 and of.settings["training.steps"] == 4000 and of.settings["seed"] == 0
    assert of.costs["training_seconds"] == 700.5 and of.costs["parameters"] == 502005
    assert of.costs["scoring_seconds"] == pytest.approx(0.4 * len(set(of.scores["protocol"])))
    assert of.history is not None and list(of.history["step"][:2]) == [0, 50]
    assert found["perfect"].history is None
    assert "host" not in of.origin and of.title == "beta_vae β=4 on shapes, seed 0"


def test_the_digest_changes_with_a_score_and_not_with_time(exported_results: Path, found: dict[str, Exported]) -> None:
    of = found["beta_vae"]
    again = Exported(of.suite, of.run, of.label, of.dataset_label, of.status, of.scores.copy(), of.record, of.history)
    assert again.digest == of.digest
    other = of.scores.assign(value=of.scores["value"] + 1)
    assert Exported(*(*vars(again).values(),)[:5], other, of.record, of.history).digest != of.digest


def test_protocols_that_differ_between_datasets_alone_are_one_name(
    exported_results: Path, exported_runs: dict[str, Run]
) -> None:
    table = compile_table(SUITE, [(exported_runs["ae"], Store(exported_results).run_folder(exported_runs["ae"]))])
    table = table[(table["score"] == "mig") & table["factor"].isna() & (table["representation"] == "mean")]
    elsewhere = table.assign(
        settings=table["settings"].str.replace('"resolution":64', '"resolution":32'),
        protocol=table["protocol"].str.replace("n10000", "n500"),
    )
    assert set(score_names(pd.concat([table, elsewhere], ignore_index=True))) == {"mig"}
    same = table.assign(protocol=elsewhere["protocol"])
    assert set(score_names(pd.concat([table, same], ignore_index=True))) == {"mig/n10000", "mig/n500"}


def test_tables_are_read_without_us_and_every_column_has_a_line(
    exported_results: Path, exported_runs: dict[str, Run], tmp_path: Path
) -> None:
    said = benchmark.export(SUITE, "csv", results=exported_results, output=tmp_path / "out")
    assert (
        set(said.runs.values()) == {"exported"} and said.failed == [exported_runs["vae"].run_id] and said.waiting == 1
    )
    names = ("runs", "histories", "scores", "columns")
    tables = {name: pd.read_csv(tmp_path / "out" / f"{name}.csv") for name in names}
    told = tables["columns"].groupby("file")["column"].agg(list)
    for name in names[:3]:
        assert told[f"{name}.csv"] == list(tables[name])
    assert tables["columns"]["meaning"].str.len().min() > 5
    by_model = tables["runs"].set_index("model")
    assert by_model.loc["vae", "reason"] == FAILED and by_model.loc["beta_vae", "model.beta"] == 4
    text = (tmp_path / "out" / "runs.csv").read_text()
    assert ",502005," in text and ",4000," in text and "4000.0" not in text
    loss = tables["histories"].query("term == 'loss' and run_id == @exported_runs['ae'].run_id")
    assert len(loss) == 81 and loss["value"].notna().all()
    stored = read_table(Store(exported_results).suite_folder(SUITE) / "results.parquet")
    assert len(tables["scores"]) == len(stored) and said.missing == (stored["status"] != "ok").sum()
    assert (tables["scores"]["value"].isna() == (tables["scores"]["status"] != "ok")).all()


def test_only_some_runs(exported_results: Path, exported_runs: dict[str, Run], tmp_path: Path) -> None:
    said = benchmark.export(SUITE, "csv", results=exported_results, output=tmp_path, only={"model": ["ae", "vae"]})
    assert set(said.runs) == {exported_runs["ae"].run_id, exported_runs["vae"].run_id}
    # The name does not depend on which runs are chosen.
    (ae,) = pd.read_csv(tmp_path / "runs.csv").query("model == 'ae'")["label"]
    assert ae == "ae"
    with pytest.raises(UsageError, match="no run matches --only model=nmf"):
        benchmark.export(SUITE, "csv", results=exported_results, output=tmp_path, only={"model": ["nmf"]})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "runs.csv").write_text("precious\n")
    with pytest.raises(UsageError, match=r"runs\.csv is no such table, and stays as it is"):
        benchmark.export(SUITE, "csv", results=exported_results, output=tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["runs.csv"]


@pytest.mark.parametrize(("kind", "module"), [("wandb", "wandb"), ("mlflow", "mlflow")])
def test_an_absent_package_is_one_sentence_with_the_command(
    exported_results: Path,
    exported_runs: dict[str, Run],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    module: str,
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(package, "import_module", absent)
    with pytest.raises(UsageError, match=f"^--to {kind} needs {module}, which is not installed: pip install {module}$"):
        benchmark.export(SUITE, kind, results=exported_results, output=tmp_path / "out.db")


def test_what_is_asked_wrongly(exported_results: Path, exported_runs: dict[str, Run], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--to excel: one of wandb, mlflow, csv"):
        benchmark.export(SUITE, "excel", results=exported_results)
    with pytest.raises(UsageError, match="--project is of wandb and mlflow"):
        benchmark.export(SUITE, "csv", results=exported_results, project="mine")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="a file; name a folder"):
        benchmark.export(SUITE, "csv", results=exported_results, output=tmp_path / "file")
    with pytest.raises(UsageError, match='unknown suite "gone"'):
        benchmark.export("gone", "csv", results=exported_results)
    assert set(NEXT) == set(KINDS)


def test_a_history_that_was_altered_is_not_exported(tmp_path: Path) -> None:
    runs = exported_suite(tmp_path / "results")
    folder = Store(tmp_path / "results").run_folder(runs["ae"])
    from benchmark.integrity.run_seal import check_run

    (folder / "codes.safetensors").write_bytes(b"")
    check_run(folder)  # seals it as it is
    with (folder / "history.csv").open("a") as file:
        file.write("9999,1,1,1,1,1,1\n")
    with pytest.raises(BenchmarkError, match=r"history\.csv is not what it was when it was written"):
        benchmark.export(SUITE, "csv", results=tmp_path / "results", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_names_as_mlflow_takes_them() -> None:
    assert mlflow_runs.key("dci/model lasso (x=1)") == "dci/model lasso _x_1_"
    assert mlflow_runs.place("runs.db") == "sqlite:///runs.db"
    assert mlflow_runs.place("http://server:5000") == "http://server:5000"
    assert csv_tables.OF_SCORE.keys() == COLUMNS.keys()
