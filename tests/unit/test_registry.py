"""Names to components: by file, by entry point, by loose file."""

import codecs
import hashlib
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from benchmark import registry
from benchmark.errors import UsageError

METRIC = """
'''How many codes there are.'''
from benchmark import metric

@metric(higher_is_better=None, bounds=(0.0, 100.0))
def {name}(codes, *, seed: int = 0) -> dict[str, float]:
    '''The number of codes.'''
    return {{"{name}": float(codes.shape[1])}}
"""
ANCHOR = """
'''Codes that are the factors.'''
from benchmark import Anchor

class Mine(Anchor):
    def codes(self, factors, rng):
        return factors.astype("float32")
"""
DATASET = """
'''Nothing at all.'''
from benchmark import Dataset

class Nothing(Dataset):
    def load(self, data_dir=None):
        raise NotImplementedError
"""
NETWORK = """
'''Encoders that do nothing.'''
from torch import nn
from benchmark import Network

class Identity(Network):
    def encoder(self, outputs):
        return nn.Identity()

    def decoder(self):
        return nn.Identity()
"""


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch):
    """Plugins of a test stay with it."""
    monkeypatch.setattr(registry, "_plugins", {})


@pytest.fixture
def loose(tmp_path: Path):
    def write(name: str, content: str) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(content)
        return path

    return write


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_file_is_a_name_and_helpers_are_none(kind):
    suffix = "toml" if kind == "suite" else "py"
    files = {path.stem for path in (registry.ROOT / f"{kind}s").glob(f"*.{suffix}")}
    assert set(registry.names(kind)) == {name for name in files if not name.startswith("_")}
    assert registry.names(kind) == sorted(registry.names(kind))


@pytest.mark.parametrize("kind", registry.KINDS)
def test_everything_describes_itself_in_a_line(kind):
    for name in registry.names(kind):
        line = registry.describe(kind, name)
        assert len(line) > 10, name
        assert "\n" not in line


def test_describing_imports_nothing_of_what_it_describes():
    code = (
        "import sys; from benchmark import registry\n"
        "for kind in registry.KINDS: [registry.describe(kind, name) for name in registry.names(kind)]\n"
        "print([name for name in sys.modules if name.startswith('benchmark.m') or name == 'numpy'])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("kind", "name", "nearest"),
    [
        ("model", "beta_vea", "beta_vae"),
        ("dataset", "dsprite", "dsprites"),
        ("network", "conv_64", "conv64"),
        ("metric", "mgi", "mig"),
        ("suite", "quick_start", "quickstart"),
    ],
)
def test_an_unknown_name_answers_with_the_nearest(kind, name, nearest):
    with pytest.raises(UsageError, match=f'unknown {kind} "{name}"; did you mean "{nearest}"'):
        registry.load(kind, name)


def test_a_name_like_nothing_lists_what_there_is():
    with pytest.raises(UsageError, match=r'unknown network "zzzzz"\. Known: conv, conv128, conv32, conv64'):
        registry.entry("network", "zzzzz")


@pytest.mark.parametrize(
    ("kind", "content"), [("model", ANCHOR), ("dataset", DATASET), ("network", NETWORK), ("metric", METRIC)]
)
def test_a_loose_file_is_registered_under_its_name_with_its_contents_digest(loose, kind, content):
    name = f"my_{kind}"
    path = loose(name, content.format(name=name) if kind == "metric" else content)
    assert name not in registry.names(kind)
    (entry,) = registry.add_plugin(path)
    assert (entry.kind, entry.name, entry.file) == (kind, name, path)
    assert registry.source(kind, name) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert name in registry.names(kind)
    assert registry.describe(kind, name) == path.read_text().split("'''")[1]
    assert registry.load(kind, name).__name__ in ("Mine", "Nothing", "Identity", "my_metric")
    assert registry.plugins() == [path]


def test_what_is_installed_has_no_source():
    assert registry.source("model", "vae") is None


def test_one_file_may_hold_a_model_and_a_metric(loose):
    path = loose("both", ANCHOR + METRIC.format(name="both"))
    assert {entry.kind for entry in registry.add_plugin(path)} == {"model", "metric"}
    assert registry.plugins() == [path]


def test_an_edited_file_replaces_what_it_was(loose):
    path = loose("edited", ANCHOR)
    registry.add_plugin(path)
    before = registry.source("model", "edited")
    path.write_text(ANCHOR.replace('"float32"', '"float64"'))
    registry.add_plugin(path)
    assert registry.source("model", "edited") != before


def test_what_an_edited_file_defines_no_more_is_gone(loose):
    path = loose("both", ANCHOR + METRIC.format(name="both"))
    registry.add_plugin(path)
    path.write_text(ANCHOR)
    registry.add_plugin(path)
    assert "both" in registry.names("model") and "both" not in registry.names("metric")


