"""A page for each measure, model, dataset, network and suite, from what `show` prints of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark import registry
from benchmark.documentation.prose import cell, escaped, markdown, table
from benchmark.registry import Kind
from benchmark.words.components import component

TITLES: Mapping[Kind, str] = {
    "metric": "Measures", "model": "Models", "dataset": "Datasets", "network": "Networks", "suite": "Suites",
}  # fmt: skip
SAID: Mapping[Kind, str] = {
    "metric": "A file each in `benchmark/metrics/`, written from the paper that defined it. Supervised measures "
    "compare codes with the factors that made the data; the others look at codes, likelihoods or decoders alone. "
    "[Which should I use?](../which-measure.md)",
    "model": "A file each in `benchmark/models/`. What trains by gradient descent takes any network of ours; closed "
    "forms and embeddings take the data as they are. Anchors are codes without a model: they show where a measure's "
    "floor and ceiling lie.",
    "dataset": "A file each in `benchmark/datasets/`. dSprites is redrawn and needs no download; the others are looked "
    "for in `--data-dir`, `$BENCHMARK_DATA` and the user's cache, and checked against pinned digests.",
    "network": "Encoders and decoders, a file each in `benchmark/networks/`.",
    "suite": "Files of TOML in `benchmark/suites/`: what is trained, with which seeds, and how it is scored. "
    "`benchmark run NAME --dry-run` says what one costs.",
}
FACTS = ("scores", "direction", "range", "supervised", "needs", "protocol", "version")
"""What the table of a component's page says, where it is known."""


def folder(kind: Kind) -> str:
    """Where the pages of a kind lie."""
    return TITLES[kind].casefold()


def index(kind: Kind) -> str:
    """The list of all components of a kind."""
    rows = [[f"[`{name}`]({name}.md)", cell(registry.describe(kind, name))] for name in registry.names(kind)]
    return f"# {TITLES[kind]}\n\n{SAID[kind]}\n\n{table(['name', 'what it is'], rows)}\n"


def page(kind: Kind, name: str, picture: str = "") -> str:
    """One component's page. picture: Markdown that stands below the description."""
    shown = component(kind, name)
    if kind == "suite":
        text = f"```toml\n{Path(shown['file']).read_text().strip()}\n```"
        run = f"```sh\nbenchmark run {name} --dry-run\nbenchmark run {name}\n```"
        return f"# {name}\n\n{escaped(shown['about'])}\n\n{run}\n\n{text}\n"
    about, rest = (markdown(shown[part]) for part in ("about", "documentation"))
    parts = [f"# {name}", about, picture, rest and f"## Definition\n\n{rest}"]
    parts += [_facts(shown), _anchors(shown), _settings(shown)]
    if sources := shown.get("sources"):
        parts.append("## Sources\n\n" + "\n".join(f"* {escaped(f'{key}: {text}')}" for key, text in sources.items()))
    parts.append(f"The same on the command line: `benchmark show {kind} {name}`.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(shown: Mapping[str, Any]) -> str:
    rows = [[name, f"`{_plain(shown[name])}`"] for name in FACTS if name in shown]
    return "## In short\n\n" + table(["", ""], rows)


def _anchors(shown: Mapping[str, Any]) -> str:
    """Floors and ceilings."""
    if not (found := shown.get("anchors on dsprites")):
        return ""
    rows = [[f"`{score}`", cell(text)] for score, text in found.items()]
    return (
        "## Floors and ceilings\n\nWhat codes without any training score on all of dSprites: perfect codes, with dead"
        " ones beside them, rotated, noise, PCA and an untrained encoder.\n\n" + table(["score", "anchors"], rows)
    )


def _settings(shown: Mapping[str, Any]) -> str:
    if not shown["settings"]:
        return ""
    rows = [
        [f"`{name}`", f"`{_plain(each['default'])}`", cell(each["about"])] for name, each in shown["settings"].items()
    ]
    return "## Settings\n\n" + table(["name", "default", "what it does"], rows)


def _plain(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_plain, value))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
