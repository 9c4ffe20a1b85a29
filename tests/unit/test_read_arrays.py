"""Codes from torch's, MATLAB's and HDF5's files: the same arrays whatever the file, and hostile ones in a sentence."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from command import command
from scipy.io import savemat

from benchmark.datasets._matlab import read_variables
from benchmark.errors import UsageError
from benchmark.reading.factor_kinds import Wishes
from benchmark.reading.read_codes import digest, read_codes

RNG = np.random.default_rng(0)
FACTORS = RNG.integers(0, 3, size=(60, 2))
CODES = RNG.standard_normal((60, 4)).astype(np.float32)
NAMES = ["shape", "scale"]
ARRAYS = {"codes": CODES, "factors": FACTORS, "variances": np.ones((60, 4)), "groups": np.array([0, 0, 1, 1])}


def write(path: Path) -> Path:
    """The same content in the format of the ending."""
    if path.suffix == ".pt":
        tensors = {name: torch.from_numpy(array) for name, array in ARRAYS.items()}
        torch.save({**tensors, "factor_names": NAMES}, path)
    elif path.suffix == ".mat":
        savemat(path, {**ARRAYS, "factor_names": np.array(NAMES, dtype=object)}, do_compression=True)
    elif path.suffix == ".h5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for name, array in ARRAYS.items():
                file[name] = array
            file["factor_names"] = NAMES
    else:
        np.savez(path, **ARRAYS, factor_names=np.array(NAMES))
    return path


@pytest.mark.parametrize("ending", [".pt", ".mat", ".h5"])
def test_every_format_gives_the_codes_of_an_archive(tmp_path, ending):
    expected = read_codes(write(tmp_path / "a.npz")).codes
    found = read_codes(write(tmp_path / f"a{ending}")).codes
    assert digest(found) == digest(expected)
    assert found.factor_names == ("shape", "scale")
    assert found.arrays["groups"].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("ending", [".pt", ".mat", ".h5"])
def test_factors_from_a_file_of_their_own_and_other_names(tmp_path, ending):
    np.savez(tmp_path / "z.npz", codes=CODES)
    beside = read_codes(tmp_path / "z.npz", write(tmp_path / f"v{ending}")).codes
    np.testing.assert_array_equal(beside.factors, FACTORS)
    wished = read_codes(tmp_path / f"v{ending}", wishes=Wishes(rename=(("codes", "h"), ("variances", "codes"))))
    assert wished.codes.means.tolist() == np.ones((60, 4)).tolist()
    assert "array `codes` is read by no measure and left alone" in wished.notes
    with pytest.raises(UsageError, match=r"must hold an array `codes`; it holds .*codes.*--rename NAME=codes"):
        read_codes(tmp_path / f"v{ending}", wishes=Wishes(rename=(("codes", "h"),)))


# torch


def test_a_tensor_alone_is_the_codes_whatever_it_requires(tmp_path):
    torch.save(torch.nn.Parameter(torch.from_numpy(CODES).bfloat16()), tmp_path / "a.pt")
    found = read_codes(tmp_path / "a.pt").codes.means
    np.testing.assert_array_equal(found, torch.from_numpy(CODES).bfloat16().float().numpy())


def test_nothing_of_torch_is_unpickled(tmp_path):
    """A file that would write another as it is read does not, and neither does a whole module."""

    class Hostile:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "written",))

    torch.save({"codes": torch.from_numpy(CODES), "more": Hostile()}, tmp_path / "a.pt")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "b.pt")
    for name in ("a.pt", "b.pt"):
        with pytest.raises(UsageError, match="cannot be read without unpickling it") as raised:
            read_codes(tmp_path / name)
        assert "\n" not in str(raised.value)
    assert not (tmp_path / "written").exists()


def test_damaged_and_other_files_of_torch(tmp_path):
    whole = write(tmp_path / "whole.pt").read_bytes()
    path = tmp_path / "a.pt"
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:-30], b"\x80\x02]q\x00."):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"is no file of torch.save, or is damaged") as raised:
            read_codes(path)
        assert "\n" not in str(raised.value)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "no tensors")
    with pytest.raises(UsageError, match=r"is no file of torch.save"):
        read_codes(path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(UsageError, match=r"must hold a dictionary of tensors.*it holds epoch"):
        read_codes(path)


def test_what_is_no_tensor_is_refused_under_a_known_name_and_else_left_alone(tmp_path):
    path, codes = tmp_path / "a.pt", torch.from_numpy(CODES)
    for factors, kind in ((FACTORS.tolist(), "list"), ({"shape": torch.zeros(60)}, "dict"), ([], "list")):
        torch.save({"codes": codes, "factors": factors}, path)
        with pytest.raises(UsageError, match=f"`factors` is no tensor but {kind}; save it as one"):
            read_codes(path)
    torch.save({"codes": codes, "epoch": 3, "factors": list("ab" * 30)}, path)
    reading = read_codes(path)
    assert reading.notes[0] == "array `epoch` is read by no measure and left alone"
    assert reading.codes.factors[:, 0].tolist() == [0, 1] * 30
    torch.save({"z": codes, "epoch": 3}, path)
    with pytest.raises(UsageError, match=r"it holds z \(60, 4\), epoch \(int\); say which"):
        read_codes(path)


def test_tensors_that_are_no_tables(tmp_path):
    path = tmp_path / "a.pt"
    for tensor, words in [
        (torch.zeros(1).expand(2**20, 2**12), "takes 16.0 GiB"),
        (torch.eye(60).to_sparse(), "no dense tensor"),
        (torch.zeros(60, 2, dtype=torch.complex64), "must hold real numbers, not complex64"),
        (torch.full((60, 2), torch.nan), "NaN or infinite values, the first in row 1"),
        (torch.zeros(60), "must be a table"),
    ]:
        torch.save({"codes": tensor}, path)
        with pytest.raises(UsageError, match=words):
            read_codes(path)


# MATLAB


def test_every_type_of_number_and_of_name(tmp_path):
    """As scipy writes them: small types, doubles that MATLAB would store as bytes, both byte orders of characters."""
    content = {name: RNG.integers(0, 100, (3, 2)).astype(name) for name in ("int8", "uint16", "int64", "float32")}
    content |= {"float64": RNG.standard_normal((3, 2)), "bool": np.array([[True, False]])}
    for compressed in (False, True):
        savemat(tmp_path / "a.mat", content | {"word": "größe"}, do_compression=compressed)
        found = read_variables((tmp_path / "a.mat").read_bytes())
        for name, array in content.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == (np.uint8 if name == "bool" else name)
        assert found["word"].tolist() == ["größe"]
    odd = {"s": {"a": 1}, "c": np.array([[1, "a"]], dtype=object), "z": np.ones((2, 2), complex), "rows": ["ab", "c"]}
    savemat(tmp_path / "a.mat", odd)
    found = read_variables((tmp_path / "a.mat").read_bytes())
    assert found["rows"].tolist() == ["ab", "c"]
    assert [found[name] for name in "scz"] == ["a struct", "a cell of 2 that are not all names", "complex numbers"]


def test_doubles_that_are_stored_as_bytes():
    """MATLAB writes whole doubles in the smallest type: class 6, content of type 2."""

    def element(kind: int, content: bytes) -> bytes:
        return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)

    array = element(6, struct.pack("<II", 6, 0)) + element(5, struct.pack("<ii", 2, 2)) + element(1, b"codes")
    header = bytes(124) + struct.pack("<H", 0x0100) + b"IM"
    found = read_variables(header + element(14, array + element(2, bytes([1, 2, 3, 4]))))["codes"]
    assert found.tolist() == [[1, 3], [2, 4]]
    assert found.dtype == np.float64
    for wrong, words in [(bytes([1, 2, 3]), "not those of 3 bytes"), (b"", "not those of 0 bytes")]:
        with pytest.raises(ValueError, match=words):
            read_variables(header + element(14, array + element(2, wrong)))


def test_matlab_files_with_flipped_bits_are_read_or_refused(tmp_path):
    """No bit of a file can do more than change what it holds: the parser ends with arrays or with a sentence."""
    buffer = io.BytesIO()
    savemat(buffer, {"codes": CODES[:4], "factor_names": np.array(NAMES, dtype=object), "word": "ab"})
    whole = buffer.getvalue()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(400):
        content = bytearray(whole)
        content[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        try:
            read_variables(bytes(content[: rng.integers(len(whole) // 2, len(whole) + 1)]))
        except ValueError:
            refused += 1
    assert 100 < refused < 400
    for content in (b"", b"text", whole[:140]):
        (tmp_path / "a.mat").write_bytes(content)
        with pytest.raises(UsageError, match=r"is no MATLAB file, or is damaged|must hold an array `codes`"):
            read_codes(tmp_path / "a.mat")
    savemat(tmp_path / "a.mat", {"codes": {"a": 1}})
    with pytest.raises(UsageError, match="`codes` must hold numbers or names, not a struct"):
        read_codes(tmp_path / "a.mat")


# HDF5


@pytest.mark.parametrize("name", ["a.h5", "a.h5ad", "a.mat"])
def test_without_h5py_the_sentence_says_what_to_install(tmp_path, monkeypatch, name):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    (tmp_path / name).write_bytes(b"MATLAB 7.3 MAT-file" + bytes(600))
    with pytest.raises(UsageError, match=r"is read by h5py, which is not installed: pip install h5py"):
        read_codes(tmp_path / name)


def test_a_group_is_refused_under_a_known_name_and_else_left_alone(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["codes"] = CODES
        file["factors/shape"] = FACTORS[:, 0]
        file["settings/depth"] = 3
    with pytest.raises(UsageError, match="`factors` is a group, not a dataset"):
        read_codes(path)
    with h5py.File(path, "a") as file:
        del file["factors"]
        file.create_group("#refs#")
    assert read_codes(path).notes == ("array `settings` is read by no measure and left alone",)
    with h5py.File(path, "a") as file:
        del file["codes"]
    with pytest.raises(UsageError, match=r"must hold an array `codes`; it holds settings \(a group\)"):
        read_codes(path)


def test_hostile_and_damaged_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5"
    whole = write(path).read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="is no HDF5 file, or is damaged") as raised:
            read_codes(path)
        assert "\n" not in str(raised.value)
    write(tmp_path / "other.h5")
    with h5py.File(path, "w") as file:
        file["codes"] = h5py.ExternalLink("other.h5", "/codes")
    with pytest.raises(UsageError, match="must hold an array `codes`; it holds nothing"):
        read_codes(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("codes", (60, 4), "f4", external=[(str(tmp_path / "other.h5"), 0, 960)])
    with pytest.raises(UsageError, match="`codes` lies in another file"):
        read_codes(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("codes", (2**20, 2**12), "f4", chunks=(1, 2**12))
    with pytest.raises(UsageError, match=r"takes 16.0 GiB"):
        read_codes(path)
    with h5py.File(path, "w") as file:
        file["codes"] = np.zeros((60, 2), [("a", "f4")])
    with pytest.raises(UsageError, match="must hold numbers or words"):
        read_codes(path)


def test_matlab_of_version_7_3_is_turned(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["codes"] = CODES.T
        file["groups"] = np.array([[0.0], [0], [1], [1]]).astype("u1")
        file["factors"] = FACTORS.T
        letters = np.array([list(map(ord, name.ljust(5))) for name in NAMES], np.uint16).T
        file["factor_names"] = letters
        file["factor_names"].attrs["MATLAB_class"] = np.bytes_("char")
    content = bytearray(path.read_bytes())
    content[:19] = b"MATLAB 7.3 MAT-file"
    path.write_bytes(content)
    found = read_codes(path).codes
    np.testing.assert_array_equal(found.means, CODES)
    assert (found.factor_names, found.arrays["groups"].tolist()) == (("shape", "scale"), [0, 0, 1, 1])


# Annotated data


def annotated(path: Path, *embeddings: str) -> Path:
    """As anndata 0.10 writes it: two embeddings, and a category, a number and a word of each of 60 observations."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        dense = file.create_group("X")
        dense.attrs.update({"encoding-type": "csr_matrix", "shape": np.array([60, 7])})
        dense["data"], dense["indices"] = np.arange(60.0), np.arange(60) % 7
        dense["indptr"] = np.arange(61)
        obsm = file.create_group("obsm")
        for name in embeddings:
            obsm[name] = CODES[:, :2] if name == "X_umap" else CODES
        obs = file.create_group("obs")
        obs.attrs.update({"_index": "_index", "column-order": ["cell_type", "age", "batch"]})
        obs["_index"] = [f"cell {row}" for row in range(60)]
        obs["age"] = np.linspace(0, 1, 60)
        obs["batch"] = [("b", "a")[row % 2] for row in range(60)]
        types = obs.create_group("cell_type")
        types.attrs["encoding-type"] = "categorical"
        types["categories"] = ["T", "B", "NK"]
        types["codes"] = (np.arange(60) % 3).astype(np.int8)
    return path


