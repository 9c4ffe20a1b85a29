"""Codes from outside: every format gives the same codes, and what is wrong with a file is one sentence."""

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark import add_codes, evaluate
from benchmark.archive import beside, opening
from benchmark.codes import TRAINED_ON, Codes
from benchmark.errors import UsageError
from benchmark.reading.factor_kinds import Wishes
from benchmark.reading.read_codes import digest, digests, read_codes
from benchmark.spec import Component, Run
from benchmark.stages.external import Source, publish, runs_of
from benchmark.store import Store
from benchmark.suite import EvaluationSettings, evaluation_settings
from benchmark.verbs.compare import compare
from benchmark.verbs.verify import verify
from benchmark.words.codes_read import described

N = 60
DATA = Run(Component("squares", 1, {"size": 3}), Component("vae", 1, {}), None, None, 0)
"""A run of a suite, whose dataset codes may join."""


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((N, 2))
    factors = np.stack([rng.integers(0, 3, N), rng.integers(0, 2, N)], axis=1)
    return {"codes": codes, "factors": factors, "factor_names": np.array(["shape", "size"])}


def frame(arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    codes, factors = arrays["codes"], arrays["factors"]
    columns = {
        "code_0": codes[:, 0],
        "code_1": codes[:, 1],
        "factor_shape": factors[:, 0],
        "factor_size": factors[:, 1],
    }
    return pd.DataFrame(columns)


def source(path: Path, arrays: dict[str, np.ndarray], **changes: np.ndarray) -> Source:
    np.savez(path, **{**arrays, **changes})
    return Source(path, read_codes(path))


def test_every_format_gives_the_same_codes(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    np.savez(tmp_path / "b.npz", means=arrays["codes"], factors=arrays["factors"], factor_names=arrays["factor_names"])
    np.save(tmp_path / "c.npy", arrays["codes"])
    frame(arrays).to_csv(tmp_path / "d.csv", index=False)
    frame(arrays).to_parquet(tmp_path / "e.parquet")
    factors = frame(arrays)[["factor_shape", "factor_size"]]
    factors.rename(columns=lambda name: name.removeprefix("factor_")).to_csv(tmp_path / "factors.csv", index=False)
    read = {name: read_codes(tmp_path / name).codes for name in ("a.npz", "b.npz", "d.csv", "e.parquet")}
    read["c.npy"] = read_codes(tmp_path / "c.npy", tmp_path / "factors.csv").codes
    for codes in read.values():
        np.testing.assert_array_equal(codes.means, arrays["codes"])
        np.testing.assert_array_equal(codes.factors, arrays["factors"])
        assert codes.factor_names == ("shape", "size")
        assert codes.factor_sizes == (3, 2)
        assert not codes.grid
    assert len({digest(codes) for codes in read.values()}) == 1
    changed = arrays["codes"].copy()
    changed[7, 1] += 1e-12
    assert digest(source(tmp_path / "f.npz", arrays, codes=changed).reading.codes) != digest(read["a.npz"])


def test_what_stands_beside_codes(tmp_path, arrays):
    logvar, samples, v = np.full((N, 2), -2.0), arrays["codes"] + 1, np.eye(2)[None]
    np.savez(tmp_path / "a.npz", **arrays, logvar=logvar, samples=samples, v=v)
    codes = read_codes(tmp_path / "a.npz", arrays=("v",)).codes
    np.testing.assert_allclose(codes.variances, np.exp(-2))
    np.testing.assert_array_equal(codes.representations["sample"], samples)
    np.testing.assert_array_equal(codes.arrays["v"], v)
    # Columns of a table belong together by their endings, in whatever order they stand.
    table = frame(arrays).assign(variance_1=2.0, variance_0=1.0, sample_0=3.0, sample_1=4.0)
    table.to_csv(tmp_path / "b.csv", index=False)
    codes = read_codes(tmp_path / "b.csv").codes
    np.testing.assert_array_equal(codes.variances, [[1.0, 2.0]] * N)
    np.testing.assert_array_equal(codes.samples, [[3.0, 4.0]] * N)


def test_precision_and_byte_order(tmp_path, arrays):
    for kind, wanted in {"<f4": "f4", ">f4": "f4", "<f2": "f4", "<f8": "f8", ">f8": "f8", "<i4": "f8"}.items():
        found = source(tmp_path / "a.npz", arrays, codes=(arrays["codes"] * 4).astype(kind)).reading.codes.means
        assert found.dtype == np.dtype(wanted) and found.dtype.isnative
        np.testing.assert_array_equal(found, (arrays["codes"] * 4).astype(kind).astype(wanted))


def test_factors_without_names_continuous_or_none(tmp_path, arrays):
    del arrays["factor_names"]
    mixed = arrays["factors"] + np.linspace(0.0, 0.25, N)[:, None] * [0, 1]
    codes = source(tmp_path / "a.npz", arrays, factors=mixed).reading.codes
    assert codes.factor_names == ("factor_0", "factor_1")
    assert codes.factor_sizes == (3, 0)
    assert source(tmp_path / "b.npz", arrays, factors=mixed[:, 1]).reading.codes.factors.shape == (N, 1)
    np.save(tmp_path / "c.npy", arrays["codes"])
    assert read_codes(tmp_path / "c.npy").codes.factors.shape == (N, 0)


def test_words_are_factors_in_arrays_and_as_categories(tmp_path, arrays):
    """Names of an array, beside numbers as text; categories of words and of numbers, and whole numbers as objects."""
    kinds = arrays["factors"][:, 0]
    words = np.array(["square", "ellipse", "heart"])[kinds]
    expected = np.stack([np.array([2, 0, 1])[kinds], arrays["factors"][:, 1]], axis=1)
    mixed = np.stack([words, arrays["factors"][:, 1].astype(str)], axis=1)
    read = [source(tmp_path / "a.npz", arrays, factors=mixed).reading]
    table = frame(arrays).assign(factor_shape=pd.Categorical(words))
    for size in (pd.Categorical(table["factor_size"]), table["factor_size"].astype(object)):
        table.assign(factor_size=size).to_parquet(tmp_path / "a.parquet")
        read.append(read_codes(tmp_path / "a.parquet"))
    np.savez(tmp_path / "b.npz", **arrays | {"factors": mixed})
    for reading in read:
        np.testing.assert_array_equal(reading.codes.factors, expected)
        assert reading.codes.factor_sizes == (3, 2)
        assert reading.notes == ("factor shape: 3 names became 0 … 2 in alphabetical order",)
    dropped = read_codes(tmp_path / "b.npz", wishes=Wishes(drop=["shape", "size"]))
    assert dropped.codes.factors.shape == (N, 0) and dropped.notes == ()
    torn = np.where(np.arange(N) < 9, "3", words)
    with pytest.raises(UsageError, match=r"factor factor_0 holds '.*' in row 10 among numbers"):
        source(tmp_path / "c.npz", {"codes": arrays["codes"]}, factors=torn)


def test_names_become_integers_and_it_is_said(tmp_path, arrays):
    words = np.array(["square", "ellipse", "heart"])[arrays["factors"][:, 0]]
    table = frame(arrays).assign(factor_shape=words)
    for path in (tmp_path / "a.csv", tmp_path / "a.parquet"):
        table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)
        reading = read_codes(path)
        np.testing.assert_array_equal(reading.codes.factors[:, 0], np.array([2, 0, 1])[arrays["factors"][:, 0]])
        assert reading.notes == ("factor shape: 3 names became 0 … 2 in alphabetical order",)


def test_a_grid_is_found_and_put_into_order(tmp_path):
    factors = np.stack(np.unravel_index(np.arange(24), (2, 3, 4)), axis=1) * 5
    codes = factors.astype(float)
    order = np.random.default_rng(0).permutation(24)
    reading = source(tmp_path / "a.npz", {"codes": codes[order], "factors": factors[order]}).reading
    assert reading.codes.grid and reading.codes.factor_sizes == (2, 3, 4)
    np.testing.assert_array_equal(reading.codes.factors, factors)
    np.testing.assert_array_equal(reading.codes.means, codes)
    assert "put into order" in reading.notes[0]
    assert source(tmp_path / "b.npz", {"codes": codes, "factors": factors}).reading.notes == ()
    twice = factors.copy()
    twice[0] = twice[1]
    assert not source(tmp_path / "c.npz", {"codes": codes, "factors": twice}).reading.codes.grid


CODES = np.zeros((4, 2))
NAN = np.array([[0.0, np.nan]] * 4)
ARCHIVES = {
    "no codes": ({"factors": CODES}, "must hold an array `codes`; it holds factors"),
    "one axis": ({"codes": CODES[:, 0]}, "`codes` must be a table (points × coordinates), not an array of shape (4,)"),
    "empty": ({"codes": CODES[:0]}, "`codes` of shape (0, 2) hold no values"),
    "text": ({"codes": CODES.astype(str)}, "`codes` must hold real numbers, not <U"),
    "complex": ({"codes": CODES.astype(complex)}, "`codes` must hold real numbers, not complex128"),
    "objects": ({"codes": CODES.astype(object)}, "holds what cannot be read without unpickling"),
    "nan": ({"codes": NAN}, "`codes` hold NaN or infinite values"),
    "twice": ({"codes": CODES, "means": CODES}, "holds both `codes` and `means`; keep one of them"),
    "lengths": ({"codes": CODES, "factors": CODES[:3]}, "`factors` of shape (3, 2) do not fit 4 codes"),
    "factors nan": ({"codes": CODES, "factors": NAN}, "`factors` hold NaN or infinite values"),
    "factors complex": ({"codes": CODES, "factors": CODES * 1j}, "`factors` must be numbers or names, not complex128"),
    "names": ({"codes": CODES, "factors": CODES, "factor_names": np.array(["a"])}, "1 `factor_names` do not fit 2"),
    "same names": ({"codes": CODES, "factors": CODES, "factor_names": np.array(["a", "a"])}, "different strings"),
    "variances": ({"codes": CODES, "variances": CODES[:, :1] + 1}, "`variances` of shape (4, 1) do not fit codes"),
    "variance 0": ({"codes": CODES, "variances": CODES}, "`variances` hold values that are not positive"),
    "logvar": ({"codes": CODES, "logvar": CODES + 1e4}, "holds log variances whose exponentials are no positive"),
    "misspelt": ({"codes": CODES, "factor": CODES}, 'no measure reads an array `factor`; did you mean "factors"?'),
    "array": ({"codes": CODES, "v": np.full((9, 2, 2), np.nan)}, "`v` holds NaN or infinite values"),
    "five": ({"codes": CODES, "factors": CODES, "v": np.zeros((9, 5, 5))}, "`v` of shape (9, 5, 5) is no Jacobian's"),
    "table": ({"codes": CODES, "v": CODES}, "(points, 2, 2) of 2 codes; if these are the factors, --rename v=factors"),
    "beside": ({"codes": CODES, "factors": CODES, "v": CODES}, "of 2 codes; if it is something else, rename it"),
}  # fmt: skip


@pytest.mark.parametrize("case", ARCHIVES)
def test_an_archive_that_cannot_be_used(tmp_path, case):
    content, said = ARCHIVES[case]
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(UsageError) as caught:
        read_codes(tmp_path / "a.npz", arrays=("v",))
    assert said in str(caught.value)
    assert "a.npz" in str(caught.value)


TABLES = {
    "a.csv": ("x0,x1\n1,2\n", "x0, x1 are none of these (found: x0, x1)"),
    "b.csv": ("factor_a\n1\n", "no code is there (found: factor_a)"),
    "c.csv": ("code_0,index\n1,0\n", "index is none of these (found: code_0, index)"),
    "d.csv": ("code_0\nx\n", "column code_0 holds 'x' in row 1 and must hold numbers"),
    "e.csv": ("code_0,code_1\n1,\n", "`codes` hold NaN or infinite values"),
    "f.csv": ("code_0,factor_a\n1,\n2,3\n", "factor a lacks values in 1 rows"),
    "g.csv": ("code_0,code_1,variance_0\n1,2,3\n", "to these codes belong variance_0, variance_1; found variance_0"),
    "h.csv": ("code_0\n", "holds no rows"),
    "i.csv": ("", "cannot be read as a table: No columns"),
    "j.parquet": ("PAR1 not really", "cannot be read as a table: "),
    "k.npy": ("nothing", "is no .npy array"),
    "l.npz": ("nothing", "is no .npz archive"),
    "m.txt": ("1 2\n", "ends in '.txt'; codes and factors are read from .npz, .npy, .csv, .parquet"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_cannot_be_used(tmp_path, name):
    content, said = TABLES[name]
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError) as caught:
        read_codes(tmp_path / name)
    assert said in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_factors_that_cannot_be_used(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    np.save(tmp_path / "c.npy", arrays["codes"])
    np.save(tmp_path / "f.npy", arrays["factors"][:5])
    np.savez(tmp_path / "g.npz", codes=arrays["codes"])
    for name, factors, said in [
        ("a.npz", "f.npy", "a.npz holds factors already; leave out --factors"),
        ("c.npy", "f.npy", "f.npy: `factors` of shape (5, 2) do not fit 60 codes"),
        ("c.npy", "h.npy", "h.npy: no such file"),
        ("c.npy", "g.npz", "g.npz must hold an array `factors`; it holds codes (60, 2); say which"),
    ]:
        with pytest.raises(UsageError) as caught:
            read_codes(tmp_path / name, tmp_path / factors)
        assert said in str(caught.value)


@pytest.fixture
def store(tmp_path, arrays) -> Store:
    """A results folder with one finished run, on the points of `arrays` with the values 10, 20, 30 for the shapes."""
    found = Store(tmp_path / "results")
    factors = arrays["factors"] * np.array([10, 1])
    codes = Codes(arrays["codes"].astype(np.float32), factors, ("shape", "size"), (3, 2))

    def fill(folder: Path) -> None:
        codes.save(folder / "codes.safetensors")
        (folder / "run.json").write_text('{"format": 1}')

    found.publish(DATA, fill)
    return found


def test_seeds_of_one_configuration_and_what_is_there_already(tmp_path, arrays, store):
    files = [source(tmp_path / f"{s}.npz", arrays, codes=arrays["codes"] + s) for s in range(4)]
    runs = runs_of([files[0], files[1], files[0]], "mine", None, None, store, [])
    assert [each.run.seed for each in runs] == [0, 1]
    assert [each.source.reading.notes for each in runs] == [(), ()]
    copied = source(tmp_path / "copy.npz", arrays, codes=arrays["codes"] + 1)
    copies = runs_of([files[0], files[1], copied], "mine", None, None, store, [])
    assert [each.source.reading.notes for each in copies] == [
        (),
        ("copy.npz holds the same arrays as 1.npz and is no seed of its own",),
    ]
    assert len({each.run.config_id for each in runs}) == 1
    assert runs[0].run.dataset.name == "external"
    for each in runs:
        publish(each, store, ["benchmark", "evaluate"])
    (again,) = runs_of([files[1]], "mine", None, None, store, [])
    assert again.run.run_id == runs[1].run.run_id
    (more,) = runs_of([files[2]], "mine", None, 2, store, [])
    assert more.run.run_id == f"{runs[0].run.config_id}-s2"
    (other,) = runs_of([files[2]], "theirs", None, None, store, [])
    assert other.run.config_id != runs[0].run.config_id
    with pytest.raises(UsageError, match=r"seed 0 of mine on external is there with other arrays than .*2\.npz"):
        runs_of([files[2]], "mine", None, None, store, [])
    with pytest.raises(UsageError, match="holds the arrays of seed 1 of mine"):
        runs_of([files[1]], "mine", None, 5, store, [])


def test_seeds_are_encoded_from_the_same_points(tmp_path, arrays, store):
    one = source(tmp_path / "a.npz", arrays)
    two = source(tmp_path / "b.npz", arrays, factors=arrays["factors"][::-1])
    with pytest.raises(UsageError, match=r"b\.npz holds other points or factors than .*a\.npz"):
        runs_of([one, two], "mine", None, None, store, [])
    runs = [runs_of([each], "mine", None, None, store, [])[0].run for each in (one, two)]
    assert runs[0].config_id != runs[1].config_id, "scores on other points are no seeds of one configuration"


def test_codes_join_a_dataset_with_its_own_points(tmp_path, arrays, store):
    own = source(tmp_path / "a.npz", arrays)
    (external,) = runs_of([own], "mine", "squares", None, store, [DATA])
    assert external.run.dataset == DATA.dataset
    assert set(external.codes.factors[:, 0]) == {0, 10, 20}, "the dataset's own numbers"
    assert external.codes.factor_names == ("shape", "size")
    (apart,) = runs_of([own], "mine", None, None, store, [DATA])
    assert apart.run.dataset.name == "external"
    turned = source(tmp_path / "b.npz", arrays, factors=arrays["factors"][::-1])
    fewer = source(tmp_path / "c.npz", {"codes": arrays["codes"][:9], "factors": arrays["factors"][:9]})
    without = source(tmp_path / "d.npz", {"codes": arrays["codes"]})
    for each, dataset, said in [
        (turned, "squares", r"b\.npz: factor shape is another than the dataset's from row \d+ on"),
        (fewer, "squares", r"c\.npz: 9 codes for 60 points"),
        (without, "squares", r"d\.npz: it holds 0 factors, the dataset 2 \(shape, size\)"),
        (own, "square", r"--dataset square: no finished run of the suite is on it; there: squares"),
        (own, "squares size=4", r"--dataset squares size=4: no finished run"),
    ]:
        with pytest.raises(UsageError, match=said):
            runs_of([each], "mine", dataset, None, store, [DATA])


def test_two_datasets_of_one_name_are_told_apart_by_settings(tmp_path, arrays, store):
    other = Run(Component("squares", 1, {"size": 4}), DATA.model, None, None, 0)
    codes = Codes.load(store.run_folder(DATA) / "codes.safetensors")

    def fill(folder: Path) -> None:
        codes.save(folder / "codes.safetensors")
        (folder / "run.json").write_text('{"format": 1}')

    store.publish(other, fill)
    own = source(tmp_path / "a.npz", arrays)
    with pytest.raises(UsageError, match='say --dataset "squares size=3" or --dataset "squares size=4"'):
        runs_of([own], "mine", "squares", None, store, [DATA, other])
    (external,) = runs_of([own], "mine", "squares size=4", None, store, [DATA, other])
    assert external.run.dataset == other.dataset


def test_codes_that_join_a_split_know_what_was_absent_in_training(tmp_path, arrays, store):
    split = Run(Component("squares", 1, {"size": 3, "split": "random"}), DATA.model, None, None, 0)
    codes = Codes.load(store.run_folder(DATA) / "codes.safetensors")
    trained_on = np.arange(len(codes.means)) % 3 > 0

    def fill(folder: Path) -> None:
        replace(codes, arrays={TRAINED_ON: trained_on, "v": np.zeros((2, 2, 2))}).save(folder / "codes.safetensors")
        (folder / "run.json").write_text('{"format": 1}')

    store.publish(split, fill)
    own = source(tmp_path / "a.npz", arrays)
    (external,) = runs_of([own], "mine", "squares size=3 split=random", None, store, [DATA, split])
    np.testing.assert_array_equal(external.codes.arrays[TRAINED_ON], trained_on)
    assert "v" not in external.codes.arrays
    # The words of the whole grid are some of the split's: said in full they mean the grid.
    (whole,) = runs_of([own], "mine", "squares size=3", None, store, [DATA, split])
    assert whole.run.dataset == DATA.dataset and TRAINED_ON not in whole.codes.arrays


def test_continuous_factors_may_lack_the_last_decimals(tmp_path, arrays, store):
    u = np.random.default_rng(1).random((N, 2))
    data = Run(Component("plane", 1, {}), DATA.model, None, None, 0)

    def fill(folder: Path) -> None:
        Codes(arrays["codes"], u, ("u", "v"), (0, 0)).save(folder / "codes.safetensors")
        (folder / "run.json").write_text('{"format": 1}')

    store.publish(data, fill)
    rounded = source(tmp_path / "a.npz", {"codes": arrays["codes"], "factors": u.round(6)})
    (external,) = runs_of([rounded], "mine", "plane", None, store, [data])
    np.testing.assert_array_equal(external.codes.factors, u)
    moved = source(tmp_path / "b.npz", {"codes": arrays["codes"], "factors": u + 1e-4})
    with pytest.raises(UsageError, match="factor u is another"):
        runs_of([moved], "mine", "plane", None, store, [data])


N_MANY = 400
"""Rows enough for a hundred values to be measurements."""


@pytest.fixture
def many() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    factors = np.stack([rng.integers(3, size=N_MANY) / 7, rng.integers(100, size=N_MANY), rng.random(N_MANY)], axis=1)
    return {
        "codes": rng.standard_normal((N_MANY, 2)),
        "factors": factors,
        "factor_names": np.array(["scale", "time", "x"]),
    }


def test_the_kind_of_a_factor_is_decided_by_its_values_and_said(tmp_path, many):
    reading = source(tmp_path / "a.npz", many).reading
    assert reading.codes.factor_sizes == (3, 0, 0)
    np.testing.assert_array_equal(reading.codes.factors, many["factors"])
    assert reading.notes == (
        "factor scale has 3 values in 400 rows: discrete, unless --continuous scale",
        f"factor time has {len(set(many['factors'][:, 1]))} values in 400 rows: continuous, unless --discrete time",
    )
    assert described(reading.codes.factor_names, reading.codes.factor_sizes) == (
        "scale 3 values, time continuous, x continuous"
    )


def test_the_user_or_the_file_says_otherwise(tmp_path, many):
    values = len(set(many["factors"][:, 1]))
    np.savez(tmp_path / "a.npz", **many)
    said = Wishes(discrete=["time"], continuous=["scale"], drop=["x"])
    reading = read_codes(tmp_path / "a.npz", wishes=said)
    assert (reading.codes.factor_sizes, reading.codes.factor_names, reading.notes) == (
        (0, values),
        ("scale", "time"),
        (),
    )
    declared = {"discrete_factors": np.array(["time"]), "continuous_factors": np.array(["scale"])}
    np.savez(tmp_path / "b.npz", **many, **declared)
    assert read_codes(tmp_path / "b.npz").codes.factor_sizes == (0, values, 0)
    # What the file says of a factor that is left out is left out with it; what the user says of one is a mistake.
    assert read_codes(tmp_path / "b.npz", wishes=Wishes(drop=["time", "scale"])).codes.factor_names == ("x",)
    with pytest.raises(UsageError, match=r"no factor is called 'time' \(discrete\)"):
        read_codes(tmp_path / "b.npz", wishes=Wishes(discrete=["time"], drop=["time"]))
    outranked = read_codes(tmp_path / "b.npz", wishes=Wishes(discrete=["scale"]))
    assert outranked.codes.factor_sizes == (3, values, 0)
    assert Wishes(["a"], ["b"], ["c"], (("z", "codes"),), ["d"]).words() == [
        *("--discrete", "a", "--continuous", "b", "--drop", "c", "--classes-as-factors", "d", "--rename", "z=codes")
    ]
    ids = many | {"codes": np.ones((1_500, 2)), "factors": np.arange(4_500).reshape(1_500, 3) % 1_499}
    np.savez(tmp_path / "c.npz", **ids)
    for wishes, words in [
        (Wishes(discrete=["tim"]), r"no factor is called 'tim' \(discrete\); did you mean \"time\"?"),
        (Wishes(discrete=["x"], continuous=["x"]), "cannot be both"),
        (Wishes(drop=["scal"]), r"holds no 'scal' to drop; did you mean \"scale\"?"),
        (Wishes(rename=(("q", "codes"),)), "holds no 'q' to rename"),
        (Wishes(discrete=["time"]), "factor time takes 1,499 values, a discrete one at most 1,000"),
    ]:
        with pytest.raises(UsageError, match=words):
            read_codes(tmp_path / "c.npz", wishes=wishes)


def test_each_class_of_a_label_becomes_a_factor(tmp_path):
    """Measures that refuse a single factor have three then; what the label was among keeps its place."""
    label = np.tile([0, 1, 1, 4], 100)
    np.savez(
        tmp_path / "a.npz",
        codes=np.eye(5)[label] @ np.diag([1.0, 2, 3, 4, 5])[:, [0, 1, 4]],
        factors=np.stack([np.arange(400) % 2, label, np.linspace(0.1, 0.9, 400)], axis=1),
        factor_names=np.array(["batch", "cell", "time"]),
    )
    codes = read_codes(tmp_path / "a.npz", wishes=Wishes(discrete=["cell"], classes=["cell"])).codes
    assert codes.factor_names == ("batch", "cell_0", "cell_1", "cell_4", "time")
    assert codes.factor_sizes == (2, 2, 2, 2, 0)
    np.testing.assert_array_equal(codes.factors[:4, 1:4], [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])
    for wishes, words in [
        (Wishes(classes=["cel"]), r"no factor is called 'cel' \(classes as factors\); did you mean \"cell\"?"),
        (Wishes(classes=["time"]), "factor time holds measurements"),
        (Wishes(classes=["batch"]), "factor batch has 2 classes; as factors of their own they are at least 3"),
    ]:
        with pytest.raises(UsageError, match=words):
            read_codes(tmp_path / "a.npz", wishes=wishes)


def test_classes_and_the_label_itself_are_two_runs(tmp_path, store):
    """The digest is of the factors, whatever made them: nothing that is stored is mistaken for the other."""
    label = np.arange(400)[:, None] % 5
    np.savez(tmp_path / "a.npz", codes=np.hstack([label, label**2]).astype(float), factors=label)
    plain, split = (read_codes(tmp_path / "a.npz", wishes=wishes) for wishes in (None, Wishes(classes=["factor_0"])))
    assert digest(plain.codes) != digest(split.codes)
    ids = [
        runs_of([Source(tmp_path / "a.npz", each)], "m", None, None, store, [])[0].run.run_id for each in (plain, split)
    ]
    assert ids[0] != ids[1]


def test_another_kind_of_factor_is_another_run_and_the_usual_kinds_are_the_old_ones(tmp_path, arrays, many, store):
    """Ids of stored runs do not move: this one was given by the version before kinds were decided by values."""
    known = {"codes": np.arange(8.0).reshape(4, 2), "factors": np.array([[0, 1], [1, 0], [1, 1], [2, 0]])}
    (run,) = runs_of([source(tmp_path / "k.npz", known)], "mine", None, None, store, [])
    assert run.run.run_id == "2ec9a83a9058-s0"
    np.savez(tmp_path / "a.npz", **many)
    ids = set()
    for wishes in (Wishes(), Wishes(continuous=["scale"]), Wishes(discrete=["time"])):
        given = Source(tmp_path / "a.npz", read_codes(tmp_path / "a.npz", wishes=wishes))
        ids.add(runs_of([given], "mine", None, None, store, [])[0].run.run_id)
    assert len(ids) == 3


def test_the_same_numbers_are_the_same_run_from_whatever_file(tmp_path, arrays, store):
    single = arrays["codes"].astype(np.float32)
    table = frame(arrays | {"codes": single})
    paths = [tmp_path / name for name in ("a.npz", "a.parquet", "a.csv", "b.npz", "c.npz")]
    np.savez(paths[0], **{**arrays, "codes": single})
    table.to_parquet(paths[1])
    table.to_csv(paths[2], index=False)
    np.savez(paths[3], **{**arrays, "codes": single, "factors": arrays["factors"].astype(np.float32)})
    np.savez(paths[4], **{**arrays, "codes": single.astype(np.float64)})
    found = [Source(path, read_codes(path)) for path in paths]
    assert len({digest(each.reading.codes) for each in found}) == 1
    (first,) = runs_of([found[0]], "mine", None, None, store, [])
    publish(first, store, [])
    for each in found[1:]:
        (again,) = runs_of([each], "mine", None, None, store, [])
        assert (again.run.run_id, again.arrays) == (first.run.run_id, first.arrays)
    changed = single.copy()
    changed[3, 1] = np.nextafter(changed[3, 1], np.float32(9))
    np.savez(paths[0], **{**arrays, "codes": changed})
    assert digest(read_codes(paths[0]).codes) != digest(found[0].reading.codes)


def test_runs_stored_under_the_digest_of_earlier_versions_are_found(tmp_path, arrays):
    """Then a table's codes were double precision, and whole factors as floats stayed floats."""
    known = hashlib.sha256(repr(("shape", "size")).encode())
    codes, factors = arrays["codes"].astype(np.float32).astype(np.float64), arrays["factors"].astype(np.float64)
    for name, array in (("factors", factors), ("means", codes)):
        known.update(f"{name} <f8 {array.shape} ".encode() + array.tobytes())
    now = source(tmp_path / "a.npz", arrays, codes=codes, factors=factors).reading.codes
    assert known.hexdigest() in digests(now)
    assert digest(now) != known.hexdigest()


TABLES_OF_OTHERS = {
    "z": "z0,z1\n1,2\n3,4\n",
    "latent": "latent_1,latent_0\n2,1\n4,3\n",
    "index": ",z0,z1\n0,1,2\n1,3,4\n",
    "index from 1": "id,code_0,code_1\n1,1,2\n2,3,4\n",
    "spaces": "code_0, code_1\n1, 2\n3, 4\n",
    "bom": "\ufeffcode_0,code_1\n1,2\n3,4\n",
    "windows": "code_0,code_1\r\n1,2\r\n3,4\r\n",
}


@pytest.mark.parametrize("case", TABLES_OF_OTHERS)
def test_tables_as_people_have_them(tmp_path, case):
    for path, encoding in ((tmp_path / "a.csv", "utf-8"), (tmp_path / "A.CSV", "utf-16")):
        path.write_bytes(TABLES_OF_OTHERS[case].encode(encoding))
        codes = read_codes(path).codes
        expected = [[2, 1], [4, 3]] if case == "latent" else [[1, 2], [3, 4]]
        np.testing.assert_array_equal(codes.means, expected)
        assert codes.factors.shape == (2, 0)


def test_an_index_a_label_and_other_names(tmp_path):
    (tmp_path / "a.csv").write_text(",z_0,z_1,label\n0,1,2,cat\n1,3,4,dog\n2,5,6,cat\n")
    reading = read_codes(tmp_path / "a.csv")
    assert reading.codes.factor_names == ("label",)
    np.testing.assert_array_equal(reading.codes.factors, [[0], [1], [0]])
    assert reading.notes[:3] == (
        "column 'Unnamed: 0' numbers the rows and is left out",
        "columns z_0 … z_1 are the codes",
        "column label is a factor",
    )
    (tmp_path / "b.csv").write_text("h1,h2,kind,comment\n1,2,a,x\n3,4,b,y\n")
    wishes = Wishes(drop=["comment"], rename=(("h*", "code_*"), ("kind", "factor_kind")))
    assert read_codes(tmp_path / "b.csv", wishes=wishes).codes.factor_names == ("kind",)
    with pytest.raises(UsageError, match=r"--rename 'h\*=code_\*' makes them codes"):
        read_codes(tmp_path / "b.csv")
    (tmp_path / "c.csv").write_text("z0,mu0\n1,2\n")
    with pytest.raises(UsageError, match=r"z…, mu… may all be codes; say which by --rename 'z\*=code_\*'"):
        read_codes(tmp_path / "c.csv")
    with pytest.raises(UsageError, match="--rename gives two of its names to 'code_0'"):
        read_codes(tmp_path / "c.csv", wishes=Wishes(rename=(("z0", "code_0"), ("mu0", "code_0"))))
    (tmp_path / "d.csv").write_text("z[0],z[1]\n1,2\n3,4\n")
    for rename in ((("z[0]", "code_0"), ("z[1]", "code_1")), (("z[*]", "code_*"),)):
        np.testing.assert_array_equal(
            read_codes(tmp_path / "d.csv", wishes=Wishes(rename=rename)).codes.means[0], [1, 2]
        )


def test_two_columns_that_become_one_are_refused(tmp_path, arrays):
    np.save(tmp_path / "c.npy", arrays["codes"])
    shapes = pd.DataFrame({"factor_a": arrays["factors"][:, 0], "a": arrays["factors"][:, 1]})
    shapes.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(UsageError, match=r"a\.csv: two of its columns become 'a'; .*--rename"):
        read_codes(tmp_path / "c.npy", tmp_path / "a.csv")
    both = read_codes(tmp_path / "c.npy", tmp_path / "a.csv", wishes=Wishes(rename=(("a", "b"),)))
    assert both.codes.factor_names == ("a", "b")
    (tmp_path / "b.csv").write_text("z0,label,factor_label\n1,2,3\n3,4,5\n")
    with pytest.raises(UsageError, match="two of its columns become 'factor_label'"):
        read_codes(tmp_path / "b.csv")


def test_an_index_in_another_order_is_refused_and_another_is_noted(tmp_path, arrays):
    table = frame(arrays)
    order = np.random.default_rng(1).permutation(N)
    table[["code_0", "code_1"]].to_parquet(tmp_path / "codes.parquet")
    factors = table[["factor_shape", "factor_size"]]
    for moved in (factors.iloc[order], factors.iloc[::-1]):
        moved.to_parquet(tmp_path / "moved.parquet")
        with pytest.raises(UsageError, match=r"moved\.parquet: its index has the labels .* in another order: reindex"):
            read_codes(tmp_path / "codes.parquet", tmp_path / "moved.parquet")
    np.save(tmp_path / "codes.npy", arrays["codes"])
    reading = read_codes(tmp_path / "codes.npy", tmp_path / "moved.parquet")
    assert reading.notes == (
        "the index of moved.parquet does not number the rows and is left out: rows are taken as they stand",
    )
    np.testing.assert_array_equal(reading.codes.factors, arrays["factors"][::-1])
    factors.iloc[order].to_parquet(tmp_path / "plain.parquet", index=False)
    assert read_codes(tmp_path / "codes.parquet", tmp_path / "plain.parquet").notes == ()
    # Other labels say nothing of the order, and the same ones in the same order are what they should be.
    table.set_index(np.arange(N) + 70)[["factor_shape"]].to_parquet(tmp_path / "other.parquet")
    assert "does not number" in read_codes(tmp_path / "codes.parquet", tmp_path / "other.parquet").notes[0]
    named = table.set_index(pd.Index([f"img{row}" for row in order], name="file"))
    named[["code_0", "code_1"]].to_parquet(tmp_path / "a.parquet")
    named[["factor_shape"]].to_parquet(tmp_path / "b.parquet")
    assert len(read_codes(tmp_path / "a.parquet", tmp_path / "b.parquet").notes) == 2


@pytest.mark.parametrize(
    "described", ["3", '["gone"]', '[{"kind": "range"}]', '[{"start": 0, "stop": 1e30, "step": 1}]']
)
def test_an_index_that_is_described_wrongly_is_none(tmp_path, arrays, described):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame(arrays), preserve_index=False)
    pq.write_table(
        table.replace_schema_metadata({"pandas": f'{{"index_columns": {described}}}'}), tmp_path / "a.parquet"
    )
    assert read_codes(tmp_path / "a.parquet").notes == ()


def test_factors_written_with_their_index(tmp_path, arrays):
    np.save(tmp_path / "c.npy", arrays["codes"])
    factors = pd.DataFrame(arrays["factors"], columns=["shape", "size"])
    factors.to_csv(tmp_path / "a.csv")
    factors.reset_index().to_parquet(tmp_path / "b.parquet")
    factors.set_index("shape", append=True).to_parquet(tmp_path / "c.parquet")
    for name in ("a.csv", "b.parquet"):
        reading = read_codes(tmp_path / "c.npy", tmp_path / name)
        assert reading.codes.factor_names == ("shape", "size")
        assert "numbers the rows and is left out" in reading.notes[0]
    assert read_codes(tmp_path / "c.npy", tmp_path / "c.parquet").codes.factor_names == ("size",)
    factors.assign(step=range(N)).to_csv(tmp_path / "d.csv", index=False)
    reading = read_codes(tmp_path / "c.npy", tmp_path / "d.csv")
    assert reading.codes.factor_sizes == (3, 2, 0)
    assert reading.notes == ("factor step numbers the rows: if it is an index, leave it out by --drop step",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code_0,factor_b\n1,10.5\n2,?\n3,4\n", "factor b holds '?' in row 2 among numbers"),
        ("code_0,factor_b\n1,10.5\n2,NA\n3,4\n", "factor b holds 'NA' in row 2 among numbers"),
        ("code_0,factor_b\n1,a\n2,\n", "factor b lacks values in 1 rows, the first in row 2"),
        ("code_0,code_0\n1,2\n", "two columns are called 'code_0'"),
        ("code_0,code_1\n1,2,3\n4,5,6\n", "the header names 2 columns, the first row holds 3 values"),
        ("code_0,code_1\n1,2\n4,5,6\n", "cannot be read as a table"),
        ("code_0;code_1\n1;2\n", "not separated by commas"),
        ("code_0,factor_t\n1,-9223372036854775808\n2,9223372036854775807\n", "more than double precision tells apart"),
    ],
)
def test_a_table_that_would_be_read_wrongly_is_refused(tmp_path, text, said):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UsageError) as caught:
        read_codes(tmp_path / "a.csv")
    assert said in str(caught.value)


