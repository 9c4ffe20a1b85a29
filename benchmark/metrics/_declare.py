"""How a measure introduces itself: `@metric(...)` above a pure function of arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ClassVar, Literal, Protocol, TypeVar, cast

from pydantic import field_validator, model_validator

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._boundary import given
from benchmark.metrics._matrix import Matrix
from benchmark.spec import INFINITIES, Settings, canonical

Rows = Literal["sample", "all"]
Invariance = Literal["permutation", "sign", "scale"]
Judges = Literal["columns", "groups", "whole"]
Readout = Literal["numbers", "classes"]
Function = TypeVar("Function", bound=Callable[..., dict[str, float]])

OF_COLUMNS = frozenset({"codes", "means", "samples", "variances", "v", "v_logits", "decoder_weights"})
"""Arrays with an axis over the columns of the codes."""

RESERVED = ("seed", "split")
"""Keyword arguments that are supplied by the evaluation, not settings of a protocol."""


class Part(Protocol):
    """The description of one piece of a measure: small and picklable.

    `name` says, in letters fit for a file's name, all that decides the piece's value besides the arrays: measures
    whose parts share a name share the piece, which is computed once. `cost` is about how many seconds it takes.
    """

    @property
    def name(self) -> str: ...
    @property
    def cost(self) -> float: ...


@dataclass(frozen=True)
class Pieces:
    """How a costly measure falls into independent pieces, which the evaluation may compute in any process and order.

    `parts(*arrays, seed=…, **settings)` is cheap and lists the pieces; it raises what the measure raises.
    `compute(*arrays, part)` gives one part's value, a dictionary of numbers and lists of numbers that JSON can hold.
    `combine(parts, values)` makes the scores of all; `matrix(parts, values)` the matrix of codes by factors that they
    are scores of, where they are.
    """

    parts: Callable[..., list[Any]]
    compute: Callable[..., dict[str, Any]]
    combine: Callable[[list[Any], list[dict[str, Any]]], dict[str, float]]
    matrix: Callable[[list[Any], list[dict[str, Any]]], Matrix] | None = None

    def whole(self, *arrays: Any, **settings: Any) -> dict[str, float]:
        """The measure itself: every part, one after the other."""
        parts = self.parts(*arrays, **settings)
        return self.combine(parts, [self.compute(*arrays, part) for part in parts])


@dataclass(frozen=True)
class Through:
    """How a measure comes to its scores through a matrix of codes by factors, which is stored beside them.

    `find(*arrays, seed=…, **settings)` does the work and raises what the measure raises; `scores` and `matrix` are
    made of what it found.
    """

    find: Callable[..., Any]
    scores: Callable[[Any], dict[str, float]]
    matrix: Callable[[Any], Matrix]

    def whole(self, *arrays: Any, **settings: Any) -> dict[str, float]:
        """The measure itself."""
        return self.scores(self.find(*arrays, **settings))


class MetricSettings(Settings):
    """A measure's keyword parameters: of their types and ranges, numbers and not NaN, and fitting together."""

    checks_settings: ClassVar[Callable[..., None] | None] = None

    @field_validator("*")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        if isinstance(value, float) and value != value:
            raise ValueError("must be a number, not NaN")
        return value

    @model_validator(mode="after")
    def _together(self) -> MetricSettings:
        check = type(self).checks_settings
        if check is not None:
            try:
                check(**{name: getattr(self, name) for name in type(self).model_fields})
            except UsageError as error:
                raise ValueError(str(error)) from None
        return self


