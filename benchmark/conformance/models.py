"""The checks of a model, by what kind of model it is."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmark import registry
from benchmark.conformance.check import Check
from benchmark.models._model import Anchor, Embedding, Model

SHORTEST, LONGEST = 20, 120
"""Characters of a model's first line, which lists show."""


def checks_of_model(name: str) -> dict[str, Check]:
    """The checks that apply to a model, by title."""
    model = registry.load("model", name)
    first = {
        "introduces itself": Check(
            partial(introduces_itself, name, model), "begin the file with a docstring whose first line says what it is"
        )
    }
    if issubclass(model, Embedding):
        from benchmark.conformance.embeddings import checks_of_embedding

        return first | checks_of_embedding(name)
    if issubclass(model, Anchor):
        from benchmark.conformance.anchors import checks_of_anchor

        return first | checks_of_anchor(model)
    from benchmark.conformance.networks import checks_of_network

    return first | checks_of_network(name)


def introduces_itself(name: str, model: type[Model]) -> None:
    """A line that lists can show, a version, and marks that go with what it is given. Raises `AssertionError`."""
    line = registry.describe("model", name)
    if registry.entry("model", name).file:  # an installed one's file is not known before it is imported
        assert SHORTEST <= len(line) <= LONGEST, f"its first line has {len(line)} characters: {line!r}"
    assert isinstance(model.version, int) and model.version >= 1, f"its version is {model.version!r}, no number from 1"
    seen: Any = model
    if getattr(seen, "labelled", False):
        assert model.supervised, "its loss sees labels: set supervised = True"
    if getattr(seen, "paired", False):
        assert model.weakly_supervised, "it sees pairs that share factors: set weakly_supervised = True"
    unknown = set(model.by_construction) - set(registry.names("metric"))
    assert not unknown, f"by_construction names no measure: {', '.join(sorted(unknown))}"
