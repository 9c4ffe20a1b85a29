"""Streams: reproducible by name and block, and independent of each other."""

import itertools

import numpy as np

from benchmark.seeds import integer, stream


def test_first_draws_are_locked() -> None:
    """Changing them changes every published result."""
    assert stream("0123456789ab-s0", "data", block=7).integers(1000, size=4).tolist() == [231, 24, 465, 951]
    noise = stream("0123456789ab-s0", "noise.eps").standard_normal(3)
    np.testing.assert_allclose(noise, [-1.0182636305665322, 0.2697370948105536, -0.003704465285888585], rtol=1e-12)
    assert integer("0123456789ab-s0", "weights") == 2070699121


def test_a_stream_depends_on_its_names_and_block_alone() -> None:
    first = stream("run", "data", block=3).random(5)
    stream("run", "data", block=3).random(100)
    np.random.default_rng(0).random()
    np.testing.assert_array_equal(first, stream("run", "data", block=3).random(5))


def test_names_are_kept_apart() -> None:
    names = [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("c", "ab"), ("a", 1), ("a1",)]
    assert len({integer(*parts) for parts in names}) == len(names)


def test_blocks_are_2_to_the_192_draws_apart() -> None:
    early = stream("run", "data", block=2)
    assert isinstance(early.bit_generator, np.random.Philox)
    early.bit_generator.advance(3 * 2**192)
    np.testing.assert_array_equal(early.random(4), stream("run", "data", block=5).random(4))


def test_streams_are_independent() -> None:
    n = 20_000
    names = itertools.product(("run-s0", "run-s1", "run-s2"), ("data", "noise"), range(3))
    streams = [stream(run, purpose, block=block) for run, purpose, block in names]
    draws = np.stack([rng.standard_normal(n) for rng in streams])
    correlation = np.corrcoef(draws)
    np.fill_diagonal(correlation, 0)
    assert np.abs(correlation).max() < 5 / np.sqrt(n)
    assert np.abs(draws.mean(axis=1)).max() < 5 / np.sqrt(n)


def test_integers_are_seeds_for_libraries() -> None:
    values = [integer("run", number) for number in range(1000)]
    assert all(0 <= value < 2**31 for value in values)
    assert len(set(values)) == 1000
    assert abs(np.mean(values) / 2**30 - 1) < 0.1
