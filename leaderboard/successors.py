"""Configurations whose code has changed since a table was saved: other ids, the same model, data and settings."""

from __future__ import annotations

import pandas as pd

SAME = ["dataset", "model", "network", "settings"]
"""What a configuration is, but for the versions of its components and the content of plug-ins."""


def successors(new: pd.DataFrame, reference: pd.DataFrame) -> dict[str, str]:
    """The id that a configuration of the new table had in the reference, for those that changed it.

    Both are results tables. Only what stands in one table alone is matched, and only where it is one on each side: a
    suite that holds a model before and after its change says itself which is which.
    """
    own, old = set(new["config_id"]), set(reference["config_id"])
    now = _only(new, own - old)
    then = _only(reference, old - own)
    # A configuration that the other table has under the very id is no one's successor.
    taken = _only(new, own & old)
    return {now[key]: then[key] for key in now.keys() & then.keys() - taken.keys()}


def exchanged(new: pd.DataFrame, reference: pd.DataFrame) -> set[str]:
    """The ids of the reference's configurations that are gone, where others of the same model and network, on the same
    dataset, have come: a default or a block of the suite was changed, and nobody would compare what came of it."""
    own, old = set(new["config_id"]), set(reference["config_id"])
    come = set(_kinds(new[new["config_id"].isin(own - old)]).itertuples(index=False, name=None))
    gone = reference[reference["config_id"].isin(old - own)].drop_duplicates("config_id")
    kinds = _kinds(gone).itertuples(index=False, name=None)
    return {str(config_id) for config_id, kind in zip(gone["config_id"], kinds, strict=True) if kind in come}


def _kinds(table: pd.DataFrame) -> pd.DataFrame:
    return table[["dataset", "model", "network"]].fillna("").astype("str")


def _only(table: pd.DataFrame, config_ids: set[str]) -> dict[tuple[str, ...], str]:
    """What configurations are, each with its id; those that several are, are left out."""
    rows = table[table["config_id"].isin(config_ids)].drop_duplicates("config_id")
    keys = rows[SAME].fillna("").astype("str")
    keys = keys[~keys.duplicated(keep=False)]
    return {tuple(key): str(config_id) for *key, config_id in keys.assign(id=rows["config_id"]).to_numpy().tolist()}
