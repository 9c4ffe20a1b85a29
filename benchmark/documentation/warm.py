"""Commands in processes forked from one that has imported the libraries already.

A start from nothing takes seconds of a core, most of them imports, and the tutorials have dozens. Each fork is a
process of its own with its own folder, environment, streams and exit code, and knows nothing of the others; it is only
never cold. This file followed by the server's address and `benchmark …` or `python -c …` asks for one: an interpreter
that reads it alone starts in milliseconds.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

LIBRARIES = (
    "torch", "pandas", "sklearn.linear_model", "sklearn.ensemble", "sklearn.svm", "scipy.stats", "matplotlib.figure",
    "joblib", "benchmark.cli", "benchmark.suite", "benchmark.training.loop", "benchmark.stages.train",
    "benchmark.stages.evaluate", "benchmark.stages.aggregate", "benchmark.stages.external", "leaderboard.report",
    "leaderboard.charts", "leaderboard.pictures",
)  # fmt: skip
LONGEST = 1 << 20
"""Bytes of an order: its words, its folder and its environment."""
SECONDS = 300
"""After which a command is ended."""


@contextmanager
def server() -> Iterator[str]:
    """Where orders are taken while the block runs: the address of a socket. Raises `BenchmarkError` without a start."""
    from benchmark.errors import BenchmarkError  # here, so that this file can be read alone

    with tempfile.TemporaryDirectory() as folder:
        address = f"{folder}/door"
        # Started by -c, so that the worker processes of a fork find no main module to import again.
        line = [sys.executable, "-c", f"from benchmark.documentation.warm import serve; serve({address!r})"]
        one_thread = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        with subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=one_thread
        ) as process:
            assert process.stdin and process.stdout
            if process.stdout.readline() != "ready\n":
                raise BenchmarkError("the process that is forked for commands did not start; above stands why")
            yield address
            process.stdin.close()


def asking(address: str) -> list[str]:
    """The command line that has the words behind it run there."""
    return [sys.executable, "-I", "-S", __file__, address]


def ask(address: str, words: list[str]) -> int:
    """Have `words` run here: in this folder and environment, on these streams. Returns the exit code."""
    order = json.dumps({"words": words, "folder": str(Path.cwd()), "environment": dict(os.environ)}).encode()
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        socket.send_fds(line, [len(order).to_bytes(4, "big")], [0, 1, 2])
        line.sendall(order)
        answer = line.recv(1)
    return answer[0] if answer else 1


def serve(address: str) -> None:
    """Import the libraries and answer orders, each in a fork, until stdin closes."""
    import importlib

    for name in LIBRARIES:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for forks: they answer for themselves
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        print("ready", flush=True)
        threading.Thread(target=_end_with_stdin, daemon=True).start()
        while True:
            line, _ = door.accept()
            if not os.fork():
                door.close()
                _serve_one(line)
            line.close()


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


def _serve_one(line: socket.socket) -> None:
    """In the fork: read the order, become the command, and answer with its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.alarm(SECONDS)
    size, streams, *_ = socket.recv_fds(line, 4, 3)
    length = int.from_bytes(size, "big")
    assert length < LONGEST
    text = b""
    while len(text) < length:
        text += line.recv(length - len(text))
    order = json.loads(text)
    become(order["words"], order["folder"], order["environment"], streams, lambda code: line.send(bytes([code])))


def become(
    words: list[str], folder: str, environment: dict[str, str], streams: list[int], said: Callable[[int], object]
) -> NoReturn:
    """Turn this fork into the command `words`, `benchmark …` or `python -c …`; `said` hears its exit code.

    It ends as the interpreter would, exit handlers and all, but does not take torch apart first, which takes seconds.
    """
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for stream, file in enumerate(streams):
        os.dup2(file, stream)
        os.close(file)
    sys.path[0] = folder
    program, *arguments = words
    code: object = 1
    try:
        if program == "benchmark":
            sys.argv = words
            from benchmark.cli import main

            main()
        else:
            sys.argv = ["-c"]
            exec(compile(arguments[-1], "<string>", "exec"), {"__name__": "__main__"})
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        said(code if isinstance(code, int) else 1)
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    sys.exit(ask(sys.argv[1], sys.argv[2:]))
