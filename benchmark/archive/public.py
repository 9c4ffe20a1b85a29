"""What an archive says of where its runs were made: enough to make them again, and nothing of whose machine it was."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

RECORD = (
    "format", "run_id", "config_id", "run", "command", "arrays", "parameters", "seconds", "marks", "encoding", "files",
    "sealed", "provenance", "digest",
)  # fmt: skip
"""Of a run.json. `digest` is that of the whole one, by which its owner finds it again; it does not fit what is left."""
PROVENANCE = (
    "commit", "versions", "device", "cpu", "cores", "started", "finished", "fleet", "trained", "source", "notes",
)  # fmt: skip
"""Of where it was made: program, libraries, processor and times. The host's name is not among it."""
HERE = ("--results", "--data-dir", "--scheduler", "--jobs")
"""Options that say where things lie and run, and decide no result."""

PLACE = re.compile(
    r"""
    (?:file:/+ | (?<![\w)\]./~\\-]) (?: ~[\w.-]*/ | / (?=[^\s/'"]+/) | [A-Za-z]:[\\/] | \\\\ (?=\w) ))
    (?: [^/\\\n'"<>|,;:]+ [/\\]+ )*
    """,
    re.VERBOSE,
)
"""A file's folders from the root or a home on, with spaces between as far as a further folder follows: what stands
behind is its name."""


def public_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A run.json without names of users, hosts and folders: files go by their last name, the rest is as it was."""
    found = {name: record[name] for name in RECORD if name in record}
    origin = record["provenance"]
    found["provenance"] = without_places({name: origin[name] for name in PROVENANCE if name in origin})
    found["command"] = public_command(str(record.get("command", "")))
    found["run"] = public_run(record["run"])
    return found


def public_run(run: Mapping[str, Any]) -> dict[str, Any]:
    """A run's description whose files go by their last name."""
    return {name: _component(part) for name, part in run.items()}


def _component(part: Any) -> Any:
    """A component whose files are named and not located; their content is in its settings or its `source`."""
    if not isinstance(part, Mapping):
        return part
    return {**part, "locations": {key: _last(str(value)) for key, value in part.get("locations", {}).items()}}


def public_command(command: str) -> str:
    """A command whose files go by their last name, without options that say where things lie."""
    try:
        words = shlex.split(command)
    except ValueError:  # an unbalanced quote: no command that a shell would take
        return without_places(command)
    kept: list[str] = []
    skip = False
    for word in words:
        option = word.partition("=")[0]
        if skip or option in HERE:
            skip = not skip and word in HERE
            continue
        key, equals, value = word.rpartition("=")
        kept.append(f"{key}{equals}{_last(value)}")
    return shlex.join(kept)


def _last(path: str) -> str:
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1]


def without_places(value: Any) -> Any:
    """Text, or what holds texts, in which files go by their last name."""
    if isinstance(value, str):
        return PLACE.sub("", value)
    if isinstance(value, Mapping):
        return {key: without_places(each) for key, each in value.items()}
    return [without_places(each) for each in value] if isinstance(value, list | tuple) else value


def places_in(text: str) -> list[str]:
    """The folders that a text names, from the root or a home on."""
    return [found[0] for found in PLACE.finditer(text)]
