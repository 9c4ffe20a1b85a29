"""`export`: results for other tools."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from benchmark.cli.completion import one_of
from benchmark.cli.options import Json, Name, Only, Plugin, Results
from benchmark.cli.printed import print_next_line, print_result
from benchmark.cli.typed import read_filters
from benchmark.commands import RESULTS

NEXT = {
    "wandb": "wandb sync {}/offline-run-*",
    "mlflow": "mlflow ui --backend-store-uri {}",
    "csv": "{}/columns.csv says what each column is",
}


def export(
    suite: Name,
    to: Annotated[
        str,
        typer.Option(
            metavar="wandb|mlflow|csv",
            help="offline runs of W&B, runs in an MLflow store, or tables",
            autocompletion=one_of("wandb", "mlflow", "csv"),
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="a folder; of mlflow a tracking URI or an SQLite file; by default what the tool itself takes,"
            " of csv SUITE-csv here",
        ),
    ] = None,
    project: Annotated[
        str | None, typer.Option(metavar="NAME", help="W&B's project or MLflow's experiment; by default the suite")
    ] = None,
    only: Only = None,
    results: Results = RESULTS,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Export training histories, settings, scores with their protocols, and costs to W&B, MLflow or CSV.

    Exported again, a run that is there stays and one that has changed is replaced. W&B's runs are offline runs: nothing
    is sent before you call wandb sync. SUITE may be an archive, by its name, folder, zip file or address.
    """
    from benchmark.verbs.export import export

    chosen = read_filters(only or [])
    done = export(
        suite, to, output=output, project=project, results=results, only=chosen, plugins=plugin or (), quiet=as_json
    )
    print_result(done, as_json, done.sentence())
    served = to == "mlflow" and done.where.startswith("http")
    print_next_line(f"open {done.where}" if served else NEXT[to].format(shlex.quote(done.where)))
