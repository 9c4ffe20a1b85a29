"""Predicting one factor from the codes, once for all measures that ask for the same: how well, and from which codes."""

from __future__ import annotations

import hashlib
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.kinds import OFFSET
from benchmark.metrics._check import classes, is_discrete, need_few_classes, need_few_codes, need_rows, varying_codes
from benchmark.metrics._settings import Definition
from benchmark.metrics._split import Split

Model = Literal["gradient_boosting", "random_forest", "lasso", "lightgbm", "logistic_regression"]

VERSION = 1
"""Raise it, and that of the measures that fit, when a fit may give another value."""

CONTINUOUS = ("random_forest", "lasso")
"""The models that predict continuous factors too; the lasso takes discrete ones as numbers."""

GROWN = ("gradient_boosting", "random_forest")
"""The trees of scikit-learn."""

ALPHA = 0.02
"""The lasso's penalty on standardised values, as in the code of Eastwood & Williams."""

MOST_CODES = {"gradient_boosting": 256, "lightgbm": 256, "random_forest": 256}
"""That vary: with more, one fit takes hours."""

FAINT, HUGE = 1e-5, 1e30
"""scikit-learn's trees hold values less than 1e-7 apart for equal, and read single precision."""

FOLDS = 5
"""Of the logistic regression's cross-validation."""

SECONDS = {
    "gradient_boosting": (0.1, 5e-4),
    "random_forest": (0.05, 5e-5),
    "lasso": (0.01, 0.0),
    "lightgbm": (0.06, 1.2e-5),
    "logistic_regression": (0.3, 1e-4),
}
"""About what a class costs on one core, and each of its training rows on top."""


@dataclass(frozen=True)
class Fit:
    """One model to train and test: a factor, rows of the table, and how many values the training rows show.

    `definition` says how its measure puts values together, and decides nothing of the value itself.
    """

    factor: int
    train: Integer[ndarray, " a"]
    test: Integer[ndarray, " b"]
    seed: int
    model: Model
    values: int
    definition: Definition = "default"

    @property
    def name(self) -> str:
        """All that decides the outcome besides codes and factors."""
        digest = hashlib.sha256()
        for rows in (self.train, self.test):
            digest.update(np.ascontiguousarray(rows, dtype="<i8").tobytes())
        sizes = f"train{len(self.train)}-test{len(self.test)}"
        return f"{self.model}-factor{self.factor}-{sizes}-{digest.hexdigest()[:8]}-s{self.seed}-v{VERSION}"

    @property
    def cost(self) -> float:
        each, row = SECONDS[self.model]
        return self.values * (each + row * len(self.train))


def check_installed(*, model: str, **_: Any) -> None:
    """Raise `UsageError` where LightGBM is asked for and not there."""
    if model == "lightgbm" and find_spec("lightgbm") is None:
        raise UsageError("LightGBM is not installed: pip install 'lightgbm>=4.7', the extra [lightgbm] of this package")


def fits(
    codes: Float[ndarray, "n d"], factors: Num[ndarray, "n k"], varying: list[int], rows: Split, seed: int, model: Model
) -> list[Fit]:
    """One fit for each of the `varying` factors.

    Raises `NotApplicable` on a continuous factor that the model cannot predict and on more codes than it can take,
    `UsageError` without LightGBM.
    """
    check_installed(model=model)
    if model in MOST_CODES:
        why = f"{model.replace('_', ' ')} searches all of them at every split"
        need_few_codes(int(varying_codes(codes[rows[0]]).sum()), MOST_CODES[model], why, "med and snc take more")
    if model != "lasso":
        need_few_classes(factors, varying)
    train, test = rows
    if model == "logistic_regression":
        need_rows(len(train), FOLDS, "cross-validation of the logistic regression's penalty")
    found = []
    for k in varying:
        if model not in CONTINUOUS and not is_discrete(factors[:, k]):
            raise NotApplicable(f"factor {k} is continuous: {model.replace('_', ' ')} is here a classification")
        values = len(np.unique(factors[train, k])) if _is_classified(factors[:, k], model) else 1
        found.append(Fit(k, train, test, seed, model, values))
    return found


def compute(codes: Float[ndarray, "n d"], factors: Num[ndarray, "n k"], fit: Fit) -> dict[str, Any]:
    """How well a factor is predicted on the test rows, and from which codes.

    `accuracy`: the share of correct classes; for a regression (the lasso, a continuous factor) 1 − the root mean
    square error in units of the factor's deviation over the table, at least 0. `columns`: the codes that vary over
    the training rows, which alone are learned from. `importances`: one for each code, 0 for the others: the mean
    decrease of impurity of scikit-learn's trees and the total gain of LightGBM's, both summing to 1 unless no tree
    has a split; the absolute weights of the lasso. Where the training rows show one value it is predicted, where no
    code varies the most frequent class or the mean; no code has importance then.
    """
    target = factors[:, fit.factor]
    classified = _is_classified(target, fit.model)
    target = classes(target) if classified else target.astype(np.float64)
    if not classified and fit.model in GROWN:
        target = visible(target[:, None])[0][:, 0]
    known, asked = target[fit.train], target[fit.test]
    # A column without a split would still enter the random order in which equally good splits are tried.
    columns = np.flatnonzero(varying_codes(codes[fit.train]))
    importances = np.zeros(codes.shape[1])
    if len(columns) and known.min() != known.max():
        train, test = codes[fit.train][:, columns], codes[fit.test][:, columns]
        predicted, importances[columns] = _predict(fit, classified, train, known, test)
    else:
        predicted = np.full(len(asked), np.bincount(known).argmax() if classified else known.mean())
    if classified:
        accuracy = float((predicted == asked).mean())
    else:
        accuracy = max(0.0, 1.0 - float(np.sqrt(np.mean((predicted - asked) ** 2)) / target.std()))
    return {"accuracy": accuracy, "importances": importances.tolist(), "columns": columns.tolist()}


