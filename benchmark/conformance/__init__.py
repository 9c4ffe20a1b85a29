"""What every component must do, as checks that run on built-in and third-party ones alike: tests and `doctor` run them.

Those of measures lie beside the measures; those of models need training and lie here.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmark import registry
from benchmark.conformance.check import Check
from benchmark.registry import Kind

CHECKED: tuple[Kind, ...] = ("metric", "model")
"""The kinds that have checks."""


@dataclass(frozen=True)
class Verdict:
    """What came of one check: `reason` says what is wrong, `remedy` what to do; both are empty where it passed."""

    title: str
    reason: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        return ("; ".join(filter(None, (self.reason, self.remedy)))) if self.reason else "passed"


def checks_of(kind: Kind, name: str) -> dict[str, Check]:
    """The checks that apply to a component, by title; none where it needs what cannot be made up."""
    if kind == "metric":
        from benchmark.metrics._conformance import checks

        return {title: Check(run) for title, run in checks(registry.load("metric", name).declaration).items()}
    from benchmark.conformance.models import checks_of_model

    return checks_of_model(name)


def examine(kind: Kind, name: str) -> list[Verdict]:
    """Run all checks of a component."""
    return [_verdict(title, check) for title, check in checks_of(kind, name).items()]


def _verdict(title: str, check: Check) -> Verdict:
    try:
        check.run()
    except AssertionError as error:  # the check's own sentence
        return Verdict(title, str(error) or "it does not hold", check.remedy)
    except Exception as error:  # whatever a third party's component raises is the finding
        return Verdict(title, f"{type(error).__name__}: {error}", check.remedy)
    return Verdict(title)
