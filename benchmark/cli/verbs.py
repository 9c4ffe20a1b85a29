"""All verbs, in the order in which --help lists them."""

from __future__ import annotations

from collections.abc import Callable

from benchmark.cli.application import app, data
from benchmark.cli.exporting import export
from benchmark.cli.files import data_fetch, data_list, data_verify
from benchmark.cli.keeping import doctor, forget, merge, prune, verify
from benchmark.cli.listing import list_, show, status
from benchmark.cli.reporting import accept, check, publish, report, site, submit
from benchmark.cli.scoring import compare, evaluate
from benchmark.cli.training import demo, run

VERBS: list[Callable[..., None]] = [
    demo, run, evaluate, compare, report, publish, submit, accept, site, export, check, status, list_, show, merge,
    forget, prune, verify, doctor,
]  # fmt: skip
OF_DATA: list[Callable[..., None]] = [data_list, data_fetch, data_verify]

for verb in VERBS:
    app.command(verb.__name__.rstrip("_"))(verb)
for verb in OF_DATA:
    data.command(verb.__name__.removeprefix("data_"))(verb)
