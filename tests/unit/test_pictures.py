"""Pictures of one run: drawn where their arrays are, and showing what those hold."""

from __future__ import annotations

import pkgutil
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text
from numpy import ndarray
from PIL import Image

from benchmark.codes import Codes
from benchmark.integrity.sealed import write_json
from benchmark.metrics._matrix import Matrix
from leaderboard import pictures, style
from leaderboard.charts.dictionaries import dictionaries
from leaderboard.paper import Paper, fit, printed_on
from leaderboard.pictures.codes_by_factors import OUTLINE, shown
from leaderboard.pictures.codes_by_factors import pictures as codes_by_factors
from leaderboard.pictures.dictionary import coloured
from leaderboard.pictures.interpolations import transition
from leaderboard.pictures.posterior_densities import density
from leaderboard.run_scores import factor_scores, matrices, read_scores
from leaderboard.style import Figure

RNG = np.random.default_rng(0)


def pixels(figure: Figure) -> ndarray:
    from PIL import Image

    with Image.open(BytesIO(figure.data)) as image:
        return np.asarray(image.convert("RGB"))


def tiles(*lead: int) -> ndarray:
    return RNG.integers(0, 256, (*lead, 1, 8, 8), dtype=np.uint8)


def everything() -> dict[str, ndarray]:
    return {
        "picture_images": tiles(10),
        "picture_reconstructions": tiles(10),
        "picture_traversals": tiles(2, 2, 10),
        "picture_samples": tiles(64),
        "picture_data_density": tiles(),
        "picture_model_density": tiles(),
        "picture_manifold": tiles(20, 20),
        "picture_dictionary": RNG.standard_normal((25, 1, 8, 8)),
        "picture_interpolations": tiles(2, 5, 9),
        "picture_interpolation_ends": tiles(2, 2),
        "geodesic_means": RNG.standard_normal((2, 41, 2)),
        "geodesic_deviations": RNG.random((2, 41, 2)),
        "picture_corrupted": tiles(6, 8),
        "picture_corrupted_reconstructions": tiles(6, 8),
        "picture_corrupted_traversals": tiles(6, 2, 7),
        "picture_corrupted_coordinates": np.array([1, 0]),
        "decoder_weights": RNG.standard_normal((16, 3)),
        **{f"gradient_variance_{name}": RNG.random((8, 2, 2)) + 0.1 for name in ("score", "baseline", "pathwise")},
    }


def saved(path: Path, arrays: dict[str, ndarray], d: int = 2, stochastic: bool = True) -> Path:
    means = RNG.standard_normal((300, d)).astype(np.float32)
    codes = Codes(
        means,
        np.stack([RNG.integers(0, 3, 300), RNG.integers(0, 40, 300), np.zeros(300, int)], axis=1),
        ("shape", "posX", "colour"),
        (3, 40, 1),
        variances=np.full_like(means, 0.1) if stochastic else None,
        samples=means + 0.1 if stochastic else None,
        arrays=arrays,
    )
    codes.save(path / "codes.safetensors")
    return path / "codes.safetensors"


def write_score(folder: Path, metric: str, matrix: Matrix | None, **rest: Any) -> None:
    """A score of mean codes with factors called f0, f1, … beside a run's codes."""
    record = {
        "metric": metric,
        "protocol": f"{metric}/mean-n300/v1",
        "representation": "mean",
        "budget": "full",
        "n": 300,
        "status": "ok",
        "reason": None,
        "factor_names": [f"f{k}" for k in range(50)],
        "values": {metric: 0.5},
        **({"matrix": matrix.plain()} if matrix else {}),
        **rest,
    }
    write_json(folder / "scores" / f"{metric}-{record['budget']}-{record['representation']}-n300-v1.json", record)


def test_every_picture_is_listed() -> None:
    assert {each.name for each in pkgutil.iter_modules(pictures.__path__)} == set(pictures.ORDER)


def test_all_are_drawn_of_a_run_that_has_everything(tmp_path: Path) -> None:
    write_score(tmp_path, "mig", Matrix("mutual_information", (0, 1), (0, 1), np.eye(2), np.ones(2)))
    found = pictures.draw(saved(tmp_path, everything()), "vae β=4")
    assert len({figure.name for figure in found}) == len(found) == len(pictures.ORDER)
    assert "spectrum" not in {figure.name for figure in found}, "of two coordinates there is none to see"
    for figure in found:
        assert pixels(figure).size and "vae β=4" in figure.alt and len(figure.caption) > 20


def test_codes_without_a_prior_move_in_their_own_deviations(tmp_path: Path) -> None:
    arrays = everything()
    own = {name: array for name, array in arrays.items() if name != "picture_samples"}
    captions = {}
    for name, given in (("prior", arrays), ("none", own)):
        (tmp_path / name).mkdir()
        captions[name] = {each.name: each.caption for each in pictures.draw(saved(tmp_path / name, given), "ae")}
    for picture in ("traversals", "corrupted-traversals"):
        assert "from −3 to 3" in captions["prior"][picture]
        assert "from three standard deviations of the codes below their mean" in captions["none"][picture]
    assert "standard deviations" not in captions["prior"]["manifold"]
    assert "in standard deviations of the codes around their mean" in captions["none"]["manifold"]


