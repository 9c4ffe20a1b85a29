"""Where no score over runs is over all runs of a configuration, that is said."""

import pandas as pd

from benchmark.archive.seeds_apart import scored_apart
from benchmark.stages.score_task import declarations

FIRST, BOTH, SECOND = (f"udr/mean-{seeds}-n100/v1" for seeds in ("seeds0x1", "seeds0to3", "seeds2x3"))


def table(*scored: tuple[str, int]) -> pd.DataFrame:
    """UDR by protocol and seed of one configuration, whose runs have MIG as well."""
    udr = [("udr", protocol, seed) for protocol, seed in scored]
    mig = [("mig", "mig/mean-n100/v1", seed) for seed in sorted({seed for _, seed in scored})]
    rows = pd.DataFrame(udr + mig, columns=["metric", "protocol", "seed"])
    return rows.assign(config_id="c0", representation="mean", status="ok", run_id="c0-s" + rows["seed"].astype(str))


def test_parts_that_were_scored_apart_are_named():
    (said,) = scored_apart(table((FIRST, 0), (FIRST, 1), (SECOND, 2), (SECOND, 3)), declarations())
    assert said.startswith("udr compares the runs") and "over all runs of c0" in said
    assert FIRST in said and SECOND in said


def test_a_score_over_all_runs_beside_an_earlier_one_needs_no_word():
    every = [(BOTH, seed) for seed in range(4)]
    assert list(scored_apart(table((FIRST, 0), (FIRST, 1), *every), declarations())) == []
    assert list(scored_apart(table(*every), declarations())) == []
