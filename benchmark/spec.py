"""What a run is: validated settings, their canonical form, and the ids hashed from it."""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, time
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from benchmark.errors import UsageError
from benchmark.naming import check_name

INFINITIES = {"inf": math.inf, "-inf": -math.inf}
SHA256 = re.compile("[0-9a-f]{64}")
LARGEST_SEED = 2**63 - 1
"""What the results table holds in its column of seeds."""


def _number(value: Any) -> Any:
    """Read the strings "inf" and "-inf", which TOML users and JSON need; refuse NaN."""
    if isinstance(value, str):
        return INFINITIES.get(value, value)
    if isinstance(value, float) and math.isnan(value):
        raise ValueError("must be a number, not NaN")
    return value


Number = Annotated[float, BeforeValidator(_number)]
"""A float setting: 4 and 4.0 agree, "4" and NaN are refused, infinities are the strings "inf" and "-inf"."""


def stackable(default: float, doc: str, *, since: int | None = None, **constraints: Any) -> Any:
    """A number that only enters arithmetic: runs that differ in it can train in one fleet.

    `since`: as in `static`.
    """
    extra: dict[str, Any] = {"stackable": True} | ({} if since is None else {"since": since})
    return Field(default, description=doc, json_schema_extra=extra, **constraints)


def static(default: Any, doc: str, *, since: int | None = None, **constraints: Any) -> Any:
    """A setting that changes what is computed: runs that differ in it train apart.

    `since`: the component's version that added the setting; at its default it stays out of the identity.
    """
    extra: dict[str, Any] = {} if since is None else {"since": since}
    return Field(default, description=doc, json_schema_extra=extra, **constraints)


def location(doc: str) -> Any:
    """Where a file lies. It never enters the identity; the file's content does."""
    return Field(description=doc, json_schema_extra={"location": True})


class Settings(BaseModel):
    """Validated settings of one component. Unknown keys and wrong types are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, protected_namespaces=())

    @field_validator("*", mode="before")
    @classmethod
    def _tuples(cls, value: Any, info: ValidationInfo) -> Any:
        """TOML and JSON know lists only; settings hold tuples, which hash and do not change."""
        wanted = get_origin(cls.model_fields[info.field_name or ""].annotation)
        return tuple(value) if isinstance(value, list) and wanted is tuple else value

    @classmethod
    def read(cls, values: Mapping[str, Any], where: str) -> Self:
        """Validate `values`; raise `UsageError` naming `where` and each wrong key."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise UsageError(explain(error, cls, where)) from None

    @classmethod
    def extra(cls, name: str, key: str) -> Any:
        extra = cls.model_fields[name].json_schema_extra
        return extra.get(key) if isinstance(extra, dict) else None

    @classmethod
    def stackable_names(cls) -> list[str]:
        return [name for name in cls.model_fields if cls.extra(name, "stackable")]

    def identity(self) -> dict[str, Any]:
        """The settings that enter the config id, in canonical form."""
        values = {}
        for name, info in type(self).model_fields.items():
            value = getattr(self, name)
            if self.extra(name, "location"):
                continue
            if self.extra(name, "since") is not None and value == info.default:
                continue
            values[name] = canonical(value)
        return values

    def plain(self) -> dict[str, Any]:
        """All settings as JSON values; `read` takes them back."""
        return {name: canonical(getattr(self, name)) for name in type(self).model_fields}


def explain(error: ValidationError, settings: type[BaseModel], where: str) -> str:
    """One sentence for all that is wrong with some settings, with the nearest known key for a misspelt one."""
    found: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for detail in error.errors():
        place = tuple(str(part) for part in detail["loc"] if not BRANCH.fullmatch(str(part)))
        found.setdefault(place, []).append(detail)
    # What may be of several kinds is refused as each of them: where an item is wrong, the list itself is not.
    inner = {place[:length] for place in found for length in range(len(place))}
    clauses = [_explain_one(details, settings, ".".join([where, *place]), place) for place, details in found.items()
               if not place or place not in inner]  # fmt: skip
    return "; ".join(clauses)