@pytest.mark.parametrize("word", ["NA", "None", "nan", "null", "inf"])
def test_names_that_pandas_takes_for_missing_are_names(tmp_path, word):
    (tmp_path / "a.csv").write_text(f"code_0,factor_a\n1,{word}\n2,box\n3,{word}\n")
    factors = read_codes(tmp_path / "a.csv").codes.factors[:, 0]
    assert factors[0] == factors[2] != factors[1]


def test_times_in_nanoseconds_keep_their_differences(tmp_path):
    (tmp_path / "a.csv").write_text("code_0,factor_t,factor_x\n1,1700000000000000001,0.5\n2,1700000000000000003,0.7\n")
    reading = read_codes(tmp_path / "a.csv")
    np.testing.assert_array_equal(reading.codes.factors[:, 0], [0, 2])
    assert "factor t is counted from 1700000000000000001" in reading.notes


def test_other_arrays_are_left_alone_and_other_names_renamed(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays, metadata=np.array({"a": 1}, dtype=object), images=np.zeros((N, 2, 2)))
    reading = read_codes(tmp_path / "a.npz")
    assert reading.notes == tuple(
        f"array `{name}` is read by no measure and left alone" for name in ("metadata", "images")
    )
    np.savez(tmp_path / "b.npz", z=arrays["codes"], labels=arrays["factors"])
    with pytest.raises(UsageError, match=r"`codes`; it holds z \(60, 2\), labels \(60, 2\); say which .* --rename"):
        read_codes(tmp_path / "b.npz")
    found = read_codes(tmp_path / "b.npz", wishes=Wishes(rename=(("z", "codes"), ("labels", "factors")))).codes
    np.testing.assert_array_equal(found.means, arrays["codes"])
    np.testing.assert_array_equal(found.factors, arrays["factors"])