def test_codes_alone_are_drawn_too(tmp_path: Path) -> None:
    (figure,) = pictures.draw(saved(tmp_path, {}, stochastic=False), "t_sne")
    assert figure.name == "scatter"
    assert figure.caption.endswith("coloured by shape, posX."), "a constant factor colours nothing"
    (figure,) = pictures.draw(saved(tmp_path, {}, d=3, stochastic=False), "t_sne")
    assert figure.name == "spectrum" and "3 of 3 components" in figure.caption


def test_large_codes_are_sampled(tmp_path: Path) -> None:
    means = np.arange(25_000, dtype=np.float32)[:, None].repeat(2, axis=1)
    found = pictures.points(Codes(means, np.zeros((25_000, 1), int), ("a",), (1,)))
    assert found["means"].shape == (10_000, 2) and len(np.unique(found["means"][:, 0])) == 10_000
    assert found.keys() == {"means", "factors", "factor_names", "factor_sizes"}


def test_the_transition_is_the_first_image_nearer_to_the_end() -> None:
    grey = np.linspace(0, 250, 11).astype(np.uint8)[:, None, None, None] * np.ones((1, 1, 4, 4), np.uint8)
    assert transition(grey, grey[[0, -1]]) == 6
    assert transition(grey[:3], grey[[0, -1]]) == 2, "the last where none is nearer"


@pytest.mark.parametrize("low", [None, 0.0])
def test_a_density_is_that_of_its_points(low: float | None) -> None:
    values = np.abs(RNG.standard_normal(20_000)) if low == 0 else RNG.standard_normal(20_000)
    places, heights = density(values, low)
    assert places.min() >= (0 if low == 0 else -10)
    shown = places < 3
    np.testing.assert_allclose(heights[shown], np.exp(-0.5 * places[shown] ** 2), atol=0.08)


def test_a_density_of_a_constant_is_a_line() -> None:
    places, heights = density(np.full(100, 0.3))
    wide = places[heights > 0.1]
    assert wide.max() - wide.min() < 0.02 and places[heights.argmax()] == pytest.approx(0.3, abs=0.002)


def test_a_dictionary_is_blue_where_it_adds_and_orange_where_it_takes_away() -> None:
    pattern = np.array([[[[2.0, -2.0], [0.0, 1.0]]]])
    more, less, none, half = coloured(pattern)[0].reshape(4, 3)
    assert more[2] > more[0] and less[0] > less[2] and none.tolist() == [255] * 3
    assert (half > more).all() and half[0] < 255
    assert (coloured(np.zeros((1, 1, 2, 2))) == 255).all()


def test_dictionaries_stand_side_by_side_from_two_on() -> None:
    one = RNG.standard_normal((25, 1, 8, 8))
    assert dictionaries({"pca": one}) is None
    figure = dictionaries({"pca": one, "nmf": np.abs(one)})
    assert figure is not None and "pca, nmf" in figure.alt
    assert pixels(figure).shape[1] > 1.5 * pixels(figure).shape[0]


def test_classes_of_few_points_keep_their_colour(tmp_path: Path) -> None:
    from matplotlib.colors import to_rgb

    from leaderboard.pictures.scatter import scatter
    from leaderboard.style import CLASSES

    codes = RNG.standard_normal((3_000, 2))
    label = RNG.integers(0, 10, 3_000)
    label[label == 2] = np.where(RNG.random((label == 2).sum()) < 0.05, 2, 3)
    image = pixels(scatter(codes, [label], ["label"], "vae")).reshape(-1, 3)
    for colour in CLASSES:
        away = np.abs(image - 255 * np.array(to_rgb(colour))).max(axis=1)
        assert (away < 24).any(), f"{colour} is lost"


def information(values: ndarray) -> Matrix:
    codes, factors = values.shape
    return Matrix("mutual_information", tuple(range(codes)), tuple(range(factors)), values, np.ones(factors))


def test_matched_codes_are_drawn_on_a_diagonal_and_outlined(tmp_path: Path) -> None:
    from matplotlib.colors import to_rgb

    write_score(tmp_path, "mig", information(np.array([[0.1, 0.9], [0.0, 0.05], [0.8, 0.1]])))
    (found,) = codes_by_factors({"scores": read_scores(tmp_path)}, "vae")
    assert "f0 is z2 with 0.80; f1 is z0 with 0.90" in found.alt
    assert "No correlation: mcc was not asked for. No importance: dci was not asked for." in found.caption
    image = pixels(found)
    rows, columns = np.nonzero(np.abs(image - 255 * np.array(to_rgb(OUTLINE))).max(axis=2) < 30)
    upper, left = rows < image.shape[0] / 3, columns < np.median(columns)
    assert (left == (rows < np.median(rows))).mean() > 0.9, "outlines go from the upper left down to the right"
    assert upper.any()


