"""A measure as scikit-learn's scorer: the numbers of `score`, signs, and why something cannot be one."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA, FastICA
from sklearn.manifold import TSNE
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmark import registry, score, scorer
from benchmark.errors import BenchmarkError, NotApplicable, UsageError
from benchmark.metrics.mig import mig

RNG = np.random.default_rng(0)
N = 2_400
Y = np.stack([RNG.integers(0, size, N) for size in (3, 4, 5)], axis=1)
X = Y @ RNG.normal(size=(3, 6)) + 0.01 * RNG.normal(size=(N, 6))
ICA = FastICA(3, random_state=0).fit(X)


def value(measure: str, name: str, codes: np.ndarray, y: Any = Y) -> float:
    frame = score(codes, y, measure, quiet=True)
    (found,) = frame.loc[(frame["score"] == name) & frame["factor"].isna(), "value"]
    return float(found)


def test_the_number_is_that_of_score_with_the_better_way_up() -> None:
    codes = ICA.transform(X)
    assert scorer("mig")(ICA, X, Y) == scorer(mig)(ICA, X, Y) == value("mig", "mig", codes) > 0.8
    assert scorer("mig(bins=7)")(ICA, X, Y) == value("mig(bins=7)", "mig", codes)
    lower = scorer("gaussian_total_correlation")(ICA, X)
    assert lower == -value("gaussian_total_correlation", "gaussian_total_correlation", codes, None)
    spearman = scorer("mcc", "spearman", greater_is_better=True)
    assert spearman(ICA, X, Y) == scorer("mcc.spearman", greater_is_better=True)(ICA, X, Y)
    assert spearman(ICA, X, Y) == value("mcc", "spearman", codes) != scorer("mcc")(ICA, X, Y)
    assert scorer("mcc", "spearman", greater_is_better=False)(ICA, X, Y) == -spearman(ICA, X, Y)


def test_a_grid_search_chooses_by_it() -> None:
    pipeline = make_pipeline(StandardScaler(), PCA())
    search = GridSearchCV(pipeline, {"pca__n_components": [1, 3]}, scoring=scorer("mcc"), cv=2, error_score="raise")
    search.fit(X, Y)
    assert search.best_params_ == {"pca__n_components": 3}
    fold = pipeline.set_params(pca__n_components=3).fit(X[: N // 2], Y[: N // 2])
    wanted = value("mcc", "pearson", fold.transform(X[N // 2 :]), Y[N // 2 :])
    assert search.cv_results_["split1_test_score"][1] == wanted


def test_several_at_once() -> None:
    both = {"mig": scorer("mig"), "independence": scorer("gaussian_total_correlation")}
    found = cross_validate(FastICA(3, random_state=0), X, Y, scoring=both, cv=2, error_score="raise")
    assert (found["test_mig"] > 0.8).all() and (found["test_independence"] <= 0).all()


def test_it_is_the_same_in_another_process() -> None:
    made = scorer("mig(bins=7)", seed=3)
    assert pickle.loads(pickle.dumps(made)) == made


def test_what_has_no_number_raises_its_reason_and_sklearn_answers_as_it_was_told() -> None:
    with pytest.raises(NotApplicable, match="mig is not applicable: 900 points are fewer than the 1,000"):
        scorer("mig")(ICA, X[:900], Y[:900])
    with pytest.raises(NotApplicable, match="the dataset knows no factors"):
        scorer("mig")(ICA, X)
    with pytest.raises(NotApplicable, match="900 points"):
        cross_validate(ICA, X[:1800], Y[:1800], scoring=scorer("mig"), cv=2, error_score="raise")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = cross_validate(ICA, X[:1800], Y[:1800], scoring=scorer("mig"), cv=2, error_score=-9)
    assert found["test_score"].tolist() == [-9, -9] and "900 points are fewer" in str(told[0].message)


def test_a_measure_that_fails_raises_too(monkeypatch: pytest.MonkeyPatch) -> None:
    made, declaration = scorer("mcc"), registry.load("metric", "mcc").declaration

    def broken(*_: Any, **__: Any) -> dict[str, float]:
        raise ZeroDivisionError("planted")

    monkeypatch.setitem(declaration.__dict__, "function", broken)
    monkeypatch.setitem(declaration.__dict__, "pieces", None)
    with pytest.raises(BenchmarkError, match="mcc failed: ZeroDivisionError: planted"):
        made(ICA, X, Y)


def test_what_does_not_transform_is_refused() -> None:
    with pytest.raises(UsageError, match="TSNE has no `transform`"):
        scorer("mig")(TSNE(), X, Y)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dto",), "dto needs the decoder's Jacobian"),
        (("kl",), "kl needs variances of a posterior"),
        (("reconstruction",), "reconstruction needs reconstruction mean"),
        (("udr",), "udr is of the agreement of several runs"),
        (("group_mig",), "group_mig judges groups of codes"),
        (("mcc", "spearman"), "mcc does not declare which direction of spearman is better"),
        (("active_units",), "does not declare which direction of active_units is better"),
        (("mcc", "speerman"), 'mcc has no score "speerman"; did you mean "spearman"'),
        (("mgi",), 'unknown metric "mgi"; did you mean "mig"'),
        (("mig,mcc",), 'unknown metric "mig,mcc"'),
        (("all",), r"all is \d+ measures"),
        ((3,), "the measure is int"),
    ],
)
def test_what_cannot_be_a_scorer_says_why(arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        scorer(*arguments)


def test_a_declared_direction_stands() -> None:
    with pytest.raises(UsageError, match="more mig is better; leave greater_is_better out"):
        scorer("mig", greater_is_better=False)
    assert scorer("mig", greater_is_better=True) == scorer("mig")


def test_every_measure_is_a_scorer_or_says_why_not() -> None:
    made, refused = [], []
    for name in registry.names("metric"):
        try:
            made.append(scorer(name).measure)
        except UsageError as error:
            refused.append(str(error))
    assert len(made) > 15 and all(each.startswith("scorer: ") for each in refused)
    assert {"mig", "dci", "sap", "irs", "factor_vae_score"} <= set(made)
