"""The columns of a leaderboard: one headline score under one protocol each."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pandas as pd

from benchmark.bibliography import sources
from benchmark.metrics._declare import Metric
from benchmark.naming import score_name, without_points
from benchmark.published import anchors, spelled
from benchmark.stages.configurations import symbol

PRIMARY = "mig"
"""The metric that orders the rows at first and picks the median seed, where a suite names no headline of its own."""
SHOWN = 7
"""Boards with more scores than this show so many at first."""
PREFERRED = (
    "mig", "dci", "infomec", "factor_vae_score", "dto", "reconstruction", "sample_efficiency", "udr", "sap", "mcc",
    "disentanglement_score", "kl",
)  # fmt: skip
"""The measures that a wide board shows at first, and the first of their group; others follow where these are absent."""
GROUPS = ("disentanglement", "informativeness", "unsupervised", "likelihood and rate", "cost")
"""The kinds of columns, in the order in which a board shows them."""
INFORMATIVE = frozenset({"explicitness", "linear_separability", "sample_efficiency", "downstream"})
LIKELIHOOD = frozenset(
    {"elbo", "kl", "kl_decomposition", "log_likelihood", "reconstruction", "reconstruction_split", "renyi_bound"}
)

WORDS = {"mig": "MIG", "dto": "DtO", "kl": "KL", "elbo": "ELBO", "vae": "VAE", "tc": "TC", "sap": "SAP", "dci": "DCI",
         "irs": "IRS", "mcc": "MCC", "udr": "UDR", "beta": "β", "delta": "Δ", "iwae": "IWAE",
         "rmig": "RMIG", "jemmig": "JEMMIG", "dcimig": "DCIMIG", "infomec": "InfoMEC", "infom": "InfoM",
         "infoc": "InfoC", "infoe": "InfoE", "med": "MED", "omes": "OMES", "snc": "SNC", "nk": "NK", "mlp": "MLP",
         "gaussian": "Gaussian", "wasserstein": "Wasserstein", "renyi": "Rényi", "pearson": "Pearson",
         "spearman": "Spearman", "edi": "EDI"}  # fmt: skip

JOINED = {"β VAE": "β-VAE", "MIG sup": "MIG-sup", "DCI es": "DCI-ES", "@ ": "@\xa0"}


@dataclass(frozen=True)
class Column:
    """One headline score under one protocol, or one kind of cost."""

    name: str
    title: str
    metric: str
    score: str
    budget: int | None
    protocol: str
    direction: str
    supervised: bool
    what: str
    numbers: bool
    """Whether any configuration has a number here."""
    anchors: str = ""
    """What the anchor rows score on dSprites, and by which protocol, where that is published."""
    group: str = ""
    headline: bool = False
    """Whether it is of the metric that orders the rows at first."""
    first: bool = True
    """Whether it is shown before the reader chooses columns."""
    bounds: tuple[float, float] = (-math.inf, math.inf)
    """The range that the score can have."""
    shared: bool = False
    """Whether the runs of a configuration have it of each other, as UDR: they are no sample, and it has no interval."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The full citations of what its description refers to, by short reference."""

    @property
    def full_name(self) -> str:
        """What the score is called in tables and on the command line: `mcc.pearson`."""
        return score_name(self.metric, self.score)

    @property
    def arrow(self) -> str:
        return {"higher": "↑", "lower": "↓", "none": ""}[self.direction]

    @property
    def heading(self) -> str:
        """The title with its arrow, which a line break leaves beside it."""
        return f"{self.title}\xa0{self.arrow}".strip()


def title(name: str) -> str:
    """A score's name as people write it: `factor_vae_score` is factor VAE score, `mcc.pearson` MCC: Pearson, and
    `med.med_completeness` MED: completeness.

    What is in brackets stays. `benchmark.spec.plainly` leads back to the name.
    """
    plain, bracket, rest = name.partition(" (")
    plain = re.sub(r"^(\w+)\.\1_", r"\1.", plain)
    plain = plain.replace("_", " ").replace(".", ": ")
    words = re.sub(r"[a-z]+", lambda word: WORDS.get(word[0], word[0]), plain)
    for apart, together in JOINED.items():
        words = words.replace(apart, together)
    return words + bracket + rest


def columns(rows: pd.DataFrame, declarations: Mapping[str, Metric], headline: str = PRIMARY) -> list[Column]:
    """A column for each score under each protocol that has numbers, then one for each setting that has none.

    rows: one board's rows of `headline_rows`. Supervised measures come first, and of a kind the metric `headline`.
    """
    rows = rows.assign(setting=rows["protocol"].map(without_points))
    ok = rows[rows["status"] == "ok"]
    numbers = ok.drop_duplicates("column")
    without = rows[~rows["setting"].isin(set(ok["setting"]))].drop_duplicates("setting")
    taken = set(numbers["column"])
    again = without["column"].isin(taken) | without.duplicated("column", keep=False)
    without = without.assign(
        column=without["column"].where(~again, without["column"] + " (" + without["setting"] + ")")
    )
    shown = pd.concat([numbers, without])
    shown = shown.assign(place=[GROUPS.index(group(declarations[name])) for name in shown["metric"]])
    known = {name: place for place, name in enumerate(_preferred(headline))}
    # Of one measure's protocols the one that most runs have comes first, of several the measure's own settings: the
    # others are those of an exception, or of a paper.
    runs = ok["protocol"].value_counts()
    pairs = zip(shown["metric"], shown["protocol"], shown["representation"], strict=True)
    shown = shown.assign(
        without=shown["status"] != "ok",
        known=shown["metric"].map(known).fillna(len(known)),
        rare=-shown["protocol"].map(runs).fillna(0),
        other=[not _usual(declarations[metric], protocol, codes) for metric, protocol, codes in pairs],
    )
    order = ["without", "place", "known", "metric", "rare", "other", "protocol", "budget"]
    ordered = shown.sort_values(order).to_dict("records")
    found = [_column(row, declarations[row["metric"]], ordered) for row in ordered]
    found = [replace(column, headline=column.metric == headline) for column in found]
    return _with_first(found, _preferred(headline))


