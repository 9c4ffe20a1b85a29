"""What a declaration knows of a measure."""

import numpy as np
import pytest

from benchmark.errors import UsageError
from benchmark.metrics._declare import metric
from benchmark.metrics.dto import dto
from benchmark.metrics.mig import mig
from benchmark.metrics.reconstruction import reconstruction
from benchmark.metrics.sample_efficiency import sample_efficiency


def test_parameters_declare_needs_and_settings():
    assert mig.declaration.needs == ("codes", "factors", "variances", "means")
    assert list(mig.declaration.settings.model_fields) == ["bins", "estimator"]
    assert reconstruction.declaration.needs == ("reconstruction_mean", "reconstruction_sample")
    assert reconstruction.declaration.optional == ("reconstruction_sample",)
    assert mig.declaration.optional == ("variances", "means")
    assert dto.declaration.optional == ()


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


def test_a_measure_stays_a_function():
    @metric(headline="size")
    def example(codes, *, seed=0, power: int = 2):
        return {"size": float((codes**power).sum())}

    assert example(np.ones((2, 3))) == {"size": 6.0}
    assert example.declaration.headline == "size"
    assert example.declaration.name == "example"
