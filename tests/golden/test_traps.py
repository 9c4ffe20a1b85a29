"""Traps that published code fell into, each with its test, here or where the part itself is tested.

- Floors and ceilings of perfect, rotated and noise codes on dSprites' grid: MIG in `test_metric_mig`, β-VAE and
  FactorVAE scores in `test_metric_interventions`, modularity in `test_metric_modularity`, SAP in `test_metric_sap`,
  DCI in `test_metric_dci`; that a rotation is hardly told from perfect codes by some and well by others: here.
- A constant code first, in the middle or last, for every supervised measure: here. Constant factors: here.
- Orientation 0 and 39 are one picture: `tests/unit/test_datasets_dsprites.py`.
- MIG divides by the factor's entropy: here, `test_metric_mig`, and `test_metric_information_gaps` for its kin.
- Sampled and histogram MIG are two protocols, and differ: here. No two settings of a measure share an id: here.
- The discriminator's loss and the encoder, DIP-VAE's centring, β-TCVAE's log(MN): `test_objectives`.
- Total correlation with a code of no variance: here, and `test_metric_gaussian_total_correlation`.
- No score is ever NaN: here, and by every check of `tests/conformance`.
- Nearest-neighbour information on (nearly) constant codes: here.
- Histogram boosting at 10 labels: here, and `test_metric_sample_efficiency` for ours.
- Information from few points, and its refusal below 1,000: here.
"""

import functools
import importlib
import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import numpy as np
import pytest

from benchmark import registry
from benchmark.errors import NotApplicable
from benchmark.metrics import _information
from benchmark.metrics._conformance_arrays import CODES, POINTS, arrays, perfect
from benchmark.metrics._split import learning_rows

SIZES = (1, 3, 6, 40, 32, 32)
DECLARATIONS = {name: registry.load("metric", name).declaration for name in registry.names("metric")}
SUPERVISED = sorted(name for name, found in DECLARATIONS.items() if "factors" in found.needs and found.scope == "run")
QUICKER = {
    "sample_efficiency": {"budgets": (20,), "test": 200},
    "dci": {"train": 100, "test": 100},
    "linear_separability": {"train": 200, "test": 200},
}
NOISY = {"beta_vae_score": 5e-3}
"""A penalised regression stops at a tolerance: a column of zeros may move the last digits, or a point at the border."""


PLACES = [0, 2, 4]
"""Insertions of a column first, in the middle and last."""


def sprites(n=10_000):
    """A draw of dSprites' grid, its one colour first."""
    places = np.random.default_rng(0).choice(np.prod(SIZES), n, replace=False)
    return np.stack(np.unravel_index(places, SIZES), axis=1)


def mixed():
    """1,200 points of a full grid of four factors: two codes perfect, two turned into each other, all with noise."""
    made = arrays()
    rng = np.random.default_rng(1)
    codes = perfect(made["factors"])
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    codes = np.hstack([codes[:, :2], codes[:, 2:] @ turn]) + 0.2 * rng.standard_normal((POINTS, 4))
    return with_codes(made, codes)


def with_codes(made, codes, variances=0.05):
    codes = codes.astype(np.float32)
    return made | dict.fromkeys(CODES, codes) | {"variances": np.full_like(codes, variances)}


def scores(name, made, **settings):
    found = DECLARATIONS[name]
    trial = found.trial | QUICKER.get(name, {}) | settings
    return found.function(*(made[need] for need in found.needs), **{"seed": 0, **trial})


@functools.cache
def usual(name):
    """The scores of `mixed()`."""
    return scores(name, mixed())


def of_factors(found):
    """Without what is told of single codes, whose numbers move when a code is added."""
    return {key: value for key, value in found.items() if "_code_" not in key}


@pytest.mark.parametrize("name", SUPERVISED)
def test_constant_codes_change_no_score(name):
    """0/0 took a FactorVAE score of 1.0 to 0.19; a DCI was 0 or 1 by where the dead code stood."""
    codes = np.insert(mixed()["codes"], PLACES, 1 / 3, axis=1)
    dead = with_codes(mixed(), codes)
    # A collapsed posterior is the prior: its variance is 1.
    dead["variances"][:, np.ptp(codes, axis=0) == 0] = 1.0
    assert of_factors(scores(name, dead)) == pytest.approx(of_factors(usual(name)), abs=NOISY.get(name, 1e-6))


