"""Every built-in model passes the conformance suite that ships with the package."""

from __future__ import annotations

import functools

import pytest

from benchmark import registry
from benchmark.conformance import checks_of
from benchmark.conformance.check import Check

checks = functools.cache(functools.partial(checks_of, "model"))
CASES = [(name, title) for name in registry.names("model") for title in checks(name)]


@pytest.mark.parametrize(("name", "title"), CASES, ids=[f"{name}-{title}" for name, title in CASES])
def test_conforms(name: str, title: str) -> None:
    check: Check = checks(name)[title]
    check.run()
    assert check.remedy, "a check that fails says what to do"
