"""Scores of arrays in a notebook: those of `evaluate --codes`, with splits of one's own, and nothing on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import benchmark
from benchmark import registry
from benchmark.errors import UsageError
from benchmark.metrics._declare import metric
from benchmark.metrics.dci import dci
from benchmark.metrics.mig import mig
from benchmark.stages import score_arrays
from benchmark.table import read_table

N = 1_500
RNG = np.random.default_rng(0)
FACTORS = np.stack([RNG.integers(0, size, N) for size in (3, 4, 5)], axis=1)
CODES = np.hstack([FACTORS + 0.2 * RNG.standard_normal(FACTORS.shape), RNG.standard_normal((N, 1))]).astype(np.float32)
VARIANCES = np.full_like(CODES, 0.1)
NAMES = ["shape", "scale", "place"]
QUICK: dict[str, Any] = {"budget": "quick", "quiet": True}
CHEAP = ["mig", "mig(bins=10)", "dci(model=lasso)", "sap", "kl", "dto", "udr", "explicitness", "beta_vae_score"]
SPLIT = (np.arange(1_000), np.arange(1_000, N))


def value(frame: pd.DataFrame, score: str) -> float:
    (found,) = frame.loc[(frame["score"] == score) & frame["factor"].isna(), "value"]
    return float(found)


def test_scores_are_those_of_evaluate_with_the_same_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", codes=CODES, factors=FACTORS, factor_names=NAMES, variances=VARIANCES)
    benchmark.add_codes([tmp_path / "mine.npz"], results=tmp_path / "results", metrics=CHEAP, budget="quick")
    stored = read_table(benchmark.evaluate("mine", results=tmp_path / "results", jobs=0).table)
    found = benchmark.score(CODES, FACTORS, CHEAP, variances=VARIANCES, factor_names=NAMES, **QUICK)
    columns = [name for name in found if name != "score"]
    keys = ["protocol", "score", "factor"]
    stored = stored.assign(score=stored["score"] + ("_at_" + stored["budget"].astype("str")).fillna(""))
    pd.testing.assert_frame_equal(
        found.sort_values(keys).reset_index(drop=True),
        stored.sort_values(keys).reset_index(drop=True)[[*found]],
        check_exact=True,
    )
    assert len(columns) == 7 and set(found["status"]) == {"ok", "not_applicable"}


def test_one_factor_names_itself_and_a_missing_number_says_why() -> None:
    found = benchmark.score(CODES, FACTORS, "mig,dto", factor_names=NAMES, quiet=True)
    wanted = mig(CODES, FACTORS)
    assert value(found, "mig") == wanted["mig"]
    assert found.set_index("factor").loc["scale", "value"] == wanted["mig_factor_1"]
    (missing,) = found[found["metric"] == "dto"].to_dict("records")
    assert missing["status"] == "not_applicable" and pd.isna(missing["value"])
    assert "no decoder" in missing["reason"]


def test_all_measures_are_asked_and_nothing_is_a_number_without_reason() -> None:
    found = benchmark.score(CODES[:300], None, **QUICK)
    assert set(found["metric"]) == set(registry.names("metric"))
    assert "failed" not in set(found["status"])
    assert (found["value"].notna() == (found["status"] == "ok")).all()
    assert found.loc[found["status"] != "ok", "reason"].notna().all()
    assert found.loc[found["metric"] == "mig", "reason"].item() == "the dataset knows no factors"
    assert found.loc[found["metric"] == "active_units", "status"].item() == "ok"


def test_arrays_of_any_library_score_alike() -> None:
    plain = benchmark.score(CODES, FACTORS, "mig,active_units", factor_names=NAMES, quiet=True)
    tensors = torch.from_numpy(CODES).requires_grad_(), torch.from_numpy(FACTORS)
    frames = pd.DataFrame(CODES), pd.DataFrame(FACTORS, columns=NAMES)
    pd.testing.assert_frame_equal(
        benchmark.score(*tensors, ["mig", "active_units"], factor_names=NAMES, quiet=True), plain
    )
    pd.testing.assert_frame_equal(benchmark.score(*frames, ["mig", "active_units"], quiet=True), plain)
    lists = CODES.astype(np.float64).tolist(), FACTORS.tolist()
    double = benchmark.score(*lists, [mig], factor_names=NAMES, quiet=True)
    assert value(double, "mig") == mig(*lists)["mig"]


def test_labels_of_rows_in_another_order_are_refused() -> None:
    codes, factors = pd.DataFrame(CODES), pd.DataFrame(FACTORS, columns=NAMES)
    moved = factors.iloc[np.random.default_rng(1).permutation(N)]
    for other in (moved, moved["shape"]):
        with pytest.raises(UsageError, match=r"the index of factors .* in another order.*factors\.loc\[codes\.index\]"):
            benchmark.score(codes, other, "mig", quiet=True)
    with pytest.raises(UsageError, match="the index of variances"):
        benchmark.score(codes, factors, "mig", variances=pd.DataFrame(VARIANCES).iloc[::-1], quiet=True)
    wanted = benchmark.score(CODES, FACTORS, "mig", factor_names=NAMES, quiet=True)
    for fitting in (moved.loc[codes.index], factors.set_index(np.arange(N) + 5)):
        pd.testing.assert_frame_equal(benchmark.score(codes, fitting, "mig", quiet=True), wanted)
    pd.testing.assert_frame_equal(
        benchmark.score(codes, moved.reset_index(drop=True), "mig", quiet=True),
        benchmark.score(codes, moved.to_numpy(), "mig", factor_names=NAMES, quiet=True),
    )


def test_a_column_that_numbers_the_rows_is_no_code(tmp_path: Path) -> None:
    frame = pd.DataFrame(CODES, columns=[f"z{j}" for j in range(4)])
    frame.to_csv(tmp_path / "z.csv")
    pd.DataFrame(VARIANCES).to_csv(tmp_path / "variances.csv")
    read, beside = pd.read_csv(tmp_path / "z.csv"), pd.read_csv(tmp_path / "variances.csv")
    found = benchmark.score(read, FACTORS, "active_units", variances=beside, quiet=True)
    assert found.attrs["notes"] == ["column 'Unnamed: 0' numbers the rows and is left out"] * 2
    pd.testing.assert_frame_equal(found, benchmark.score(CODES.astype(float), FACTORS, "active_units", quiet=True))
    labelled = benchmark.score(frame.assign(label=FACTORS[:, 0]), FACTORS, "active_units", quiet=True)
    assert labelled.attrs["notes"] == ["column 'label' is one of the codes: if it is a label, leave it out of them"]


def test_names_may_be_other_than_text() -> None:
    frame = pd.DataFrame(FACTORS)
    found = benchmark.score(CODES, frame, "mig", drop=[0], discrete=np.array([1]), quiet=True)
    assert list(found.attrs["factors"]) == ["1", "2"]
    with pytest.raises(UsageError, match=r"no factor is called '0' \(discrete\)"):
        benchmark.score(CODES, FACTORS, "mig", discrete=[0], quiet=True)


def test_words_in_an_array_are_classes() -> None:
    words = np.array(["heart", "oval", "square"])[FACTORS[:, 0]]
    wanted = benchmark.score(CODES, FACTORS[:, 0], "mig", quiet=True)
    pd.testing.assert_frame_equal(benchmark.score(CODES, words, "mig", quiet=True), wanted)


def test_truth_values_and_categories_are_classes() -> None:
    large = FACTORS > 1
    words = np.where(large, "yes", "no")
    frame = pd.DataFrame({name: pd.Categorical(column) for name, column in zip("abc", words.T, strict=True)})
    found = [benchmark.score(CODES, factors, "mig", factor_names=NAMES, quiet=True) for factors in (large, frame)]
    pd.testing.assert_frame_equal(*found)
    assert value(found[0], "mig") == mig(CODES, large.astype(int))["mig"]


def test_words_in_a_frame_become_classes_and_columns_keep_their_kinds() -> None:
    words = np.array(["heart", "oval", "square"])[FACTORS[:, 0]]
    frame = pd.DataFrame({"shape": words, "place": FACTORS[:, 2] + RNG.random(N)})
    found = benchmark.score(CODES, frame, "mig", quiet=True)
    assert found.attrs["factors"] == {"shape": "discrete, 3 values", "place": "continuous"}
    assert any("3 names became" in note for note in found.attrs["notes"])
    assert found.set_index("factor").loc["shape", "value"] == mig(CODES, FACTORS)["mig_factor_0"]


def test_each_class_of_a_label_can_be_a_factor() -> None:
    """As with --classes-as-factors: a label of three classes becomes three factors of zeros and ones."""
    label = np.repeat([0, 1, 2], 100)
    codes = np.stack([label == 0, label == 1, label == 2], axis=1) + 1e-3 * np.arange(300)[:, None] % 7
    frame = benchmark.score(codes, label, "mig", factor_names=["kind"], classes_as_factors="kind", quiet=True)
    assert list(frame.attrs["factors"]) == ["kind_0", "kind_1", "kind_2"]
    with pytest.raises(UsageError, match=r"no factor is called 'knd' \(classes as factors\); did you mean"):
        benchmark.score(codes, label, "mig", factor_names=["kind"], classes_as_factors="knd", quiet=True)


def test_what_was_decided_is_said_and_can_be_said_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    halves = FACTORS / 2
    found = benchmark.score(CODES, halves, "mig", factor_names=NAMES)
    said = capsys.readouterr()
    assert said.out == ""
    assert "1,500 points × 4 codes; factors: shape 3 values, scale 4 values, place 5 values" in said.err
    assert 'discrete, unless continuous=["place"]' in said.err
    other = benchmark.score(CODES, halves, "mig", factor_names=NAMES, continuous="place", quiet=True)
    assert (found.attrs["factors"]["place"], other.attrs["factors"]["place"]) == ("discrete, 5 values", "continuous")
    assert capsys.readouterr().err == ""
    without = benchmark.score(CODES, FACTORS, "mig", factor_names=NAMES, drop=["shape"], quiet=True)
    assert list(without["factor"].dropna()) == ["scale", "place"]


def test_a_given_split_is_learnt_from_and_is_a_protocol_of_its_own() -> None:
    found = benchmark.score(CODES, FACTORS, "dci(model=lasso),mig", split=SPLIT, quiet=True)
    direct = dci(CODES, FACTORS, model="lasso", split=SPLIT)["informativeness"]
    assert value(found, "informativeness") == pytest.approx(direct, rel=1e-2)  # the rows lie otherwise in folds
    assert set(found["protocol"]) == {
        "dci/train1000-test500-given_split-model=lasso-mean-n1500/v1",
        "mig/bins20-mean-n1500/v1",
    }
    assert found.attrs["split"] == {"train": 1_000, "test": 500, "measures": ["dci"]}
    mask = np.arange(N) < 1_000
    masks = benchmark.score(CODES, FACTORS, "dci(model=lasso),mig", split=(mask, ~mask), quiet=True)
    pd.testing.assert_frame_equal(masks, found)
    turned = benchmark.score(CODES, FACTORS, "dci(model=lasso)", split=SPLIT[::-1], quiet=True)
    assert value(turned, "informativeness") != value(found, "informativeness")


@pytest.mark.parametrize(
    ("text", "protocol"),
    [
        ("sap", "sap/train1000-test500-given_split-kind=discrete-c0.01-balancedTrue-scaledFalse-mean-n1500/v1"),
        ("sap(kind=continuous)", "sap/kind=continuous-mean-n1500/v1"),
        ("explicitness", "explicitness/train1000-test500-given_split-c1-mean-n1500/v1"),
        ("disentanglement_score", "disentanglement_score/train1000-test500-given_split-neighbours5-mean-n1500/v1"),
        ("sample_efficiency(budgets=[100], model=lightgbm)", "sample_efficiency/train1000-test500-given_split-"
         "budgets100-model=lightgbm-mean-n1500/v1"),
    ],
)  # fmt: skip
def test_every_measure_that_learns_from_rows_takes_a_split(text: str, protocol: str) -> None:
    found = benchmark.score(CODES, FACTORS, text, split=SPLIT, quiet=True)
    assert set(found["protocol"]) == {protocol}
    assert set(found["status"]) == {"ok"}


def test_a_measure_that_makes_its_own_points_refuses_a_split() -> None:
    found = benchmark.score(CODES, FACTORS, "beta_vae_score,factor_vae_score", split=SPLIT, quiet=True)
    assert list(found["status"]) == ["not_applicable"] * 2
    assert found["reason"].str.contains("takes no split").all()


def test_a_split_means_the_rows_given_where_a_grid_is_put_into_order() -> None:
    grid = np.stack([axis.ravel() for axis in np.indices((10, 8, 5))], axis=1)
    shuffled = np.random.default_rng(1).permutation(len(grid))
    codes = grid + 0.3 * np.random.default_rng(2).standard_normal(grid.shape)
    split = shuffled[:300], shuffled[300:]
    place = np.argsort(shuffled)
    plain = benchmark.score(codes, grid, "dci(model=lasso)", split=split, quiet=True)
    moved = benchmark.score(
        codes[shuffled], grid[shuffled], "dci(model=lasso)", split=tuple(place[rows] for rows in split), quiet=True
    )
    assert any("put into order" in note for note in moved.attrs["notes"])
    pd.testing.assert_frame_equal(moved, plain)


def test_few_labels_of_a_split_are_no_corner_of_a_sorted_table() -> None:
    grid = np.stack([axis.ravel() for axis in np.indices((4, 5, 6, 8))], axis=1)
    mask = np.random.default_rng(0).random(len(grid)) < 0.8
    asked = "sample_efficiency(budgets=[100], model=logistic_regression)"
    masks = benchmark.score(grid.astype(float), grid, asked, split=(mask, ~mask), quiet=True)
    assert value(masks, "accuracy") > 0.95
    rows = [np.random.default_rng(1).permutation(np.flatnonzero(each)) for each in (mask, ~mask)]
    pd.testing.assert_frame_equal(benchmark.score(grid.astype(float), grid, asked, split=rows, quiet=True), masks)


def test_more_rows_than_are_drawn_are_all_used_by_a_split() -> None:
    factors = np.tile(FACTORS, (8, 1))
    codes = factors + 0.2 * np.random.default_rng(3).standard_normal(factors.shape)
    rows = np.arange(len(codes))
    found = benchmark.score(codes, factors, "disentanglement_score,mig", split=(rows[:-500], rows[-500:]), quiet=True)
    assert dict(zip(found["metric"], found["n"], strict=True)) == {"disentanglement_score": 12_000, "mig": 10_000}


@pytest.mark.parametrize(
    ("split", "words"),
    [
        (np.arange(5), "split is a pair"),
        (([0, 1], [1, 2]), "overlap"),
        (([0, 0], [1]), "name a row twice"),
        (([0], [N]), "the table has 1,500"),
        (([-1], [3]), "rows go from -1"),
        (([0.5], [3]), "positions from 0 on"),
        ((np.ones(3, bool), np.zeros(N, bool)), "has 3 entries for 1,500 points"),
        (([], [3]), "both must be there"),
    ],
)
def test_a_split_that_is_none_is_one_sentence(split: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        benchmark.score(CODES, FACTORS, "mig", split=split, quiet=True)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"codes": CODES[0]}, "must be a table"),
        ({"codes": np.where(CODES > 3, np.nan, CODES)}, "NaN or infinite"),
        ({"factors": FACTORS[:-1]}, "do not fit 1500 codes"),
        ({"variances": VARIANCES[:, :2]}, "do not fit codes"),
        ({"variances": -VARIANCES}, "not positive"),
        ({"factor_names": ["one"]}, "do not fit 3 factors"),
        ({"factor_names": ["one", "one", "two"]}, "must be different strings"),
        ({"factors": None, "factor_names": NAMES}, "no factors"),
        ({"metrics": "migg"}, 'did you mean "mig"'),
        ({"metrics": ""}, "names none"),
        ({"metrics": [3]}, "metrics holds 3"),
        ({"metrics": 3}, "metrics holds 3"),
        ({"codes": {"codes": CODES}}, "codes are dict"),
        ({"codes": "mine.npz"}, "codes are str, not an array"),
        ({"factor_names": "one"}, "1 `factor_names` do not fit"),
        ({"metrics": "mig(bins=0)"}, "bins"),
        ({"budget": "some"}, "choose"),
        ({"seed": -1}, "whole number"),
        ({"continuous": ["nobody"]}, "no factor is called"),
        ({"factors": np.array([["a"]] * (N - 1) + [[1]], dtype=object)}, "must hold numbers or names"),
        ({"factors": np.zeros((N, 1), complex)}, "must be numbers or names, not complex128"),
        ({"factor_names": 5}, "factor_names = 5 is no name and no list of names"),
        ({"discrete": 0}, "discrete = 0 is no name"),
        ({"drop": {"a": 1}}, "is no name and no list"),
    ],
)
def test_what_cannot_be_scored_is_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        benchmark.score(**({"codes": CODES, "factors": FACTORS, "metrics": "mig", "quiet": True} | arguments))
    assert "\n" not in str(raised.value)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A measure that raises, and one that is interrupted."""

    def add(function: Any) -> None:
        entry = registry.Entry("metric", function.__name__, __name__, Path(__file__))
        monkeypatch.setitem(registry._plugins, ("metric", function.__name__), entry)
        monkeypatch.setitem(globals(), function.__name__, function)

    @metric()
    def breaks(codes: np.ndarray, *, seed: int = 0) -> dict[str, float]:
        raise ZeroDivisionError("of all things")

    @metric()
    def is_stopped(codes: np.ndarray, *, seed: int = 0) -> dict[str, float]:
        raise KeyboardInterrupt

    add(breaks)
    add(is_stopped)
    return "breaks"


