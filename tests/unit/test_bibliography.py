"""No reference in a measure's description is without its full citation."""

import inspect
import re

from benchmark import registry
from benchmark.bibliography import sources
from benchmark.describe import component

AUTHORS = re.compile(r"[A-Z][\w\u00c0-\u017f]+ (?:et al\.|& [A-Z][\w\u00c0-\u017f]+) (?:19|20)\d\d")


def test_by_hand():
    found = sources("The score of Kim & Mnih\n    2018 (M §4.4); S and R alone are letters, as is E[S §.")
    assert list(found) == ["Kim & Mnih 2018", "M", "S"]
    assert (
        found["M"].startswith("L. Mushom. Disentangled Representations") and "Factorising" in found["Kim & Mnih 2018"]
    )
    assert sources("nothing, by nobody") == {}


def test_every_measures_references_are_known():
    seen = 0
    for name in registry.names("metric"):
        text = " ".join(inspect.getdoc(registry.load("metric", name)).split())
        given = set(AUTHORS.findall(text))
        assert given <= set(sources(text)), name
        seen += len(given)
    assert seen > 15


def test_show_gives_them_whole():
    assert component("metric", "factor_vae_score")["sources"]["M"].startswith("L. Mushom")
