"""Command lines in processes forked from one that has imported torch and the libraries already.

A start from nothing takes seconds, most of them imports. Each fork is a process of its own with its own folder,
environment, streams and exit code, and knows nothing of the others; it is only never cold.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from benchmark.documentation.warm import become

LIBRARIES = ("torch", "pandas", "sklearn.linear_model", "sklearn.ensemble", "sklearn.svm", "scipy.stats", "joblib")
PACKAGES = (
    "benchmark.cli", "benchmark.verbs.run", "benchmark.suite", "benchmark.training.loop", "benchmark.stages.train",
    "benchmark.stages.evaluate", "benchmark.stages.aggregate", "benchmark.stages.external", "leaderboard.report",
)  # fmt: skip
SERVER = "import sys; sys.path.insert(0, {folder!r}); import warm; warm.serve()"


def run(line: list[str], folder: Path, environment: dict[str, str], timeout: float) -> tuple[int, str, str]:
    """`benchmark LINE` in `folder`: its exit code, stdout and stderr. Raises `TimeoutExpired` like `subprocess.run`."""
    with tempfile.TemporaryDirectory() as streams:
        out, err = (Path(streams) / name for name in ("out", "err"))
        order = {"line": line, "folder": str(folder), "environment": environment, "timeout": timeout}
        server = _server()
        assert server.stdin and server.stdout
        server.stdin.write(json.dumps(order | {"out": str(out), "err": str(err)}) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        assert answer, "the process that is forked for commands has died"
        code = json.loads(answer)
        if code is None:
            raise subprocess.TimeoutExpired(line, timeout, out.read_bytes(), err.read_bytes())
        return code, out.read_text(), err.read_text()


@cache
def _server() -> subprocess.Popen[str]:
    """Started by -c, so that the worker processes of a fork find no main module to import again."""
    line = [sys.executable, "-c", SERVER.format(folder=str(Path(__file__).parent))]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=one_thread)
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    assert server.stdin and server.stdout
    server.stdin.close()
    server.stdout.close()
    server.kill()
    server.wait()


def serve() -> None:
    """Answer each order, a line of JSON, with an exit code, until stdin closes."""
    import importlib

    for name in (*LIBRARIES, *PACKAGES):
        importlib.import_module(name)
    for text in sys.stdin:
        order = json.loads(text)
        child = os.fork()
        if not child:
            words = ["benchmark", *order["line"]]
            become(words, order["folder"], order["environment"], _streams(order), lambda _code: None)
        print(json.dumps(_wait(child, order["timeout"])), flush=True)


def _wait(child: int, timeout: float) -> int | None:
    """The exit code as `subprocess` gives it, or None after the time is over and the child's group is killed."""
    deadline = time.monotonic() + timeout
    pause = 0.001
    while time.monotonic() < deadline:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(2 * pause, 0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _streams(order: dict) -> list[int]:
    """Nothing to read, and files to write to."""
    new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return [os.open(os.devnull, os.O_RDONLY), *(os.open(order[name], new, 0o600) for name in ("out", "err"))]
