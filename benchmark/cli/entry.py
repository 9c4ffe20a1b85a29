"""The entry point."""

from __future__ import annotations

import signal
import sys
import warnings

import typer

from benchmark.cli.application import INTERRUPTED, app
from benchmark.cli.mistakes import explained, hide_types, refuse_repeated, stop
from benchmark.cli.printed import print_note
from benchmark.errors import Note


def main() -> None:
    """The entry point: a user's mistake is one sentence on stderr, never a traceback."""
    warnings.showwarning = print_note
    warnings.simplefilter("always", Note)
    with explained():
        signal.signal(signal.SIGTERM, stop)  # a batch system's time limit is an interrupt like any other
        command = typer.main.get_command(app)
        hide_types(command)
        refuse_repeated(command)
        code = command.main(standalone_mode=False)
        if code == INTERRUPTED:  # typer turns an interrupt into this code
            raise KeyboardInterrupt
        sys.exit(code)