@pytest.mark.parametrize("name", SUPERVISED)
def test_constant_factors_are_dropped(name):
    """dSprites' colour: an entropy of 0 to divide by, a class that is always right. Here 0, 3 and 6 of seven."""
    found = scores(name, mixed() | {"factors": np.insert(mixed()["factors"], PLACES, 7, axis=1)})
    renamed = {
        f"{stem}_factor_{(1, 2, 4, 5)[int(k)]}" if k else stem: value
        for key, value in usual(name).items()
        for stem, _, k in [key.partition("_factor_")]
    }
    assert found == pytest.approx(renamed, abs=1e-9)


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize("scale", [1e15, 1e-15])
def test_codes_of_any_size_give_a_number(name, scale):
    try:
        found = scores(name, with_codes(mixed(), mixed()["codes"] * scale))
    except NotApplicable:
        return
    assert np.isfinite(list(found.values())).all()


def test_the_gaussian_total_correlation_of_a_dead_code_is_finite():
    codes = np.random.default_rng(0).standard_normal((1_000, 3))
    dead = np.insert(codes, PLACES[:2], 0.1, axis=1)
    name = "gaussian_total_correlation"
    assert scores(name, {"codes": dead}) == scores(name, {"codes": codes})


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("mig", "mig", 1 / 2),
        ("rmig", "rmig", 1 / 2),
        ("dcimig", "dcimig", 1 / 2),
        ("infomec", "infoe", 1 / 2),
        ("jemmig", "jemmig", 1 - np.log(2) / (np.log(4) + np.log(20))),
    ],
)
def test_coarse_codes_are_not_rewarded(name, key, expected):
    """Codes that merge the four values of a factor two by two tell log 2 of log 4, though it is all that they hold.

    Divided by the code's own entropy the scores would be 1. JEMMIG: H(z, v) − I = log 4 − log 2.
    """
    factors = np.stack(np.unravel_index(np.arange(1_600) % 16, (4, 4)), axis=1)
    found = scores(name, with_codes({"factors": factors}, perfect(factors // 2), variances=1e-6))
    assert found[key] == pytest.approx(expected, abs=0.02)


def test_sampled_and_histogram_mig_are_two_protocols():
    """On codes whose posteriors overlap the two estimates of one run differ by far more than seeds do."""
    found = DECLARATIONS["mig"]
    ids = {found.protocol(found.settings(estimator=kind), "mean", 10_000) for kind in ("histogram", "sampled")}
    assert len(ids) == 2
    made = with_codes(mixed(), mixed()["codes"], variances=0.5)
    histogram, sampled = (scores("mig", made, estimator=kind)["mig"] for kind in ("histogram", "sampled"))
    assert abs(histogram - sampled) > 0.05


@pytest.mark.parametrize("name", sorted(DECLARATIONS))
def test_no_two_settings_share_a_protocol(name):
    found = DECLARATIONS[name]
    plain = found.settings()
    ids = [found.protocol(plain, *rest) for rest in (("mean", 10_000), ("sample", 10_000), ("mean", 5_000))]
    for key, kind in found.settings.model_fields.items():
        value = getattr(plain, key)
        if get_origin(kind.annotation) is Literal:
            others = [choice for choice in get_args(kind.annotation) if choice != value]
        elif isinstance(value, bool):
            others = [not value]
        elif isinstance(value, (int, float)):
            others = [value * 2 + 1]
        else:
            others = [value[:-1]]
        where = dict([found.applies[key]]) if key in found.applies else {}  # what makes it count at all
        ids += [found.protocol(plain.model_copy(update={**where, key: other}), "mean", 10_000) for other in others]
    assert len(set(ids)) == len(ids), ids


def test_few_points_show_information_that_is_not_there():
    """Normal noise in 20 bins of equal width against an orientation of 40 values, independent of it.

    Simulated: 1.66 nats, ± 0.10 from draw to draw, at 100 points; at 10,000 nearly the (19 · 39) / 2n of full cells.
    """
    rng = np.random.default_rng(0)

    def found(n):
        noise = _information.equal_width(rng.standard_normal((n, 1)), 20)[:, 0]
        return _information.mutual_information(noise, rng.integers(40, size=n))

    assert np.mean([found(100) for _ in range(50)]) == pytest.approx(1.66, abs=0.06)
    assert found(10_000) == pytest.approx(19 * 39 / 20_000, rel=0.25)


COUNTED = ("mig", "mig_sup", "rmig", "jemmig", "dcimig", "modularity", "infomec", "mutual_information_score", "med")
ASSIGNED = {"snc"}
"""Counts only choose each factor's code there; the score is an accuracy on rows that chose nothing."""


@pytest.mark.parametrize("name", COUNTED)
def test_information_is_refused_below_a_thousand_points(name):
    assert DECLARATIONS[name].minimum_rows >= 1_000
    made = {key: value[:999] for key, value in mixed().items() if value is not None and not isinstance(value, dict)}
    with pytest.raises(NotApplicable, match=r"999 points.*1,000"):
        scores(name, made)


def test_the_measures_that_count_are_all_named():
    """Whatever takes information from counts of the codes belongs to the list above."""
    counting = {
        name
        for name, found in DECLARATIONS.items()
        if any(
            f"{word}(" in Path(importlib.import_module(found.module).__file__).read_text()
            for word in ("histogram_information", "equal_width")
        )
    }
    assert counting - ASSIGNED <= set(COUNTED), counting - ASSIGNED - set(COUNTED)


@pytest.mark.parametrize("spread", [0.0, 1e-12, 1e-7, 1e-3])
def test_a_nearly_constant_code_tells_what_its_ranks_tell(spread):
    """Nearest neighbours, with noise of 1e-10 put on, find nothing in such a code, or something in a constant one.

    The code is 1 and `spread` times a perfect code of four values: information log 4 in double precision, or none.
    """
    factors = np.stack(np.unravel_index(np.arange(1_600) % 16, (4, 4)), axis=1)
    codes = 1.0 + spread * np.array([-1.0, -0.5, 0.5, 1.0])[factors[:, :1]]
    noise = np.random.default_rng(0).uniform(size=(len(codes), 1))
    found = DECLARATIONS["mig"].function(np.hstack([codes, noise]), factors[:, :1])["mig"]
    assert found > 0.95 if spread else found < 0.02


def test_infomec_by_neighbours_leaves_constant_codes_out():
    made = mixed()
    dead = with_codes(made, np.insert(made["codes"], PLACES, 1 / 3, axis=1))
    before, after = (scores("infomec", table, estimator="neighbours") for table in (made, dead))
    assert after == pytest.approx(before, abs=0.02)


def test_histogram_boosting_predicts_one_class_at_ten_labels():
    """Its leaves hold 20 points at least: at 10 no split is made. Ours learns from them."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    factors = sprites(2_000)[:, 1:2]
    codes = perfect(factors).astype(np.float32)
    training, testing = learning_rows(2_000, 10, 1_000, 0, None)
    stand_in = HistGradientBoostingClassifier().fit(codes[training], factors[training, 0])
    assert len(np.unique(stand_in.predict(codes[testing]))) == 1
    ours = DECLARATIONS["sample_efficiency"].function(codes, factors, budgets=(10,), test=1_000)
    assert ours["accuracy"] > 0.9


def test_who_tells_a_rotation_from_perfect_codes():
    """Some measures hardly see a rotation of all five factors, so that none decides alone.

    Simulated over 15 rotations: MIG 0.05–0.20, MCC 0.64–0.76, FactorVAE 0.60–0.97, β-VAE 0.81–0.98.
    """
    factors = sprites()
    codes = perfect(factors[:, 1:])
    rng = np.random.default_rng(0)
    turned = [codes @ np.linalg.qr(rng.standard_normal((5, 5)))[0] for _ in range(2)]
    made = {"factors": factors}
    for name, best, low, high in (
        ("mig", 0.896, 0.0, 0.3),
        ("factor_vae_score", 1.0, 0.55, 1.0),
        ("beta_vae_score", 1.0, 0.75, 1.0),
        ("mcc", 1.0, 0.6, 0.8),
    ):
        key = DECLARATIONS[name].headline
        assert scores(name, with_codes(made, codes))[key] == pytest.approx(best, abs=5e-3), name
        found = np.mean([scores(name, with_codes(made, z))[key] for z in turned])
        assert low < found < high, (name, found)


def test_every_file_of_the_index_is_there():
    here = Path(__file__).parent
    named = set(re.findall(r"`([\w/]*test_\w+)(?:\.py)?`", __doc__))
    assert len(named) > 8
    for name in named:
        assert (here / f"{name}.py").exists() or (here.parents[1] / f"{name}.py").exists(), name
