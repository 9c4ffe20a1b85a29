"""A suite's text becomes runs: sweeps, filters, shares, and errors that name the key."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from benchmark import registry
from benchmark.choice import read_choice
from benchmark.errors import UsageError
from benchmark.filtering import shard
from benchmark.spec import Run
from benchmark.suite import Suite, evaluation_settings, expand, find, settings_of

HEAD = 'description = "a test"\n'
BLOCK = """
[[block]]
dataset = "synth_linear"
network = "mlp_tiny"
model = ["ae", { name = "beta_vae", beta = 2 }]
"""


@pytest.fixture
def suite(tmp_path: Path):
    """Write a suite and expand it."""

    def make(text: str, **options) -> Suite:
        path = tmp_path / "mine.toml"
        path.write_text(text if text.startswith("description") else HEAD + text)
        return expand(str(path), **options)

    return make


def names(runs: list[Run]) -> list[str]:
    return [run.model.name for run in runs]


@pytest.mark.parametrize("name", registry.names("suite"))
def test_every_built_in_suite_expands(name, data_dir, monkeypatch):
    monkeypatch.setenv("BENCHMARK_DATA", str(data_dir))
    expanded = expand(name)
    ids = [run.run_id for run in expanded.runs]
    assert len(ids) > 1
    assert len(set(ids)) == len(ids)
    assert expanded.description == registry.describe("suite", name)
    assert evaluation_settings(name) == expanded.evaluation
    assert [Run.from_json(run.to_json()) for run in expanded.runs] == expanded.runs


@pytest.mark.parametrize("name", ["peste", "peste-mini", "saleh", "saleh-mini"])
def test_what_learns_on_mnist_asks_for_no_more_rows_than_it_has(name):
    """MNIST is scored on its 10,000 test images: whoever learns from 10,000 and is tested on 5,000 has no score."""
    suite = evaluation_settings(name)
    read = {choice.name: choice for choice in map(read_choice, suite.metrics)}["linear_separability"]
    declared = registry.load("metric", read.name).declaration
    settings = declared.settings.read((declared.quick if suite.budget == "quick" else {}) | read.settings, read.name)
    assert settings.train + settings.test <= 10_000


def test_lists_and_sweeps_are_multiplied(suite):
    sweep = (
        'sweep = { "model.beta" = [1, 4, 16], "training.learning_rate" = [1e-3, 1e-4], "network.hidden" = [8, 16] }\n'
    )
    runs = suite("seeds = 2\n" + BLOCK.replace('"ae", ', "") + sweep).runs
    found = {
        (run.model.settings["beta"], run.training.settings["learning_rate"], run.network.settings["hidden"], run.seed)
        for run in runs
        if run.training and run.network
    }
    assert found == set(itertools.product([1, 4, 16], [1e-3, 1e-4], [8, 16], [0, 1]))
    assert len(runs) == 24
    assert len({run.config_id for run in runs}) == 12


def test_several_names_of_each_part_are_multiplied(suite):
    text = BLOCK.replace('"synth_linear"', '["synth_linear", "synth_nonlinear"]').replace(
        '"mlp_tiny"', '["linear", { name = "mlp_tiny", hidden = 8 }]'
    )
    found = [(run.dataset.name, run.model.name, run.network and run.network.name) for run in suite(text).runs]
    assert found == list(
        itertools.product(["synth_linear", "synth_nonlinear"], ["ae", "beta_vae"], ["linear", "mlp_tiny"])
    )


def test_blocks_follow_one_another_with_their_own_training_and_seeds(suite):
    text = "seeds = 2\n[training]\nsteps = 10\nbatch = 8\n" + BLOCK + BLOCK + "seeds = [5]\ntraining = { steps = 20 }\n"
    runs = suite(text).runs
    found = [(run.model.name, run.seed, run.training and run.training.settings["steps"]) for run in runs]
    first = [(name, seed, 10) for name in ("ae", "beta_vae") for seed in (0, 1)]
    assert found == [*first, ("ae", 5, 20), ("beta_vae", 5, 20)]
    assert all(run.training and run.training.settings["batch"] == 8 for run in runs)


def test_equal_runs_collapse(suite):
    assert len(suite(BLOCK + BLOCK).runs) == 2
    swept = BLOCK + 'sweep = { "training.steps" = [10, 20] }\n' + BLOCK + "training = { steps = 10 }\n"
    assert len(suite(swept).runs) == 4


def test_a_closed_form_has_neither_network_nor_training(suite):
    (run,) = suite(BLOCK.replace('["ae", { name = "beta_vae", beta = 2 }]', '"pca"')).runs
    assert run.network is None
    assert run.training is None
    # So it does not matter to it what stands in the block for others.
    other = BLOCK.replace('["ae", { name = "beta_vae", beta = 2 }]', '"pca"').replace("mlp_tiny", "linear")
    assert suite(other).runs[0].run_id == run.run_id


def test_infinities_are_strings_that_are_read_back(suite):
    text = BLOCK.replace("beta = 2", "annealing_steps = inf")
    run = suite(text).runs[1]
    assert run.model.settings["annealing_steps"] == "inf"
    model = registry.load("model", "beta_vae")
    assert settings_of(run.model, model.Settings).annealing_steps == float("inf")
    assert suite(text.replace("inf", '"inf"')).runs[1].run_id == run.run_id


def test_seeds_asked_for_replace_the_suites(suite):
    assert [run.seed for run in suite("seeds = 2\n" + BLOCK, seeds=[7, 3]).runs] == [7, 3, 7, 3]


def test_set_reaches_every_component_that_has_the_setting(suite):
    runs = suite(
        BLOCK, overrides={"training.steps": 3, "model.beta": 9, "network.hidden": 4, "dataset.points": 50}
    ).runs
    assert [run.training and run.training.settings["steps"] for run in runs] == [3, 3]
    assert [run.model.settings.get("beta") for run in runs] == [None, 9]
    assert {run.network and run.network.settings["hidden"] for run in runs} == {4}
    assert {run.dataset.settings["points"] for run in runs} == {50}


def test_set_of_the_value_that_is_there_changes_no_id(suite):
    plain = suite(BLOCK).runs
    assert suite(BLOCK, overrides={"model.beta": 2.0}).runs == plain
    assert suite(BLOCK, overrides={"model.beta": 3}).runs[0] == plain[0]
    assert suite(BLOCK, overrides={"model.beta": 3}).runs[1].config_id != plain[1].config_id


@pytest.mark.parametrize("key", ["model.betta", "beta", "trainin.steps", "model.gamma"])
def test_set_of_what_nothing_has_is_an_error(suite, key):
    with pytest.raises(UsageError, match=f"--set {key}: no run of suite mine has this setting"):
        suite(BLOCK, overrides={key: 1})


@pytest.mark.parametrize(
    ("only", "kept"),
    [
        ({"model": ["ae"]}, [("ae", 0), ("ae", 1)]),
        ({"model": ["ae", "beta_vae"], "seed": [1]}, [("ae", 1), ("beta_vae", 1)]),
        ({"model.beta": [2.0]}, [("beta_vae", 0), ("beta_vae", 1)]),
        ({"training.steps": [10_000], "network": ["mlp_tiny"], "seed": [0]}, [("ae", 0), ("beta_vae", 0)]),
    ],
)
def test_only_keeps_what_matches_all(suite, only, kept):
    assert [(run.model.name, run.seed) for run in suite("seeds = 2\n" + BLOCK, only=only).runs] == kept


@pytest.mark.parametrize("spelling", ["BetaVAE", "β-VAE", "beta-vae"])
def test_only_takes_a_name_in_any_spelling(suite, spelling):
    plain, given = (suite("seeds = 2\n" + BLOCK, only={"model": [name]}).runs for name in ("beta_vae", spelling))
    assert given == plain != []


def test_only_that_leaves_nothing_says_so(suite):
    with pytest.raises(UsageError, match=r"no run is left by --only model=ae model.beta=2: none has all of these"):
        suite(BLOCK, only={"model": ["ae"], "model.beta": [2.0]})


@pytest.mark.parametrize(
    ("only", "said"),
    [
        ({"model": ["ae", "beta_vea"]}, 'no run matches --only model=beta_vea; did you mean "beta_vae"'),
        ({"seed": [0, 9]}, "no run matches --only seed=9"),
        ({"model.betta": [2.0]}, "no run matches --only model.betta=2; none has any model.betta"),
    ],
)
def test_a_value_that_no_run_has_is_said_though_others_match(suite, only, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        suite(BLOCK, only=only)


def test_only_by_what_is_no_part_is_an_error(suite):
    with pytest.raises(UsageError, match="--only colour: filter by one of dataset, model, network, training"):
        suite(BLOCK, only={"colour": ["red"]})


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 30])
def test_shares_are_disjoint_and_complete(suite, parts):
    runs = suite("seeds = 10\n" + BLOCK).runs
    shares = [shard(runs, part, parts) for part in range(1, parts + 1)]
    together = [run.run_id for share in shares for run in share]
    assert sorted(together) == sorted(run.run_id for run in runs)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(("part", "parts"), [(0, 2), (3, 2), (1, 0)])
def test_a_share_that_there_is_not(part, parts):
    with pytest.raises(UsageError, match=f"--shard {part}/{parts}: the first number goes from 1 to the second"):
        shard([], part, parts)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"ae"', '"aee"', r'unknown model "aee"; did you mean "ae"'),
        ("synth_linear", "synth_linnear", r'unknown dataset "synth_linnear"; did you mean "synth_linear"'),
        ("mlp_tiny", "mlp_tyni", r'unknown network "mlp_tyni"; did you mean "mlp_tiny"'),
        ("beta = 2", "betta = 2", r'block\[0\]\.model\.beta_vae\.betta: unknown setting; did you mean "beta"'),
        ("beta = 2", "beta = -1", r"block\[0\]\.model\.beta_vae\.beta = -1: input should be greater than or equal"),
        ("beta = 2", 'beta = "2"', r"block\[0\]\.model\.beta_vae\.beta = '2': input should be a valid number"),
        ("beta = 2", "beta = nan", r"block\[0\]\.model\.beta_vae\.beta = nan: must be a number, not NaN"),
        ("beta = 2", "beta = true", r"block\[0\]\.model\.beta_vae\.beta = True: input should be a valid number"),
        ('name = "beta_vae", ', "", r"block\[0\]\.model: give a name, or a table with a name"),
        ('network = "mlp_tiny"\n', "", r"block\[0\]: model ae needs a network.* Known: conv, "),
        ('"mlp_tiny"', "[]", r"block\[0\]\.network: an empty list sweeps nothing"),
        ('dataset = "synth_linear"\n', "", r"mine\.toml\.block\[0\]\.dataset: this setting is required"),
        ("network =", "netwrk =", r'mine\.toml\.block\[0\]\.netwrk: unknown setting; did you mean "network"'),
        ("[[block]]", "[[blok]]", r'mine\.toml\.blok: unknown setting; did you mean "block"'),
        ("[[block]]", "[evaluation]\npoint = 3\n[[block]]", r'evaluation\.point: unknown .* mean "points"'),
        ("[[block]]", "[evaluation]\nbudget = 'slow'\n[[block]]", r"evaluation\.budget = 'slow': input should be"),
        ("[[block]]", "[evaluation]\nmetrics = ['mgi']\n[[block]]", r'unknown metric "mgi"; did you mean "mig"'),
        ("[[block]]", "[evaluation]\nheadline = 'mgi'\n[[block]]", r'unknown metric "mgi"; did you mean "mig"'),
        ("[[block]]", "[execution]\nseconds = 3\n[[block]]", r"execution\.seconds: unknown setting"),
        ("[[block]]", "[training]\nstepz = 3\n[[block]]", r'toml\.training\.stepz: unknown .* mean "steps"'),
        ("[[block]]", "[training]\nsteps = 1.5\n[[block]]", r"toml\.training\.steps = 1\.5"),
        ("[[block]]", "[[block]]\ntraining = { stepz = 3 }", r"block\[0\]\.training\.stepz: unknown"),
        ("[[block]]", "[evaluation]\nmetrics = 'mig'\n[[block]]", r"'mig': input should be a valid list, in \[ \]$"),
        ("[[block]]", "[block]", r"mine\.toml\.block: write \[\[block\]\], in two brackets"),
        ('"ae", {', '3, {', r"^mine\.toml\.block\[0\]\.model\.0 = 3: input should be a valid string or table$"),
        ('"synth_linear"', "3", r"^mine\.toml\.block\[0\]\.dataset = 3: .* a valid string, table or list$"),
        ("[[block]]", "seeds = 2024-05-01\n[[block]]", r"^mine\.toml\.seeds = 2024-05-01: .* valid integer or list$"),
        ("[[block]]", "seeds = 0\n[[block]]", r"mine\.block\[0\]\.seeds: no seeds, so no runs"),
        ("[[block]]", "seeds = [1, 1]\n[[block]]", r"seeds = \[1, 1\]: seeds are distinct and not negative"),
        ("[[block]]", "seeds = -1\n[[block]]", r"no seeds"),
        ("[[block]]", "seeds = [-1]\n[[block]]", r"seeds are distinct and not negative"),
        ("[[block]]", "seeds = 'two'\n[[block]]", r"mine\.toml\.seeds"),
        ("[[block]]", "[[block]", r"mine\.toml is not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_path(suite, old, new, said):
    assert old in BLOCK
    with pytest.raises(UsageError, match=said) as caught:
        suite(BLOCK.replace(old, new, 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ('"model.beta" = []', r"sweep\.model\.beta: an empty list sweeps nothing"),
        ('"beta" = [1]', r"sweep\.beta: a key is a part and a setting, such as model\.beta"),
        ('"colour.beta" = [1]', r"sweep\.colour\.beta: a key is a part and a setting"),
        ('"model.betta" = [1]', r"betta: unknown setting"),
        ('"model.beta" = 1', r"sweep\.model\.beta = 1: input should be a valid list"),
    ],
)
def test_a_sweep_of_nothing_is_an_error(suite, sweep, said):
    with pytest.raises(UsageError, match=said):
        suite(BLOCK.replace('"ae", ', "") + f"sweep = {{ {sweep} }}\n")


def test_training_is_looked_at_also_where_nothing_is_trained(suite):
    block = '[[block]]\ndataset = "synth_linear"\nmodel = "noise"\n'
    for text in (f"[training]\nstep = 3\n{block}", f"{block}training = {{ step = 3 }}\n"):
        with pytest.raises(UsageError, match=r'training\.step: unknown setting; did you mean "steps"'):
            suite(text)


def test_a_sweep_over_a_network_that_is_not_there(suite):
    text = BLOCK.replace('network = "mlp_tiny"\n', "").replace('["ae", { name = "beta_vae", beta = 2 }]', '"pca"')
    with pytest.raises(UsageError, match=r"sweep\.network\.hidden: the block has no network"):
        suite(text + 'sweep = { "network.hidden" = [8] }\n')


def test_a_network_that_only_closed_forms_stand_beside_must_exist_too(suite):
    text = BLOCK.replace('["ae", { name = "beta_vae", beta = 2 }]', '"pca"').replace("mlp_tiny", "mlp_tyni")
    with pytest.raises(UsageError, match='unknown network "mlp_tyni"'):
        suite(text)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"description = 3"])
def test_what_is_no_suite(tmp_path, content):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"mine\.toml"):
        expand(str(path))


def test_a_suites_file_that_is_not_there():
    with pytest.raises(UsageError, match=r"suite absent\.toml: no such file"):
        expand("absent.toml")


def test_an_empty_list_of_blocks(suite):
    with pytest.raises(UsageError, match="suite mine: no runs"):
        suite("block = []\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_suite_as_windows_saves_it(tmp_path, encoding):
    """The same runs and the same digest of the text, with a byte order mark or without, whatever ends the lines."""
    text = HEAD + "seeds = 2\n" + BLOCK
    (plain := tmp_path / "mine.toml").write_text(text, encoding="utf-8", newline="\n")
    known = expand(str(plain))
    plain.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    found = expand(str(plain))
    assert [run.run_id for run in found.runs] == [run.run_id for run in known.runs]
    assert found.source == known.source


def test_text_of_no_known_encoding(tmp_path):
    (path := tmp_path / "mine.toml").write_bytes(HEAD.encode() + b"# \xe9t\xe9")
    with pytest.raises(UsageError, match=r"mine\.toml is no text in UTF-8 \(byte \d+\): save it as UTF-8"):
        expand(str(path))


def test_a_number_of_seeds_that_fills_the_memory(suite):
    with pytest.raises(UsageError, match="a suite has at most 100,000 seeds"):
        suite("seeds = 1000000000\n" + BLOCK)


def test_a_path_with_backslashes_in_double_quotes(suite):
    with pytest.raises(UsageError, match="write paths with backslashes in single quotes"):
        suite(BLOCK.replace('"synth_linear"', '{ name = "npz", path = "C:\\Users\\me" }'))


def test_a_data_file_beside_the_suite_is_found_from_anywhere(tmp_path, monkeypatch):
    folder = tmp_path / "sub"
    folder.mkdir()
    np.savez(folder / "x.npz", images=np.zeros((50, 8, 8), np.uint8))
    text = 'description = "t"\n[[block]]\ndataset = { name = "npz", path = PATH }\nmodel = ["pca"]\n'
    (folder / "beside.toml").write_text(text.replace("PATH", '"x.npz"'))
    (folder / "here.toml").write_text(text.replace("PATH", '"sub/x.npz"'))
    (folder / "windows.toml").write_text(text.replace("PATH", '"C:\\Users\\me\\x.npz"'))
    monkeypatch.chdir(tmp_path)
    ids = {expand(f"sub/{name}.toml").runs[0].config_id for name in ("beside", "here")}
    assert len(ids) == 1
    with pytest.raises(UsageError, match="single quotes"):
        expand("sub/windows.toml")


def test_a_suites_file_without_its_ending_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text("")
    with pytest.raises(UsageError, match=r"the file beside it is written mine\.toml"):
        find("mine")