def test_annotated_data(tmp_path):
    path = annotated(tmp_path / "a.h5ad", "X_scVI")
    reading = read_codes(path)
    np.testing.assert_array_equal(reading.codes.means, CODES)
    assert reading.codes.factor_names == ("cell_type", "age", "batch")
    assert reading.codes.factors[:4].T.tolist() == [[2, 0, 1, 2], np.linspace(0, 1, 60)[:4].tolist(), [1, 0, 1, 0]]
    assert "X_scVI is the codes; X left alone" in reading.notes
    assert "factor cell_type: 3 names became 0 … 2 in alphabetical order" in reading.notes
    fewer = read_codes(path, wishes=Wishes(drop=["age", "batch"], rename=(("X", "codes"),)))
    assert (fewer.codes.means.shape, fewer.codes.factor_names) == ((60, 7), ("cell_type",))
    assert fewer.codes.means[:8].argmax(axis=1).tolist() == [0, 1, 2, 3, 4, 5, 6, 0]


def test_annotated_data_that_are_not_clear(tmp_path):
    path = annotated(tmp_path / "a.h5ad", "X_scVI", "X_umap")
    with pytest.raises(UsageError, match=r"it holds X_scVI, X_umap, X; say which are the codes by --rename NAME=codes"):
        read_codes(path)
    wished = read_codes(path, wishes=Wishes(rename=(("X_umap", "codes"),)))
    assert wished.codes.means.shape == (60, 2)
    h5py = pytest.importorskip("h5py")
    with h5py.File(annotated(path, "X_scVI"), "a") as file:
        file["obs/cell_type/codes"][5] = -1
    with pytest.raises(UsageError, match="factor cell_type lacks values in 1 rows, the first in row 6"):
        read_codes(path)
    assert read_codes(path, wishes=Wishes(drop=["cell_type"])).codes.factor_names == ("age", "batch")
    with h5py.File(path, "a") as file:
        file["obs/cell_type/codes"][5] = 9
        file["X/indices"][3] = 99
    with pytest.raises(UsageError, match="it numbers categories that are not there"):
        read_codes(path)
    with pytest.raises(UsageError, match="its indices go beyond its shape"):
        read_codes(path, wishes=Wishes(drop=["cell_type"], rename=(("X", "codes"),)))


def test_the_command_reads_them_and_a_mistake_is_one_sentence(tmp_path):
    write(tmp_path / "mine.pt")
    done = command(tmp_path, "evaluate", "--codes", "mine.pt", "--metrics", "linear_readout(train=30, test=20)")
    assert done.returncode == 0, done.stderr
    assert "60 points × 4 codes in 2 groups of 2 columns each, factors shape 3 values, scale 3 values" in done.stderr
    (tmp_path / "bad.mat").write_bytes(b"no file at all")
    wrong = command(tmp_path, "evaluate", "--codes", "bad.mat")
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1 and "bad.mat is no MATLAB file" in wrong.stderr
