"""The documentation: pages written by hand, pages made from docstrings and the registry, tutorials that are run.

`python -m benchmark.documentation --to site` builds it; it needs the extra `docs`.
"""
