"""Neuron knockout: what a small network no longer reads of a factor once the code assigned to it is taken away."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray

from benchmark.metrics._check import classes, need_few_codes
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import Bins, Count
from benchmark.metrics._split import Split
from benchmark.metrics.linear_separability import standardised
from benchmark.metrics.snc import own_codes, prepared

MOST_CODES = 200
"""A network for each factor and once more without its code takes hours on more."""


@metric(
    also=("nk_whole",),
    bounds=(-1.0, 1.0),
    supervised=True,
    rows="all",
    representations=("mean",),
    quick={"train": 500, "test": 500, "epochs": 10, "hidden": 32, "batch": 50},
    trial={"train": 300, "test": 300, "epochs": 10, "hidden": 16, "batch": 50},
    cost=40.0,
    version=2,
)
def nk(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    bins: Bins = 20,
    hidden: Count = 256,
    epochs: Count = 75,
    batch: Count = 1_000,
    train: Count = 10_000,
    test: Count = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """Neuron knockout of Mahon et al. 2023 (Correcting flaws in common disentanglement metrics).

    Each factor gets a code of its own as in `snc`. A network with one layer of `hidden` rectified units (scikit-learn's
    MLPClassifier: Adam at 0.01, `epochs` passes over the training rows in batches of `batch`, no penalty) learns the
    factor from all codes, another from all but its own; the score is the difference of their accuracies on the test
    rows, averaged over factors. Codes are standardised over the training rows. A factor without a code of its own loses
    nothing; without any code left the most frequent training value is predicted, as where the training rows show one
    value. `train` and `test` rows are drawn by `seed`, or `split` = (train rows, test rows) gives them. Constant
    factors and codes are dropped.

    Returns `nk` and `nk_factor_I`, in [−1, 1], higher is better, and `nk_whole`, the mean accuracy with all codes.
    Noise scores 0. Cost: 40 s on 10,000 × 10 codes with five factors.
    Blind to how much a factor's code holds besides it, and to a factor that nothing reads, which loses nothing: read it
    beside `nk_whole`. A copy of a code elsewhere takes the whole score, as nothing is lost with the first.
    Version 1 left factors that several codes determine to the order of the codes.
    Others: the authors train in batches of 4,096 with a falling learning rate on codes as they are, until the training
    accuracy no longer rises, and also take away two codes; whether their table subtracts chance could not be confirmed.
    Raises `NotApplicable` on too few rows, on continuous factors, on one of over 1,000 values, on more than 200 codes
    and without a factor that varies; `UsageError` on unusable input.
    """
    codes, factors, varying, (training, testing) = prepared(codes, factors, train, test, seed, split)
    why = "a network for each factor and another without its code take hours"
    need_few_codes(codes.shape[1], MOST_CODES, why, "snc and med take more")
    own = own_codes(codes[training], factors[training], varying, bins)
    known, asked = standardised(codes[training], codes[testing])
    scores, whole = {}, []
    for k in varying:
        labels = classes(factors[:, k])
        fit = (labels[training], labels[testing], hidden, epochs, batch, seed)
        whole.append(_accuracy(known, asked, *fit))
        without = np.delete(np.arange(known.shape[1]), own[k]) if k in own else None
        left = whole[-1] if without is None else _accuracy(known[:, without], asked[:, without], *fit)
        scores[f"nk_factor_{k}"] = whole[-1] - left
    return {"nk": float(np.mean(list(scores.values()))), "nk_whole": float(np.mean(whole)), **scores}


def _accuracy(
    train: Float[ndarray, "a e"],
    test: Float[ndarray, "b e"],
    known: Integer[ndarray, " a"],
    asked: Integer[ndarray, " b"],
    hidden: int,
    epochs: int,
    batch: int,
    seed: int,
) -> float:
    """The share of test rows that a network gets right."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    if not train.shape[1] or known.min() == known.max():
        return float((asked == np.bincount(known).argmax()).mean())
    network = MLPClassifier(
        hidden_layer_sizes=(hidden,),
        alpha=0.0,
        batch_size=min(batch, len(train)),
        learning_rate_init=0.01,
        max_iter=epochs,
        n_iter_no_change=epochs,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # so many passes are the protocol
        network.fit(train, known)
    return float((network.predict(test) == asked).mean())
