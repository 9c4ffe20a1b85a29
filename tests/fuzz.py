"""Damaged and odd files for everything that reads files of people's: each is a result or one sentence.

python tests/fuzz.py --minutes 60 --seed 1 --keep FOLDER

tries files until the time is over, says how many, and keeps those that ended in a traceback or took too long; the
tests try a few hundred of each format. Every file is made from a valid one by a few small changes: bits, bytes, slices,
numbers. Of a compressed format what is inside is changed too, and compressed again with a right checksum.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import re
import signal
import sys
import tarfile
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import numpy as np

from benchmark.errors import BenchmarkError

SECONDS = 10
"""One file may take so long; usual is a millisecond."""
TOKENS = [
    b"-1", b"0", b"1e999", b"nan", b"NA", b"inf", b"9" * 40, b"\0", b"\n", b",", b'"', b"[" * 50, b"{", b"'", b"=",
    b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"True", b"null", b"<f8", b"|O", b"(", b"2147483647",
    b"18446744073709551616", b"",
]  # fmt: skip
NUMBER = re.compile(rb"\d+")
NUMBERS = [b"0", b"1", b"3", b"-1", b"2.5", b"1e-30", b"1e300", b"4294967296", b"1" + b"0" * 30, b"true", b"inf", b"x"]
"""What a number in a text becomes."""
SUITE = """\
description = "a suite"
seeds = 2

[training]
steps = 40
learning_rate = 1e-3

[evaluation]
budget = "quick"
metrics = ["mig", "dci(model=lasso)"]

[[block]]
dataset = { name = "synth_linear", points = 1200 }
network = { name = "mlp_tiny", hidden = 8 }
model = ["ae", "beta_vae", "perfect"]
sweep = { "network.latents" = [2, 3] }
"""


@dataclass(frozen=True)
class Format:
    """Valid files of one format, what reads them, and how what is inside a compressed one is changed."""

    ending: str
    valid: list[bytes]
    read: Callable[[Path], object]
    inside: Callable[[bytes, np.random.Generator], bytes] | None = None


@dataclass
class Findings:
    """How many files were tried, how many gave a result, and the tracebacks with a file for each."""

    tried: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, tuple[str, bytes]] = field(default_factory=dict)


class TooLongError(BaseException):
    """A reader took longer than it may."""


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """A few small changes at random places."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        kind, at = int(rng.integers(9)), int(rng.integers(len(changed) + 1))
        length = int(rng.integers(1, 17))
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << int(rng.integers(8))
        elif kind == 1 and at < len(changed):
            changed[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(256))]))
        elif kind == 2:
            del changed[at : at + length]
        elif kind == 3:
            changed[at:at] = changed[at : at + length]
        elif kind == 4:
            token = TOKENS[int(rng.integers(len(TOKENS)))]
            changed[at : at + int(rng.integers(0, 5))] = token
        elif kind == 5 and rng.random() < 0.3:
            del changed[at:]
        elif kind > 6 and (numbers := list(NUMBER.finditer(changed))):
            place = numbers[int(rng.integers(len(numbers)))]
            changed[place.start() : place.end()] = NUMBERS[int(rng.integers(len(NUMBERS)))]
        else:
            changed[at : at + 4] = rng.integers(256, size=4, dtype=np.uint8).tobytes()
    return bytes(changed)


