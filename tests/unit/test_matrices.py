"""Which code is which factor: matrices by hand, their matching and order, and where they lie."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy import ndarray

from benchmark import registry
from benchmark.codes import Codes
from benchmark.errors import BenchmarkError, NotApplicable, UsageError
from benchmark.integrity.sealed import read_json, write_json
from benchmark.metrics._matrix import Matrix
from benchmark.metrics.dci import dci
from benchmark.metrics.mig import mig
from benchmark.spec import Component, Run
from benchmark.stages.evaluate import evaluate, score_tasks
from benchmark.stages.matrices import MEASURES, codes_by_factors, of_score
from benchmark.stages.score_task import Protocol
from benchmark.stages.supply import load_codes
from benchmark.verbs.matrices import matrices
from benchmark.verbs.verify import verify

FACTORS = np.stack(np.unravel_index(np.arange(6_000) % 60, (3, 4, 5)), axis=1)
"""Every combination a hundred times: independent, not one value rarer than another."""
DCI = 'dci(model="lasso")'
QUICK = {"mutual_information": {}, "correlation": {}, "importance": {"model": "random_forest", "train": 500, "test": 9}}


def factor_names(*names: str) -> pd.DataFrame:
    return pd.DataFrame(FACTORS, columns=list(names))


@pytest.mark.parametrize("kind", MEASURES)
def test_perfect_codes_in_another_order_are_told_apart_exactly(kind: str) -> None:
    found = codes_by_factors(-2.0 * FACTORS[:, [2, 0, 1]], factor_names("a", "b", "c"), kind, **QUICK[kind])
    assert found.matching == {"a": 1, "b": 2, "c": 0}
    ordered = found.sorted()
    assert (list(ordered.index), list(ordered.columns)) == ([1, 2, 0], ["a", "b", "c"])
    shares = found.shares.loc[ordered.index].to_numpy()
    np.testing.assert_allclose(shares, np.eye(3), atol=0.01 if kind == "importance" else 1e-9)


def test_two_by_two_mutual_information_by_hand() -> None:
    """z₀ = a; z₁ = a and b is 1 in a quarter: it tells H(¼) − ½ H(½) of each."""
    a, b = np.unravel_index(np.arange(4_000) % 4, (2, 2))
    found = codes_by_factors(1.0 * np.stack([a, a & b], axis=1), np.stack([a, b], axis=1))
    part = 0.25 * np.log(4) + 0.75 * np.log(4 / 3) - 0.5 * np.log(2)
    np.testing.assert_allclose(found.values, [[np.log(2), 0.0], [part, part]], atol=1e-12)
    np.testing.assert_allclose(found.shares, np.array([[np.log(2), 0.0], [part, part]]) / np.log(2), atol=1e-12)
    assert found.matching == {0: 0, 1: 1}


def test_two_by_two_correlation_by_hand() -> None:
    """Cov(a and b, b) = ⅛ beside deviations of √3/4 and ½: 1/√3; the sign stays, shares have none."""
    a, b = np.unravel_index(np.arange(4_000) % 4, (2, 2))
    found = codes_by_factors(-1.0 * np.stack([-a, a & b], axis=1), np.stack([a, b], axis=1), "correlation")
    np.testing.assert_allclose(found.values, [[1.0, 0.0], [-1 / 3**0.5, -1 / 3**0.5]], atol=1e-12)
    np.testing.assert_allclose(found.shares, [[1.0, 0.0], [1 / 3**0.5, 1 / 3**0.5]], atol=1e-12)


def test_two_by_two_importance_by_hand() -> None:
    """The lasso's weight of a standardised code that is the factor is 1 less the penalty, 0.02; of one that is
    independent of it, 0."""
    a, b = np.unravel_index(np.arange(4_000) % 4, (2, 2))
    table, rows = np.stack([a, b], axis=1), np.arange(4_000)
    _, matrix = dci.declaration.measured(
        1.0 * table[:, ::-1], table, model="lasso", seed=0, split=(rows[:2_000], rows[2_000:])
    )
    assert matrix is not None
    np.testing.assert_allclose(matrix.values, [[0.0, 0.98], [0.98, 0.0]], atol=1e-6)
    np.testing.assert_allclose(matrix.shares, [[0.0, 1.0], [1.0, 0.0]], atol=1e-6)


def test_of_a_code_and_its_double_one_is_matched_and_the_other_follows_first() -> None:
    z = np.column_stack([np.zeros(6_000), FACTORS[:, 1], FACTORS[:, 0], FACTORS[:, 1]])
    found = codes_by_factors(z, FACTORS[:, :2])
    assert found.matching == {0: 2, 1: 1}
    assert list(found.sorted().index) == [2, 1, 3, 0]
    np.testing.assert_array_equal(found.values.loc[1], found.values.loc[3])
    assert (found.values.loc[0] == 0).all(), "a constant code tells nothing, which is a number"
    assert list(codes_by_factors(z, FACTORS[:, :2], "correlation").values.index) == [1, 2, 3], "and has no correlation"


def test_a_rotated_code_has_no_diagonal() -> None:
    v = FACTORS[:, 1:2] * [1.0, 0.0] + (np.arange(6_000) // 60 % 4)[:, None] * [0.0, 1.0]
    found = codes_by_factors(v @ np.array([[1.0, -1.0], [1.0, 1.0]]), v, "correlation")
    np.testing.assert_allclose(found.shares, np.full((2, 2), 0.5**0.5), atol=1e-9)


def test_the_matching_is_of_all_pairs_and_not_the_best_code_of_each() -> None:
    """Both factors' best code is the first; together 0.8 + 0.7 is more than 0.9 + 0.1."""
    values = np.array([[0.9, 0.8], [0.7, 0.1], [0.0, 0.0]])
    matrix = Matrix("correlation", (4, 5, 9), (0, 2), values, np.ones(2))
    assert matrix.matching() == {0: 5, 2: 4}
    assert matrix.order() == ([5, 4, 9], [0, 2])