def test_a_measure_that_raises_is_a_failed_row_beside_the_others(broken: str) -> None:
    found = benchmark.score(CODES, FACTORS, f"{broken},mig", quiet=True)
    assert found.iloc[0]["status"] == "failed"
    assert found.iloc[0]["reason"] == "ZeroDivisionError: of all things"
    assert value(found, "mig") == mig(CODES, FACTORS)["mig"]


def test_an_interrupt_ends_it(broken: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        benchmark.score(CODES, FACTORS, "is_stopped,mig", quiet=True)


def test_pieces_that_two_measures_share_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = []
    original = score_arrays.protocol_of

    def counted(task: Any) -> Any:
        declaration, settings = original(task)
        pieces = declaration.pieces
        assert pieces is not None

        def compute(*arguments: Any) -> dict[str, Any]:
            fitted.append(arguments[-1].name)
            return pieces.compute(*arguments)

        return score_arrays.replace(declaration, pieces=score_arrays.replace(pieces, compute=compute)), settings

    monkeypatch.setattr(score_arrays, "protocol_of", counted)
    both = "dci(model=lightgbm, train=100, test=200),sample_efficiency(model=lightgbm, budgets=[100], test=200)"
    found = benchmark.score(CODES, FACTORS, both, quiet=True)
    assert set(found["status"]) == {"ok"}
    assert len(fitted) == len(set(fitted)) == 3


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    benchmark.score(CODES, FACTORS, "mig,dci(model=lasso)", **QUICK)
    assert list(tmp_path.iterdir()) == []
