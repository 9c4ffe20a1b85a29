"""What a declaration knows of a measure."""

import numpy as np
import pytest

from benchmark import registry
from benchmark.choice import read_choice
from benchmark.errors import UsageError
from benchmark.metrics._declare import Metric, metric
from benchmark.metrics.dto import dto
from benchmark.metrics.mig import mig
from benchmark.metrics.modularity import modularity
from benchmark.metrics.reconstruction import reconstruction
from benchmark.metrics.sample_efficiency import sample_efficiency
from benchmark.metrics.sap import sap
from benchmark.suite import check_choice


def test_parameters_declare_needs_and_settings():
    assert mig.declaration.needs == ("codes", "factors", "variances", "means")
    assert list(mig.declaration.settings.model_fields) == ["bins", "estimator", "definition"]
    assert reconstruction.declaration.needs == ("reconstruction_mean", "reconstruction_sample")
    assert reconstruction.declaration.optional == ("reconstruction_sample",)
    assert mig.declaration.optional == ("variances", "means")
    assert dto.declaration.optional == ("singular_values",)
    assert modularity.declaration.optional == ()


def test_seed_and_split_are_no_settings():
    assert list(sample_efficiency.declaration.settings.model_fields) == ["budgets", "test", "model"]


def test_protocol_ids():
    declaration = mig.declaration
    assert declaration.protocol(declaration.settings(), "mean", 10_000) == "mig/bins20-mean-n10000/v1"
    sampled = declaration.settings.read({"estimator": "sampled"}, "mig")
    assert declaration.protocol(sampled, "mean", 10_000) == "mig/bins20-estimator=sampled-mean-n10000/v1"
    declaration = sample_efficiency.declaration
    quick = declaration.settings.read(declaration.quick, "quick")
    assert declaration.protocol(quick, "mean", 737_280) == "sample_efficiency/budgets10x100-test1000-mean-n737280/v1"
    assert dto.declaration.protocol(dto.declaration.settings(), "mean", 9) == "dto/solver=assignment-mean-n9/v1"


def test_lists_from_files_become_tuples():
    settings = sample_efficiency.declaration.settings
    assert settings.read({"budgets": [10, 100]}, "x").budgets == (10, 100)
    assert settings.read(settings().plain(), "x") == settings()
    for wrong in (["10"], "10", [1.5]):
        with pytest.raises(UsageError):
            settings.read({"budgets": wrong}, "x")


def test_choices_are_checked():
    with pytest.raises(UsageError, match="solver"):
        dto.declaration.settings.read({"solver": "guess"}, "dto")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mig(bins=0)", "mig.bins = 0: input should be greater than or equal to 2"),
        ("active_units(threshold=nan)", "active_units.threshold = 'nan': input should be a valid number"),
        ("irs(quantile=1.5)", "irs.quantile = 1.5"),
        ("sample_efficiency(budgets=[])", "sample_efficiency.budgets"),
        ("sample_efficiency(budgets=[10,0])", "sample_efficiency.budgets.1 = 0"),
        ("renyi_bound(samples=1)", "renyi_bound: alpha = 0.5 with samples = 1"),
    ],
)
def test_settings_out_of_range_are_refused_before_anything_is_scored(text, said):
    with pytest.raises(UsageError) as caught:
        check_choice(read_choice(text))
    assert str(caught.value).startswith(said)


def test_every_number_of_every_measure_has_a_range():
    bare = []
    for name in registry.names("metric"):
        for key, info in registry.load("metric", name).declaration.settings.model_fields.items():
            if info.annotation in (int, float) and not info.metadata:
                bare.append(f"{name}.{key}")
    assert bare == []


def test_ids_leave_out_what_decides_nothing():
    settings = sap.declaration.settings
    whole = settings.read({"kind": "continuous"}, "sap")
    assert sap.declaration.protocol(whole, "mean", 99) == "sap/kind=continuous-mean-n99/v1"
    default = sap.declaration.protocol(settings(), "mean", 99)
    assert default == "sap/kind=discrete-c0.01-balancedTrue-scaledFalse-train10000-test5000-mean-n99/v1"


def test_the_content_of_a_loose_file_is_part_of_its_protocols(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_plugins", {})
    file, ids = tmp_path / "half.py", []
    for value in (0.5, 0.25):
        file.write_text(
            "from benchmark import metric\n@metric()\ndef half(codes, *, seed: int = 0) -> dict[str, float]:\n"
            f"    return {{'half': {value}}}\n"
        )
        registry.add_plugin(file)
        declaration = registry.load("metric", "half").declaration
        ids.append(declaration.protocol(declaration.settings(), "mean", 9))
    assert all(each.startswith("half/mean-n9/v1-") for each in ids)
    assert len(set(ids)) == 2


def test_an_absent_measure_says_what_its_scores_are_and_cannot_be_called():
    absent = Metric.absent("mig", mig.declaration.described())
    assert (absent.headline, absent.bounds, absent.supervised) == ("mig", (0.0, 1.0), True)
    assert Metric.absent("dto", dto.declaration.described()).bounds == (0.0, float("inf"))
    with pytest.raises(UsageError, match="--plugin"):
        absent.function(np.ones((2, 3)))


def test_a_measure_stays_a_function():
    @metric(headline="size")
    def example(codes, *, seed=0, power: int = 2):
        return {"size": float((codes**power).sum())}

    assert example(np.ones((2, 3))) == {"size": 6.0}
    assert example.declaration.headline == "size"
    assert example.declaration.name == "example"
