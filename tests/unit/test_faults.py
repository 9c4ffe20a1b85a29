"""What a user or a machine gets wrong ends in one sentence and exit code 2: never a traceback."""

import signal
from pathlib import Path

import pytest
from command import TINY, command, sentence

from benchmark.cli.mistakes import explained, stop
from benchmark.naming import printable
from benchmark.words.progress import Progress

LONG = "n" * 260
DIGITS = "1" * 5_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with suites and plug-ins that are wrong in one way each, and a file where a folder should be."""
    files = {
        "tiny.toml": TINY,
        "many.toml": TINY.replace("seeds = 2", "seeds = 1000000000"),
        "large.toml": TINY.replace("seeds = 2", f"seeds = [{2**63}]"),
        "digits.toml": TINY.replace("seeds = 2", f"seeds = {DIGITS}"),
        "brackets.toml": "a = " + "[" * 100_000,
        f"{'n' * 200}.toml": TINY,
        "a\x1b[2Jb.toml": TINY,
        "plugin.txt": "hello",
        "leaves.py": "raise SystemExit(0)",
        f"{'n' * 200}.py": "",
        "file": "",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "noise.py").write_bytes(b"\x00\x01\xff")
    return tmp_path


def files(folder):
    """All paths in a folder but Python's own bytecode of a plug-in."""
    return sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["many.toml"], "at most 100,000 seeds"),
        (["large.toml"], "a seed is at most"),
        (["digits.toml"], "is not valid TOML"),
        (["brackets.toml"], "is not valid TOML"),
        (["tiny.toml", "--seeds", "1000000000"], "at most 100,000 seeds"),
        (["tiny.toml", "--seeds", "0-99999999999999999999"], "at most 100,000 seeds"),
        (["tiny.toml", "--seeds", DIGITS], "write how many"),
        (["tiny.toml", "--shard", f"{DIGITS}/2"], "write I/N"),
        (["tiny.toml", "--set", f"training.steps={DIGITS}"], "no value that could be read"),
        (["tiny.toml", "--only", "model=" + "[" * 20_000], "no value that could be read"),
        (["n" * 200 + ".toml"], "at most 120 bytes"),
        (["a\x1b[2Jb.toml"], "no control characters"),
        (["tiny.toml", "--plugin", "plugin.txt"], "ends in .py"),
        (["tiny.toml", "--plugin", "noise.py"], "fails when it is imported"),
        (["tiny.toml", "--plugin", "leaves.py"], "fails when it is imported"),
        (["tiny.toml", "--plugin", "n" * 200 + ".py"], "at most 120 bytes"),
        (["tiny.toml", "--results", "file/below"], "file is not a folder"),
    ],
)
def test_a_wrong_line_is_one_sentence_and_makes_nothing(folder, line, said):
    before = files(folder)
    told = sentence(command(folder, "run", *line), 2)
    assert said in told
    assert len(told) < 1_000
    assert "\x1b" not in told
    assert files(folder) == before


@pytest.mark.parametrize("address", ["nonsense", "tcp://[::x", "foo://host:1"])
def test_what_is_no_address_of_a_scheduler_is_said(folder, address):
    pytest.importorskip("distributed")
    assert "no address of a dask scheduler" in sentence(command(folder, "run", "tiny.toml", "--scheduler", address), 2)


def test_what_the_system_refuses_is_one_sentence(capsys):
    with pytest.raises(SystemExit) as caught, explained():
        raise OSError(30, "Read-only file system", "results/index.json")
    assert caught.value.code == 2
    assert capsys.readouterr().err == "error: results/index.json: Read-only file system\n"


def test_a_batch_systems_time_limit_is_an_interrupt(capsys):
    with pytest.raises(SystemExit) as caught, explained():
        stop(signal.SIGTERM, None)
    assert caught.value.code == 130
    assert "the same command carries on" in capsys.readouterr().err


def test_what_others_wrote_does_not_move_the_terminals_cursor(capsys):
    assert (
        printable("a\x1b[2J\x07b\u202ec\td\n\N{LATIN SMALL LETTER E WITH ACUTE}")
        == "a\\x1b[2J\\x07b\\u202ec\td\n\u00e9"
    )
    Progress("title", 1).say("failed \x1b]0;owned\x07")
    assert capsys.readouterr().err == "failed \\x1b]0;owned\\x07\n"