def _is_classified(factor: Num[ndarray, " n"], model: Model) -> bool:
    return model != "lasso" and is_discrete(factor)


def _predict(
    fit: Fit,
    classified: bool,
    train: Float[ndarray, "a c"],
    known: Num[ndarray, " a"],
    test: Float[ndarray, "b c"],
) -> tuple[Num[ndarray, " b"], Float[ndarray, " c"]]:
    """What the model predicts on the test rows, and the columns' importances."""
    if fit.model == "logistic_regression":
        return _logistic_regression(train, known, test)
    if fit.model == "lasso":
        return _lasso(train.astype(np.float64), known, test.astype(np.float64))
    if fit.model in GROWN:
        train, test = visible(train, test)
    model = _trees(fit.model, classified, fit.seed)
    with without_checks(), warnings.catch_warnings():
        # At 10 labels of a factor of 40 values scikit-learn suspects a regression problem.
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        predicted = model.fit(train, known).predict(test)
    importances = model.feature_importances_.astype(np.float64)
    return predicted, importances / (importances.sum() or 1.0)


def without_checks() -> AbstractContextManager[None]:
    """scikit-learn without its checks of each tree's input, a fifth of the time of a fit on 100 rows; ours are done."""
    import sklearn

    return sklearn.config_context(assume_finite=True, skip_parameter_validation=True)


def visible(known: Float[ndarray, "a c"], *others: Float[ndarray, "b c"]) -> list[Float[ndarray, "n c"]]:
    """Tables as they are, unless scikit-learn's trees would see little of them or nothing: in units that they see.

    Columns that lie a million times their range away from zero in `known` are measured from their smallest value there.
    Where all ranges are below 1e-5, or a value is above 1e30, all columns are, in units of the largest range.
    """
    low, high = (edge(axis=0).astype(np.float64) for edge in (known.min, known.max))
    ranges, sizes = high - low, np.maximum(np.abs(low), np.abs(high))
    if ranges.max() < FAINT or sizes.max() > HUGE:
        return [(table - low) / ranges.max() for table in (known, *others)]
    far = sizes > OFFSET * ranges
    return [table - np.where(far, low, 0.0) if far.any() else table for table in (known, *others)]


def _trees(model: Model, classified: bool, seed: int) -> Any:
    """A learner with its library's defaults, on one thread.

    Except that a forest's splits choose among all codes, as is the default in regression only: where two of five are
    offered, codes of other factors are used for want of better ones, and perfect codes get a disentanglement of 0.57.
    """
    if model == "lightgbm":
        from lightgbm import LGBMClassifier

        return LGBMClassifier(
            importance_type="gain", random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True, verbose=-1
        )
    from sklearn import ensemble

    if model == "gradient_boosting":
        return ensemble.GradientBoostingClassifier(random_state=seed)
    forest = ensemble.RandomForestClassifier if classified else ensemble.RandomForestRegressor
    return forest(max_features=None, random_state=seed)


def _lasso(
    train: Float[ndarray, "a c"], known: Float[ndarray, " a"], test: Float[ndarray, "b c"]
) -> tuple[Float[ndarray, " b"], Float[ndarray, " c"]]:
    """The lasso on columns and target standardised over the training rows."""
    from sklearn.linear_model import Lasso

    mean, deviation = train.mean(axis=0), train.std(axis=0)
    model = Lasso(alpha=ALPHA, max_iter=10_000).fit((train - mean) / deviation, (known - known.mean()) / known.std())
    predicted = model.predict((test - mean) / deviation)
    return predicted * known.std() + known.mean(), np.abs(model.coef_)


def _logistic_regression(
    train: Float[ndarray, "a c"], known: Integer[ndarray, " a"], test: Float[ndarray, "b c"]
) -> tuple[Integer[ndarray, " b"], Float[ndarray, " c"]]:
    """Softmax regression on the codes as they are, its penalty chosen by cross-validation.

    Of ten C from 1e-4 to 1e4 the smallest with the best mean accuracy on five blocks of consecutive training rows, each
    left out once; fits of at most 100 iterations. The importances are the mean absolute weights.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    penalties = np.logspace(-4, 4, 10)
    accuracy = np.zeros(len(penalties))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping there is the protocol
        for asked in np.array_split(np.arange(len(known)), FOLDS):
            learnt = np.setdiff1d(np.arange(len(known)), asked)
            if (known[learnt] == known[learnt[0]]).all():
                accuracy += (known[asked] == known[learnt[0]]).mean()
                continue
            model = LogisticRegression(max_iter=100, warm_start=True)
            for place, c in enumerate(penalties):
                model.set_params(C=c).fit(train[learnt], known[learnt])
                accuracy[place] += model.score(train[asked], known[asked])
        # Sums of equal accuracies may differ in the last bit.
        best = penalties[int(accuracy.round(9).argmax())]
        model = LogisticRegression(C=best, max_iter=100).fit(train, known)
    return model.predict(test), np.abs(model.coef_).mean(axis=0)
