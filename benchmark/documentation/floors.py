"""What measures keep of the way from noise to perfect codes when the codes are rotated, from the published anchors."""

from __future__ import annotations

from benchmark import registry
from benchmark.documentation.prose import table
from benchmark.naming import score_name
from benchmark.published import anchors

SHOWN = ("perfect", "rotated", "noise", "untrained")


def rotation() -> str:
    """A row a supervised measure's headline score of mean codes, in [0, 1], the most impressed by a rotation last."""
    rows = []
    for name in registry.names("metric"):
        declared = registry.load("metric", name).declaration
        if not declared.supervised or not declared.higher_is_better:
            continue
        found = anchors(name)
        own = found[(found["score"] == declared.headline) & (found["representation"] == "mean")]
        own = own[own["budget"].isna() & (own["protocol"] == own["protocol"].iloc[0])] if len(own) else own
        means = {str(row["model"]): float(row["mean"]) for _, row in own.iterrows() if row["status"] == "ok"}
        if not {"perfect", "rotated", "noise"} <= set(means) or means["perfect"] - means["noise"] < 0.05:
            continue
        kept = (means["rotated"] - means["noise"]) / (means["perfect"] - means["noise"])
        values = [f"{means[each]:.2f}" if each in means else "–" for each in SHOWN]
        rows.append((kept, [f"[`{score_name(name, declared.headline)}`](measures/{name}.md)", *values, f"{kept:.0%}"]))
    return table(["measure", *SHOWN, "kept"], [cells for _, cells in sorted(rows, key=lambda row: row[0])])
