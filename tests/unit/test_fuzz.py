"""Some hundred damaged files of every format, always the same: a result or one sentence, never a traceback."""

from pathlib import Path

import fuzz
import pytest

FILES = 80
KINDS = fuzz.formats()


@pytest.mark.parametrize("name", KINDS)
def test_damaged_files_of_people_are_a_result_or_a_sentence(name, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("BENCHMARK_CACHE", "/dev/null")  # digests of files that are never seen again
    findings = fuzz.Findings()
    for _, _ in zip(range(FILES), fuzz.rounds({name: KINDS[name]}, 0, tmp_path, findings), strict=False):
        pass
    assert findings.tried[name] >= FILES and 0 < findings.read[name] < findings.tried[name]
    assert not findings.wrong, "\n".join(trace for trace, _ in findings.wrong.values())


def test_a_reader_that_raises_or_hangs_is_found(tmp_path: Path, monkeypatch):
    def broken(path: Path) -> None:
        if path.read_bytes() != b"valid":
            raise KeyError("a traceback")

    def endless(path: Path) -> None:
        while path.read_bytes() != b"valid":
            pass

    monkeypatch.setattr(fuzz, "SECONDS", 1)
    findings = fuzz.Findings()
    kinds = {"broken": fuzz.Format(".x", [b"valid"], broken), "endless": fuzz.Format(".x", [b"valid"], endless)}
    next(fuzz.rounds(kinds, 0, tmp_path, findings))
    assert [kind.split()[1] for kind in findings.wrong] == ["KeyError", "TooLongError"]