def _explain_one(details: list[ErrorDetails], settings: type[BaseModel], path: str, place: tuple[str, ...]) -> str:
    """What is wrong with one value, refused as each of the kinds that it may be of."""
    detail = details[0]
    if detail["type"] == "extra_forbidden":
        return f"{path}: unknown setting{suggest(place[-1], list(settings.model_fields))}"
    if detail["type"] == "missing":
        return f"{path}: this {'item' if isinstance(detail['loc'][-1], int) else 'setting'} is required"
    messages = list(dict.fromkeys(_in_words_of_toml(each["msg"]) for each in details))
    kinds = [message.removeprefix(KIND) for message in messages]
    if len(messages) > 1 and all(message.startswith(KIND) for message in messages):
        message = f"{KIND}{', '.join(kinds[:-1])} or {kinds[-1]}"
    else:
        message = " or ".join(messages)
    if message == f"{KIND}list":
        message += ", in [ ]"
    if not place:  # of the settings together
        return f"{path}: {message}"
    value = detail["input"]
    shown = str(value) if isinstance(value, date | time) else repr(value)
    return f"{path} = {shown if len(shown) <= 100 else f'{shown[:99]}…'}: {message[0].lower()}{message[1:]}"


KIND = "Input should be a valid "
BRANCH = re.compile(r"(str|int|float|bool)|(list|dict|tuple|union|literal|constrained|function|nullable|json)\W.*")
"""How pydantic calls one of several kinds within the place of an error."""


def _in_words_of_toml(message: str) -> str:
    plain = re.sub(r"dictionary( or instance of \w+)?", "table", message.removeprefix("Value error, "))
    return plain.replace("a valid tuple", "a valid list")


def suggest(name: str, known: list[str]) -> str:
    """'; did you mean "x"? Known: …' for an error about an unknown name."""
    found = nearest(name, known)
    hint = f'; did you mean "{found}"?' if found else "."
    listing = ", ".join(known[:SHOWN]) if known else "none"
    more = f" … and {len(known) - SHOWN:,} more" if len(known) > SHOWN else ""
    return f"{hint} Known: {listing}{more}"


SHOWN = 40
"""Names in an error at most."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like this one; capitals, hyphens and underscores make no difference: BetaVAE is beta_vae."""
    import difflib

    plain: dict[str, str] = {}
    for each in known:
        plain.setdefault(plainly(each), each)
    close = difflib.get_close_matches(plainly(name), plain, n=1, cutoff=0.5)
    return plain[close[0]] if close else None


def plainly(name: str) -> str:
    """A name without what people write in different ways: `β-VAE score` is beta_vae_score, `MCC: Pearson` mcc.pearson.

    Greek letters are spelled out, and accents left out.
    """
    greek = (unicodedata.name(letter, "").split()[-1] if "α" <= letter <= "ω" else letter for letter in name.casefold())
    plain = unicodedata.normalize("NFD", "".join(greek).casefold())
    return "".join(letter for letter in plain if letter.isalnum() or letter in "@()=")


def canonical(value: Any) -> Any:
    """The JSON form in which equal settings are equal text: 4.0 is 4, infinities are strings, keys are sorted."""
    if isinstance(value, BaseModel):
        return canonical(value.model_dump())
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, float):
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return value


