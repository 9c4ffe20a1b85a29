"""Measures over the runs of a configuration, such as UDR, where only some of its runs were ever scored together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from benchmark.metrics._declare import Metric

LISTED = 3
"""Configurations and protocols that a sentence names at most."""


def scored_apart(table: pd.DataFrame, measures: Mapping[str, Metric]) -> Iterator[str]:
    """A sentence for each measure over runs that no single protocol has of all runs of a configuration.

    Such a protocol names the seeds that were scored together. Where runs join others, nothing is scored anew: each
    part keeps the number that it had, in a column of its own, and there is none over both.
    """
    over_runs = {name for name, metric in measures.items() if metric.scope == "configuration"}
    rows = table[table["metric"].isin(over_runs) & (table["status"] == "ok")]
    runs = {str(config_id): own["run_id"].nunique() for config_id, own in table.groupby("config_id")}
    found: dict[str, list[str]] = {}
    protocols: dict[str, set[str]] = {}
    for key, own in rows.groupby(["config_id", "metric", "representation"], sort=False):
        config_id, metric, _ = map(str, key)
        together = {str(protocol): part["run_id"].nunique() for protocol, part in own.groupby("protocol")}
        if len(together) > 1 and max(together.values()) < runs[config_id]:
            found.setdefault(metric, []).append(config_id)
            protocols.setdefault(metric, set()).update(together)
    for metric, configs in found.items():
        yield (
            f"{metric} compares the runs of a configuration with each other, and no score of it is over all runs of"
            f" {_first(list(dict.fromkeys(configs)))}: each part stands in a column of its own"
            f" ({_first(sorted(protocols[metric]))}); the suite run with all of these seeds and evaluated has one"
            " over all"
        )


def _first(names: Sequence[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more:,} more" if more > 0 else "")