def test_the_shares_of_the_entropy_are_matched_not_the_nats() -> None:
    """In nats 3.0 + 0.0 is more than 1.0 + 1.0; of entropies 4 and 1 it is ¾ + 0 against ¼ + 1."""
    matrix = Matrix("mutual_information", (0, 1), (0, 1), np.array([[3.0, 1.0], [1.0, 0.0]]), np.array([4.0, 1.0]))
    assert matrix.matching() == {0: 1, 1: 0}


def test_a_factor_of_which_no_code_says_anything_has_none_and_stands_last() -> None:
    matrix = Matrix("importance", (0, 1), (0, 1, 2), np.array([[0.0, 0, 0.6], [0.0, 0, 0.4]]), np.array([0.0, 0, 1]))
    assert matrix.matching() == {2: 0}
    assert matrix.order() == ([0, 1], [2, 0, 1])
    assert matrix.shares[:, 0].tolist() == [0, 0]


def test_constant_single_and_continuous_factors_are_defined_or_say_why() -> None:
    rng = np.random.default_rng(0)
    factors = np.column_stack([np.full(6_000, 2), rng.random(6_000)])
    codes = factors[:, ::-1] + 0.0
    for kind in ("mutual_information", "correlation"):
        found = codes_by_factors(codes, factors, kind)
        assert list(found.values.columns) == [1] and found.matching == {1: 0}
    with pytest.raises(NotApplicable, match="one factor varies"):
        codes_by_factors(codes, factors, "importance")
    with pytest.raises(NotApplicable, match="factor 1 is continuous"):
        codes_by_factors(codes, np.column_stack([FACTORS[:, 0], factors[:, 1]]), "importance", train=500, test=9)
    with pytest.raises(NotApplicable, match="300 points"):
        codes_by_factors(1.0 * FACTORS[:300], FACTORS[:300])
    assert codes_by_factors(1.0 * FACTORS[:300], FACTORS[:300], "correlation").matching == {0: 0, 1: 1, 2: 2}
    with pytest.raises(NotApplicable, match="no factor takes more than one value"):
        codes_by_factors(1.0 * FACTORS, np.ones((6_000, 2)))
    with pytest.raises(UsageError, match="'importance'"):
        codes_by_factors(1.0 * FACTORS, FACTORS, "weights")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="bin"):
        codes_by_factors(1.0 * FACTORS, FACTORS, bin=10)


