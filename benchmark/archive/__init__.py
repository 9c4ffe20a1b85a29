"""Archives of results: scores, runs, summaries and weights of one suite as a few small files that others load.

An archive is a folder, a zip file or an address: `archive.json` and the files that it names with their digests.
"""
