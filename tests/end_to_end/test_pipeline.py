"""The whole path by its verbs: run, evaluate, report, check, and what can be asked in between."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from command import checksums, command, environment, succeed, tensors

import benchmark
from benchmark.store import Store
from benchmark.table import read_table


def values(results: Path) -> pd.DataFrame:
    """A tiny suite's table without what differs from one evaluation to the next."""
    return read_table(results / "suites" / "tiny" / "results.parquet").drop(columns="seconds")


def test_every_run_is_whole_and_every_score_is_in_the_table(scored):
    results = scored / "results"
    runs = sorted(path.parent for path in results.glob("runs/*/*/*/*/run.json"))
    assert len(runs) == 6
    for folder in runs:
        trained = folder.parents[1].name != "perfect"
        names = {path.name for path in folder.iterdir()}
        assert names == {"run.json", "codes.safetensors", "scores"} | (
            {"weights.safetensors", "history.csv"} if trained else set()
        )
    assert not list((results / "fleets").iterdir())
    assert not list((results / "scratch").iterdir())
    table = values(results)
    assert set(table["run_id"]) == {json.loads((folder / "run.json").read_text())["run_id"] for folder in runs}
    assert set(table["metric"]) == {"mig", "kl", "dto"}
    perfect = table[(table["model"] == "perfect") & (table["score"] == "mig") & table["factor"].isna()]
    assert (perfect["value"] > 0.8).all()
    assert set(table.loc[(table["metric"] == "kl") & (table["model"] == "ae"), "status"]) == {"not_applicable"}
    pd.testing.assert_frame_equal(
        values(results), read_table(results / "suites" / "tiny" / "results.csv").drop(columns="seconds")
    )


def test_run_and_evaluate_again_do_nothing(work):
    before = checksums(work / "results")
    again = succeed(work, "run", "tiny.toml", "--jobs", "1")
    assert again.stdout == "tiny: 6 runs done, 0 of them now; 0 failed\n"
    assert again.stderr == "next: benchmark evaluate tiny.toml\n"
    succeed(work, "evaluate", "tiny.toml", "--jobs", "1")
    after = checksums(work / "results")
    # Parquet and CSV are compiled anew, from the same scores.
    assert after == before


def test_report_and_check(work):
    result = succeed(work, "report", "tiny.toml")
    assert result.stdout == "results/suites/tiny/index.html\n"
    page = (work / "results" / "suites" / "tiny" / "index.html").read_text()
    assert "beta_vae" in page
    assert 'src="http' not in page
    saved = "results/suites/tiny/results.csv"
    line = ["check", "tiny.toml", "--against", saved, "--json", "--junit", "junit.xml", "--markdown", "summary.md"]
    verdicts = json.loads(succeed(work, *line).stdout)
    assert verdicts
    assert (work / "junit.xml").read_text().startswith("<?xml")
    assert (work / "summary.md").read_text().startswith("### benchmark check `tiny.toml`: nothing is worse")


def test_margins_of_reruns_lie_beside_the_saved_table(work):
    published = succeed(work, "publish", "tiny.toml", "--as", "margins", "--to", "saved")
    assert published.stdout == "saved/tiny-margins.csv\n"
    shutil.copy(work / "results" / "suites" / "tiny" / "results.csv", work / "saved" / "tiny.csv")

    def sources(*line: str) -> set[str]:
        found = json.loads(succeed(work, "check", "tiny.toml", "--json", *line).stdout)["verdicts"]
        return {verdict["margin_from"] for verdict in found if verdict["level"] == "score"}

    assert sources("--against", "saved/tiny.csv") == {"reruns"}
    assert sources("--against", "results/suites/tiny/results.csv") == {"default"}
    margins = ("--margins", "saved/tiny-margins.csv")
    assert sources("--against", "results/suites/tiny/results.csv", *margins) == {"reruns"}


def test_a_configuration_whose_runs_all_fail_turns_the_check_red(work):
    shutil.copy(work / "results" / "suites" / "tiny" / "results.csv", work / "saved.csv")
    store = Store(work / "results")
    lost = [run for run in store.plan("tiny") if run.model.name == "beta_vae"]
    for run in lost:
        shutil.rmtree(store.run_folder(run))
        store.record_failure(run, "train", "the loss stopped being a finite number at step 7")
    succeed(work, "evaluate", "tiny.toml", "--jobs", "0")
    said = command(work, "check", "tiny.toml", "--against", "saved.csv")
    assert said.returncode == 3
    assert "it has no number now: all runs failed: the loss stopped being a finite number at step 7" in said.stdout
    assert ", 0 missing" in said.stdout


def test_status_list_and_show_as_json(scored):
    (row,) = json.loads(succeed(scored, "status", "--json").stdout)
    assert row == {"suite": "tiny", "runs": 6, "done": 6, "failed": 0, "missing": 0, "scored": True, "report": False}
    table = values(scored / "results")
    run_id = table.loc[table["model"] == "beta_vae", "run_id"].iloc[0]
    shown = json.loads(succeed(scored, "show", run_id, "--json").stdout)
    assert shown["model"]["name"] == "beta_vae"
    (headline,) = table.loc[(table["run_id"] == run_id) & (table["score"] == "dto"), "value"]
    (protocol,) = table.loc[(table["run_id"] == run_id) & (table["score"] == "dto"), "protocol"]
    assert shown["scores"][protocol]["dto"] == headline
    assert run_id in succeed(scored, "show", run_id).stdout


