"""What half precision moves is measured by the code that a network was trained by."""

from dataclasses import replace

import pytest
from small import load, small_run

from benchmark.archive.rounding import moved
from benchmark.errors import UsageError


def test_a_network_of_a_file_that_was_edited_since_is_not_measured() -> None:
    run = small_run("vae")
    edited = replace(run, model=replace(run.model, source="0" * 64))
    with pytest.raises(UsageError, match=r"vae: this run is of a vae\.py of sha256 000000000000"):
        moved(edited, {}, load(run))
