"""Networks, one a file; the file's name is the network's name."""
