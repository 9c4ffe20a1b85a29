"""The command line as a user meets it, in a process of its own, and what it leaves behind."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import warm

TINY = """\
description = "small enough for a test"
seeds = 2

[training]
steps = 40
batch = 16
learning_rate = 1e-3

[evaluation]
budget = "quick"
metrics = ["mig", "kl", "dto"]

[[block]]
dataset = { name = "synth_linear", points = 1200 }
network = { name = "mlp_tiny", hidden = 8 }
model = ["ae", "beta_vae", "perfect"]
"""
"""Six runs of three models."""

CLOSED_PORT = "http://127.0.0.1:9"


def environment(folder: Path) -> dict[str, str]:
    """This process's environment with an empty cache under `folder`, no data, no network and one thread.

    Work is done by the command's own process unless `--jobs` asks for others, each of which would import torch anew.
    """
    here = {name: value for name, value in os.environ.items() if name not in ("BENCHMARK_DATA", "BENCHMARK_CACHE")}
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), CLOSED_PORT)
    alone = {"BENCHMARK_CACHE": str(folder / "cache"), "BENCHMARK_JOBS": "0", "OMP_NUM_THREADS": "1", "NO_PROXY": ""}
    return here | proxies | alone


def command(folder: Path, *arguments: str, python: Sequence[str] | None = None) -> subprocess.CompletedProcess[str]:
    """`benchmark ARGUMENTS` in `folder`, whose `results` is the results folder, in a process that is warm already.

    With `python`, the interpreter's own arguments, such as -m benchmark, one is started from nothing.
    """
    if python is None:
        code, out, err = warm.run(list(arguments), folder, environment(folder), 300)
        return subprocess.CompletedProcess(["benchmark", *arguments], code, out, err)
    line = [sys.executable, *python, *arguments]
    return subprocess.run(
        line, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=300, check=False
    )


def succeed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same, of which exit code 0 is expected."""
    result = command(folder, *arguments)
    assert result.returncode == 0, result.stderr
    return result


def sentence(result: subprocess.CompletedProcess[str], code: int) -> str:
    """The one sentence on stderr of a command that failed as it should."""
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: "), result.stderr
    assert len(lines[0]) > len("error: ") + 10
    assert result.stdout == ""
    return lines[0]


def checksums(folder: Path) -> dict[str, str]:
    """The sha256 of every file under a folder, by its path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def tensors(folder: Path) -> dict[str, str]:
    """The checksums of the weights and codes under a folder: what an interrupted and an uninterrupted run share."""
    return {path: digest for path, digest in checksums(folder / "runs").items() if path.endswith(".safetensors")}
