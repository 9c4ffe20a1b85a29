"""The conformance suite passes two plain measures, and catches each fault that is put into them."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import check_codes, check_factors, varying_codes, varying_factors
from benchmark.metrics._conformance import checks
from benchmark.metrics._declare import metric
from benchmark.metrics._split import learning_rows


def squared_correlation(a, b):
    if a.min() == a.max() or b.min() == b.max():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1] ** 2)


def probe_with(fault=None):
    """A measure of the suite's kind: the code that correlates best on training rows, judged on the test rows."""

    @metric(supervised=True, minimum_rows=900, invariances=("permutation", "sign", "scale"))
    def probe(codes, factors, *, train: int = 600, test: int = 300, seed=0, split=None):
        given, integers = codes, codes.dtype.kind == "i"
        if fault == "cuts to one length":
            codes = codes[: len(factors)]
        if fault == "writes into its input":
            codes[0, 0] += 1
        if fault != "takes any codes":
            codes = check_codes(codes)
        if fault != "takes any factors":
            factors = check_factors(factors, len(codes))
        if fault == "one point is enough" and len(codes) == 1:
            return {"probe": float("nan")}
        if fault == "draws rows twice" and split is None and 0 < len(codes) < train + test:
            split = learning_rows(train + test, train, test, seed, None)
            split = tuple(rows % len(codes) for rows in split)
        elif fault == "says no numbers" and len(codes) < train + test:
            raise NotApplicable("too few points")
        elif fault == "takes the first rows":
            learning_rows(len(codes), train, test, seed, split)
            split = np.arange(train), np.arange(train, train + test)
        elif fault == "ignores the split":
            learning_rows(len(codes), train, test, seed, split)
            split = learning_rows(len(codes), train, test, seed, None)
        elif fault != "takes any split" or split is None:
            split = learning_rows(len(codes), train, test, seed, split)
        training, testing = split
        kept = varying_codes(codes)
        if fault == "divides by the deviation":
            kept[:] = True
            with np.errstate(all="ignore"):
                codes = codes / codes.std(axis=0, dtype=np.float64)
                codes[:, given.min(axis=0) == given.max(axis=0)] = np.nan
        elif not kept.any() and fault != "fails on dead codes":
            raise NotApplicable("no code varies")
        codes = codes[:, kept]
        if fault == "holds eight codes at most" and codes.shape[1] > 8:
            raise ValueError("codes")
        if fault == "compares with the next code":
            codes[:, 1]
        if fault == "needs two factors":
            factors[:, 1]
        if fault == "confuses duplicates" and len(np.unique(codes, axis=1).T) < codes.shape[1]:
            raise ValueError("singular")
        scores = {}
        kinds = range(factors.shape[1]) if fault == "keeps constant factors" else varying_factors(factors)
        for place, k in enumerate(kinds):
            factor = factors[:, k]
            if fault == "counts values" and factor.max() > 50:
                raise IndexError("histogram")
            if fault == "counts labels":
                np.bincount(factor.astype(int))
            if fault == "trusts quantiles" and (np.quantile(factor, 0.95) == factor.min()):
                raise ZeroDivisionError("entropy")
            if fault == "takes only classes" and (factor != np.floor(factor)).any():
                raise ValueError("unknown label type")
            if fault == "needs both classes" and factor[training].min() == factor[training].max():
                raise ValueError("one class")
            if fault == "needs every class" and set(factor[testing]) - set(factor[training]):
                raise KeyError("a class")
            if fault == "needs frequent classes" and np.unique(factor, return_counts=True)[1].min() < 5:
                raise ValueError("a class of one member")
            if fault == "pairs codes with factors":
                best = k
            elif fault == "trusts the order of codes":
                best = min(k, codes.shape[1] - 1)
            else:
                best = np.argmax([squared_correlation(code[training], factor[training]) for code in codes.T])
            value = squared_correlation(codes[testing, best], factor[testing])
            if fault == "rewards mixing":
                value = min(1.0, sum(squared_correlation(code, factor) ** 0.5 for code in codes.T) / 4)
            if fault == "takes whole floats as continuous" and factor.dtype.kind == "f":
                value /= 2
            scores[f"probe_factor_{place if fault == 'renumbers factors' else k}"] = value
        score = float(np.mean(list(scores.values())))
        score = {
            "upside down": 1 - score,
            "knows nothing": 0.5,
            "out of range": 1.5,
            "no python float": np.float64(score),
            "draws from everywhere": score - 1e-9 * np.random.random(),  # noqa: NPY002
            "moves with the seed": score / (1 + seed),
            "wants single precision": score if given.dtype == np.float32 else score / 2,
            "takes whole codes as classes": score / 2 if integers else score,
            "depends on sign": score if codes[0, -1] > 0 else score / 2,
            "moves ties upwards": score / 2 if np.median(codes[training, 0]) == codes[training, 0].max() else score,
            "depends on scale": score / (1 + codes.std()),
            "takes small codes for constant": score if np.ptp(codes) > 1e-7 else 0.0,
        }.get(fault, score)
        return scores | {"other" if fault == "another name" else "probe": score}

    return probe.declaration


