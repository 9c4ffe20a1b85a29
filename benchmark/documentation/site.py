"""The whole site: pages by hand, pages that are made, tutorials that are run, and the list of all of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmark import published, registry
from benchmark.documentation import agreement, components, floors, interface, portraits, publications, tutorials, warm
from benchmark.errors import BenchmarkError, UsageError
from benchmark.registry import Kind
from benchmark.verbs._workplace import cores

PAGES = Path(__file__).parent / "pages"
TUTORIALS = (
    "score-my-codes", "compare-with-a-leaderboard", "add-a-model", "add-a-measure", "reproduce-a-paper",
    "guard-a-model", "use-a-cluster", "work-with-other-tools",
)  # fmt: skip
KINDS = tuple(components.TITLES)
PLACE = re.compile(r"<!-- (.*?) -->")
MADE: Mapping[str, Callable[[], str]] = {
    "rotation": floors.rotation,
    "agreement": agreement.closest_and_farthest,
    "without factors": agreement.without_factors,
    "leaderboards": lambda: publications.leaderboards(published.folder()),
    "summaries": lambda: publications.summaries(published.folder()),
    "plain": lambda: publications.plain(published.folder()),
}
"""What stands where a page by hand says `<!-- NAME -->`."""


def build(to: Path, *, play: bool = True) -> Path:
    """Build the site into the folder `to`, and return its index. play: whether tutorials' commands are run.

    Raises `UsageError` where the packages for it are missing, and `BenchmarkError` where a tutorial does not end as it
    says; a broken link is an error too.
    """
    if find_spec("mkdocs") is None or find_spec("material") is None:
        raise UsageError("the documentation needs mkdocs-material: pip install 'disentanglement-benchmark[docs]'")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_pages(folder / "docs", play=play)
        (folder / "mkdocs.yml").write_text(json.dumps(configuration(folder / "docs", to.absolute())))
        # Not --quiet: it would keep warnings from being counted, and --strict from ending on them.
        words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file"]
        done = subprocess.run([*words, str(folder / "mkdocs.yml")], capture_output=True, text=True, check=False)
        if done.returncode:
            raise UsageError(f"mkdocs refuses the pages:\n{done.stdout}{done.stderr}")
    return to / "index.html"


def write_pages(docs: Path, *, play: bool) -> None:
    """All pages as Markdown."""
    shutil.copytree(PAGES, docs)
    # Tutorials wait for processes of their own, and so threads are enough to have several at a time.
    with ExitStack() as stack:
        address = stack.enter_context(warm.server()) if play else ""
        pool = stack.enter_context(ThreadPoolExecutor(cores()))
        played = [pool.submit(_play, docs / "tutorials" / f"{name}.md", address) for name in TUTORIALS if play]
        seen = portraits.scores()
        for each in played:
            each.result()
    for kind in KINDS:
        folder = docs / components.folder(kind)
        folder.mkdir()
        (folder / "index.md").write_text(components.index(kind))
        for name in registry.names(kind):
            picture = _portrait(name, seen, folder) if kind == "metric" else ""
            (folder / f"{name}.md").write_text(components.page(kind, name, picture))
    (docs / "interface.md").write_text(interface.page())
    publications.write(docs, published.folder())
    for path in docs.glob("*.md"):
        path.write_text(filled(path.read_text(), path.name))


def filled(text: str, where: str) -> str:
    """A page by hand with what is made in the places that it names. Raises `BenchmarkError` on a name that is none."""

    def made(place: re.Match[str]) -> str:
        if place[1] not in MADE:
            raise BenchmarkError(f"{where}: nothing is made for <!-- {place[1]} -->; there are {', '.join(MADE)}")
        return MADE[place[1]]()

    return PLACE.sub(made, text)


def _play(path: Path, address: str) -> None:
    with tempfile.TemporaryDirectory() as empty:
        path.write_text(tutorials.played(path.read_text(), Path(empty), f"tutorial {path.stem}", address))


def _portrait(name: str, seen: Any, folder: Path) -> str:
    if name not in seen.index:
        return ""
    values = seen.loc[name].dropna().to_dict()
    portraits.portrait(values, name, folder / "pictures" / f"{name}.svg")
    return (
        f"## What it sees\n\n![{name}: {portraits.words(values)}](pictures/{name}.svg)\n\n"
        f"Codes of {len(portraits.SIZES)} factors on their full grid, by the quick protocol: as they are, turned at"
        " random, each code twice, two factors summed in one code, under noise as wide as the codes, and noise alone."
    )


def configuration(docs: Path, to: Path) -> dict[str, Any]:
    """What mkdocs is told."""
    made = {kind: _listed(kind) for kind in KINDS}
    nav: list[dict[str, Any]] = [
        {"Start": "index.md"},
        {"Tutorials": [f"tutorials/{name}.md" for name in TUTORIALS]},
        {"Which measure?": "which-measure.md"},
        made["metric"],
        made["model"],
        {"Data and networks": [made["dataset"], made["network"]]},
        made["suite"],
        {"Published": "published.md"},
        {"Reference": ["reference.md", "interface.md"]},
        {"Questions": ["questions.md", "kept.md", "design.md"]},
    ]
    return {
        "site_name": "benchmark",
        "site_description": "Train, encode, score and compare disentangled representations",
        "docs_dir": str(docs),
        "site_dir": str(to),
        "use_directory_urls": False,  # so that it opens from a disk
        "nav": nav,
        "theme": {
            "name": "material",
            "font": False,  # nothing is loaded from elsewhere
            "features": ["navigation.indexes", "navigation.tabs", "navigation.top", "content.code.copy", "toc.follow"],
            "palette": [
                {"media": "(prefers-color-scheme: light)", "scheme": "default", "primary": "indigo"},
                {"media": "(prefers-color-scheme: dark)", "scheme": "slate", "primary": "indigo"},
            ],
        },
        "plugins": ["search"],
        "markdown_extensions": [
            "tables", "admonition", "attr_list", "pymdownx.superfences", "pymdownx.highlight",
            {"toc": {"permalink": True}},
        ],
        "validation": {"links": {"anchors": "warn", "not_found": "warn", "unrecognized_links": "warn"}},
    }  # fmt: skip


def _listed(kind: Kind) -> dict[str, Any]:
    folder = components.folder(kind)
    pages = [f"{folder}/index.md", *({name: f"{folder}/{name}.md"} for name in registry.names(kind))]
    return {components.TITLES[kind]: pages}