def formats() -> dict[str, Format]:
    """Everything that is tried, by name."""
    import pandas as pd

    from benchmark.codes import Codes
    from benchmark.datasets._idx import read_idx
    from benchmark.datasets.cars3d import _images, _matlab_files
    from benchmark.datasets.isaac3d import Isaac3d
    from benchmark.datasets.npz import Npz
    from benchmark.datasets.smallnorb import read_matrix
    from benchmark.integrity.sealed import read_json
    from benchmark.reading.read_codes import digest, read_codes
    from benchmark.store import runs_of
    from benchmark.suite import expand
    from benchmark.table import read_table

    class Rooms(Isaac3d):
        factor_sizes = (1, 1, 1, 1, 1, 1, 1, 1, 3)

    rng = np.random.default_rng(0)
    factors = np.stack(np.unravel_index(np.arange(24), (2, 3, 4)), axis=1)
    codes = factors + 0.1 * rng.standard_normal(factors.shape)
    names = np.array(["a", "b", "c"])
    table = pd.DataFrame({f"code_{j}": codes[:, j] for j in range(3)})
    table["factor_a"], table["factor_b"] = np.array(["box", "NA"])[factors[:, 0]], factors[:, 1] / 3
    pixels = rng.integers(256, size=(6, 4, 4), dtype=np.uint8)
    idx = b"\0\0\x08\3" + np.array([6, 4, 4], ">u4").tobytes() + pixels.tobytes()
    norb = np.array([0x1E3D4C55, 3, 6, 4, 4], "<u4").tobytes() + pixels.tobytes()

    def arrays(**held: np.ndarray) -> list[bytes]:
        files = []
        for save in (np.savez, np.savez_compressed):
            save(file := io.BytesIO(), **held)
            files.append(file.getvalue())
        return files

    def saved(array: np.ndarray) -> bytes:
        np.save(file := io.BytesIO(), array)
        return file.getvalue()

    def scored(path: Path) -> object:
        return digest(read_codes(path, arrays=("v",)).codes)

    def beside(path: Path) -> object:
        return digest(read_codes(path.with_name("codes.npy"), path).codes)

    def own(path: Path) -> object:
        return Npz(Npz.Settings(path=str(path)).resolved()).load()

    held = {"codes": codes, "factors": factors, "groups": np.array([0, 0, 1])}
    everything = arrays(codes=codes, factors=factors, factor_names=names, logvar=-np.abs(codes), v=np.eye(3)[None])
    csv = table.to_csv(index=False).encode()
    return {
        "suite": Format(".toml", [SUITE.encode(), SUITE.encode("utf-16")], lambda path: expand(str(path))),
        "npz codes": Format(".npz", everything, scored, _inside_zip),
        "npz data": Format(".npz", arrays(images=pixels, factors=factors[:6]), own, _inside_zip),
        "npy": Format(".npy", [saved(codes), saved(codes.astype(np.float32).T.copy().T)], scored),
        "csv": Format(".csv", [csv, csv.decode().encode("utf-16"), b"z0,z1,label\n1,2,a\n3,4,b\n5,6,a\n"], scored),
        "csv factors": Format(".csv", [table[["factor_a", "factor_b"]].to_csv().encode()], beside),
        "parquet": Format(".parquet", [table.to_parquet(), table.set_index("factor_b").to_parquet()], scored),
        "idx": Format(".gz", [gzip.compress(idx, mtime=0)], read_idx, _inside_gzip),
        "norb": Format(".gz", [gzip.compress(norb, mtime=0)], read_matrix, _inside_gzip),
        "mat": Format(".mat", _matlab(pixels), lambda path: _images(path, "car.mat", path.read_bytes())),
        "mat codes": Format(".mat", _matlab_codes(held, names), scored),
        "pt codes": Format(".pt", [_tensors(held, names)], scored, _inside_zip),
        **({"hdf5": Format(".h5", [_hdf5(held, names)], scored)} if find_spec("h5py") else {}),
        "rooms": Format(".zip", [_rooms()], lambda path: list(Rooms().unpack([path])), _inside_zip),
        "plan": Format(".json", _plans(), lambda path: runs_of(read_json(path), path)),
        "table csv": Format(".csv", [_table(".csv")], read_table),
        "table parquet": Format(".parquet", [_table(".parquet")], read_table),
        "codes": Format(".safetensors", [_codes(codes, factors)], Codes.load),
        "tar": Format(".gz", [_tar(pixels)], lambda path: [len(car) for _, car in _matlab_files(path)], _inside_gzip),
    }


def _inside_zip(content: bytes, rng: np.random.Generator) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file := io.BytesIO(), "w") as new:
        names = old.namelist()
        chosen = names[int(rng.integers(len(names)))]
        for name in names:
            new.writestr(name, mutated(old.read(name), rng) if name == chosen else old.read(name))
    return file.getvalue()


def _inside_gzip(content: bytes, rng: np.random.Generator) -> bytes:
    return gzip.compress(mutated(gzip.decompress(content), rng), mtime=0)


def _matlab(pixels: np.ndarray) -> list[bytes]:
    from scipy.io import savemat

    files = []
    for compressed in (False, True):
        savemat(file := io.BytesIO(), {"x": np.zeros(2), "im": pixels}, do_compression=compressed)
        files.append(file.getvalue())
    return files


def _matlab_codes(held: dict[str, np.ndarray], names: np.ndarray) -> list[bytes]:
    from scipy.io import savemat

    files = []
    for compressed in (False, True):
        savemat(file := io.BytesIO(), {**held, "factor_names": names.astype(object)}, do_compression=compressed)
        files.append(file.getvalue())
    return files


def _tensors(held: dict[str, np.ndarray], names: np.ndarray) -> bytes:
    import torch

    tensors = {name: torch.from_numpy(array) for name, array in held.items()}
    torch.save({**tensors, "factor_names": names.tolist()}, file := io.BytesIO())
    return file.getvalue()


def _hdf5(held: dict[str, np.ndarray], names: np.ndarray) -> bytes:
    with import_module("h5py").File(file := io.BytesIO(), "w") as content:
        for name, array in held.items():
            content.create_dataset(name, data=array, compression="gzip" if array.ndim == 2 else None)
        content["factor_names"] = names.tolist()
    return file.getvalue()


def _rooms() -> bytes:
    """Three numbered pictures and their labels."""
    from PIL import Image

    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        for number in range(3):
            Image.fromarray(np.full((128, 128, 3), 80 * number, np.uint8)).save(picture := io.BytesIO(), "PNG")
            archive.writestr(f"Isaac3D_down128/images/{number:06}.png", picture.getvalue())
        np.save(labels := io.BytesIO(), np.eye(9)[8] * np.arange(3)[:, None] / 2)
        archive.writestr("Isaac3D_down128/labels.npy", labels.getvalue())
    return file.getvalue()