def agreement_with(fault=None):
    """A measure of several runs: how well each coordinate of a run is found again in the others."""

    @metric(scope="configuration", minimum_rows=2, invariances=("permutation", "sign", "scale"))
    def agreement(means, variances=None, *, seed=0):
        for table in (means, variances):
            if fault != "takes anything" and table is not None and not np.isfinite(table).all():
                raise UsageError("NaN or infinite values")
        if fault == "writes into its input":
            means[0, 0, 0] = 0
        if 0 in means.shape and fault == "takes no runs":
            return {"agreement": 0.0}
        if 0 in means.shape:
            raise UsageError("means hold no values")
        if means.shape[1] < 2 and fault != "needs two runs":
            raise NotApplicable("one point")
        if len(means) < 2 and fault != "needs two runs":
            raise NotApplicable("one run")
        means = means.astype(np.float64)
        runs = [run if fault == "counts the dead" else run[:, varying_codes(run)] for run in means]
        if not all(run.shape[1] for run in runs):
            raise NotApplicable("a run without a code that varies")
        power = {"depends on sign": np.asarray, "depends on order": np.diag}.get(fault, np.abs)

        def found(a, b):
            between = np.array([[squared_correlation(x, y) ** 0.5 for y in b.T] for x in a.T])
            if fault == "depends on sign":
                between *= np.sign(a.T @ b)
            if fault == "depends on order":
                return float(np.diag(between).mean())
            return float(power(between).max(axis=1).mean())

        values = [np.mean([found(a, b) for b in runs if b is not a]) for a in runs]
        scores = {"agreement": float(np.mean(values))}
        if fault == "of all runs only":
            return scores
        return scores | {f"agreement_run_{i}": float(value) for i, value in enumerate(values)}

    return agreement.declaration


def failed(declaration):
    found = set()
    for name, check in checks(declaration).items():
        try:
            check()
        except Exception:
            found.add(name)
    return found


@pytest.mark.parametrize("measure", [probe_with, agreement_with])
def test_the_suite_passes_plain_measures(measure):
    assert not failed(measure())


DEAD = {f"dead code {place}" for place in ("first", "in the middle", "last")}
SPLIT = {f"split: {what}" for what in ("rows that overlap", "rows beyond the table", "negative rows", "no test rows")}


@pytest.mark.parametrize(
    ("fault", "caught"),
    [
        ("cuts to one length", {"codes and factors of two lengths"}),
        ("writes into its input", {"input untouched"}),
        ("takes any codes", {"nan in codes", "inf in codes"}),
        ("takes any factors", {"nan in factors", "inf in factors"}),
        ("one point is enough", {"too few points"}),
        ("draws rows twice", {"too few points", "a table too small for the protocol"}),
        ("says no numbers", {"a table too small for the protocol"}),
        ("takes the first rows", {"points in the grid's order", "a given split"}),
        ("ignores the split", {"a given split"}),
        ("takes any split", SPLIT),
        ("divides by the deviation", {*DEAD, "all codes dead"}),
        ("fails on dead codes", {"all codes dead"}),
        ("holds eight codes at most", {"many more codes than factors"}),
        ("compares with the next code", {"one code"}),
        ("confuses duplicates", {"duplicate code"}),
        ("pairs codes with factors", {"one code", "fewer codes than factors", "permutation of codes"}),
        ("trusts the order of codes", {"permutation of codes"}),
        ("depends on sign", {"sign of codes"}),
        ("moves ties upwards", {"sign of coarse codes"}),
        ("depends on scale", {"scale of codes"}),
        ("takes small codes for constant", {"tiny codes"}),
        ("keeps constant factors", {"constant factor first", "constant factor last", "only constant factors"}),
        ("keeps constant factors", {"no known factors"}),
        ("needs two factors", {"one factor"}),
        ("renumbers factors", {"constant factor first"}),
        ("counts values", {"a factor of many values"}),
        ("takes only classes", {"continuous factors"}),
        ("trusts quantiles", {"a continuous factor that is nearly always least"}),
        ("counts labels", {"factors by other numbers"}),
        ("needs both classes", {"one class in the training rows"}),
        ("needs every class", {"a class that training did not show"}),
        ("needs frequent classes", {"a value that three points hold"}),
        ("takes whole floats as continuous", {"factors as whole floats"}),
        ("rewards mixing", {"perfect, rotated and noise codes"}),
        ("upside down", {"perfect, rotated and noise codes"}),
        ("knows nothing", {"perfect, rotated and noise codes"}),
        ("out of range", {"scores"}),
        ("no python float", {"scores"}),
        ("another name", {"scores"}),
        ("draws from everywhere", {"same seed"}),
        ("moves with the seed", {"same seed"}),
        ("wants single precision", {"codes in double precision"}),
        ("takes whole codes as classes", {"codes in whole numbers"}),
    ],
)
def test_the_suite_catches_bad_measures(fault, caught):
    assert caught <= failed(probe_with(fault))


@pytest.mark.parametrize(
    ("fault", "caught"),
    [
        ("takes anything", {"nan in means", "inf in means", "nan in variances", "inf in variances"}),
        ("writes into its input", {"input untouched"}),
        ("takes no runs", {"no runs", "no points"}),
        ("needs two runs", {"one run"}),
        ("counts the dead", DEAD),
        ("depends on sign", {"sign of codes"}),
        ("depends on order", {"permutation of codes"}),
        ("of all runs only", {"scores"}),
    ],
)
def test_the_suite_catches_bad_measures_of_several_runs(fault, caught):
    assert caught <= failed(agreement_with(fault))


def test_every_check_is_seen_to_fail():
    """Each check of the two measures stands beside a fault that it catches."""
    marks = [
        mark.args[1]
        for test in (test_the_suite_catches_bad_measures, test_the_suite_catches_bad_measures_of_several_runs)
        for mark in test.pytestmark
    ]
    named = {check for cases in marks for _, caught in cases for check in caught}
    assert set(checks(probe_with())) | set(checks(agreement_with())) == named


def test_arrays_of_ones_own_get_no_checks():
    @metric()
    def foreign(gradients, *, seed=0):
        return {"foreign": 0.0}

    assert checks(foreign.declaration) == {}