def test_frames_give_names_and_a_long_table_holds_every_pair() -> None:
    codes = pd.DataFrame(FACTORS[:, [1, 0]] * 1.0, columns=["left", "right"])
    found = codes_by_factors(codes, factor_names("a", "b", "c"))
    assert found.matching == {"a": "right", "b": "left"}
    assert list(found.values.columns) == ["a", "b", "c"] and found.values.index.name == "code"
    table = found.long()
    assert len(table) == 6 and table["matched"].sum() == 2
    matched = table[table["matched"]]
    assert (matched["code_place"] == matched["factor_place"]).all()
    np.testing.assert_allclose(matched["share"], 1.0)


def test_wide_codes_are_matched_among_all() -> None:
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((2_000, 1_000))
    codes[:, 700:703] = FACTORS[:2_000]
    found = codes_by_factors(codes, FACTORS[:2_000], "correlation")
    assert found.matching == {0: 700, 1: 701, 2: 702}
    assert found.sorted().shape == (1_000, 3)


@pytest.mark.parametrize("values", [[[np.nan]], [[1.0], [2.0]]])
def test_a_matrix_that_is_none_is_refused(values: list[list[float]]) -> None:
    with pytest.raises(BenchmarkError, match="matrix of correlation"):
        Matrix("correlation", (0,), (0,), np.array(values), np.ones(1))