def test_log_variances_of_single_precision_at_its_ends(tmp_path, arrays):
    low = source(tmp_path / "a.npz", arrays, logvar=np.full((N, 2), -110, np.float32)).reading.codes
    np.testing.assert_allclose(low.variances, np.exp(-110.0))
    kept = source(tmp_path / "b.npz", arrays, logvar=np.full((N, 2), -2, np.float32)).reading.codes
    assert kept.variances is not None and kept.variances.dtype == np.float32


@pytest.fixture
def pair(tmp_path, arrays, monkeypatch) -> Path:
    """A folder with a.npz and b.npz, where one works."""
    monkeypatch.chdir(tmp_path)
    source(tmp_path / "a.npz", arrays)
    source(tmp_path / "b.npz", arrays, codes=arrays["codes"] + 1)
    return tmp_path


def asked(name: str) -> EvaluationSettings:
    return evaluation_settings(f"results/suites/{name}/{name}.toml")


def scored(table: Path) -> set[str]:
    return set(pd.read_csv(table)["metric"])


def test_a_suite_of_codes_is_scored_as_each_call_asks(pair):
    """What the first call asked for binds no later one, and every score that is there stays."""
    add_codes("a.npz", name="m", metrics=["active_units"])
    first = evaluate("m", jobs=0)
    assert scored(first.table) == {"active_units"}
    assert first.table.exists()
    (score,) = Path("results").glob("runs/*/m/*/s0/scores/*.json")
    before = score.read_bytes()
    add_codes("b.npz", name="m", seed=1, metrics=["modularity"], budget="quick")
    assert asked("m") == EvaluationSettings(metrics=("modularity",), budget="quick")
    table = pd.read_csv(evaluate("m", jobs=0).table)
    assert set(zip(table["metric"], table["seed"], strict=True)) == {
        ("active_units", 0), ("modularity", 0), ("modularity", 1)
    }  # fmt: skip
    assert score.read_bytes() == before
    add_codes("a.npz", name="m")
    assert asked("m") == EvaluationSettings()
    assert len(Store(Path("results")).plan("m")) == 2
    assert verify().findings == [], "the plan goes by the suite's new text"


