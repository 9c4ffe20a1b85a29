"""`data list`, `data fetch` and `data verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark import registry
from benchmark.cli.completion import datasets
from benchmark.cli.options import DataDir, Json
from benchmark.cli.printed import fail_if, print_result
from benchmark.cli.typed import read_setting


def data_list(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Every dataset, and whether its files are here."""
    from benchmark.datasets import _files

    rows = {}
    for name in registry.names("dataset"):
        dataset = registry.load("dataset", name)
        here = all(_files.find(file, data_dir) for file in dataset.files)
        if not dataset.files:
            rows[name] = "no files needed"
        elif here:
            rows[name] = "here"
        else:
            asked = next((file.url for file in dataset.files if file.by_hand), None)
            fetched = f"open {asked}" if asked else f"benchmark data fetch {name}"
            rows[name] = "absent, drawn instead" if dataset.drawn else f"absent; {fetched}"
    print_result(rows, as_json, "\n".join(f"{name:<20}{state}" for name, state in rows.items()))


def data_fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="a dataset", autocompletion=datasets)],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="the dataset's setting: kind=toy")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Download what a dataset lacks at these settings into the user's cache, and check the files that it needs."""
    from benchmark.datasets import _files

    dataset = registry.load("dataset", name)
    found: list[Path] = []
    if set_ or dataset.files:
        settings = dataset.Settings.read(dict(map(read_setting, set_ or [])), name)
        found = list(_files.fetch(dataset(settings).wanted(), data_dir))
    print_result({"files": found}, as_json, "\n".join(map(str, found)) or f"{name} needs no files")


def data_verify(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="a dataset; by default all", autocompletion=datasets)
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Compare the files of a dataset, or of all, with their pinned checksums; exit 1 where one is altered.

    Also where one of the dataset NAME is absent that is not drawn instead.
    """
    from benchmark.datasets import _files

    names = registry.names("dataset") if name is None else [registry.entry("dataset", name).name]
    rows = {
        each: {file.name: status for file, status in _files.verify(registry.load("dataset", each).files, data_dir)}
        for each in names
    }
    states = [(each, file, state) for each, files in rows.items() for file, state in files.items()]
    lines = [f"{each:<16}{file:<60}{state}" for each, file, state in states]
    print_result(rows, as_json, "\n".join(lines) or "no files to verify")
    drawn = bool(name) and registry.load("dataset", names[0]).drawn
    fail_if(any(state == "altered" or (name and state == "absent" and not drawn) for _, _, state in states))
