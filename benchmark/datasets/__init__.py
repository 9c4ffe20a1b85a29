"""Datasets, one a file; the file's name is the dataset's name."""
