"""How a measure introduces itself: `@metric(...)` above a pure function of arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar, get_origin

from pydantic import BeforeValidator

from benchmark.spec import Settings, canonical

Rows = Literal["sample", "all"]
Invariance = Literal["permutation", "sign", "scale"]
Function = TypeVar("Function", bound=Callable[..., dict[str, float]])

RESERVED = ("seed", "split")
"""Keyword arguments that are supplied by the evaluation, not settings of a protocol."""


@dataclass(frozen=True)
class Pieces:
    """How a costly measure falls into independent pieces, which the evaluation may compute in any process and order.

    `parts(*arrays, seed=…, **settings)` is cheap and lists small picklable descriptions; it raises what the measure
    raises. `compute(*arrays, part)` gives one part's number. `combine(parts, values)` makes the scores of all.
    """

    parts: Callable[..., list[Any]]
    compute: Callable[..., float]
    combine: Callable[[list[Any], list[float]], dict[str, float]]

    def whole(self, *arrays: Any, **settings: Any) -> dict[str, float]:
        """The measure itself: every part, one after the other."""
        parts = self.parts(*arrays, **settings)
        return self.combine(parts, [self.compute(*arrays, part) for part in parts])


@dataclass(frozen=True)
class Metric:
    """A measure and all that the evaluation, the table and the page need to know of it.

    `needs` are its positional parameters, each the name of an array that the evaluation supplies: `codes` (n d, the
    representation scored), `factors` (n k), `means`, `variances`, `history`, or the name of an encoded array such
    as `v`. Those with the default None are `optional`: passed where there is one. `settings` are its keyword-only
    parameters; all of them, and n, make up the protocol id.
    """

    name: str
    function: Callable[..., dict[str, float]]
    version: int
    headline: str
    higher_is_better: bool | None
    bounds: tuple[float, float]
    supervised: bool
    rows: Rows
    minimum_rows: int
    representations: tuple[str, ...]
    scope: Literal["run", "configuration"]
    needs: tuple[str, ...]
    settings: type[Settings]
    optional: tuple[str, ...] = ()
    quick: dict[str, Any] = field(default_factory=dict)
    invariances: tuple[Invariance, ...] = ()
    pieces: Pieces | None = None

    @property
    def module(self) -> str:
        return self.function.__module__

    def protocol(self, settings: Settings, representation: str, n: int | None) -> str:
        """The protocol id, such as `mig/bins20-mean-n10000/v1`: everything that implementations differ in.

        n is None where the number of points is not known yet.
        """
        words = [_word(name, value) for name, value in settings.plain().items()]
        points = [] if n is None else [f"n{n}"]
        return f"{self.name}/{'-'.join([*words, representation, *points])}/v{self.version}"


def _word(name: str, value: Any) -> str:
    value = canonical(value)
    text = "x".join(str(item) for item in value) if isinstance(value, list) else str(value)
    return f"{name.replace('_', '')}{text if not isinstance(value, str) else '=' + text}"


def _from_file(annotation: Any) -> Any:
    """Settings files know lists only, where a measure's default is a tuple."""
    if get_origin(annotation) is not tuple:
        return annotation
    return Annotated[annotation, BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)]


def metric(
    *,
    version: int = 1,
    headline: str | None = None,
    higher_is_better: bool | None = True,
    bounds: tuple[float, float] = (0.0, 1.0),
    supervised: bool = False,
    rows: Rows = "sample",
    minimum_rows: int = 1,
    representations: tuple[str, ...] = ("mean", "sample"),
    scope: Literal["run", "configuration"] = "run",
    quick: dict[str, Any] | None = None,
    invariances: tuple[Invariance, ...] = (),
    pieces: Pieces | None = None,
) -> Callable[[Function], Function]:
    """Declare a measure; the function stays an ordinary function and gains `.declaration`.

    version: raise it when the same input may give another number.
    headline: the key that the leaderboard shows; by default the function's name.
    higher_is_better: None where neither direction is better.
    bounds: the range of the headline score.
    rows: "sample" gets one seeded draw of 10,000 points that all measures share, "all" gets every row.
    minimum_rows: fewer points than this are `not_applicable`.
    representations: which of "mean" and "sample" it is asked for.
    quick: settings under `--budget quick`, a protocol of its own.
    invariances: what may be done to the codes' coordinates without changing the headline; the conformance suite
        holds the measure to it.
    pieces: how it falls into independent pieces, for measures that take minutes.
    """

    def declare(function: Function) -> Function:
        parameters = inspect.signature(function, eval_str=True).parameters.values()
        arrays = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        fields = {
            p.name: (_from_file(p.annotation), p.default)
            for p in parameters
            if p.kind is p.KEYWORD_ONLY and p.name not in RESERVED
        }
        settings = type(
            f"{function.__name__}_settings",
            (Settings,),
            {"__annotations__": {n: a for n, (a, _) in fields.items()}, **{n: d for n, (_, d) in fields.items()}},
        )
        function.declaration = Metric(  # type: ignore[attr-defined]
            name=function.__name__,
            function=function,
            version=version,
            headline=headline or function.__name__,
            higher_is_better=higher_is_better,
            bounds=bounds,
            supervised=supervised,
            rows=rows,
            minimum_rows=minimum_rows,
            representations=representations,
            scope=scope,
            needs=tuple(p.name for p in arrays),
            settings=settings,
            optional=tuple(p.name for p in arrays if p.default is None),
            quick=quick or {},
            invariances=invariances,
            pieces=pieces,
        )
        return function

    return declare
