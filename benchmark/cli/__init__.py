"""The command line: verbs, flags and exit codes. Each verb imports its stage inside, so that --help is instant."""

from benchmark.cli import verbs  # registers them
from benchmark.cli.application import app
from benchmark.cli.entry import main

__all__ = ["app", "main", "verbs"]
