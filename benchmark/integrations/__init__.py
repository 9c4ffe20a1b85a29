"""What others' tools take of ours: results for W&B, MLflow and CSV, data for Hugging Face, measures for scikit-learn.

Each is optional: its package is imported where it is used, and nothing else here needs it.
"""
