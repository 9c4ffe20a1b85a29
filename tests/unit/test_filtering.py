"""What `--only` keeps: values as they are written, names in any spelling, and no traceback for any text."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchmark
from benchmark import registry
from benchmark.choice import read_value, spelled
from benchmark.cli.typed import read_filters
from benchmark.errors import UsageError
from benchmark.filtering import chosen_by
from benchmark.spec import Component, Run
from benchmark.verbs._request import Request
from benchmark.verbs.report import report_text


def run(model: str, **settings: Any) -> Run:
    data = Component("squares", 1, {"stride": [1, 1, 4, 4, 4]})
    return Run(data, Component(model, 1, settings), None, None, 0)


def kept(runs: list[Run], *typed: str) -> list[str]:
    return [each.model.name for each in chosen_by(runs, read_filters(typed), "here")]


@pytest.mark.parametrize("name", ["7", "2024", "1e5", "2024-05-01", "inf", "nan", "true"])
def test_a_name_that_looks_like_a_value_is_a_name(name: str) -> None:
    runs = [run(name), run("vae")]
    assert kept(runs, f"model={name}") == kept(runs, f'model="{name}"') == [name]
    assert chosen_by(runs, {"model": [name]}, "here") == runs[:1]


@pytest.mark.parametrize("config", ["123456789012", "1234e5678901", "0e1234567890", "00000000001f"])
def test_an_id_is_text_whatever_number_it_looks_like(monkeypatch: pytest.MonkeyPatch, config: str) -> None:
    one = run("vae")
    monkeypatch.setitem(one.__dict__, "config_id", config)
    assert kept([one, run("ae")], f"config={config}") == ["vae"]
    assert kept([one, run("ae")], f"config={spelled(config)}") == ["vae"], "as the command of a worker writes it"


def test_an_exact_name_wins_over_a_spelling() -> None:
    runs = [run("vae_10"), run("vae_1.0"), run("VAE")]
    assert kept(runs, "model=vae_10") == ["vae_10"]
    assert kept(runs, "model=vae_1.0") == ["vae_1.0"]
    assert kept(runs, "model=vae") == ["VAE"]
    assert kept(runs, "model=VAE-10") == ["vae_10", "vae_1.0"]


def test_settings_are_no_names() -> None:
    runs = [run("low", alpha="-inf", kind="ii"), run("high", alpha="inf", kind="i")]
    assert kept(runs, "model.alpha=inf") == ["high"]
    assert kept(runs, "model.alpha=-inf") == ["low"]
    with pytest.raises(UsageError, match=r"no run matches --only model\.kind=I-I"):
        kept(runs, "model.kind=I-I")


def test_commas_in_brackets_part_nothing() -> None:
    runs = [run("vae"), replace(run("ae"), dataset=Component("squares", 1, {"stride": [2]}))]
    assert kept(runs, "dataset.stride=[1,1,4,4,4]") == ["vae"]
    assert kept(runs, "dataset.stride=[1, 1, 4, 4, 4],[2]") == ["vae", "ae"]
    with pytest.raises(UsageError, match=re.escape("no run matches --only dataset.stride=[1,1,4,4]; did you mean")):
        kept(runs, "dataset.stride=[1,1,4,4]")


@pytest.mark.parametrize("text", ["2024-05-01", "12:30:00", "2024-05-01T12:00:00Z", "nan", "[2024-05-01]", "[nan]"])
def test_what_no_setting_is_stays_text(text: str) -> None:
    assert read_value(text) == spelled(text) == text
    with pytest.raises(UsageError, match=re.escape(f"no run matches --only model.beta={text}")):
        kept([run("vae", beta=1)], f"model.beta={text}")


@pytest.mark.parametrize("value", [float("nan"), datetime.date(2024, 5, 1)])
def test_a_value_that_cannot_be_is_one_sentence_in_python_too(value: object) -> None:
    with pytest.raises(UsageError, match=f"no run matches --only model.beta={value}"):
        chosen_by([run("vae", beta=1)], {"model.beta": [value]}, "here")


def test_one_value_need_not_be_a_list_in_python() -> None:
    runs = [run("vae"), replace(run("ae"), seed=3)]
    assert chosen_by(runs, {"model": "vae"}, "here") == runs[:1]
    assert chosen_by(runs, {"seed": 3}, "here") == runs[1:]


def test_measures_may_be_one_text_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_plugins", {})
    factors = np.random.default_rng(0).integers(4, size=(100, 2))
    np.savez("mine.npz", codes=factors, factors=factors)
    np.savez("yours.npz", codes=factors[:, ::-1], factors=factors)
    benchmark.add_codes("mine.npz", metrics="mcc,active_units")
    asked = benchmark.evaluate("mine", metrics="mcc,active_units", jobs=0)
    assert set(asked.frame()["metric"]) == {"mcc", "active_units"}
    assert benchmark.compare("mine.npz", "yours.npz", metrics="mcc", jobs=0).scores[0]["metric"] == "mcc"
    assert "mcc" in report_text("mine", "csv", columns="mcc")
    with pytest.raises(UsageError, match="evaluate: metrics names none"):
        benchmark.evaluate("mine", metrics="", jobs=0)


def test_a_number_of_seeds_is_that_many_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Request] = []
    monkeypatch.setattr("benchmark.verbs.run.carry_out", lambda request, _: heard.append(request))
    benchmark.run("quickstart", seeds=3)
    assert heard[0].seeds == [0, 1, 2]
    assert {each.seed for each in heard[0].expanded().runs} == {0, 1, 2}
