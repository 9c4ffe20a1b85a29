"""Settings are strict, and equal runs have equal ids."""

import dataclasses
import hashlib
import json
import math
from typing import Any

import pytest

from benchmark.errors import UsageError
from benchmark.models.beta_vae import BetaVAE
from benchmark.spec import (
    Component,
    Number,
    Run,
    Settings,
    TrainingSettings,
    canonical_json,
    digest,
    location,
    stackable,
    static,
    suggest,
)


class Example(Settings):
    width: int = static(10, "a size", ge=1)
    weight: Number = stackable(4.0, "a weight", ge=0)
    sizes: tuple[int, ...] = static((1, 2), "sizes")
    later: Number = static(0.0, "added in version 2", since=2)
    path: str = location("a file")


def read(**values: Any) -> Example:
    return Example.read({"path": "a", **values}, "suite.block[0].model.example")


def run(**settings: Any) -> Run:
    """A run written down by hand."""
    return Run(
        Component("synth_linear", 1, {"points": 200, "seed": 0}),
        Component("beta_vae", 2, {"beta": 0.5, "sigma": "inf", **settings}),
        Component("linear", 1, {"latents": 2}),
        None,
        3,
    )


def test_integers_and_floats_of_one_value_are_one_identity() -> None:
    assert digest(read(weight=4).identity()) == digest(read(weight=4.0).identity()) == digest(read().identity())
    assert digest(read(weight=4).identity()) != digest(read(weight=4.5).identity())


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"weight": "4"}, "weight = '4'"),
        ({"weight": math.nan}, "weight = nan: "),
        ({"weight": True}, "weight = True"),
        ({"weight": -1}, "weight = -1: input should be greater than or equal to 0"),
        ({"width": 2.5}, "width = 2.5"),
        ({"width": 2.0}, "width = 2.0"),
        ({"width": "2"}, "width = '2'"),
        ({"width": 0}, "width = 0: input should be greater than or equal to 1"),
        ({"sizes": [1, "2"]}, "sizes.1 = '2'"),
    ],
)
def test_wrong_values_are_refused_with_their_full_path(values: dict[str, Any], path: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(**values)
    assert str(raised.value).startswith(f"suite.block[0].model.example.{path}")


def test_negative_beta_is_one_clear_sentence() -> None:
    with pytest.raises(UsageError) as raised:
        BetaVAE.Settings.read({"beta": -1.0}, "s.block[1].model.beta_vae")
    assert str(raised.value) == "s.block[1].model.beta_vae.beta = -1.0: input should be greater than or equal to 0"


def test_an_unknown_key_answers_with_its_path_and_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r'^suite\.block\[0\]\.model\.example\.wieght: .* mean "weight"'):
        read(wieght=1)


def test_a_list_of_known_names_that_is_cut_says_so() -> None:
    known = [f"name{place:02}" for place in range(45)]
    assert suggest("x", known).endswith("name38, name39 … and 5 more")
    assert suggest("x", known[:40]).endswith("name38, name39")


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(UsageError, match=r"example\.width = 0: .*; .*example\.weight = '4'"):
        read(width=0, weight="4")


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(UsageError, match=r"^m\.path: this setting is required$"):
        Example.read({}, "m")


@pytest.mark.parametrize(("text", "value"), [("inf", math.inf), ("-inf", -math.inf)])
def test_infinities_are_strings_both_ways(text: str, value: float) -> None:
    settings = read(later=text)
    assert settings.later == value
    assert settings.identity()["later"] == settings.plain()["later"] == text
    assert Example.read(settings.plain(), "m") == settings


def test_lists_become_tuples() -> None:
    settings = read(sizes=[3, 4])
    assert settings.sizes == (3, 4)
    assert settings.identity()["sizes"] == [3, 4]


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().width = 3  # type: ignore[misc]


def test_a_setting_added_later_stays_out_of_the_identity_at_its_default() -> None:
    assert "later" not in read().identity()
    assert "later" not in read(later=0).identity()
    assert read(later=1).identity()["later"] == 1