def test_a_file_edited_within_a_second_is_not_taken_from_pythons_cache(loose, monkeypatch):
    """Its size and its time, to the second, are those of before: a stale module stood under the new digest."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path, scales = loose("quick", ""), []
    for scale in (1, 9):
        path.write_text(f"SCALE = {scale}\n{ANCHOR}")
        os.utime(path, (1_700_000_000, 1_700_000_000))
        registry.add_plugin(path)
        scales.append(sys.modules[registry.load("model", "quick").__module__].SCALE)
    assert scales == [1, 9]


def test_the_digest_of_an_edited_measure_is_of_what_is_loaded(loose):
    path = loose("counted", METRIC.format(name="counted"))
    digests = []
    for _ in range(2):
        registry.add_plugin(path)
        digests.append(registry.file_digest("metric", "counted"))
        assert digests[-1] == hashlib.sha256(path.read_bytes()).hexdigest()
        path.write_text(path.read_text() + "# edited\n")
        assert registry.file_digest("metric", "counted") == digests[-1]
    assert digests[0] != digests[1]


def test_a_byte_order_mark_is_no_part_of_a_file(loose):
    path = loose("marked", "")
    path.write_bytes(codecs.BOM_UTF8 + ANCHOR.encode())
    registry.add_plugin(path)
    assert registry.describe("model", "marked") == "Codes that are the factors."


def test_two_files_of_one_name_are_refused(loose, tmp_path):
    registry.add_plugin(loose("mine", ANCHOR))
    other = tmp_path / "other" / "mine.py"
    other.parent.mkdir()
    other.write_text(ANCHOR + "\n# another")
    with pytest.raises(UsageError, match=r'a model "mine" comes from .* already'):
        registry.add_plugin(other)


def test_a_built_in_name_is_not_overruled(loose):
    with pytest.raises(UsageError, match='a model "vae" exists already; rename the file'):
        registry.add_plugin(loose("vae", ANCHOR))
    assert registry.source("model", "vae") is None


def test_a_file_that_defines_nothing_says_what_it_needs(loose):
    with pytest.raises(UsageError, match=r"defines nothing: it needs a class .* or a function empty decorated"):
        registry.add_plugin(loose("empty", "import math\nfrom benchmark import Anchor\n"))


def test_a_metric_under_another_name_than_its_file_is_not_found(loose):
    with pytest.raises(UsageError, match=r"a function mine decorated with @metric$"):
        registry.add_plugin(loose("mine", METRIC.format(name="other")))


@pytest.mark.parametrize(("file", "function"), [("my-metric", "my_metric"), ("2nd", "_2nd")])
def test_a_file_whose_name_no_function_can_have_is_to_be_renamed(loose, file, function):
    with pytest.raises(UsageError, match=rf"function {function} decorated .* of that name: rename it {function}\.py"):
        registry.add_plugin(loose(file, METRIC.format(name=function)))
    assert registry.add_plugin(loose("my-model", ANCHOR))


@pytest.mark.parametrize(
    ("content", "said"),
    [("import no_such_module", "ModuleNotFoundError"), ("1 / 0", "ZeroDivisionError"), ("def", "SyntaxError")],
)
def test_a_file_that_fails_on_import_says_how(loose, content, said):
    path = loose("broken", content)
    with pytest.raises(UsageError, match=f"fails when it is imported: {said}"):
        registry.add_plugin(path)
    assert not [name for name in sys.modules if name.startswith("benchmark_plugin_broken")]


def test_several_models_in_one_file_are_refused(loose):
    with pytest.raises(UsageError, match=r"defines several models \(Mine, Other\); keep one a file"):
        registry.add_plugin(loose("several", ANCHOR + "\nclass Other(Mine): ...\n"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        registry.add_plugin(tmp_path / "absent.py")


@pytest.fixture
def installed(monkeypatch):
    """Entry points as installed packages would declare them."""

    def install(*points: tuple[str, str, str]) -> None:
        declared = [EntryPoint(name, value, group) for group, name, value in points]
        monkeypatch.setattr(
            registry, "entry_points", lambda *, group: [point for point in declared if point.group == group]
        )
        registry._installed.cache_clear()

    yield install
    monkeypatch.undo()
    registry._installed.cache_clear()


def test_an_entry_point_is_a_name(installed, monkeypatch, tmp_path):
    (tmp_path / "their_package.py").write_text(ANCHOR)
    monkeypatch.syspath_prepend(tmp_path)
    installed(("benchmark.models", "theirs", "their_package:Mine"))
    assert "theirs" in registry.names("model")
    assert registry.load("model", "theirs").__name__ == "Mine"
    assert registry.source("model", "theirs") is None
    assert registry.describe("model", "theirs") == ""


def test_an_entry_point_that_cannot_be_imported_is_one_sentence(installed):
    installed(("benchmark.models", "theirs", "no_such_package:Mine"))
    with pytest.raises(UsageError, match='model "theirs" cannot be imported from no_such_package'):
        registry.load("model", "theirs")


@pytest.mark.parametrize("points", [[("vae", "a:B")], [("theirs", "a:B"), ("theirs", "c:D")]])
def test_two_offers_of_one_name_are_refused(installed, points):
    installed(*(("benchmark.models", *point) for point in points))
    with pytest.raises(UsageError, match=f'two packages offer a model "{points[0][0]}"'):
        registry.names("model")
