"""How well a classifier of clean codes reads the factors of corrupted images."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import check_factors, check_table, is_discrete, need_few_classes, varying_factors
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import Positive
from benchmark.metrics.code_shift import by_corruption
from benchmark.metrics.linear_separability import standardised


@metric(
    also=("robustness_clean",),
    supervised=True,
    rows="all",
    minimum_rows=2,
    representations=("mean",),
    cost=3.0,
)
def robustness(
    corruption_clean: Float[ndarray, "m d"],
    corruption_codes: Float[ndarray, "m c d"],
    corruption_factors: Num[ndarray, "m k"],
    corruption_training: Float[ndarray, "t d"],
    corruption_training_factors: Num[ndarray, "t k"],
    corruption_triangle: Float[ndarray, "m d"] | None = None,
    corruption_triangle_factors: Num[ndarray, "m k"] | None = None,
    *,
    c: Positive = 1.0,
    seed: int = 0,
) -> dict[str, float]:
    """Downstream accuracy under the corruptions of M §5.6, which M judges by eye: the protocol is ours.

    A multinomial logistic regression (L2, scikit-learn's `c` = 1, run to convergence) learns each discrete factor
    from the clean mean codes of t points, standardised over them, and is tested on the codes of m other points, as
    they are and corrupted; accuracy is the mean over factors of the share of points whose class is read right.
    Corruptions are those of `code_shift`. With a triangle in the shape's place `corruption_triangle_factors` holds −1
    for the shape, which is not asked for then, before or after. Constant and continuous factors are dropped. No random
    choices: `seed` changes nothing, the points are chosen when codes are made.

    Returns `robustness` (accuracy on pixels flipped with probability 0.01, M's middle one), `robustness_clean`, and
    `robustness_drop_C`, accuracy before less after, for each corruption C; the headline, which is also there by
    factor (`_factor_I`), is in [0, 1], higher is better. Cost: 3 s on 4,000 × 10 codes with factors of up to 40 values.
    Blind to what no hyperplane reads from the clean codes: a drop of what was never there is small, so read it beside
    `robustness_clean`.
    Others: M corrupts the inputs of one FactorVAE and shows traversals.
    Raises `NotApplicable` without a discrete factor that varies and where one has over 1,000 values, `UsageError` on
    arrays that do not fit together or are not finite.
    """
    clean = check_table(corruption_clean, "corruption_clean").astype(np.float64)
    known = check_table(corruption_training, "corruption_training").astype(np.float64)
    tests = {"clean": clean} | by_corruption(clean, corruption_codes, corruption_triangle)
    asked = check_factors(corruption_factors, len(clean))
    taught = check_factors(corruption_training_factors, len(known))
    if known.shape[1] != clean.shape[1] or taught.shape[1] != asked.shape[1]:
        raise UsageError(
            f"training codes {known.shape} and factors {taught.shape} do not fit test codes {clean.shape}"
            f" and factors {asked.shape}"
        )
    discrete = [k for k in varying_factors(taught) if is_discrete(taught[:, k])]
    if not discrete:
        raise NotApplicable("every factor that varies is continuous: there are no classes to tell apart")
    need_few_classes(taught, discrete)
    train, joined = standardised(known, np.concatenate(list(tests.values())))
    found: dict[int, dict[str, float]] = {}
    for k in discrete:
        read = _read(train, taught[:, k], joined, c).reshape(len(tests), -1)
        found[k] = dict(zip(tests, (read == asked[:, k]).mean(axis=1).tolist(), strict=True))
    changed = asked if corruption_triangle_factors is None else check_factors(corruption_triangle_factors, len(clean))
    kept = [k for k in discrete if np.array_equal(changed[:, k], asked[:, k])]
    drops = {
        name: float(np.mean([found[k]["clean"] - found[k][name] for k in (kept if name == "triangle" else discrete)]))
        for name in tests
        if name != "clean" and (name != "triangle" or kept)
    }
    return {
        "robustness": float(np.mean([found[k]["flips_0.01"] for k in discrete])),
        "robustness_clean": float(np.mean([found[k]["clean"] for k in discrete])),
        **{f"robustness_drop_{name}": drop for name, drop in drops.items()},
        **{f"robustness_factor_{k}": found[k]["flips_0.01"] for k in discrete},
    }


def _read(train: Float[ndarray, "t e"], labels: Num[ndarray, " t"], tests: Float[ndarray, "n e"], c: float) -> ndarray:
    """The class of each test row; the most frequent one where the training rows say no more."""
    from sklearn.linear_model import LogisticRegression

    values, places = np.unique(labels, return_inverse=True)
    if len(values) == 1 or not train.shape[1]:
        return np.full(len(tests), values[np.bincount(places).argmax()])
    classifier = LogisticRegression(C=c, max_iter=10_000).fit(train, places)
    return values[classifier.predict(tests)]
