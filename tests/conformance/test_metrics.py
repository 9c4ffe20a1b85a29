"""Every built-in measure passes the conformance suite that ships with the package."""

import importlib
import pkgutil

import pytest

import benchmark.metrics
from benchmark.metrics._conformance import checks
from benchmark.metrics._declare import Metric, metric

NAMES = sorted(m.name for m in pkgutil.iter_modules(benchmark.metrics.__path__) if not m.name.startswith("_"))


def declaration(name: str) -> Metric:
    return getattr(importlib.import_module(f"benchmark.metrics.{name}"), name).declaration


CASES = [(name, check) for name in NAMES for check in checks(declaration(name))]


@pytest.mark.parametrize(("name", "check"), CASES, ids=[f"{name}-{check}" for name, check in CASES])
def test_conforms(name, check):
    checks(declaration(name))[check]()


@pytest.mark.parametrize("name", NAMES)
def test_introduces_itself(name):
    found = declaration(name)
    assert found.name == name
    assert found.settings.read(found.quick, name).plain().keys() >= found.quick.keys()
    first = importlib.import_module(f"benchmark.metrics.{name}").__doc__.splitlines()[0]
    assert first.endswith(".")
    assert 20 < len(first) <= 120
    for section in ("Returns", "Blind to", "Cost"):
        assert section in found.function.__doc__


def test_the_suite_catches_bad_measures():
    @metric(invariances=("permutation",), minimum_rows=5)
    def careless(codes, *, seed=0):
        """Returns the first code's mean."""
        codes[0, 0] += 1
        return {"careless": codes[:, 0].mean()}

    failed = set()
    for name, check in checks(careless.declaration).items():
        try:
            check()
        except Exception:
            failed.add(name)
    assert {"scores", "input untouched", "nan in codes", "too few points", "dead code first"} <= failed
