"""No reference in a measure's description is without its full citation."""

import re

import pytest

from benchmark import registry
from benchmark.bibliography import cited, sources
from benchmark.words.components import component, documentation

AUTHORS = re.compile(r"[A-Z][\w\u00c0-\u017f]+ (?:et al\.|& [A-Z][\w\u00c0-\u017f]+) (?:19|20)\d\d")


def test_by_hand():
    found = sources("The score of Kim & Mnih\n    2018 (M §4.4); S and R alone are letters, as is E[S §.")
    assert list(found) == ["Kim & Mnih 2018", "M", "S"]
    assert (
        found["M"].startswith("L. Mushom. Disentangled Representations") and "Factorising" in found["Kim & Mnih 2018"]
    )
    assert sources("nothing, by nobody") == {}


@pytest.mark.parametrize("kind", ["metric", "model", "dataset", "network"])
def test_every_reference_that_show_prints_is_known(kind):
    seen = 0
    for name in registry.names(kind):
        text = " ".join(documentation(registry.load(kind, name)).split())
        given = set(AUTHORS.findall(text))
        assert given <= set(sources(text)), name
        seen += len(given)
    assert seen >= {"metric": 15, "model": 25, "dataset": 9, "network": 0}[kind]


def test_show_gives_them_whole():
    assert component("metric", "factor_vae_score")["sources"]["M"].startswith("L. Mushom")
    assert "Wasserstein Auto-Encoders" in component("model", "wae_mmd")["sources"]["Tolstikhin et al. 2018"]
    assert set(cited("model", "wae_mmd")) == set(component("model", "wae_mmd")["sources"])
    assert cited("model", "nobody") == {}
