"""Training distributions: which combinations are absent, and how likely the others are, by hand on small grids."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small import component, small_run

from benchmark.datasets._dataset import Data
from benchmark.datasets._shift import withheld
from benchmark.datasets.cars3d import Cars3d
from benchmark.datasets.color_dsprites import ColorDsprites
from benchmark.datasets.dsprites import Dsprites
from benchmark.datasets.dsprites_real import DspritesReal
from benchmark.datasets.npz import Npz
from benchmark.errors import UsageError
from benchmark.spec import digest
from benchmark.stages.data_cache import outlined_data
from benchmark.stages.worker import training_sample
from benchmark.suite import expand
from benchmark.training.draws import Draws
from benchmark.training.loop import build

COARSE = {"resolution": 32, "stride": (1, 1, 20, 16, 16)}
"""Shape 3, scale 6, orientation 2, posX 2, posY 2: 144 images."""
BOTH = {"correlated": [["posX", "posY"]], "correlation_sigma": 0.5}


def settings(**values: Any) -> Dsprites.Settings:
    return Dsprites.Settings.read({**COARSE, **values}, "dataset.dsprites")


def load(**values: Any) -> Data:
    return Dsprites(settings(**values)).load()


def seen(data: Data) -> list[list[int]]:
    return data.factors[data.training_rows].tolist()


def test_recombination_leaves_out_what_has_every_withheld_value() -> None:
    # Half of 3 shapes, rounded down, is the heart; half of 2 positions is the second: 1/3 · 1/2 of 144 are 24.
    data = load(split="recombination", split_factors=["posX", "shape"])
    assert len(data.training_rows) == 120
    assert all(not (shape == 2 and x == 1) for shape, _, _, x, _ in seen(data))
    assert data.unseen is not None
    assert {tuple(row) for row in data.factors[data.unseen][:, [0, 3]].tolist()} == {(2, 1)}
    assert data.unseen.sum() == 24
    np.testing.assert_array_equal(data.evaluation_rows, np.arange(144))


def test_extrapolation_leaves_out_what_has_any_withheld_value() -> None:
    # 0.34 of 6 scales, rounded down, are the last 2; of 3 shapes, the last: 1 − 4/6 · 2/3 of 144 are 80.
    data = load(split="extrapolation", split_factors=["scale", "shape"], split_share=0.34)
    assert len(data.training_rows) == 64
    assert {(shape, scale) for shape, scale, *_ in seen(data)} == {(a, b) for a in (0, 1) for b in (0, 1, 2, 3)}


def test_a_picture_that_was_trained_on_is_seen_under_either_of_its_orientations() -> None:
    """Orientation 39 is the picture of 0: withheld alone, its images are trained on all the same."""
    values = {
        "resolution": 32,
        "stride": (3, 6, 13, 32, 32),
        "split": "extrapolation",
        "split_factors": ["orientation"],
    }
    data = Dsprites(Dsprites.Settings.read({**values, "split_share": 0.5}, "dataset.dsprites")).load()
    assert data.factors[:, 2].tolist() == [0, 1, 2, 3], "of orientations 0, 13, 26 and 39"
    assert data.training_rows.tolist() == [0, 1] and np.array_equal(data.images[3], data.images[0])
    assert data.unseen is not None and data.unseen.tolist() == [False, False, True, False]
    alone = Dsprites(Dsprites.Settings.read({**values, "split_share": 0.3}, "dataset.dsprites")).load()
    assert len(alone.training_rows) == 3 and alone.unseen is None
    assert load(split="extrapolation", split_factors=["orientation"]).pictures is None, "0 and 20 are two pictures"


def test_interpolation_leaves_out_the_middle_values() -> None:
    # Of 6 scales, half are 3, from ⌊(6 − 3) / 2⌋ = 1 on.
    data = load(split="interpolation", split_factors=["scale"])
    assert {row[1] for row in seen(data)} == {0, 4, 5}
    assert len(data.training_rows) == 72


def test_a_random_split_is_one_for_all_runs_and_of_the_share_that_is_asked_for() -> None:
    data, again = load(split="random", split_share=0.25), load(split="random", split_share=0.25)
    assert len(data.training_rows) == 108
    np.testing.assert_array_equal(data.training_rows, again.training_rows)
    assert len(set(map(tuple, seen(data)))) == 108


@pytest.mark.parametrize(
    ("split", "size", "share", "expected"),
    [
        ("extrapolation", 10, 0.3, [7, 8, 9]),
        ("extrapolation", 100, 0.29, range(71, 100)),  # 0.29 · 100 is 28.999… in floating point
        ("extrapolation", 3, 0.1, [2]),
        ("interpolation", 3, 0.5, [1]),
        ("interpolation", 32, 0.25, range(12, 20)),
        ("interpolation", 7, 0.3, [2, 3]),
    ],
)
def test_withheld_values(split: Any, size: int, share: float, expected: Any) -> None:
    assert np.flatnonzero(withheld(split, size, share)).tolist() == list(expected)


def test_correlated_factors_are_as_likely_as_the_density_says() -> None:
    # posX and posY are 0 and 1: equal ones weigh 1, others exp(−1 / (2 · 0.5²)) = e⁻².
    data = load(**BOTH)
    assert len(data.training_rows) == 144 and data.unseen is None
    equal = data.factors[:, 3] == data.factors[:, 4]
    np.testing.assert_allclose(data.training_weights, np.where(equal, 1.0, np.exp(-2)))


def test_a_confounder_multiplies_the_terms_of_its_pairs_and_scales_by_the_number_of_values() -> None:
    data = load(correlated=[["scale", "shape", "posX"]], correlation_sigma=1)
    assert data.training_weights is not None
    row = np.flatnonzero((data.factors == [1, 5, 0, 0, 0]).all(axis=1))[0]
    # scale 1 against shape ½ and posX 0: exp(−(½² + 1²) / 2).
    assert data.training_weights[row] == pytest.approx(np.exp(-0.625))


def test_infinite_sigma_draws_all_alike() -> None:
    data = load(correlated=[["posX", "posY"]], correlation_sigma="inf")
    assert data.training_weights is not None
    np.testing.assert_array_equal(data.training_weights, np.ones(144))


def test_splits_and_correlations_go_together() -> None:
    data = load(split="extrapolation", split_factors=["posX"], **BOTH)
    assert data.training_weights is not None
    assert len(data.training_rows) == len(data.training_weights) == 72
    y = data.factors[data.training_rows, 4]
    np.testing.assert_allclose(data.training_weights, np.where(y == 0, 1.0, np.exp(-2)))


def test_equal_distributions_are_one_identity_and_none_leaves_old_ids_alone() -> None:
    assert set(settings().identity()) == {"resolution", "stride"}
    a, b = (
        settings(correlated=[["scale", "shape", "posX"]]),
        settings(correlated=[["posX", "scale"], ["shape", "scale"]]),
    )
    assert digest(a.identity()) == digest(b.identity()) != digest(settings().identity())
    for made in (ColorDsprites, DspritesReal, Cars3d, Npz):
        assert made.Settings.extra("split", "since") == made.Settings.extra("correlated", "since") == 1


def test_the_blank_of_an_absent_set_has_the_split_too(monkeypatch: pytest.MonkeyPatch, cache_folder: Path) -> None:
    wanted = Cars3d.Settings(split="extrapolation", split_factors=("azimuth",), split_share=0.25)
    data = outlined_data(component("dataset", "cars3d", wanted), None)
    assert len(data.training_rows) == 17_568 * 3 // 4
    assert len(data.evaluation_rows) == 17_568
    assert not cache_folder.exists()


def test_a_variant_is_split_like_its_sprites() -> None:
    wanted = ColorDsprites.Settings.read({**COARSE, "split": "extrapolation", "split_factors": ["posX"]}, "dataset")
    data = ColorDsprites(wanted).load()
    assert set(data.factors[data.training_rows, 3].tolist()) == {0}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"correlated": [["posX", "size"]]}, r"dataset\.correlated: no factor is called 'size'.*scale"),
        ({"split": "extrapolation", "split_factors": ["hue"]}, r"dataset\.split_factors: no factor is called 'hue'"),
        (
            {"correlated": [["posX", "posY"]], "correlation_sigma": 0},
            r"dsprites\.correlation_sigma = 0: .*greater than 0",
        ),
        ({"correlated": [["posX", "posY"]], "correlation_sigma": -1}, r"correlation_sigma = -1"),
        ({"correlated": [["posX"]]}, "is no pair"),
        ({"correlated": [["posX", "posX"]]}, "are one"),
        ({"correlated": [["posX", "posY"], ["posY", "posX"]]}, "paired twice"),
        ({"correlation_sigma": 0.1}, "correlation_sigma decides nothing"),
        ({"split": "recombination", "split_factors": ["shape"]}, "needs split_factors: two factors or more"),
        ({"split": "extrapolation"}, "needs split_factors: one factor or more"),
        ({"split": "random", "split_factors": ["shape"]}, "split_factors decides nothing"),
        ({"split_share": 0.3}, "split_share decides nothing"),
        ({"split": "random", "split_share": 1}, r"split_share = 1: .*less than 1"),
        ({"split": "interpolation", "split_factors": ["posX"]}, r"dataset\.split_share = 0.5: .*2 values of posX"),
        ({"stride": (1, 1, 40, 16, 16), "correlated": [["orientation", "posX"]]}, "orientation takes one value"),
        ({"split": "somehow"}, r"dsprites\.split = 'somehow'"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_by_its_key(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Dsprites(settings(**values))


def test_a_split_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r'dataset.split = "random" leaves no combination'):
        load(stride=(3, 6, 40, 32, 32), split="random")


def test_data_that_are_no_grid_have_no_other_training_distribution(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", images=np.zeros((3, 4, 4), np.uint8), factors=np.array([[0, 0], [0, 1], [1, 0]]))
    wanted = Npz.Settings(path=str(tmp_path / "own.npz"), split="random")
    with pytest.raises(UsageError, match="need a full grid"):
        Npz(wanted.resolved()).load()


def test_a_grid_of_the_users_is_split_by_its_own_names(tmp_path: Path) -> None:
    factors = np.indices((2, 3)).reshape(2, -1).T
    np.savez(
        tmp_path / "own.npz", images=np.zeros((6, 4, 4), np.uint8), factors=factors, factor_names=np.array(["a", "b"])
    )
    wanted = Npz.Settings(path=str(tmp_path / "own.npz"), split="interpolation", split_factors=("b",))
    data = Npz(wanted.resolved()).load()
    assert seen(data) == [[0, 0], [0, 2], [1, 0], [1, 2]]


def run_on(**values: Any) -> Any:
    return small_run(dataset=("dsprites", {**COARSE, **values}))


def test_training_draws_rows_as_often_as_they_are_likely_and_absent_ones_never() -> None:
    run = run_on(split="extrapolation", split_factors=["scale"], **BOTH)
    data = load(split="extrapolation", split_factors=["scale"], **BOTH)
    draws = Draws([run.run_id], build(run, data), data.training_rows, 64, weights=data.training_weights)
    rows = np.concatenate([draws.block(block)[0].ravel() for block in range(3)])
    assert set(rows.tolist()) <= set(data.training_rows.tolist())
    equal = data.factors[rows, 3] == data.factors[rows, 4]
    # Half of the rows weigh 1, half e⁻²; 12,288 draws have a standard error of 0.003.
    assert equal.mean() == pytest.approx(1 / (1 + np.exp(-2)), abs=0.015)
    again = Draws([run.run_id], build(run, data), data.training_rows, 64, weights=data.training_weights)
    np.testing.assert_array_equal(again.at(70)[0][0], draws.at(70)[0][0])


def test_rows_of_no_weight_are_never_drawn() -> None:
    run, data = run_on(), load()
    weights = np.zeros(144)
    weights[[3, 77]] = 1.0
    draws = Draws([run.run_id], build(run, data), data.training_rows, 64, weights=weights)
    assert set(draws.block(0)[0].ravel().tolist()) == {3, 77}


def test_closed_forms_are_fitted_to_the_training_distribution() -> None:
    run, data = run_on(**BOTH), load(**BOTH)
    rows = training_sample(data, 10_000, run, "subset")
    assert len(rows) == 144 and (np.diff(rows) >= 0).all()
    assert (data.factors[rows, 3] == data.factors[rows, 4]).mean() > 0.7
    plain = training_sample(load(), 10_000, run_on(), "subset")
    np.testing.assert_array_equal(plain, np.arange(144))


def test_models_that_are_fitted_to_what_they_are_scored_on_are_refused(tmp_path: Path) -> None:
    (tmp_path / "shift.toml").write_text(
        'description = "x"\n[[block]]\ndataset = { name = "dsprites", split = "random" }\nmodel = "mds"\n'
    )
    with pytest.raises(UsageError, match="mds is fitted to the very points"):
        expand(str(tmp_path / "shift.toml"))
