"""Finding, checking and fetching the files of datasets."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmark.datasets import _files
from benchmark.datasets._dataset import Dataset
from benchmark.datasets._files import RemoteFile, cache_dir, fetch, find, obtain, places, remembered_sha256, verify
from benchmark.errors import UsageError

CONTENT = b"what the authors published"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def published(tmp_path: Path) -> Iterator[RemoteFile]:
    """A file on a server of our own."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "data.gz").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield RemoteFile("things", "data.gz", f"http://127.0.0.1:{server.server_port}/data.gz", DIGEST)
    server.shutdown()
    server.server_close()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    def refuse(*_: object, **__: object) -> None:
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(requests.Session, "request", refuse)


def dataset_of(*published: RemoteFile) -> type[Dataset]:
    class Things(Dataset):
        files = published

    return Things


def test_cache_follows_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCHMARK_CACHE", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_dir() == Path("/somewhere/benchmark")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_dir() == Path.home() / ".cache" / "benchmark"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_dir() == Path.home() / "Library" / "Caches" / "benchmark"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert cache_dir() == Path("/local/benchmark")
    monkeypatch.setenv("BENCHMARK_CACHE", "/chosen")
    assert cache_dir() == Path("/chosen")


def test_places_in_order(cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHMARK_DATA", str(tmp_path / "named"))
    file = RemoteFile("things", "data.gz", "http://unused", DIGEST)
    expected = [
        root / part
        for root in (tmp_path / "given", tmp_path / "named", cache_folder)
        for part in ("things/data.gz", "data.gz")
    ]
    assert places(file, tmp_path / "given") == expected
    for path in reversed(expected):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT)
        assert find(file, tmp_path / "given") == path


def test_absent_file_is_downloaded_into_the_cache(cache_folder: Path, published: RemoteFile) -> None:
    assert obtain("things", [published]) == [cache_folder / "things" / "data.gz"]
    assert (cache_folder / "things" / "data.gz").read_bytes() == CONTENT


def test_fetch_downloads_what_is_absent_and_verify_says_so(cache_folder: Path, published: RemoteFile) -> None:
    things = dataset_of(published)
    assert verify(things.files) == [(published, "absent")]
    assert fetch(things.files) == [cache_folder / "things" / "data.gz"]
    assert verify(things.files) == [(published, "ok")]
    (cache_folder / "things" / "data.gz").write_bytes(CONTENT + b"!")
    assert verify(things.files) == [(published, "altered")]
    assert verify([RemoteFile("things", "data.gz", "http://unused", None)]) == [
        (RemoteFile("things", "data.gz", "http://unused", None), "not pinned")
    ]


def test_server_with_other_content_is_refused(cache_folder: Path, published: RemoteFile) -> None:
    other = RemoteFile(published.folder, published.name, published.url, "0" * 64)
    with pytest.raises(UsageError, match="could not be downloaded"):
        fetch(dataset_of(other).files)
    assert find(other) is None


def test_other_addresses_are_tried_in_order_and_the_digest_decides(cache_folder: Path, published: RemoteFile) -> None:
    host = published.url.removesuffix("data.gz")
    first, wrong = f"{host}absent.gz", f"{host}other.gz"
    (Path(cache_folder).parent / "server" / "other.gz").write_bytes(b"another content")
    file = RemoteFile("things", "data.gz", first, DIGEST, (wrong, published.url))
    (path,) = fetch([file])
    assert path.read_bytes() == CONTENT
    path.unlink()
    with pytest.raises(UsageError) as raised:
        fetch([RemoteFile("things", "data.gz", first, DIGEST, (wrong,))])
    lines = str(raised.value).splitlines()
    assert [line.split(" could not be downloaded: ")[0] for line in lines if "could not be" in line] == [first, wrong]
    assert "404" in lines[0]
    assert find(file) is None


def test_a_web_page_is_not_taken_for_a_file(cache_folder: Path, published: RemoteFile) -> None:
    """What a server sends where it wants to be asked nicely, of a file without a digest."""
    page = Path(cache_folder).parent / "server" / "page.gz"
    page.write_bytes(b"\n<!DOCTYPE html><html>Too large to scan</html>")
    url = published.url.replace("data.gz", "page.gz")
    with pytest.raises(
        UsageError, match=r"page.gz could not be downloaded: it answers with a web page, not with data.gz"
    ):
        fetch([RemoteFile("things", "data.gz", url, None)])
    assert find(RemoteFile("things", "data.gz", url, None)) is None
    (path,) = fetch([RemoteFile("things", "data.gz", url, None, (published.url,))])
    assert path.read_bytes() == CONTENT


@pytest.mark.usefixtures("no_network")
def test_absent_and_no_network_names_file_places_and_command(cache_folder: Path, tmp_path: Path) -> None:
    file = RemoteFile("things", "data.gz", "http://things.example/data.gz", DIGEST)
    with pytest.raises(UsageError) as raised:
        obtain("my_things", [file], tmp_path / "given")
    message = str(raised.value)
    assert message.startswith("my_things needs data.gz, which is in none of these places:")
    for place in places(file, tmp_path / "given"):
        assert f"\n  {place}\n" in message
    assert "http://things.example/data.gz could not be downloaded: no route to host" in message
    assert "`benchmark data fetch my_things`" in message


def test_what_a_network_error_began_with_is_said_without_the_layers_above_it(cache_folder: Path) -> None:
    with pytest.raises(UsageError, match=r"could not be downloaded: .*Connection refused") as raised:
        fetch([RemoteFile("things", "data.gz", "http://127.0.0.1:1/data.gz", DIGEST)])
    assert "Pool" not in str(raised.value)


def test_altered_file_names_both_digests(cache_folder: Path, tmp_path: Path) -> None:
    file = RemoteFile("things", "data.gz", "http://things.example/data.gz", DIGEST)
    path = tmp_path / "data.gz"
    path.write_bytes(b"something else")
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(UsageError, match=f"{path} is not .*expected sha256 {DIGEST}, found {found}; delete it"):
        obtain("things", [file], tmp_path)


def test_digest_is_read_once_until_the_file_changes(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.gz"
    path.write_bytes(CONTENT)
    read = []
    original = _files._sha256
    monkeypatch.setattr(_files, "_sha256", lambda path: read.append(path) or original(path))
    assert remembered_sha256(path) == remembered_sha256(path) == DIGEST
    assert len(read) == 1
    path.write_bytes(CONTENT + b"!")
    assert remembered_sha256(path) == hashlib.sha256(CONTENT + b"!").hexdigest()
    assert len(read) == 2
    (cache_folder / "sha256.json").write_text("{ torn")
    assert remembered_sha256(path) == hashlib.sha256(CONTENT + b"!").hexdigest()
    assert len(json.loads((cache_folder / "sha256.json").read_text())) == 1


def test_datasets_import_light() -> None:
    """Every dataset module imports without the heavy libraries, and without pooch, which workers may lack."""
    modules = [file.stem for file in Path(_files.__file__).parent.glob("*.py")]
    code = (
        "import sys, importlib\n"
        f"for name in {modules!r}: importlib.import_module('benchmark.datasets.' + name)\n"
        "print([name for name in ('pooch', 'sklearn', 'scipy', 'torch', 'pandas', 'requests') if name in sys.modules])"
    )
    root = str(Path(__file__).parents[2])
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root}, check=True
    )
    assert result.stdout.strip() == "[]"
