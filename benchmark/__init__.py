"""Train, encode, score and compare disentangled representations."""