def _tar(pixels: np.ndarray) -> bytes:
    with tarfile.open(fileobj=(file := io.BytesIO()), mode="w:gz") as archive:
        for number, content in enumerate(_matlab(pixels)):
            entry = tarfile.TarInfo(f"data/cars/{number}.mat")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def _plans() -> list[bytes]:
    """A suite's plan, without a digest as earlier versions wrote it: a change is left to the reader of its content."""
    from benchmark.spec import Component, Run

    parts = (
        Component("synth_linear", 1, {"points": 1200}),
        Component("ae", 1, {}),
        Component("mlp_tiny", 1, {"hidden": 8}),
    )
    run = Run(*parts, Component("adam", 1, {"steps": 40}), 0)
    return [json.dumps({"format": 1, "suite": "tiny", "source": "0" * 64, "runs": [run.to_json()] * 2}).encode()]


def _table(ending: str) -> bytes:
    """A results table of four rows."""
    import pandas as pd

    from benchmark.table import COLUMNS, write_table

    texts = {name: name for name, kind in COLUMNS.items() if kind == "str"} | {"status": "ok", "reason": None}
    texts["settings"] = '{"dataset": {}, "model": {}, "network": null, "training": null}'
    numbers = {name: 1 for name, kind in COLUMNS.items() if kind != "str"}
    frame = pd.DataFrame([texts | numbers | {"score": f"score{row}", "factor": str(row)} for row in range(4)])
    with tempfile.TemporaryDirectory() as folder:
        write_table(frame[list(COLUMNS)].astype(COLUMNS), Path(folder) / "table.csv")
        return next(Path(folder).glob(f"*{ending}")).read_bytes()


def _codes(codes: np.ndarray, factors: np.ndarray) -> bytes:
    from benchmark.codes import Codes

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "codes.safetensors"
        Codes(codes, factors, ("a", "b", "c"), (2, 3, 4), samples=codes, arrays={"v": np.eye(3)[None]}).save(path)
        return path.read_bytes()


@contextmanager
def _limited() -> Iterator[None]:
    """Raise `TooLongError` in what takes longer than it may."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def attempt(name: str, kind: Format, content: bytes, folder: Path, findings: Findings) -> None:
    """Read one file and note how it ended."""
    path = folder / f"file{kind.ending}"
    path.write_bytes(content)
    findings.tried[name] += 1
    try:
        with _limited(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind.read(path)
        findings.read[name] += 1
    except BenchmarkError as error:
        if "\n" in str(error) and name != "suite":  # a name of several lines is quoted as it is
            findings.wrong.setdefault(f"{name}: several lines", (str(error), content))
    except (Exception, TooLongError) as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = next(
            (f"{f.filename.rpartition('/')[2]}:{f.lineno}" for f in frames[::-1] if "benchmark" in f.filename), ""
        )
        findings.wrong.setdefault(f"{name}: {type(error).__name__} {place}", (traceback.format_exc(), content))


def rounds(chosen: dict[str, Format], seed: int, folder: Path, findings: Findings) -> Iterator[None]:
    """Try one file of each format, again and again."""
    np.save(folder / "codes.npy", np.arange(72.0).reshape(24, 3) ** 0.5)
    rng = np.random.default_rng(seed)
    for kind in chosen.values():
        for content in kind.valid:
            path = folder / f"file{kind.ending}"
            path.write_bytes(content)
            kind.read(path)  # a reader that refuses everything would pass all that follows
    while True:
        for name, kind in chosen.items():
            content = kind.valid[int(rng.integers(len(kind.valid)))]
            deep = kind.inside is not None and rng.random() < 0.6
            changed = kind.inside(content, rng) if deep and kind.inside else mutated(content, rng)
            attempt(name, kind, changed, folder, findings)
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", help="one format: " + ", ".join(formats()))
    parser.add_argument("--keep", type=Path, help="folder for files that ended in a traceback")
    options = parser.parse_args()
    os.environ["BENCHMARK_CACHE"] = os.devnull  # digests of files that are never seen again are not remembered
    chosen = {name: kind for name, kind in formats().items() if options.only in (None, name)}
    findings = Findings()
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as scratch:
        for _ in rounds(chosen, options.seed, Path(scratch), findings):
            if time.monotonic() > end:
                break
    for name, number in findings.tried.items():
        print(f"{name:<14}{number:>10,} files, {findings.read[name]:,} of them read")
    print(f"{sum(findings.tried.values()):,} files with seed {options.seed}: {len(findings.wrong)} kinds of traceback")
    for number, (kind, (trace, content)) in enumerate(findings.wrong.items()):
        print(f"\n{kind}\n{trace}")
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{number}{chosen[kind.partition(':')[0]].ending}").write_bytes(content)
    return int(bool(findings.wrong))


if __name__ == "__main__":
    sys.exit(main())
