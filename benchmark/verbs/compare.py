"""Set two models of one's own side by side, from files of their codes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import registry
from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.store import Store
from benchmark.verbs._given import add_plugins, takes_paths
from benchmark.words.notebook import Shown
from benchmark.words.phrases import count

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.reading.factor_kinds import Wishes
    from benchmark.spec import Run
    from benchmark.stages.external import External


@dataclass
class Comparison(Shown):
    """What `compare` found: the suite that both models are now in, its table, what was read, and a record a score.

    `a` and `b`: the models' names; `scores` as `benchmark.stages.side_by_side` says; `failed`: scores of either that
    failed, with the reasons.
    """

    suite: str
    table: Path
    a: str
    b: str
    notes: list[str]
    scores: list[dict[str, Any]]
    failed: dict[str, str] = field(default_factory=dict)

    def sentence(self) -> str:
        compared = sum(record["difference"] is not None for record in self.scores)
        return f"{self.a} beside {self.b}: {count(compared, 'score')} on both sides; {self.table}"

    def frame(self) -> pd.DataFrame:
        """A row a score: each side's mean, their difference b − a, who is better, p, and why there is none."""
        import pandas as pd

        kept = ("score", "protocol", "difference", "better", "p", "reason")
        rows = [
            {**{name: record[name] for name in kept}, self.a: record["a"]["mean"], self.b: record["b"]["mean"]}
            for record in self.scores
        ]
        return pd.DataFrame(rows, columns=["score", self.a, self.b, *kept[2:], "protocol"])


@dataclass
class Side:
    """One model: its name, its runs, and those of them that are to be published first."""

    name: str
    runs: list[Run]
    externals: Sequence[External] = ()


@takes_paths
def compare(
    a: str,
    b: str,
    *,
    name: str | None = None,
    factors: Path | None = None,
    rename: Mapping[str, str] | None = None,
    metrics: Sequence[str] = (),
    budget: str | None = None,
    results: Path = RESULTS,
    plugins: Sequence[Path] = (),
    jobs: int | None = None,
    retry_failed: bool = False,
    quiet: bool = True,
) -> Comparison:
    """Score two models under the same protocols, and test each difference over seeds.

    `a` and `b` are each a file of codes, NAME=FILE,FILE,… for the seeds of one model, or the name of a suite of codes
    that `evaluate --codes` made here. Together they become a suite called `name`, by default A-vs-B, which `report`
    draws. `factors`: the file of the factors, where those of the codes hold none. `rename` gives arrays or columns of
    both the names that are read, as in `add_codes`. Scores that failed before are left alone and reported, unless
    `retry_failed`.
    Raises `UsageError` before anything is written, also where the two are not codes of the same points.
    """
    from benchmark.reading.factor_kinds import Wishes
    from benchmark.stages import external
    from benchmark.stages.score_task import check_budget, check_metrics
    from benchmark.stages.side_by_side import side_by_side
    from benchmark.suite import EvaluationSettings
    from benchmark.verbs.evaluate import evaluate
    from benchmark.words.codes_read import sentence

    add_plugins(plugins)
    texts, chosen = check_metrics(tuple(metrics)) if metrics else (), check_budget(budget or "full")
    store = Store(results, make=False)
    wishes = Wishes(rename=tuple((rename or {}).items()))
    sides = [_side(text, factors, wishes, store) for text in (a, b)]
    _check(sides, (a, b))
    own = name or f"{sides[0].name}-vs-{sides[1].name}"
    external.check_name(own, "--name")
    external.check_suite(own, store)

    store = Store(results)
    for side in sides:
        for each in side.externals:
            external.publish(each, store, ["benchmark", "evaluate"])
    runs = [run for side in sides for run in side.runs]
    said = external.write_suite(own, store, EvaluationSettings(metrics=texts, budget=chosen), runs)
    summary = evaluate(
        own, results=results, metrics=texts, budget=budget, plugins=plugins, jobs=jobs, retry_failed=retry_failed,
        quiet=quiet,
    )  # fmt: skip
    scores = side_by_side(summary.table, *([run.run_id for run in side.runs] for side in sides))
    notes = [sentence(each) for side in sides for each in side.externals] + said
    return Comparison(own, summary.table, sides[0].name, sides[1].name, notes, scores, summary.failed)


def _side(text: str, factors: Path | None, wishes: Wishes, store: Store) -> Side:
    """What one of the two arguments names."""
    from benchmark.reading.read_codes import ENDINGS
    from benchmark.stages import external

    name, equals, listed = text.partition("=")
    if not Path(text).is_file() and not equals and Path(text).suffix not in ENDINGS:
        return _of_suite(text, store)
    files = [Path(text)] if Path(text).is_file() or not equals else list(map(Path, filter(None, listed.split(","))))
    name = files[0].stem if files == [Path(text)] else name
    if not files:
        raise UsageError(f"{text}: write NAME=FILE,FILE,… with a file for each seed")
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        what = "a folder" if missing.is_dir() else "no such file"
        raise UsageError(f"{missing}: {what}; benchmark compare takes a file of codes, or NAME=FILE,FILE,… for seeds")
    together = ",".join(map(str, files))
    if name in registry.names("model"):
        named = shlex.quote(f"my_{name}={together}")
        raise UsageError(f"{text}: a model of this program is called {name}; write {named}")
    if not external.NAME.fullmatch(name):
        named = shlex.quote(f"my_codes={together}")
        raise UsageError(f"{text}: give the model a name of letters, digits and _ . + -, such as {named}")
    found = external.runs_of(external.read_sources(files, factors, wishes), name, None, None, store, [])
    return Side(name, [each.run for each in found], found)


def _of_suite(text: str, store: Store) -> Side:
    """The model of a suite of codes that is here already."""
    known = sorted(file.stem for file in (store.root / "suites").glob("*/*.toml") if file.stem == file.parent.name)
    if text not in known:
        raise UsageError(
            f'"{text}" is no file of codes, and no suite of codes in {store.root} (there: {", ".join(known) or "none"})'
            "; write benchmark compare a.npz b.npz, or NAME=FILE,FILE,… with a file for each seed"
        )
    runs = store.plan(text)
    models = sorted({run.model.name for run in runs})
    if len({run.config_id for run in runs}) > 1:
        raise UsageError(
            f'suite "{text}" holds several models or data already ({", ".join(models)}): benchmark report {text} shows'
            " them side by side"
        )
    return Side(models[0], runs)


def _check(sides: Sequence[Side], texts: Sequence[str | os.PathLike[str]]) -> None:
    a, b = sides
    if a.runs[0].config_id == b.runs[0].config_id or a.name == b.name:
        named = f"my_{a.name}={os.fspath(texts[1])}"
        raise UsageError(f"both models are called {a.name}: give one another name, such as {shlex.quote(named)}")
    if a.runs[0].dataset != b.runs[0].dataset:
        raise UsageError(
            f"{texts[0]} and {texts[1]} hold codes of other points or factors: scores compare on the same points with"
            " the same factors, row by row"
        )
