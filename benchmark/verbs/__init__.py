"""What a user types, a file a verb, as functions: `from benchmark import run, evaluate, report, check`."""
