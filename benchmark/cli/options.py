"""Flags and arguments that several verbs have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmark.cli.completion import one_of, only, suites

FIGURES: tuple[Literal["svg", "pdf", "png"], ...] = ("svg", "pdf", "png")


Name = Annotated[
    str,
    typer.Argument(metavar="SUITE", help="a built-in suite's name, or the path of a .toml file", autocompletion=suites),
]


Results = Annotated[Path, typer.Option(metavar="DIR", help="folder of all results")]


Plugin = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="a loose FILE.py with a model, dataset, network or metric; may be repeated"),
]


Jobs = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="processes; by default one a core; 0 works in this process")
]


Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="a dask scheduler, tcp://host:8786: its workers do the work")
]


def existing_folder(folder: Path | None) -> Path | None:
    from benchmark.verbs._given import check_data_dir

    check_data_dir(folder)
    return folder


Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]


Only = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE[,…]", help="keep these runs: model=vae,ae", autocompletion=only)
]


Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="override: training.steps=100")]


Seeds = Annotated[str | None, typer.Option(metavar="N|LIST|RANGE", help="how many (3), a list (0,4) or a range (2-5)")]


Budget = Annotated[
    str | None,
    typer.Option(metavar="quick|full", help="by default the suite's own", autocompletion=one_of("quick", "full")),
]


DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="where data files lie, before $BENCHMARK_DATA and the cache", callback=existing_folder
    ),
]
