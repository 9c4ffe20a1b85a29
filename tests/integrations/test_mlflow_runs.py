"""Runs in a real MLflow store, an SQLite file: what arrives, and that nothing arrives twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from exported_suite import FAILED, SUITE, compile_anew, exported_suite
from synthetic_suite import write_scores

import benchmark
from benchmark.errors import UsageError
from benchmark.integrations import mlflow_runs
from benchmark.spec import Run
from benchmark.store import Store

pytest.importorskip("mlflow", reason="mlflow is not installed: pip install 'disentanglement-benchmark[integrations]'")
pytestmark = pytest.mark.filterwarnings("default")  # of MLflow's own and of what it needs

STEPS = 81


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with its tables, which take MLflow seconds to make."""
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/runs.db"


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)  # artefacts lie beside who makes an experiment


def arrived(uri: str, project: str) -> dict[str, Any]:
    """The runs that are in an experiment, by our ids."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    found = client.search_runs([client.get_experiment_by_name(project).experiment_id])
    by_id = {run.data.tags[mlflow_runs.RUN_ID]: run for run in found}
    assert len(by_id) == len(found), "a run is there twice"
    return by_id


def test_what_arrives_is_what_there_is(
    exported_results: Path, exported_runs: dict[str, Run], uri: str, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    said = benchmark.export(SUITE, "mlflow", results=exported_results, output=uri, project="whole")
    assert set(said.runs.values()) == {"exported"} and (said.where, said.project) == (uri, "whole")
    found = arrived(uri, "whole")
    assert (
        found.keys()
        == said.runs.keys()
        == {exported_runs[name].run_id for name in ("ae", "beta_vae", "perfect", "vae")}
    )

    beta = found[exported_runs["beta_vae"].run_id]
    assert beta.info.status == "FINISHED" and beta.info.run_name == "beta_vae β=4 on shapes, seed 0"
    assert beta.info.end_time - beta.info.start_time == 12 * 60 * 1000
    assert beta.data.metrics["score/mig/bins10"] == 0.5
    assert beta.data.tags["protocol/mig/bins10"] == "mig/bins10-mean-n10000/v1"
    assert beta.data.params["model.beta"] == "4" and beta.data.params["model"] == "beta_vae"
    assert beta.data.metrics["cost/training_seconds"] == 700.5
    client = MlflowClient(uri)
    losses = client.get_metric_history(beta.info.run_id, "training/loss")
    assert [each.step for each in losses] == list(range(0, 4001, 50)) and len(losses) == STEPS
    text = Path(client.download_artifacts(beta.info.run_id, "scores.csv", str(tmp_path))).read_text()
    assert "mig,1,mig/bins20-mean-n10000/v1,mig,scale,,mean,0.125,ok" in text  # of a single factor

    perfect = found[exported_runs["perfect"].run_id]
    assert perfect.data.tags["missing/dto"] == "not_applicable: codes alone have no decoder"
    assert "score/dto" not in perfect.data.metrics

    vae = found[exported_runs["vae"].run_id]
    assert vae.info.status == "FAILED" and vae.data.tags["mlflow.note.content"] == FAILED and not vae.data.metrics


def test_again_changes_nothing_and_a_new_score_replaces_its_run_alone(tmp_path: Path, uri: str) -> None:
    results = tmp_path / "results"
    runs = exported_suite(results)
    benchmark.export(SUITE, "mlflow", results=results, output=uri, project="again")
    before = arrived(uri, "again")
    said = benchmark.export(SUITE, "mlflow", results=results, output=uri, project="again")
    assert set(said.runs.values()) == {"unchanged"}
    assert {key: run.info.run_id for key, run in arrived(uri, "again").items()} == {
        key: run.info.run_id for key, run in before.items()
    }
    write_scores(Store(results).run_folder(runs["ae"]), "dto", {"dto": 0.75})
    compile_anew(results, runs)
    said = benchmark.export(SUITE, "mlflow", results=results, output=uri, project="again")
    assert said.runs.pop(runs["ae"].run_id) == "renewed" and set(said.runs.values()) == {"unchanged"}
    assert arrived(uri, "again")[runs["ae"].run_id].data.metrics["score/dto"] == 0.75


def test_what_a_killed_export_left_is_done_anew(
    exported_results: Path, exported_runs: dict[str, Run], uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    class Killed(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "set_terminated", killed)
        with pytest.raises(Killed):
            benchmark.export(SUITE, "mlflow", results=exported_results, output=uri, project="killed")
    (half,) = arrived(uri, "killed").values()
    assert half.info.status == "RUNNING" and mlflow_runs.DIGEST not in half.data.tags
    said = benchmark.export(SUITE, "mlflow", results=exported_results, output=uri, project="killed")
    assert set(said.runs.values()) == {"exported"}
    whole = arrived(uri, "killed")
    assert whole.keys() == said.runs.keys() and all(mlflow_runs.DIGEST in run.data.tags for run in whole.values())


def test_what_mlflow_refuses_is_one_sentence(
    exported_results: Path, exported_runs: dict[str, Run], uri: str, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    with pytest.raises(UsageError, match=r"MLflow cannot export to file:.*maintenance mode"):
        benchmark.export(SUITE, "mlflow", results=exported_results, output=f"file:{tmp_path}/runs")
    client = MlflowClient(uri)
    client.delete_experiment(client.create_experiment("gone"))
    with pytest.raises(UsageError, match="was deleted: mlflow experiments restore --experiment-id"):
        benchmark.export(SUITE, "mlflow", results=exported_results, output=uri, project="gone")
