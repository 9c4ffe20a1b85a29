"""What is kept of a run's decoder, where one suite asks for more than another did."""

from benchmark.stages.kept import combined, kept, missing
from benchmark.suite import EncodingSettings

SMALL = EncodingSettings(likelihood_points=64, likelihood_samples=500)
LARGE = EncodingSettings(likelihood_points=256, likelihood_samples=2000)
WEIGHTS = frozenset({"log_weights"})


def test_weights_that_are_not_made_anew_keep_their_size():
    """A measure of the Jacobian was asked for: the record said 256 points, and 64 stood for them ever after."""
    record = {"encoding": kept(SMALL, ("log_weights",))}
    wanted = combined(record, LARGE, frozenset({"v_logits"}))
    assert wanted.encoding == SMALL and "log_weights" in wanted.parts
    after = {"encoding": kept(wanted.encoding, wanted.parts)}
    assert missing(after, LARGE, WEIGHTS) == ("log_weights",)


def test_weights_that_are_asked_for_have_the_larger_size_of_both():
    record = {"encoding": kept(SMALL, ("log_weights",))}
    wide = EncodingSettings(likelihood_points=32, likelihood_samples=2000)
    assert combined(record, wide, WEIGHTS).encoding == EncodingSettings(likelihood_points=64, likelihood_samples=2000)
    assert combined({}, LARGE, WEIGHTS).encoding == LARGE