def canonical_json(value: Any) -> str:
    return json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any, length: int = 12) -> str:
    """The first `length` hex digits of the sha256 of `value`'s canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:length]


Precision = Literal["float32", "bfloat16"]
Schedule = Literal["constant", "linear", "cosine"]


class TrainingSettings(Settings):
    """Adam on batches drawn with replacement from the training rows. One step is one batch."""

    VERSION: ClassVar[int] = 1
    """Raise it when an engine may give other weights."""

    steps: int = static(10_000, "gradient steps", ge=0)
    batch: int = static(64, "data points in a batch", ge=2)
    learning_rate: Number = stackable(1e-4, "Adam's rate", gt=0, allow_inf_nan=False)
    beta1: Number = static(0.9, "Adam's decay of the first moment", ge=0, lt=1)
    beta2: Number = static(0.999, "Adam's decay of the second moment", ge=0, lt=1)
    precision: Precision = static(
        "float32", "of the layers' products in training; codes are always encoded in float32", since=1
    )
    schedule: Schedule = static(
        "constant", "how the rate falls to 0 after the warm-up; critics keep their own rate as it is", since=1
    )
    warm_up: Number = static(
        0.0, "share of the steps over which the rate rises linearly from 0; critics have none", ge=0, le=1, since=1
    )
    weight_decay: Number = stackable(
        0.0,
        "λ of AdamW: before each update all weights shrink by the present rate times λ, those of a learned σ_x or prior"
        " too, critics' not",
        ge=0,
        allow_inf_nan=False,
        since=1,
    )


@dataclass(frozen=True)
class Component:
    """One named part of a run with its version and settings, all plain JSON values.

    `source` is the sha256 of a loose file's content; built-in parts have none.
    """

    name: str
    version: int
    settings: dict[str, Any]
    locations: dict[str, Any] = field(default_factory=dict)
    source: str | None = None

    def identity(self) -> dict[str, Any]:
        identity: dict[str, Any] = {"name": self.name, "version": self.version, "settings": self.settings}
        return identity if self.source is None else {**identity, "source": self.source}

    @classmethod
    def from_json(cls, value: object, where: str) -> Component:
        """Read what `Run.to_json` writes of a part. Raises `UsageError` on anything else: its name becomes a path."""
        found = _fields(value, where, {"name", "version", "settings"}, {"locations", "source"})
        version, source, locations = found["version"], found.get("source"), found.get("locations", {})
        if not _is_whole(version):
            raise UsageError(f"{where}.version = {version!r:.60}: a version is a whole number from 0 on")
        for key, mapping in (("settings", found["settings"]), ("locations", locations)):
            if not isinstance(mapping, Mapping):
                raise UsageError(f"{where}.{key} = {mapping!r:.60}: these are names with their values")
        if source is not None and not (isinstance(source, str) and SHA256.fullmatch(source)):
            raise UsageError(f"{where}.source = {source!r:.80}: a file's content goes by its sha256")
        name = check_name(found["name"], f"{where}.name")
        return cls(name, version, dict(found["settings"]), dict(locations), source)


PARTS = ("dataset", "model", "network", "training")
"""What a run is made of, as suites call it."""


@dataclass(frozen=True)
class Run:
    """One model, trained on one dataset with one seed; `network` and `training` are absent for closed forms."""

    dataset: Component
    model: Component
    network: Component | None
    training: Component | None
    seed: int

    @property
    def config(self) -> dict[str, Any]:
        parts = {"dataset": self.dataset, "model": self.model, "network": self.network, "training": self.training}
        return {key: part.identity() if part else None for key, part in parts.items()}

    @cached_property
    def config_id(self) -> str:
        return digest(self.config)

    @property
    def run_id(self) -> str:
        return f"{self.config_id}-s{self.seed}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: object, where: str = "run") -> Run:
        """Read what `to_json` writes. Raises `UsageError` on anything else: names and the seed become a path."""
        found = _fields(value, where, {*PARTS, "seed"})
        seed = found.pop("seed")
        if not _is_whole(seed) or seed > LARGEST_SEED:
            raise UsageError(f"{where}.seed = {seed!r:.60}: a seed is a whole number from 0 on")
        parts = {
            key: None
            if part is None and key in ("network", "training")
            else Component.from_json(part, f"{where}.{key}")
            for key, part in found.items()
        }
        return cls(**parts, seed=seed)  # type: ignore[arg-type]


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _fields(value: object, where: str, required: set[str], optional: Collection[str] = ()) -> dict[str, Any]:
    """A mapping that has all required fields and no unknown ones."""
    if not isinstance(value, Mapping):
        raise UsageError(f"{where} = {value!r:.60}: it has the fields {', '.join(sorted(required))}")
    wrong = sorted(map(str, (required - value.keys()) | (value.keys() - required - set(optional))))
    if wrong:
        raise UsageError(f"{where}: {wrong[0]!r:.60} is missing or not known")
    return dict(value)
