"""Every built-in measure passes the conformance suite that ships with the package."""

import functools
import importlib
import pkgutil

import jaxtyping
import pytest

import benchmark.metrics
from benchmark.metrics._conformance import Check, checks
from benchmark.metrics._declare import Metric

NAMES = sorted(m.name for m in pkgutil.iter_modules(benchmark.metrics.__path__) if not m.name.startswith("_"))
UNTYPED = ("codes in whole numbers", "codes and factors of two lengths")
"""Input that annotations forbid and the functions themselves must cope with: no types are checked at run time."""


def declaration(name: str) -> Metric:
    return getattr(importlib.import_module(f"benchmark.metrics.{name}"), name).declaration


@functools.cache
def checks_of(name: str) -> dict[str, Check]:
    return checks(declaration(name))


CASES = [(name, check) for name in NAMES for check in checks_of(name)]


@pytest.mark.parametrize(("name", "check"), CASES, ids=[f"{name}-{check}" for name, check in CASES])
def test_conforms(name, check):
    disabled = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", disabled or check in UNTYPED)
    try:
        checks_of(name)[check]()
    finally:
        jaxtyping.config.update("jaxtyping_disable", disabled)


@pytest.mark.parametrize("name", NAMES)
def test_introduces_itself(name):
    found = declaration(name)
    assert found.name == name
    assert found.settings.read(found.quick, name).plain().keys() >= found.quick.keys()
    assert found.settings.read(found.trial, name).plain().keys() >= found.trial.keys()
    assert CASES and checks_of(name), f"{name} needs {found.needs}, which the suite cannot make up"
    first = importlib.import_module(f"benchmark.metrics.{name}").__doc__.splitlines()[0]
    assert first.endswith(".")
    assert 20 < len(first) <= 120
    for section in ("Returns", "Blind to", "Cost"):
        assert section in found.function.__doc__