def test_where_a_file_lies_is_no_part_of_the_identity() -> None:
    assert read(path="a").identity() == read(path="b").identity()
    assert read(path="b").plain()["path"] == "b"
    held = dataclasses.replace(run().dataset, locations={"path": "b"})
    assert dataclasses.replace(run(), dataset=held).run_id == run().run_id


def test_a_loose_files_content_is_part_of_the_identity() -> None:
    changed = dataclasses.replace(run().model, source="0" * 64)
    assert dataclasses.replace(run(), model=changed).config_id != run().config_id


def test_stackable_names() -> None:
    assert Example.stackable_names() == ["weight"]
    assert TrainingSettings.stackable_names() == ["learning_rate", "weight_decay"]


def test_canonical_json() -> None:
    value = {"b": 2.0, "a": [math.inf, -math.inf, 0.1, (1, True)], "c": {"z": None, "y": "é"}, "d": 2.5e60}
    assert canonical_json(value) == r'{"a":["inf","-inf",0.1,[1,true]],"b":2,"c":{"y":"\u00e9","z":null},"d":2.5e+60}'


def test_an_id_is_the_hash_of_the_written_down_configuration() -> None:
    text = (
        '{"dataset":{"name":"synth_linear","settings":{"points":200,"seed":0},"version":1},'
        '"model":{"name":"beta_vae","settings":{"beta":0.5,"sigma":"inf"},"version":2},'
        '"network":{"name":"linear","settings":{"latents":2},"version":1},"training":null}'
    )
    assert run().config_id == hashlib.sha256(text.encode()).hexdigest()[:12] == "b1a335f42fed"
    assert run().run_id == "b1a335f42fed-s3"


def test_ids_depend_on_settings_and_versions_but_not_on_the_seed() -> None:
    other_seed = dataclasses.replace(run(), seed=4)
    newer = dataclasses.replace(run(), model=dataclasses.replace(run().model, version=3))
    assert other_seed.config_id == run().config_id
    assert len({run().config_id, run(beta=0.6).config_id, newer.config_id}) == 3


def test_a_run_survives_json() -> None:
    again = Run.from_json(json.loads(json.dumps(run().to_json())))
    assert again == run()
    assert again.run_id == run().run_id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": "0/../../../x/.ssh"}, "a seed is a whole number"),
        ({"seed": -1}, "a seed is a whole number"),
        ({"seed": True}, "a seed is a whole number"),
        ({"seed": 2.0}, "a seed is a whole number"),
        ({"seed": 2**63}, "a seed is a whole number"),
        ({"extra": 1}, "'extra' is missing or not known"),
        ({"dataset": None}, "dataset = None"),
        ({"network": "linear"}, "network = 'linear'"),
        ({"model": {"name": "beta_vae", "version": 2}}, "'settings' is missing or not known"),
    ],
)
def test_what_is_no_run_is_refused_by_name(change, said) -> None:
    with pytest.raises(UsageError, match=r"plan\.json: runs") as caught:
        Run.from_json(run().to_json() | change, "plan.json: runs[0]")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        *(
            ({"name": name}, "a name")
            for name in ("", 3, None, "..", "../../../x", "/etc", "=cmd|x", "@a", "a\\b", ".hidden")
        ),
        *(({"name": name}, "a name") for name in ("a\x1b[2J", "a\nb", "a\u202eb", "x" * 260, " a", "a\x00")),
        ({"version": "1"}, "a version is a whole number"),
        ({"version": True}, "a version is a whole number"),
        ({"settings": []}, "names with their values"),
        ({"locations": "here"}, "names with their values"),
        ({"source": "abc"}, "sha256"),
    ],
)
def test_what_is_no_component_is_refused_and_nothing_of_it_reaches_the_terminal(change, said) -> None:
    value = run().to_json()
    value["model"] |= change
    with pytest.raises(UsageError, match=said) as caught:
        Run.from_json(value)
    assert str(caught.value).isprintable()
