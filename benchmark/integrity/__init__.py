"""Whether results are what they were when they were written: JSON records, files, tensors, runs and suites' tables."""
