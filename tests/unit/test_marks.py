"""What is known of a user's model before its scores are ranked, though it may stand in another file than its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark import registry
from benchmark.stages.configurations import by_construction, supervision


@pytest.mark.parametrize(
    ("module", "parent", "seen", "given"),
    [
        ("siamese", "Siamese", "labels", 0),
        ("ada_gvae", "AdaGVAE", "pairs", 0),
        ("ae_ica", "AEICA", "none", 2),
        ("vae", "VAE", "none", 0),
    ],
)
def test_a_users_model_inherits_what_it_sees_and_what_is_true_of_it_by_construction(
    module: str, parent: str, seen: str, given: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_plugins", {})
    path = tmp_path / "derived.py"
    path.write_text(
        f'"""A model of this package under another name."""\n'
        f"from benchmark.models.{module} import {parent}\n\n\nclass Derived({parent}):\n    pass\n"
    )
    assert supervision("derived") == "none"  # of a table whose models are not here
    registry.add_plugin(path)
    assert supervision("derived") == supervision(module) == seen
    assert by_construction("derived") == by_construction(module)
    assert len(by_construction("derived")) == given