def test_a_comparison_is_scored_as_each_call_asks(pair):
    compare("a.npz", "b.npz", metrics=["active_units"], jobs=0)
    again = compare("a.npz", "b.npz", metrics=["modularity"], budget="quick", jobs=0)
    assert asked("a-vs-b") == EvaluationSettings(metrics=("modularity",), budget="quick")
    assert scored(again.table) == {"active_units", "modularity"}
    assert verify().findings == []


def test_codes_beside_an_archive_are_scored_under_its_protocols_whatever_was_asked_before(pair, arrays, monkeypatch):
    reference = Codes(np.empty((N, 0)), arrays["factors"], ("shape", "size"), (3, 2))
    theirs = EvaluationSettings(metrics=("modularity",), points=500, seed=3)
    archive = SimpleNamespace(manifest=SimpleNamespace(title="board"))
    monkeypatch.setattr(opening, "open_archive", lambda _: archive)
    monkeypatch.setattr(beside, "offered_data", lambda *_: {"squares": (DATA.dataset, lambda: reference)})
    monkeypatch.setattr(beside, "evaluation_of", lambda *_: theirs)
    add_codes("a.npz", name="m", metrics=["active_units"])
    add_codes("a.npz", name="m", beside="board")
    assert asked("m") == theirs
    add_codes("a.npz", name="m")
    assert asked("m") == EvaluationSettings()


def test_a_suite_of_codes_that_was_edited_stays_and_it_is_said(pair):
    added: Any = add_codes("a.npz", name="m", metrics=["active_units"])
    assert len(added.notes) == 1
    file = Path("results/suites/m/m.toml")
    file.write_text(file.read_text() + 'headline = "modularity"\n')
    text = file.read_text()
    assert len(add_codes("a.npz", name="m", metrics=["active_units"]).notes) == 1, "what is asked for is what it says"
    added = add_codes("a.npz", name="m", budget="quick")
    assert file.read_text() == text
    assert added.notes[1] == (
        "results/suites/m/m.toml was edited and stays as it is: what --metrics and --budget do not say is scored as it"
        " says (metrics active_units; budget full; points 10,000; seed 0)"
    )
    assert len(added.frame()) == 1
