"""Train, encode, score and compare disentangled representations."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.archive.results import load_results
    from benchmark.archive.weights import load_model
    from benchmark.codes import Codes
    from benchmark.datasets._dataset import Data, Dataset
    from benchmark.errors import BenchmarkError, NotApplicable, UsageError
    from benchmark.integrations.scikit_learn import scorer
    from benchmark.metrics._declare import metric
    from benchmark.models._gaussian import GaussianModel, kl_coordinates, reparametrise
    from benchmark.models._model import Anchor, Embedding
    from benchmark.models._neural import Batch, NeuralModel, Noise, Objective, Posterior
    from benchmark.networks._network import Network
    from benchmark.spec import Number, Settings, stackable, static
    from benchmark.stages.matrices import CodesByFactors, codes_by_factors
    from benchmark.verbs.accept import accept
    from benchmark.verbs.add_codes import add_codes
    from benchmark.verbs.check import check
    from benchmark.verbs.compare import compare
    from benchmark.verbs.encode import encode
    from benchmark.verbs.evaluate import evaluate
    from benchmark.verbs.explore import explore
    from benchmark.verbs.export import export
    from benchmark.verbs.forget import forget
    from benchmark.verbs.huggingface_dataset import huggingface_dataset
    from benchmark.verbs.matrices import matrices
    from benchmark.verbs.merge import merge
    from benchmark.verbs.prune import prune
    from benchmark.verbs.publish import publish
    from benchmark.verbs.report import report
    from benchmark.verbs.run import run
    from benchmark.verbs.score import score
    from benchmark.verbs.site import site
    from benchmark.verbs.status import status
    from benchmark.verbs.submit import submit
    from benchmark.verbs.traversals import traversals
    from benchmark.verbs.verify import verify

__version__ = "0.4.1"
PROGRAM = f"benchmark {__version__}"
"""Who made a page or an archive, as it says there."""

_HOMES = {
    "benchmark.archive.results": ["load_results"],
    "benchmark.archive.weights": ["load_model"],
    "benchmark.codes": ["Codes"],
    "benchmark.datasets._dataset": ["Data", "Dataset"],
    "benchmark.errors": ["BenchmarkError", "NotApplicable", "UsageError"],
    "benchmark.integrations.scikit_learn": ["scorer"],
    "benchmark.metrics._declare": ["metric"],
    "benchmark.models._gaussian": ["GaussianModel", "kl_coordinates", "reparametrise"],
    "benchmark.models._model": ["Anchor", "Embedding"],
    "benchmark.models._neural": ["Batch", "NeuralModel", "Noise", "Objective", "Posterior"],
    "benchmark.networks._network": ["Network"],
    "benchmark.spec": ["Number", "Settings", "stackable", "static"],
    "benchmark.stages.matrices": ["CodesByFactors", "codes_by_factors"],
    "benchmark.verbs.accept": ["accept"],
    "benchmark.verbs.add_codes": ["add_codes"],
    "benchmark.verbs.check": ["check"],
    "benchmark.verbs.compare": ["compare"],
    "benchmark.verbs.encode": ["encode"],
    "benchmark.verbs.evaluate": ["evaluate"],
    "benchmark.verbs.explore": ["explore"],
    "benchmark.verbs.export": ["export"],
    "benchmark.verbs.forget": ["forget"],
    "benchmark.verbs.huggingface_dataset": ["huggingface_dataset"],
    "benchmark.verbs.matrices": ["matrices"],
    "benchmark.verbs.merge": ["merge"],
    "benchmark.verbs.prune": ["prune"],
    "benchmark.verbs.publish": ["publish"],
    "benchmark.verbs.report": ["report"],
    "benchmark.verbs.run": ["run"],
    "benchmark.verbs.score": ["score"],
    "benchmark.verbs.site": ["site"],
    "benchmark.verbs.status": ["status"],
    "benchmark.verbs.submit": ["submit"],
    "benchmark.verbs.traversals": ["traversals"],
    "benchmark.verbs.verify": ["verify"],
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `import benchmark` stays instant."""
    if name not in _HOME:
        raise AttributeError(f"module 'benchmark' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
