"""Measures: pure functions of arrays, one a file; the file's name is the measure's name."""
