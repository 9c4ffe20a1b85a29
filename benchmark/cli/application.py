"""The program itself, what stands above its verbs, and its exit codes."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmark import PROGRAM

app = typer.Typer(
    name="benchmark",
    help="Train, encode, score and compare disentangled representations.",
    epilog="Start with: benchmark demo. Then: benchmark list suites, benchmark run SUITE, benchmark evaluate SUITE.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


data = typer.Typer(help="Datasets: list them, fetch their files, verify them.", no_args_is_help=True)


app.add_typer(data, name="data")


FAILED, REGRESSION, INTERRUPTED = 1, 3, 130


def print_version(asked: bool) -> None:
    if asked:
        print(PROGRAM)
        raise typer.Exit


@app.callback()
def top(
    ctx: typer.Context,
    version: Annotated[  # noqa: ARG001  its callback answers
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Train, encode, score and compare disentangled representations."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())
