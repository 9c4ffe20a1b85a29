"""The packages that integrations need, and what those packages would tell their makers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from benchmark.errors import UsageError

SILENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false", "WANDB_MODE": "offline"}
"""What keeps these packages from sending anything by themselves: they read it from the environment alone."""


def needed(name: str, who: str) -> ModuleType:
    """The package itself. Raises `UsageError` where it is not installed; `who` asks, and begins what is said."""
    try:
        return import_module(name)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == name:
            raise UsageError(f"{who} needs {name}, which is not installed: pip install {name}") from None
        raise UsageError(f"{who} needs {name}, which cannot be imported ({error}): install it anew") from None


@contextmanager
def silent() -> Iterator[None]:
    """Until the block ends nothing is sent that was not asked for."""
    before = {name: os.environ.get(name) for name in SILENT}
    os.environ.update(SILENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
