"""Flags and arguments that several verbs have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmark.cli.completion import metrics, one_of, only, suites

FIGURES: tuple[Literal["svg", "pdf", "png"], ...] = ("svg", "pdf", "png")


SUITE = "a built-in suite's name, the path of a .toml file, or the name of codes that were scored"


Name = Annotated[str, typer.Argument(metavar="SUITE", help=SUITE, autocompletion=suites)]


OptionalName = Annotated[str | None, typer.Argument(metavar="[SUITE]", help=SUITE, autocompletion=suites)]


Results = Annotated[Path, typer.Option(metavar="DIR", help="folder of all results")]


Plugin = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="a loose FILE.py with a model, dataset, network or metric; may be repeated"),
]


Jobs = Annotated[
    int | None,
    typer.Option(
        min=0, metavar="N", help="processes; by default $BENCHMARK_JOBS, else one a core; 0 works in this process"
    ),
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
    typer.Option(
        metavar="quick|full", help="by default the suite's own, of codes full", autocompletion=one_of("quick", "full")
    ),
]


DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="where data files lie, before $BENCHMARK_DATA and the cache", callback=existing_folder
    ),
]


Shard = Annotated[str | None, typer.Option(metavar="I/N", help="the I-th of N disjoint shares of the runs")]


Device = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda", help="where to train; auto: a GPU if any", autocompletion=one_of("auto", "cpu", "cuda")
    ),
]


RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="try recorded failures again")]


Metrics = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[,…]",
        help="only these: mig,mig(bins=10); disentanglement_lib is what that library computes",
        autocompletion=metrics,
    ),
]


Factors = Annotated[
    Path | None, typer.Option(metavar="FILE", help="with codes: a file of the factors, where the codes' own has none")
]


Rename = Annotated[
    list[str] | None,
    typer.Option(metavar="OLD=NEW", help="with codes: read z=codes, y=factors, 'h*=code_*'"),
]


INTO = "the leaderboard that a submission is for: its name, or the folder that holds its versions"
Into = Annotated[str | None, typer.Option(metavar="NAME", help=INTO)]

Beside = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="a published leaderboard, or an archive's folder, file or address: its rows, too (evaluate: with --codes)",
    ),
]
