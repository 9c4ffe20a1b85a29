"""Build the documentation into a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark.documentation.site import build
from benchmark.errors import BenchmarkError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.documentation", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("site"), metavar="DIR", help="by default site/")
    parser.add_argument("--without-tutorials", action="store_true", help="their commands are shown and not run")
    arguments = parser.parse_args()
    try:
        index = build(arguments.to, play=not arguments.without_tutorials)
    except BenchmarkError as error:
        sys.exit(f"error: {error}")
    print(index)


if __name__ == "__main__":
    main()