def _usual(metric: Metric, protocol: str, representation: str) -> bool:
    """Whether a protocol is that of a measure's own settings, in full or in the quick form."""
    forms = (metric.settings.read(given, metric.name) for given in ({}, metric.quick))
    return without_points(protocol) in {metric.protocol(form, representation, None) for form in forms}


def group(metric: Metric) -> str:
    """The kind of column that a measure's score is."""
    if metric.name in LIKELIHOOD:
        return "likelihood and rate"
    if metric.name in INFORMATIVE:
        return "informativeness"
    return "disentanglement" if metric.supervised else "unsupervised"


def _preferred(headline: str) -> list[str]:
    return [headline, *(name for name in PREFERRED if name != headline)]


def primary(of: Sequence[Column]) -> Column | None:
    """The column that orders rows and picks the median seed: the headline's, or the first with a direction."""
    directed = [column for column in of if column.numbers and column.direction != "none"]
    return next((column for column in directed if column.headline), directed[0] if directed else None)


def _column(row: Mapping[Hashable, Any], metric: Metric, others: Sequence[Mapping[Hashable, Any]]) -> Column:
    budget = None if pd.isna(row["budget"]) else int(row["budget"])
    name, score, protocol = str(row["column"]), str(row["score"]), str(row["protocol"])
    plain = name.removesuffix(f" ({protocol})").removesuffix(f" ({without_points(protocol)})")
    alike = [str(other["protocol"]) for other in others if other["metric"] == metric.name]
    told = _told(protocol, alike, metric) if plain != name else ""
    return Column(
        name=name,
        title=title(plain + (f" ({told})" if told else "")),
        metric=metric.name,
        score=score,
        budget=budget,
        protocol=protocol,
        direction=str(row["direction"]),
        supervised=bool(row["supervised"]),
        numbers=row["status"] == "ok",
        what=(metric.function.__doc__ or "").strip().split("\n")[0],
        anchors=_anchors(metric.name, score, budget, str(row["representation"])),
        group=group(metric),
        bounds=metric.bounds,
        shared=metric.scope == "configuration",
        sources=sources((metric.function.__doc__ or "").split("Returns `")[0]),
    )


def _told(protocol: str, others: Sequence[str], metric: Metric) -> str:
    """The words of a protocol that tell it from others of its metric; none where the others have more of them.

    Settings that decide something only under one value of another are left out where that one tells enough.
    """
    words = [text.split("/", 1)[-1].replace("/", "-").split("-") for text in (protocol, *others)]
    shared = set(words[0]).intersection(*words[1:])
    names = sorted(metric.settings.model_fields, key=len, reverse=True)
    own = {word: _setting_of(word, names) for word in words[0] if word not in shared}
    told = set(own.values())
    few = [word for word, name in own.items() if not told & {other for other, _ in metric.conditions(name)}]
    enough = all(set(few) - set(other) for other in words[1:] if other != words[0])
    return ", ".join(_spaced(word, own[word]) for word in (few if enough else own))


def _setting_of(word: str, names: Iterable[str]) -> str:
    """The setting whose value a protocol's word says, of these names, the longest first; none of n10000."""
    return next((name for name in names if word.startswith(name.replace("_", ""))), "")


def _spaced(word: str, setting: str) -> str:
    """`constantfactors1` is constant factors 1."""
    value = word.removeprefix(setting.replace("_", ""))
    return f"{symbol(setting).replace('_', ' ')} {value.removeprefix('=')}" if setting else word


def _with_first(found: list[Column], preferred: Sequence[str]) -> list[Column]:
    """Which columns a board shows at first: all of a narrow board, else the preferred measures, each once."""
    numbered = [column for column in found if column.numbers]
    if len(numbered) <= SHOWN + 2:
        return found
    protocols: dict[str, str] = {}  # the first of a measure is the one that most runs have
    for column in numbered:
        protocols.setdefault(column.metric, column.protocol)
    usual = [column for column in numbered if column.protocol == protocols[column.metric]]
    by_metric = {column.metric: column.name for column in usual}  # the largest label budget is the last
    order = [name for name in preferred if name in by_metric]
    order += [name for name in by_metric if name not in order]
    kept = {by_metric[name] for name in order[:SHOWN]}
    return [replace(column, first=column.name in kept) for column in found]


@cache
def _anchors(metric: str, score: str, budget: int | None, representation: str) -> str:
    rows = anchors(metric)
    same = rows["budget"].isna() if budget is None else rows["budget"] == budget
    rows = rows[(rows["score"] == score) & (rows["representation"] == representation) & same.fillna(False)]
    if not (rows["status"] == "ok").any():
        return ""
    scores = ", ".join(f"{row['model']} {spelled(row)}" for _, row in rows.iterrows())
    return f"{scores} ({rows['protocol'].iloc[0]})"