def test_a_dry_run_says_what_it_would_cost_and_writes_nothing(scored, tmp_path):
    (tmp_path / "tiny.toml").write_text((scored / "tiny.toml").read_text())
    estimate = json.loads(succeed(tmp_path, "run", "tiny.toml", "--dry-run", "--json", "--jobs", "1").stdout)
    assert (estimate["runs"], estimate["done"]) == (6, 0)
    assert estimate["hours"] > 0
    assert {path.name for path in tmp_path.iterdir()} <= {"tiny.toml", "cache"}
    before = checksums(scored / "results")
    counts = json.loads(succeed(scored, "run", "tiny.toml", "--dry-run", "--json", "--seeds", "3").stdout)
    assert (counts["runs"], counts["done"]) == (3, 6)
    assert checksums(scored / "results") == before


def test_shares_merged_are_the_whole(scored, tmp_path):
    (tmp_path / "tiny.toml").write_text((scored / "tiny.toml").read_text())
    for part in ("1", "2"):
        result = succeed(
            tmp_path, "run", "tiny.toml", "--shard", f"{part}/2", "--results", part, "--jobs", "0", "--json"
        )
        assert len(json.loads(result.stdout)["done"]) == 3
        succeed(tmp_path, "evaluate", "tiny.toml", "--results", part, "--jobs", "0")
    merged = json.loads(succeed(tmp_path, "merge", "2", "--results", "1", "--json").stdout)
    assert merged["runs"] == 3
    assert json.loads(succeed(tmp_path, "merge", "2", "--results", "1", "--json").stdout)["runs"] == 0
    succeed(tmp_path, "evaluate", "tiny.toml", "--results", "1", "--jobs", "0")
    # Fleets of other members: the products of a batch round differently with its size.
    pd.testing.assert_frame_equal(values(tmp_path / "1"), values(scored / "results"), rtol=1e-3, atol=1e-4)


def test_merging_takes_over_scores_and_keeps_what_is_here(work):
    succeed(work, "run", "tiny.toml", "--results", "other", "--jobs", "0", "--seeds", "1")
    counts = json.loads(succeed(work, "merge", "results", "--results", "other", "--json").stdout)
    assert counts["runs"] == 3
    # In fleets of other members the last digits differ: such codes keep their own scores.
    same = [
        path.parent
        for path in (work / "results").glob("runs/*/*/*/s0/codes.safetensors")
        if path.read_bytes() == (work / "other" / path.relative_to(work / "results")).read_bytes()
    ]
    assert any("perfect" in folder.parts for folder in same)
    assert counts["scores"] == sum(len(list(folder.glob("scores/*.json"))) for folder in same)
    before = checksums(work / "results")
    succeed(work, "merge", "other", "--results", "results")
    assert checksums(work / "results") == before


def test_two_processes_at_once_do_everything_once(scored, tmp_path):
    (tmp_path / "tiny.toml").write_text((scored / "tiny.toml").read_text())
    line = [sys.executable, "-m", "benchmark", "run", "tiny.toml", "--jobs", "1"]
    pair = [
        subprocess.Popen(line, cwd=tmp_path, env=environment(tmp_path), stdout=-1, stderr=-1, text=True)
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=120) for process in pair]
    assert [process.returncode for process in pair] == [0, 0], ends
    for out, _ in ends:
        assert "tiny: 6 runs done" in out
    done = Counter(word for _, err in ends for word in err.split() if word.endswith(("-s0", "-s1")))
    assert len(done) == 6
    assert set(done.values()) == {1}
    assert not list((tmp_path / "results" / "scratch").iterdir())
    assert tensors(tmp_path / "results") == tensors(scored / "results")


def test_the_functions_do_what_the_verbs_do(scored, tmp_path):
    suite, results = str(scored / "tiny.toml"), tmp_path / "results"
    heard = benchmark.run(suite, results=results, jobs=0)
    assert (len(heard.done), heard.failed, heard.trained) == (6, {}, 6)
    assert tensors(results) == tensors(scored / "results")
    summary = benchmark.evaluate(suite, results=results, jobs=0)
    assert summary.table == results / "suites" / "tiny" / "results.csv"
    assert summary.failed == {}
    pd.testing.assert_frame_equal(values(results), values(scored / "results"))
    assert all(verdict.verdict == "same" for verdict in benchmark.check(suite, summary.table, results=results))
    assert benchmark.report(suite, results=results).exists()
    assert benchmark.status(results=results)[0] | {"report": False} == benchmark.status(results=scored / "results")[0]


def test_prune_deletes_what_no_run_needs_and_nothing_else(work):
    before = checksums(work / "results")
    stray = work / "results" / "scratch" / "abc-s0-elsewhere-1-1a2b3c4d"
    stray.mkdir()
    succeed(work, "prune")
    stray.rmdir()  # of another host, and not a day old: kept
    assert checksums(work / "results") == before


@pytest.mark.parametrize("verb", ["run", "evaluate"])
def test_results_go_to_stdout_and_progress_to_stderr(work, verb):
    result = command(work, verb, "tiny.toml", "--jobs", "0", "--json")
    assert isinstance(json.loads(result.stdout), dict)
    assert result.stderr == f"next: benchmark {'evaluate' if verb == 'run' else 'report'} tiny.toml\n"
