"""Scoring from arrays: each score once, by its protocol, with a reason where there is none."""

import csv
import json
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark import add_codes, registry
from benchmark import evaluate as evaluate_suite
from benchmark.codes import Codes
from benchmark.errors import BenchmarkError, NotApplicable, UsageError
from benchmark.metrics._declare import Pieces, metric
from benchmark.metrics.mig import mig
from benchmark.seeds import stream
from benchmark.spec import Component, Run
from benchmark.stages.evaluate import evaluate, score, score_tasks
from benchmark.stages.score_files import score_path
from benchmark.stages.score_task import Protocol, Scored, ScoreTask, check_metrics
from benchmark.stages.supply import load_codes, load_history

N = 3_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder with codes of a grid of two factors, means and samples, and no variances."""
    rng = np.random.default_rng(0)
    factors = np.stack(np.unravel_index(np.arange(N) % 20, (4, 5)), axis=1)
    means = (factors + 0.1 * rng.standard_normal(factors.shape)).astype(np.float32)
    samples = means + np.float32(0.5) * rng.standard_normal(means.shape).astype(np.float32)
    codes = Codes(means=means, samples=samples, factors=factors, factor_names=("a", "b"), factor_sizes=(4, 5))
    codes.save(tmp_path / "codes.safetensors")
    load_codes.cache_clear()
    return tmp_path


@pytest.fixture
def measure(monkeypatch):
    """Register functions as measures for one test."""

    def add(function) -> str:
        name = function.__name__
        entry = registry.Entry("metric", name, __name__, Path(__file__))
        monkeypatch.setitem(registry._plugins, ("metric", name), entry)
        monkeypatch.setitem(globals(), name, function)
        return name

    # Entries without loose files: this very module is imported already, and no worker process starts.
    monkeypatch.setattr(registry, "plugins", list)
    return add


def scored(folder: Path, *metrics: str, retry_failed: bool = False, **options) -> tuple[list[ScoreTask], list[Scored]]:
    """Score in this process; the tasks that there were and what came of them."""
    protocol = Protocol(metrics, **options)
    tasks = score_tasks([(run(), folder)], protocol, retry_failed=retry_failed)
    found: list[Scored] = []
    evaluate(tasks, 0, lambda _, one: found.append(one))
    return tasks, found


def run(seed: int = 0) -> Run:
    return Run(Component("grid", 1, {}, {}, None), Component("made_up", 1, {}, {}, None), None, None, seed)


def records(folder: Path) -> dict[str, dict]:
    return {path.name: json.loads(path.read_text()) for path in sorted((folder / "scores").glob("*.json"))}


def test_a_score_is_what_the_function_says_on_the_shared_draw(folder):
    scored(folder, "mig", points=2_000, seed=3)
    codes = load_codes(folder / "codes.safetensors")
    rows = np.sort(stream("evaluation", "rows", 3).choice(N, 2_000, replace=False))
    found = {record["representation"]: record for record in records(folder).values()}
    assert set(found) == {"mean", "sample"}
    assert found["mean"]["values"] == mig(codes.means[rows], codes.factors[rows], seed=3)
    assert codes.samples is not None
    assert found["sample"]["values"] == mig(codes.samples[rows], codes.factors[rows], seed=3)
    assert found["mean"]["values"]["mig"] > found["sample"]["values"]["mig"] + 0.1
    assert found["mean"]["protocol"] == "mig/bins20-mean-n2000/v1"
    assert (found["mean"]["n"], found["mean"]["evaluation_seed"], found["mean"]["factor_names"]) == (
        2_000,
        3,
        ["a", "b"],
    )


def test_what_is_scored_is_kept_and_another_seed_scores_again(folder):
    assert len(scored(folder, "mig")[0]) == 2
    assert scored(folder, "mig") == ([], [])
    assert len(scored(folder, "mig", seed=1)[0]) == 2
    assert {record["evaluation_seed"] for record in records(folder).values()} == {1}


def test_other_points_are_another_protocol_in_another_file(folder):
    scored(folder, "mig", points=2_000)
    scored(folder, "mig", points=1_500)
    assert sorted(record["n"] for record in records(folder).values()) == [1_500, 1_500, 2_000, 2_000]


def test_more_points_than_there_are_is_one_protocol_whatever_was_asked_for(folder):
    for points in (N, 2 * N):
        scored(folder, "mig", points=points)
        found = [record for record in records(folder).values() if record["representation"] == "mean"]
        assert [record["protocol"] for record in found] == [f"mig/bins20-mean-n{N}/v1"]


def test_what_the_codes_lack_is_not_applicable_with_the_reason(folder):
    _, (one,) = scored(folder, "kl")
    assert one.status == "not_applicable"
    assert one.reason is not None and one.reason.startswith("the posterior is not a diagonal Gaussian")
    (record,) = records(folder).values()
    assert (record["status"], record["reason"], record["values"]) == ("not_applicable", one.reason, {})


def test_too_few_points_are_not_applicable(folder):
    _, found = scored(folder, "mig", points=500)
    assert {one.reason for one in found} == {"500 points are fewer than the 1,000 that this measure needs"}


def test_a_measure_that_raises_is_failed_with_its_reason_and_tried_again_on_request(folder, measure):
    calls = []

    @metric(representations=("mean",))
    def breaks(codes, *, seed: int = 0) -> dict[str, float]:
        calls.append(seed)
        if len(calls) == 1:
            raise ZeroDivisionError("at the first try")
        return {"breaks": 0.5}

    name = measure(breaks)
    assert scored(folder, name)[1] == [Scored("failed", "ZeroDivisionError: at the first try")]
    assert scored(folder, name)[1] == []
    assert scored(folder, name, retry_failed=True)[1] == [Scored("ok")]
    assert scored(folder, name, retry_failed=True)[1] == []
    assert len(calls) == 2


def test_too_few_points_to_learn_from_are_told_with_a_way_out(folder):
    _, (mean, _) = scored(folder, "sap")
    assert (mean.reason or "").endswith("needs at least 15,000; --budget quick asks for 2,000")
    assert {one.status for one in scored(folder, "sap", budget="quick")[1]} == {"ok"}
    _, (mean, _) = scored(folder, "sap(train=2999, test=2)")  # which --budget quick would leave as it is
    assert (mean.reason or "").endswith("; sap(test=1000, train=2000) asks for fewer")
    assert {one.status for one in scored(folder, "sap(test=1000, train=2000)")[1]} == {"ok"}


def test_two_choices_of_one_protocol_are_scored_once(folder):
    assert len(scored(folder, "sap(kind=continuous)", "sap(kind=continuous, train=5)")[0]) == 2


@pytest.mark.parametrize("values", [{"strange": float("nan")}, {"strange": 0.5, "other": float("inf")}, {}])
def test_what_is_no_finite_number_is_failed_and_never_a_value(folder, measure, values):
    @metric(representations=("mean",))
    def strange(codes, *, seed: int = 0) -> dict[str, float]:
        return values

    _, (one,) = scored(folder, measure(strange))
    assert one.status == "failed"
    assert "every score is a finite number" in (one.reason or "")
    assert [record["values"] for record in records(folder).values()] == [{}]


def test_an_optional_array_is_passed_where_there_is_one(folder, measure):
    @metric(representations=("mean",))
    def optional(codes, variances=None, history=None, *, seed: int = 0) -> dict[str, float]:
        return {"optional": float(variances is None) + float(history is not None)}

    (folder / "history.csv").write_text("step,loss,kl\n10,1.5,\n20,1.25,0.5\n")
    scored(folder, measure(optional))
    assert [record["values"] for record in records(folder).values()] == [{"optional": 2.0}]


def test_an_empty_cell_of_a_history_is_nan(tmp_path):
    path = tmp_path / "history.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["step", "kl"], [10, ""], [20, 0.5]])
    history = load_history(path)
    assert history is not None
    np.testing.assert_array_equal(history["kl"], [np.nan, 0.5])
    assert load_history(tmp_path / "absent.csv") is None


@dataclass(frozen=True)
class Tenfold:
    """A piece of a made-up measure."""

    number: int
    cost: float = 1.0

    @property
    def name(self) -> str:
        return f"tenfold-{self.number}"


def pieces(computed: list[int], broken: set[int], numbers: tuple[int, ...]) -> Pieces:
    def compute(codes, part: Tenfold) -> dict[str, float]:
        computed.append(part.number)
        if part.number in broken:
            raise KeyboardInterrupt
        if part.number < 0:
            raise ValueError("no tenfold of that")
        return {"tenfold": 10.0 * part.number}

    def combine(parts: list[Tenfold], values: list[dict[str, float]]) -> dict[str, float]:
        return {"summed": sum(value["tenfold"] for value in values)}

    return Pieces(lambda codes, *, seed=0: [Tenfold(number) for number in numbers], compute, combine)


def sums(computed: list[int], broken: set[int], numbers: tuple[int, ...] = (1, 2, 3)):
    @metric(representations=("mean",), pieces=pieces(computed, broken, numbers))
    def summed(codes, *, seed: int = 0) -> dict[str, float]:
        return {"summed": 10.0 * sum(numbers)}

    return summed


def doubles(computed: list[int]):
    """Another measure that asks for some of the same pieces."""

    @metric(representations=("mean",), headline="summed", pieces=pieces(computed, set(), (3, 4)))
    def doubled(codes, *, seed: int = 0) -> dict[str, float]:
        return {"summed": 70.0}

    return doubled


def test_pieces_are_combined(folder, measure):
    computed: list[int] = []
    assert scored(folder, measure(sums(computed, set())))[1] == [Scored("ok")]
    assert computed == [1, 2, 3]
    assert [record["values"] for record in records(folder).values()] == [{"summed": 60.0}]


def test_measures_share_pieces_of_one_name(folder, measure):
    computed: list[int] = []
    names = measure(sums(computed, set())), measure(doubles(computed))
    assert scored(folder, *names)[1] == [Scored("ok")] * 2
    assert sorted(computed) == [1, 2, 3, 4]
    assert [record["values"] for record in records(folder).values()] == [{"summed": 70.0}, {"summed": 60.0}]


def test_a_piece_that_raises_fails_its_measure_alone(folder, measure):
    computed: list[int] = []
    names = measure(sums(computed, set(), (1, -1))), measure(doubles(computed))
    assert {one.reason for one in scored(folder, *names)[1]} == {None, "ValueError: no tenfold of that"}
    assert [record["status"] for record in records(folder).values()] == ["ok", "failed"]


def test_pieces_that_are_there_are_not_computed_again(folder, measure):
    computed: list[int] = []
    broken = {3}
    name = measure(sums(computed, broken))
    with pytest.raises(KeyboardInterrupt):
        scored(folder, name)
    assert records(folder) == {}
    broken.clear()
    scored(folder, name)
    assert computed == [1, 2, 3, 3]
    assert [record["values"] for record in records(folder).values()] == [{"summed": 60.0}]


def test_the_work_ahead_is_known_once_the_pieces_are(folder, measure):
    seen: list[tuple[float, float]] = []
    tasks = score_tasks([(run(), folder)], Protocol((measure(sums([], set())), "active_units")))
    evaluate(tasks, 0, lambda *_: None, lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert all(done <= total for done, total in seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_measure_of_a_configuration_scores_every_run_with_its_seeds_in_the_protocol(
    folder, measure, tmp_path_factory
):
    @metric(scope="configuration", minimum_rows=2)
    def agreement(means, variances=None, *, seed: int = 0) -> dict[str, float]:
        assert means.shape == (len(means), N, 2)
        assert variances is None
        return {"agreement": 0.5, **{f"agreement_run_{index}": index / 4 for index in range(len(means))}}

    name = measure(agreement)
    folders = [folder]
    for _ in range(2):
        folders.append(tmp_path_factory.mktemp("other"))
        shutil.copy(folder / "codes.safetensors", folders[-1])

    def both(count: int) -> list[list[dict]]:
        members = [(run(seed), each) for seed, each in enumerate(folders[:count])]
        evaluate(score_tasks(members, Protocol((name,))), 0, lambda *_: None)
        return [list(records(each).values()) for each in folders[:count]]

    assert [[r["protocol"] for r in own] for own in both(2)] == [[f"agreement/mean-seeds0x1-n{N}/v1"]] * 2
    found = both(3)
    # Three runs supersede two.
    assert [[r["protocol"] for r in own] for own in found] == [[f"agreement/mean-seeds0to2-n{N}/v1"]] * 3
    assert [own[0]["values"] for own in found] == [{"agreement": index / 4} for index in range(3)]


def test_some_runs_of_a_configuration_are_compared_with_all_that_are_finished(tmp_path):
    rng = np.random.default_rng(0)
    files = [tmp_path / f"seed{seed}.npz" for seed in range(3)]
    factors = rng.integers(4, size=(120, 2))
    for path in files:
        np.savez(path, codes=factors + 0.1 * rng.standard_normal(factors.shape), factors=factors)
    results = tmp_path / "results"
    add_codes(files, name="mine", metrics=["udr", "mcc"], results=results)
    only = {"seed": [0, 1]}
    table = pd.read_csv(evaluate_suite("mine", only=only, results=results, jobs=0).table)
    assert set(table["seed"][table["metric"] == "mcc"]) == {0, 1}
    udr = table[table["metric"] == "udr"]
    (protocol,) = set(udr["protocol"])
    assert set(udr["seed"]) == {0, 1, 2} and "-seeds0to2-" in protocol
    whole = pd.read_csv(evaluate_suite("mine", results=results, jobs=0).table)
    assert whole[whole["metric"] == "udr"].reset_index(drop=True).equals(udr.reset_index(drop=True))
    again = pd.read_csv(evaluate_suite("mine", only=only, metrics=["udr"], results=results, jobs=0).table)
    assert whole.equals(again)


def test_settings_beside_a_name_are_a_protocol_of_their_own(folder):
    assert check_metrics(("mig( bins = 10 )", "mig", "mig")) == ("mig(bins=10)", "mig")
    scored(folder, "mig(bins=10)", "mig")
    assert sorted(record["settings"]["bins"] for record in records(folder).values()) == [10, 10, 20, 20]
    assert len({record["protocol"] for record in records(folder).values()}) == 4
    with pytest.raises(UsageError, match="bins"):
        check_metrics(("mig(bin=10)",))
    with pytest.raises(UsageError, match=r"NAME\(KEY=VALUE"):
        check_metrics(("mig(10)",))


def test_quick_is_a_protocol_of_its_own(folder, measure):
    @metric(representations=("mean",), quick={"trees": 2})
    def costly(codes, *, trees: int = 100, seed: int = 0) -> dict[str, float]:
        return {"costly": trees / 100}

    name = measure(costly)
    scored(folder, name, budget="quick")
    scored(folder, name, budget="full")
    found = {record["protocol"]: record["values"] for record in records(folder).values()}
    assert found == {
        f"costly/trees2-mean-n{N}/v1": {"costly": 0.02},
        f"costly/trees100-mean-n{N}/v1": {"costly": 1.0},
    }


def test_not_applicable_from_within_keeps_its_words(folder, measure):
    @metric(representations=("mean",))
    def shy(codes, *, seed: int = 0) -> dict[str, float]:
        raise NotApplicable("not today")

    assert scored(folder, measure(shy))[1] == [Scored("not_applicable", "not today")]


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\x08\0\0\0\0\0\0\0{}"])
def test_damaged_codes_are_one_sentence(folder, content):
    (folder / "codes.safetensors").write_bytes(content)
    with pytest.raises(BenchmarkError, match=r"codes\.safetensors cannot be read as codes .* delete its run folder"):
        scored(folder, "mig")


def test_a_damaged_score_is_one_sentence_and_stays(folder):
    task = scored(folder, "mig")[0][0]
    score_path(task).write_text("{")
    with pytest.raises(BenchmarkError, match=r"mig-bins20-.*\.json is damaged"):
        scored(folder, "mig")
    assert score_path(task).read_text() == "{"


def test_the_task_itself_never_raises(folder):
    task = ScoreTask((folder,), (0,), "mig", "mean", Protocol(("mig",)))
    (folder / "codes.safetensors").unlink()
    one = score(task)
    assert one.status == "failed"
    assert records(folder)[score_path(task).name]["reason"] == one.reason


def test_measures_are_told_what_the_codes_declare_of_their_factors(tmp_path, measure):
    """The same whole numbers as levels and as measurements, and levels that are no whole numbers."""

    @metric(representations=("mean",))
    def whole(factors, *, seed: int = 0) -> dict[str, float]:
        return {"whole": float((factors == np.floor(factors)).all(axis=0) @ [1, 2, 4])}

    name = measure(whole)
    numbers = np.arange(60)
    factors = np.stack([numbers, numbers % 3 / 7, numbers / 7], axis=1)
    for place, (sizes, expected) in enumerate({(60, 3, 0): 3.0, (0, 3, 60): 6.0, (0, 0, 0): 0.0}.items()):
        (own := tmp_path / str(place)).mkdir()
        Codes(np.ones((60, 2)), factors, ("a", "b", "c"), sizes).save(own / "codes.safetensors")
        load_codes.cache_clear()
        scored(own, name)
        (record,) = records(own).values()
        assert record["values"] == {"whole": expected}


def test_an_outlier_is_said_beside_the_score(folder):
    codes = load_codes(folder / "codes.safetensors")
    scored(folder, "mig")
    assert all("notes" not in record for record in records(folder).values())
    far = codes.means.copy()
    far[7, 1] = 1e6
    Codes(far, codes.factors, codes.factor_names, codes.factor_sizes).save(folder / "codes.safetensors")
    load_codes.cache_clear()
    shutil.rmtree(folder / "scores")
    (found,) = scored(folder, "mig")[1]
    (record,) = records(folder).values()
    said = "code 1: 1 of 3,000 rows lie so far away that all others share one bin of its histogram; is it an outlier?"
    assert list(found.notes) == record["notes"] == [said]
    assert record["values"]["mig"] < 0.6


def test_other_warnings_of_a_measure_go_their_way(folder, measure):
    @metric(representations=("mean",))
    def warns(codes, *, seed: int = 0) -> dict[str, float]:
        warnings.warn("of something else", RuntimeWarning, stacklevel=1)
        return {"warns": 1.0}

    name = measure(warns)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (found,) = scored(folder, name)[1]
    assert [str(each.message) for each in caught] == ["of something else"]
    assert found == Scored("ok")
