"""The stages of the one way: train, encode, evaluate, aggregate."""
