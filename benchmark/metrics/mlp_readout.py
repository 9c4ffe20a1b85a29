"""How much of each factor, taken as a number, a small network reads from all codes on rows it did not learn from."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.metrics._declare import metric
from benchmark.metrics._readout import read_out
from benchmark.metrics._settings import Count
from benchmark.metrics._split import Split


@metric(
    supervised=True,
    readout="numbers",
    rows="all",
    judges="whole",
    representations=("mean",),
    quick={"train": 1_000, "test": 1_000, "epochs": 20},
    trial={"train": 600, "test": 300, "epochs": 20},
    cost=10.0,
)
def mlp_readout(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    hidden: Count = 64,
    epochs: Count = 50,
    batch: Count = 100,
    train: Count = 10_000,
    test: Count = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """R² of a small nonlinear read-out, beside `linear_readout`: what there is to read, however it is arranged.

    For each factor a network with one layer of `hidden` rectified units (scikit-learn's MLPRegressor: Adam at 0.003,
    `epochs` passes in batches of `batch`, no penalty) learns the standardised factor from codes standardised over the
    `train` rows; R² as in `linear_readout`, which also says how rows are drawn, how discrete factors enter and what is
    dropped. Networks start from `seed`, all from the same weights.

    Returns `mlp_readout` and `mlp_readout_factor_I`, in [0, 1], higher is better; noise scores 0.
    Cost: 10 s on 10,000 × 10 codes with five factors.
    Blind to how codes are arranged wherever a small network finds it; what it has over `linear_readout` is not linear.
    Others: networks of every size are in use, and the number depends on it: compare under one protocol only. This one
    is ours, no paper's.
    Raises `NotApplicable` on fewer than `train` + `test` rows, without a factor that varies, and where the test rows
    show one value of a factor; `UsageError` on unusable input.
    """
    reader = partial(networks, hidden=hidden, epochs=epochs, batch=batch, seed=seed)
    return read_out("mlp_readout", codes, factors, train, test, seed, split, reader)


def networks(
    known: Float[ndarray, "a e"],
    targets: Float[ndarray, "a k"],
    asked: Float[ndarray, "b e"],
    *,
    hidden: int,
    epochs: int,
    batch: int,
    seed: int,
) -> Float[ndarray, "b k"]:
    """Each column by a network of its own."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    read = np.empty((len(asked), targets.shape[1]))
    for column, target in enumerate(targets.T):
        network = MLPRegressor(
            hidden_layer_sizes=(hidden,),
            alpha=0.0,
            batch_size=min(batch, len(known)),
            learning_rate_init=0.003,
            max_iter=epochs,
            n_iter_no_change=epochs,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # so many passes are the protocol
            read[:, column] = network.fit(known, target).predict(asked)
    return read
