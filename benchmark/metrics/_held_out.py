"""How much all codes together say of a factor: what a small network reads of it on rows that it has not learnt from."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

from benchmark.metrics._information import entropy

LAYERS = (100, 100)
BATCH = 64
RATE = 0.003
PATIENCE = 500
"""Steps without a smaller loss on the choosing rows, after which training ends."""

LEAST = 1e-3
"""The share of even odds that is mixed into the network's: one confident mistake would otherwise cost all."""


def held_out_information(codes: Float[ndarray, "n d"], labels: Integer[ndarray, " n"], steps: int, seed: int) -> float:
    """H(v) − the mean log loss on rows that were not learnt from, in nats; may be below 0 where nothing is learnt.

    A lower bound of I(C; v) but for the draw of rows, as no other odds lose less than the conditional ones (Barber &
    Agakov 2003). The network (scikit-learn's MLPClassifier: two layers of 100 rectified units, Adam at 0.003 in batches
    of 64, no penalty) learns from seven tenths of the rows in whole passes, up to `steps` steps. A tenth of the rows
    chooses the pass after which the last two tenths are read. Codes (n d) are standardised already; labels are
    0 … v − 1.
    """
    from sklearn.neural_network import MLPClassifier

    values = np.arange(int(labels.max()) + 1)
    rows = np.random.default_rng(seed).permutation(len(labels))
    testing, choosing, training = np.split(rows, [len(rows) // 5, 3 * len(rows) // 10])
    network = MLPClassifier(LAYERS, alpha=0.0, batch_size=BATCH, learning_rate_init=RATE, random_state=seed)

    def loss(asked: Integer[ndarray, " m"]) -> float:
        odds = network.predict_proba(codes[asked])[np.arange(len(asked)), labels[asked]]
        return float(-np.log((1 - LEAST) * odds + LEAST / len(values)).mean())

    a_pass = -(-len(training) // BATCH)
    smallest, chosen, since = np.inf, np.inf, 0
    for _ in range(0, steps, a_pass):
        network.partial_fit(codes[training], labels[training], classes=values)
        if (here := loss(choosing)) < smallest:
            smallest, chosen, since = here, loss(testing), 0
        elif (since := since + a_pass) >= PATIENCE:
            break
    return entropy(labels) - chosen