def test_wide_codes_are_drawn_as_far_as_one_can_read_them(tmp_path: Path) -> None:
    values = np.full((1_000, 10), 0.01)
    values[990:, :] += 0.8 * np.eye(10)
    values[5, 3] = 0.3
    values[4, 3] = 0.02
    write_score(tmp_path, "mig", information(values))
    (matrix,) = matrices(read_scores(tmp_path))
    part = shown(matrix)
    assert part.codes[:12] == [*range(990, 1_000), 5, 4] and len(part.codes) == 20
    assert (part.left_out, part.strongest) == (980, 0.01)
    (found,) = codes_by_factors({"scores": read_scores(tmp_path)}, "vae")
    assert "980 further codes are not drawn; the largest share of any of them is 0.01." in found.caption
    assert max(found.size) < 1_000


def test_many_factors_are_drawn_without_numbers_and_not_all(tmp_path: Path) -> None:
    write_score(tmp_path, "mig", information(np.eye(50)))
    (found,) = codes_by_factors({"scores": read_scores(tmp_path)}, "vae")
    assert "10 further factors are not drawn." in found.caption and max(found.size) < 1_500


@pytest.mark.parametrize("width", [3.25, 5.5])
def test_a_matrix_on_paper_has_its_width_and_type_that_can_be_read(tmp_path: Path, width: float) -> None:
    """Three matrices and the scores per factor: side by side they take 8 inches, on paper they stand below each other,
    and every text has 8 pt."""
    table = np.array([[0.1, 0.9, 0.0], [0.0, 0.05, 0.3], [0.8, 0.1, 0.2]])
    for name, kind in (("mig", "mutual_information"), ("mcc", "correlation"), ("dci", "importance")):
        matrix = Matrix(kind, (0, 1, 2), (0, 1, 2), table, np.ones(3))
        write_score(tmp_path, name, matrix, values={name: 0.5, f"{name}_factor_0": 0.25})
    scores = {"scores": read_scores(tmp_path)}
    (own,) = codes_by_factors(scores, "vae")
    sizes: set[float] = set()

    def watched(figure: Canvas) -> None:
        fit(figure)
        sizes.update(text.get_fontsize() for text in figure.findobj(Text) if text.get_text().strip())
        box = figure.get_tightbbox()
        assert box.x0 > -0.01 and box.x1 < width + 0.01, "nothing leaves the sheet"

    with pytest.MonkeyPatch.context() as patch, printed_on(Paper(width)):
        patch.setattr(style, "fit", watched)
        (found,) = codes_by_factors(scores, "vae")
    assert sizes == {8.0}
    with Image.open(BytesIO(found.data)) as image:
        assert image.width / image.info["dpi"][0] == pytest.approx(width, abs=0.01)
        assert image.height / image.info["dpi"][1] > own.size[1] / 96, "panels below each other"


def test_what_has_no_matrix_says_why(tmp_path: Path) -> None:
    dead = Matrix("correlation", (1,), (0,), np.array([[-0.5]]), np.ones(1))
    write_score(tmp_path, "mig", information(np.array([[0.0], [0.5]])))
    write_score(tmp_path, "mcc", dead)
    write_score(tmp_path, "dci", None, status="not_applicable", reason="factor 0 is continuous", values={})
    (found,) = codes_by_factors({"scores": read_scores(tmp_path)}, "vae")
    assert "A dot: the code is constant" in found.caption and "No importance: factor 0 is continuous." in found.caption
    write_score(tmp_path, "dci", None)
    (found,) = codes_by_factors({"scores": read_scores(tmp_path)}, "vae")
    assert "No importance: the score is older than matrices" in found.caption


def test_scores_without_any_matrix_draw_nothing(tmp_path: Path) -> None:
    write_score(tmp_path, "mig", None)
    assert codes_by_factors({"scores": read_scores(tmp_path)}, "vae") == []


def test_of_several_protocols_the_full_one_is_shown_and_never_the_sampled_codes(tmp_path: Path) -> None:
    write_score(tmp_path, "mig", information(np.eye(2)), budget="quick", protocol="quick")
    write_score(tmp_path, "mig", information(np.eye(2)), protocol="whole")
    write_score(tmp_path, "mig", information(np.eye(2)), representation="sample", protocol="sampled")
    values = {"mig": 0.1, "mig_factor_1": 0.25, "mig_factor_1_other": 0.5, "mig_at_10_factor_1": 0.75}
    write_score(tmp_path, "mig_sup", None, values=values)
    assert [record["protocol"] for record in read_scores(tmp_path)] == ["whole", "mig_sup/mean-n300/v1"]
    assert [score.values for score in factor_scores(read_scores(tmp_path))] == [{"f1": 0.25}]
