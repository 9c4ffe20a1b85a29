"""Tables, labels and measures as other programs and people make them: read as they are meant, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark import UsageError, registry, score
from benchmark.published import publish
from benchmark.reading.read_codes import read_codes
from benchmark.text import check_replaced


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    factors = pd.DataFrame(rng.integers(0, 3, (1200, 2)), columns=["a", "b"])
    codes = pd.DataFrame(factors.to_numpy() + 0.1 * rng.standard_normal((1200, 2)), columns=["code_0", "code_1"])
    codes.to_csv(tmp_path / "codes.csv")
    return tmp_path, codes, factors


def test_pandas_index_in_csv_is_no_factor_and_must_be_in_the_same_order(
    tables: tuple[Path, pd.DataFrame, pd.DataFrame],
) -> None:
    folder, codes, factors = tables
    shuffled = factors.sample(frac=1, random_state=0)
    shuffled.to_csv(folder / "factors.csv")
    with pytest.raises(UsageError, match=r"its index has the labels of that of .* in another order"):
        read_codes(folder / "codes.csv", folder / "factors.csv")
    shuffled.to_parquet(folder / "factors.parquet")
    with pytest.raises(UsageError, match="in another order"):
        read_codes(folder / "codes.csv", folder / "factors.parquet")
    factors.set_axis([f"image{n}.png" for n in factors.index]).to_csv(folder / "named.csv")
    found = read_codes(folder / "codes.csv", folder / "named.csv")
    assert found.codes.factor_names == ("a", "b")
    assert any("index of named.csv does not number the rows" in note for note in found.notes)
    assert any("numbers the rows and is left out" in note for note in found.notes)
    frame = score(codes.to_numpy(), factors.reset_index(), "mig", quiet=True)
    assert set(frame["factor"].dropna()) == {"a", "b"}


@pytest.mark.parametrize(
    ("header", "advice"),
    [
        ("# code_0,code_1,factor_a", "--rename '# code_0=code_0' calls it so"),
        ("h0,h1,a", r"--rename 'h\*=code_\*' makes them codes"),
        ("0.5,1.5,2", "its first row is numbers: where there is no header, give it one"),
        ("code_0,code_1,shape", "--rename 'shape=factor_shape' or --drop 'shape' says what it is"),
    ],
)
def test_advice_on_columns_says_what_they_probably_are(tmp_path: Path, header: str, advice: str) -> None:
    rows = "\n".join(f"{n}.5,{n % 3},{n % 2}" for n in range(20))
    (tmp_path / "mine.csv").write_text(f"{header}\n{rows}\n")
    with pytest.raises(UsageError, match=advice):
        read_codes(tmp_path / "mine.csv")


WORDS = np.array(["square", "ellipse", "heart"])[np.arange(1200) % 3]
KINDS: dict[str, Any] = {
    "series": pd.Series(WORDS, name="shape"),
    "series of objects": pd.Series(WORDS.astype(object), name="shape"),
    "categories": pd.Series(pd.Categorical(WORDS), name="shape"),
    "frame": pd.DataFrame({"shape": WORDS}),
    "objects": WORDS.astype(object),
    "table of objects": np.stack([WORDS.astype(object), np.arange(1200) % 2], axis=1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_words_are_labels_whatever_holds_them(kind: str) -> None:
    codes = np.stack([np.arange(1200) % 3, np.arange(1200) % 2], axis=1) + 0.01 * np.random.default_rng(0).random(
        (1200, 2)
    )
    found = score(codes, KINDS[kind], "jemmig", quiet=True)
    assert (found["status"] == "ok").all(), found["reason"].tolist()
    names = {"factor_0"} if kind == "objects" else {"factor_0", "factor_1"} if "table" in kind else {"shape"}
    assert set(found["factor"].dropna()) == names


@pytest.mark.parametrize("missing", ["NA", "nan", "None"])
def test_na_among_words_is_said(missing: str) -> None:
    words = np.where(np.arange(1200) % 7 == 0, missing, WORDS)
    found = score(np.random.default_rng(0).random((1200, 2)), pd.Series(words, name="shape"), "mcc", quiet=True)
    assert any(f"{missing!r} is one of its names" in note for note in found.attrs["notes"])


@pytest.mark.parametrize("name", ["", "x" * 121])
def test_a_factor_has_a_name_that_can_be_shown(name: str) -> None:
    with pytest.raises(UsageError, match="a name has 1 to 120 bytes"):
        score(np.random.default_rng(0).random((1200, 2)), np.arange(1200) % 2, "mig", factor_names=[name], quiet=True)


def test_a_measure_that_writes_into_its_arrays_changes_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_plugins", {})
    (tmp_path / "zeroing.py").write_text(
        "from benchmark import metric\n\n\n@metric(representations=('mean',))\n"
        "def zeroing(codes, *, seed: int = 0) -> dict[str, float]:\n    codes[:] = 0\n    return {'zeroing': 0.0}\n"
    )
    factors = np.stack([np.arange(1200) % 3, np.arange(1200) % 2], axis=1)
    codes = factors + 0.01 * np.random.default_rng(0).random((1200, 2))
    alone = score(codes.copy(), factors, "mcc", quiet=True)
    beside = score(codes, factors, "zeroing,mcc", plugins=[tmp_path / "zeroing.py"], quiet=True)
    assert beside[beside["metric"] == "mcc"]["value"].tolist() == alone["value"].tolist()
    assert codes.std() > 0.1


def test_a_measure_that_draws_nothing_needs_no_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_plugins", {})
    (tmp_path / "plain.py").write_text(
        "from benchmark import metric\n\n\n@metric(representations=('mean',))\n"
        "def plain(codes, *, power: int = 1) -> dict[str, float]:\n    return {'plain': float((codes**power).mean())}\n"
    )
    codes = np.full((1200, 2), 2.0)
    found = score(codes, None, "plain(power=3)", plugins=[tmp_path / "plain.py"], quiet=True)
    assert found["value"].tolist() == [8.0] and "power3" in found["protocol"][0]


def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    table = pd.DataFrame({"metric": ["mig"], "score": ["mig"], "value": [0.5]})
    path = publish(table, tmp_path / "mine.csv")
    assert publish(table.assign(value=0.25), path).read_text().endswith("0.25\n")
    (tmp_path / "precious.csv").write_text("day,weight\n1,70\n")
    with pytest.raises(UsageError, match="is no such table, and stays as it is: move it"):
        publish(table, tmp_path / "precious.csv")
    assert (tmp_path / "precious.csv").read_text() == "day,weight\n1,70\n"
    with pytest.raises(UsageError, match=r"precious\.csv is no such table"):
        check_replaced(tmp_path / "precious.csv", ("run_id",))