@dataclass(frozen=True)
class Metric:
    """A measure and all that the evaluation, the table and the page need to know of it.

    `needs` are its positional parameters, each the name of an array that the evaluation supplies: `codes` (n d, the
    representation scored), `factors` (n k), `means`, `variances`, `samples`, `history`, or the name of an encoded
    array such as `v`. Those with the default None are `optional`: passed where there is one. `settings` are its
    keyword-only parameters; all of them, and n, make up the protocol id. `source` is the sha256 of a loose file's
    content, None for what is installed.
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
    trial: dict[str, Any] = field(default_factory=dict)
    judges: Judges = "columns"
    of_latents: bool = False
    cost: float = 1.0
    invariances: tuple[Invariance, ...] = ()
    later: tuple[str, ...] = ()
    applies: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    instead: Mapping[str, Mapping[Any, Mapping[str, str]]] = field(default_factory=dict)
    readout: Readout | None = None
    pieces: Pieces | None = None
    through: Through | None = None
    installed: Callable[..., None] | None = None
    source: str | None = None

    @property
    def has_matrix(self) -> bool:
        """Whether its scores come with a matrix of codes by factors."""
        return self.through is not None or (self.pieces is not None and self.pieces.matrix is not None)

    def measured(self, *arrays: Any, **settings: Any) -> tuple[dict[str, float], Matrix | None]:
        """The scores, and the matrix of codes by factors behind them where there is one, computed once for both."""
        if self.through is not None:
            found = self.through.find(*arrays, **settings)
            return self.through.scores(found), self.through.matrix(found)
        if self.pieces is not None:
            parts = self.pieces.parts(*arrays, **settings)
            return self.combined(parts, [self.pieces.compute(*arrays, part) for part in parts])
        return self.function(*arrays, **settings), None

    def combined(self, parts: list[Any], values: list[dict[str, Any]]) -> tuple[dict[str, float], Matrix | None]:
        """The same from the values of its pieces."""
        assert self.pieces is not None
        matrix = self.pieces.matrix
        return self.pieces.combine(parts, values), matrix(parts, values) if matrix else None

    def arrays(self, settings: Settings) -> tuple[str, ...]:
        """The arrays that are supplied for `needs` under these settings, in their order."""
        others: dict[str, str] = {}
        for setting, values in self.instead.items():
            others |= values.get(getattr(settings, setting), {})
        return tuple(others.get(need, need) for need in self.needs)

    def check_judges(self, *, grouped: bool) -> None:
        """Raise `NotApplicable` where codes come in groups of columns and single ones are judged, or the reverse."""
        if self.judges == "groups" and not grouped:
            raise NotApplicable("the codes come in no groups of columns")
        if self.judges == "columns" and grouped and not OF_COLUMNS.isdisjoint(self.needs):
            raise NotApplicable(
                f"the codes come in groups of columns, and {self.name} judges each column by itself; measures of groups"
                " are group_dci, group_mig and group_readout"
            )

    @property
    def every_array(self) -> frozenset[str]:
        """All arrays that it may be supplied with, whatever its settings."""
        others = {array for values in self.instead.values() for names in values.values() for array in names.values()}
        return frozenset(self.needs) | others

    @property
    def module(self) -> str:
        return self.function.__module__

    def protocol(self, settings: Settings, representation: str, n: int | None) -> str:
        """The protocol id, such as `mig/bins20-mean-n10000/v1`: everything that implementations differ in.

        n is None where the number of points is not known yet. A loose file's version is its content's, too.
        """
        words = [_word(name, value) for name, value in settings.plain().items() if self._decides(name, settings)]
        points = [] if n is None else [f"n{n}"]
        loose = "" if self.source is None else f"-{self.source[:8]}"
        return f"{self.name}/{'-'.join([*words, representation, *points])}/v{self.version}{loose}"

    def described(self) -> dict[str, Any]:
        """What readers of its scores need to know where its code is not there: JSON values."""
        return {
            "about": (self.function.__doc__ or "").strip().split("\n")[0],
            "headline": self.headline,
            "higher_is_better": self.higher_is_better,
            "bounds": canonical(list(self.bounds)),
            "supervised": self.supervised,
        }

    @staticmethod
    def absent(name: str, described: Mapping[str, Any]) -> Metric:
        """A measure whose scores are there and whose code is not; calling it raises `UsageError`."""

        def function(*_: Any, **__: Any) -> dict[str, float]:
            raise UsageError(f'the code of metric "{name}" is not here: give its file by --plugin')

        function.__doc__ = described["about"]
        low, high = (float(INFINITIES.get(bound, bound)) for bound in described["bounds"])
        return Metric(
            name=name,
            function=function,
            version=0,
            headline=described["headline"],
            higher_is_better=described["higher_is_better"],
            bounds=(low, high),
            supervised=described["supervised"],
            rows="all",
            minimum_rows=1,
            representations=(),
            scope="run",
            needs=(),
            settings=MetricSettings,
        )

    def _decides(self, name: str, settings: Settings) -> bool:
        """Whether a setting is part of the protocol id."""
        if name in self.later and getattr(settings, name) == self.settings.model_fields[name].default:
            return False
        conditions = self.conditions(name)
        return not conditions or any(getattr(settings, other) == value for other, value in conditions)

    def conditions(self, name: str) -> tuple[tuple[str, Any], ...]:
        """Under which values of others a setting decides something, one of them being enough; none: always."""
        conditions = self.applies.get(name, ())
        return (conditions,) if conditions and isinstance(conditions[0], str) else conditions


def _word(name: str, value: Any) -> str:
    value = canonical(value)
    text = "x".join(str(item) for item in value) if isinstance(value, list) else str(value)
    return f"{name.replace('_', '')}{text if not isinstance(value, str) else '=' + text}"


def metric(
    *,
    version: int = 1,
    headline: str | None = None,
    also: tuple[str, ...] = (),
    higher_is_better: bool | None = True,
    bounds: tuple[float, float] = (0.0, 1.0),
    supervised: bool = False,
    rows: Rows = "sample",
    minimum_rows: int = 1,
    representations: tuple[str, ...] = ("mean", "sample"),
    scope: Literal["run", "configuration"] = "run",
    judges: Judges = "columns",
    of_latents: bool = False,
    quick: dict[str, Any] | None = None,
    trial: dict[str, Any] | None = None,
    cost: float = 1.0,
    invariances: tuple[Invariance, ...] = (),
    later: tuple[str, ...] = (),
    applies: dict[str, tuple[Any, ...]] | None = None,
    check: Callable[..., None] | None = None,
    instead: Mapping[str, Mapping[Any, Mapping[str, str]]] | None = None,
    readout: Readout | None = None,
    pieces: Pieces | None = None,
    through: Through | None = None,
    installed: Callable[..., None] | None = None,
) -> Callable[[Function], Function]:
    """Declare a measure; the function stays an ordinary function and gains `.declaration`.

    Called by people it takes lists, frames and tensors as well as arrays, and decides by their values which factors
    are discrete (`benchmark.metrics._boundary`). The evaluation calls `declaration.function`, the function as it was
    written: its arrays are plain, and datasets declare what their factors are.

    What a setting may be stands in its parameter's type, `Literal["a", "b"]` or `Annotated[int, Field(ge=2)]` with
    pydantic's `Field`, and is checked before anything is scored.

    version: raise it when the same input may give another number.
    headline: the key that the leaderboard shows; by default the function's name.
    also: further scores by which people ask for the measure.
    higher_is_better: None where neither direction is better.
    bounds: the range of the headline score.
    rows: "sample" gets one seeded draw of 10,000 points that all measures share, "all" gets every row.
    minimum_rows: fewer points than this are `not_applicable`.
    representations: which of "mean" and "sample" it is asked for.
    scope: "run", or "configuration" for a measure of the agreement between runs: each array that it needs arrives
        with the runs stacked along a leading axis, and besides its headline it returns headline_run_I for each.
    judges: what its scores are of where codes come in groups of columns, vectors that belong together: of "columns",
        each by itself, which is not applicable to such codes; of "groups", which it takes as an array `groups` (d), and
        which without groups is not applicable; or of the "whole", whatever belongs together, such as a read-out.
    of_latents: whether numbers of models with different numbers of latents do not compare; leaderboards then show those
        of each size apart.
    quick: settings under `--budget quick`, a protocol of its own.
    trial: settings under which the conformance suite runs it, by default those of `quick`.
    cost: about how many seconds it takes on 10,000 × 10 codes, or on all 737,280 where it wants all rows.
    invariances: what may be done to the codes' coordinates without changing the headline; the conformance suite
        holds the measure to it.
    later: settings that were added since its first scores were published: protocol ids leave them out at their
        defaults, so that those scores keep their column.
    applies: which settings decide something only where another has a certain value, {"train": ("kind", "discrete")},
        or one of several others has, {"train": (("kind", "discrete"), ("of", "v"))}; elsewhere protocol ids leave them
        out.
    check: `check(**settings)` raises `UsageError` on settings that do not go together.
    instead: arrays that are supplied in place of others where a setting has a value, by setting, value and parameter:
        {"of": {"logits": {"v": "v_logits"}}}.
    readout: what a read-out takes factors as, "numbers" or "classes". It takes a `split`: on combinations of factors
        that a model was not trained on it is tested, and learnt on those that it was. One of classes cannot name a
        value that it has not learnt.
    pieces: how it falls into independent pieces, for measures that take minutes.
    through: how it comes to its scores through a matrix of codes by factors; of a measure in pieces, they say so.
    installed: `installed(**settings)` raises `UsageError` on settings that need a package which is not here: nothing is
        computed under them, but scores of elsewhere are read and verified.
    """

    def declare(function: Function) -> Function:
        parameters = inspect.signature(function, eval_str=True).parameters.values()
        arrays = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        fields = {
            p.name: (p.annotation, p.default) for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in RESERVED
        }
        settings = type(
            f"{function.__name__}_settings",
            (MetricSettings,),
            {
                "__annotations__": {n: a for n, (a, _) in fields.items()},
                **{n: d for n, (_, d) in fields.items()},
                "checks_settings": None if check is None else staticmethod(check),
            },
        )
        declaration = Metric(
            name=function.__name__,
            function=_with_seed(function),
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
            trial=trial or quick or {},
            judges=judges,
            of_latents=of_latents,
            cost=cost,
            invariances=invariances,
            later=later,
            applies=applies or {},
            also=also,
            instead=instead or {},
            readout=readout,
            pieces=pieces,
            through=through,
            installed=installed,
        )
        return _for_people(function, declaration)

    return declare


def _with_seed(function: Function) -> Callable[..., dict[str, float]]:
    """The measure as the evaluation calls it: what draws nothing may do without a parameter `seed`."""
    if "seed" in inspect.signature(function).parameters:
        return function

    @wraps(function)
    def unseeded(*arrays: Any, seed: int, **settings: Any) -> dict[str, float]:
        return function(*arrays, **settings)

    return unseeded


def _for_people(function: Function, declaration: Metric) -> Function:
    """The measure as it is called outside the evaluation: with whatever holds numbers."""
    signature = inspect.signature(function)

    @wraps(function)
    def measure(*arguments: Any, **settings: Any) -> dict[str, float]:
        bound = signature.bind(*arguments, **settings)
        for name in declaration.needs:
            if name in bound.arguments:
                bound.arguments[name] = given(name, bound.arguments[name])
        return function(*bound.args, **bound.kwargs)

    measure.declaration = declaration  # type: ignore[attr-defined]
    return cast("Function", measure)
