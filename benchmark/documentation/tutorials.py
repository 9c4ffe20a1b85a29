"""Tutorials are pages whose commands are run when the site is built, with what they print below them.

A block of `sh` or `python` is run, in the tutorial's own empty folder; one with a title is a file of that name, which
is written there. Blocks of other languages, `console` among them, are shown and not run. Each command is a process of
its own, forked from a warm one, and works alone: what it prints is what it prints anywhere.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from benchmark.documentation import warm
from benchmark.errors import BenchmarkError
from benchmark.verbs._workplace import JOBS

BLOCK = re.compile(r"```(\w+)((?: [^\n]*)?)\n(.*?)```\n", re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
EXPECTED = re.compile(r"exit=(\d+)")
LINES = 40
"""Lines of output that are shown."""


def played(text: str, folder: Path, where: str, address: str) -> str:
    """The page with the output of its blocks, run by the `warm.server` at an address.

    Raises `BenchmarkError` where one ends otherwise than it says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return BLOCK.sub(lambda block: _block(block, folder, where, address), text)


def _block(block: re.Match[str], folder: Path, where: str, address: str) -> str:
    language, flags, content = block.groups()
    if title := TITLE.search(flags):
        (folder / title[1]).write_text(content)
        return block[0]
    if language not in ("sh", "python"):
        return block[0]
    expected = int(found[1]) if (found := EXPECTED.search(flags)) else 0
    said = _run(language, content, folder, expected, where, address)
    shown = f"```{language}\n{content}```\n"
    return shown + (f'\n```text title="prints"\n{said}\n```\n' if said else "")


def _run(language: str, content: str, folder: Path, expected: int, where: str, address: str) -> str:
    asking = warm.asking(address)
    ours = f'benchmark() {{ {shlex.join(asking)} benchmark "$@"; }}\n'
    shell = ["bash", "-euo", "pipefail", "-c", ours + content]
    command = shell if language == "sh" else [*asking, "python", "-c", content]
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside, os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", JOBS: "0"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=warm.SECONDS, check=False
    )
    if done.returncode != expected:
        raise BenchmarkError(
            f"{where}: a block ended with {done.returncode}, not {expected}:\n{content}\n{done.stdout}{done.stderr}"
        )
    lines = done.stdout.replace(str(folder), ".").rstrip().splitlines()
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], f"… {len(lines) - LINES + 1:,} more lines"]
    return "\n".join(lines)
