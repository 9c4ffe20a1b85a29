"""A measure as scikit-learn's `scoring=`: GridSearchCV and cross_validate choose and report by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark import registry
from benchmark.choice import read_choice
from benchmark.errors import BenchmarkError, NotApplicable, UsageError
from benchmark.metrics._declare import Metric
from benchmark.spec import plainly, suggest

if TYPE_CHECKING:
    from benchmark.stages.score_task import Budget

GIVEN = frozenset({"codes", "means", "factors"})
"""What `estimator.transform(X)` and y are to a measure."""
WORDS = {
    "history": "a training history",
    "log_weights": "importance weights",
    "samples": "samples of a posterior",
    "v": "the decoder's Jacobian",
    "v_logits": "the decoder's Jacobian",
    "variances": "variances of a posterior",
    "decoder_weights": "the decoder's weights",
}
"""What measures need, in words, where their own name does not say it."""


@dataclass(frozen=True)
class Scorer:
    """What `scorer` makes: a callable (estimator, X, y) that scikit-learn takes, and that is the same in any process.

    `measure` as it was named, `score` which of its scores; `sign` is −1 where lower is better.
    """

    measure: str
    score: str
    sign: int
    seed: int = 0
    budget: Budget = "full"
    discrete: tuple[str, ...] = ()
    continuous: tuple[str, ...] = ()

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        """The score of `estimator.transform(X)` (n d) with the factors y (n k), the greater the better.

        Raises `NotApplicable` or `BenchmarkError` with the reason where it has no number, `UsageError` on an estimator
        that does not transform; scikit-learn answers to these as its `error_score` says.
        """
        from benchmark.reading.factor_kinds import Wishes
        from benchmark.reading.given_arrays import read_arrays
        from benchmark.stages.score_arrays import ArrayScore, score_arrays
        from benchmark.stages.score_task import Protocol

        who = f'scorer("{self.measure}")'
        if not hasattr(estimator, "transform"):
            raise UsageError(f"{who}: {type(estimator).__name__} has no `transform`, whose codes would be scored")
        wishes = Wishes(self.discrete, self.continuous, typed=False)
        reading = read_arrays(estimator.transform(X), y, None, None, wishes, who)
        found: list[ArrayScore] = []
        protocol = Protocol((self.measure,), self.budget, seed=self.seed)
        score_arrays(reading.codes, protocol, None, lambda *_: None, found.append)
        (one,) = found
        if one.scored.status == "not_applicable":
            raise NotApplicable(f"{self.measure} is not applicable: {one.scored.reason}")
        if one.scored.status != "ok":
            raise BenchmarkError(f"{self.measure} failed: {one.scored.reason}")
        if self.score not in one.values:
            raise BenchmarkError(f"{one.protocol} has no {self.score}: it has {', '.join(one.values)}")
        return self.sign * float(one.values[self.score])


def scorer(
    measure: Any,
    score: str | None = None,
    *,
    greater_is_better: bool | None = None,
    seed: int = 0,
    budget: str = "full",
    discrete: Sequence[str] = (),
    continuous: Sequence[str] = (),
) -> Scorer:
    """A measure for scikit-learn's `scoring=`, of estimators whose `transform` gives codes; y are the factors (n k).

        GridSearchCV(PCA(), {"n_components": [2, 5, 10]}, scoring=scorer("mig")).fit(X, factors)

    measure: its name, with settings where it is to have others, `mig(bins=10)`, or the function itself. score: one of
        its scores other than the headline, such as completeness of dci.
    greater_is_better: which way is better, where the measure does not declare it: of scores other than the headline,
        and of measures that neither way is better by themselves.
    seed: of what it draws. budget: "full", or "quick" for the cheaper settings of costly measures; dci and others that
        learn want more points than a fold has, as the reason says, and fewer by `dci(train=1000, test=500)`.
    discrete, continuous: which factors, factor_0 and so on, are another kind than their values in a fold say.

    The value is that of `benchmark.score` for the same rows, negated where lower is better, as scikit-learn wants it.
    Raises `UsageError` on a measure that needs more than codes and factors, such as a decoder, a posterior's variances
    or a training history, is of several runs, or has no better direction.
    """
    from benchmark.stages.score_task import check_budget, check_metrics

    named = getattr(getattr(measure, "declaration", None), "name", measure)
    if not isinstance(named, str):
        raise UsageError(f"scorer: the measure is {type(measure).__name__}; give a name, such as mig, or the function")
    texts = check_metrics((named,))
    if len(texts) != 1:
        raise UsageError(f"scorer: {named} is {len(texts)} measures; a scorer has one, and `scoring=` takes several")
    choice = read_choice(texts[0])
    declaration: Metric = registry.load("metric", choice.name).declaration
    _check_arrays(declaration, declaration.arrays(declaration.settings.read(choice.settings, choice.name)))
    chosen = _score(declaration, named if score is None else score, asked=score is not None)
    sign = 1 if _greater(declaration, chosen, greater_is_better) else -1
    return Scorer(texts[0], chosen, sign, seed, check_budget(budget), tuple(discrete), tuple(continuous))


def _check_arrays(metric: Metric, arrays: tuple[str, ...]) -> None:
    """Raise `UsageError` where a measure is of more than one model's codes and their factors."""
    if metric.scope == "configuration":
        raise UsageError(f"scorer: {metric.name} is of the agreement of several runs, and a scorer is given one model")
    if metric.judges == "groups":
        raise UsageError(
            f"scorer: {metric.name} judges groups of codes, and a transform gives none; `score` takes them"
        )
    for need, name in zip(metric.needs, arrays, strict=True):
        if name not in GIVEN and need not in metric.optional:
            what = WORDS.get(name, name.replace("_", " "))
            raise UsageError(
                f"scorer: {metric.name} needs {what}, and a scorer has a transform's codes and their factors alone;"
                " benchmark run and evaluate score models of which more is known"
            )


def _score(metric: Metric, text: str, *, asked: bool) -> str:
    """Which score is meant, by its own name or with that of its measure: pearson, mcc.pearson."""
    known = [metric.headline, *metric.also]
    names = {plainly(name): each for each in known for name in (each, f"{metric.name}.{each}")}
    found = names.get(plainly(text.partition("(")[0]))
    if found is None and asked:
        raise UsageError(f'scorer: {metric.name} has no score "{text}"{suggest(text, known)}')
    return found or metric.headline


def _greater(metric: Metric, score: str, said: bool | None) -> bool:
    """Whether more of a score is better: as its measure declares of its headline, else as the caller says."""
    declared = metric.higher_is_better if score == metric.headline else None
    if declared is None and said is None:
        raise UsageError(
            f"scorer: {metric.name} does not declare which direction of {score} is better: say greater_is_better=True"
            " or False"
        )
    if declared is not None and said not in (None, declared):
        raise UsageError(f"scorer: {'more' if declared else 'less'} {score} is better; leave greater_is_better out")
    return bool(said if declared is None else declared)
