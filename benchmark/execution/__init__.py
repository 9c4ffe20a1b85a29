"""How work is spread: tasks onto processes or the workers of a cluster, and the claims by which processes share it."""