@pytest.mark.parametrize("name", registry.names("metric"))
def test_every_measure_with_a_matrix_scores_that_very_matrix(name: str) -> None:
    declaration = registry.load("metric", name).declaration
    assert declaration.has_matrix == (name in MEASURES.values())
    if declaration.has_matrix:
        trial = declaration.settings.read(declaration.trial, name)
        options = {key: getattr(trial, key) for key in type(trial).model_fields}
        options |= {"model": "lasso"} if "model" in options else {}
        z = FACTORS[:2_000] + np.random.default_rng(1).standard_normal((2_000, 3))
        scores, matrix = declaration.measured(z, FACTORS[:2_000], seed=0, **options)
        assert scores == declaration.function(z, FACTORS[:2_000], seed=0, **options)
        assert matrix is not None and MEASURES[matrix.kind] == name and matrix.values.shape == (3, 3)
        assert Matrix.read(json.loads(json.dumps(matrix.plain()))).plain() == matrix.plain()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder with codes of three factors in another order, noisy."""
    means = FACTORS[:, [2, 0, 1]] + 0.3 * np.random.default_rng(0).standard_normal(FACTORS.shape)
    Codes(means.astype(np.float32), FACTORS, ("a", "b", "c"), (3, 4, 5)).save(tmp_path / "codes.safetensors")
    load_codes.cache_clear()
    return tmp_path


def scored(folder: Path, *metrics: str) -> int:
    """How many scores were computed."""
    run = Run(Component("grid", 1, {}, {}, None), Component("made_up", 1, {}, {}, None), None, None, 0)
    tasks = score_tasks([(run, folder)], Protocol(metrics, budget="quick"))
    evaluate(tasks, 0, lambda *_: None)
    return len(tasks)


def records(folder: Path) -> dict[str, dict]:
    return {path.name.split("-")[0]: json.loads(path.read_text()) for path in (folder / "scores").glob("*.json")}


def test_scores_carry_the_matrix_that_they_are_scores_of(folder: Path) -> None:
    scored(folder, "mig", "mcc", DCI, "sap")
    found = records(folder)
    assert {name for name, record in found.items() if "matrix" in record} == {"mig", "mcc", "dci"}
    stored: ndarray = of_score(found["mig"], {}).values.to_numpy()
    best = np.sort(stored, axis=0)[::-1]
    entropies = np.log([3, 4, 5])
    gaps = [found["mig"]["values"][f"mig_factor_{k}"] for k in range(3)]
    np.testing.assert_allclose((best[0] - best[1]) / entropies, gaps, rtol=1e-12)
    assert found["mig"]["values"] == mig(load_codes(folder / "codes.safetensors").means, FACTORS)
    for name in ("mig", "mcc", "dci"):
        assert of_score(found[name], {}).matching == {"a": 1, "b": 2, "c": 0}
    importance = of_score(found["dci"], {}).shares
    np.testing.assert_allclose(importance.sum(), 1.0, rtol=1e-12)


def test_importance_takes_the_fits_of_the_scores_and_no_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.metrics import _trees

    fitted = []
    whole = _trees._predict
    monkeypatch.setattr(_trees, "_predict", lambda fit, *rest: (fitted.append(fit.name), whole(fit, *rest))[1])
    scored(folder, DCI)
    assert len(fitted) == len(set(fitted)) == 3


def test_evaluating_again_writes_nothing(folder: Path) -> None:
    scored(folder, "mig", "mcc", DCI)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert scored(folder, "mig", "mcc", DCI) == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_scores_older_than_matrices_get_them_where_that_takes_no_fits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(folder, "mig", "mcc", DCI)
    new = records(folder)
    without_matrices(folder)
    monkeypatch.setattr("benchmark.metrics._trees._predict", lambda *_: pytest.fail("a second fit"))
    assert scored(folder, "mig", "mcc", DCI) == 3
    again = records(folder)
    for name in ("mig", "mcc", "dci"):
        assert again[name] | {"seconds": 0, "digest": 0} == new[name] | {"seconds": 0, "digest": 0}


def test_a_score_whose_fits_are_gone_stays_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scored(folder, DCI)
    without_matrices(folder)
    old = records(folder)
    monkeypatch.setattr("benchmark.metrics._trees._predict", lambda *_: pytest.fail("a second fit"))
    for path in (folder / "scores" / ".pieces").glob("*factor1*"):
        path.unlink()
    scored(folder, DCI)
    assert records(folder) == old
    shutil.rmtree(folder / "scores" / ".pieces")
    assert scored(folder, DCI) == 0
    assert records(folder) == old


def without_matrices(folder: Path) -> None:
    """Scores as an older version wrote them."""
    for path in (folder / "scores").glob("*.json"):
        record = read_json(path)
        del record["matrix"]
        write_json(path, record)


def test_what_cannot_be_scored_has_a_reason_and_no_matrix(folder: Path) -> None:
    codes = Codes(np.ones((50, 2), np.float32), FACTORS[:50], ("a", "b", "c"), (3, 4, 5))
    codes.save(folder / "codes.safetensors")
    load_codes.cache_clear()
    scored(folder, "mig", "mcc", DCI)
    for record in records(folder).values():
        assert record["status"] == "not_applicable" and record["reason"] and "matrix" not in record


def test_a_flipped_byte_of_a_matrix_is_noticed_by_name(work: Path) -> None:
    results = work / "results"
    assert verify(results=results).findings == []
    path = next(results.glob("runs/*/ae/*/s0/scores/mig-*mean*.json"))
    content = path.read_bytes()
    place = content.index(b".", content.index(b'"matrix"')) + 3
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert any(path.name in finding for finding in verify(results=results).findings)
    with pytest.raises(BenchmarkError, match=path.name):
        matrices(str(work / "tiny.toml"), results=results)


def test_a_suite_gives_the_matrices_of_its_runs(work: Path) -> None:
    results = work / "results"
    found = matrices(str(work / "tiny.toml"), results=results, only={"model": ["perfect"]})
    assert {each.of["seed"] for each in found} == {0, 1}
    assert {each.of["protocol"] for each in found} == {"mig/bins20-mean-n1200/v1"}
    for each in found:
        shares = each.shares.to_numpy()
        assert each.matching == {name: code for code, name in enumerate(each.values.columns)}
        assert (np.diag(shares) > 2 * (shares - np.diag(np.diag(shares))).max()).all()
    table = pd.concat(each.long() for each in found)
    assert {"run_id", "config_id", "dataset", "model", "seed", "representation", "metric", "protocol"} <= set(table)
    for path in results.glob("runs/*/*/*/*/scores/mig-*.json"):
        path.unlink()
    with pytest.raises(UsageError, match=r"mig, mcc, dci make them.*next: benchmark evaluate"):
        matrices(str(work / "tiny.toml"), results=results)
